/**
 * A block through a bloom filter: a `merkleblock`, and the transactions that it proves (BIP-0037 §"filterload, filteradd, filterclear,
 * merkleblock").
 *
 * Specification: it is worked out in steps, each a share of a turn. Rationale: a block can be made that takes a filter of 50 functions seconds.
 *
 * Source: Bitcoin Core 31.99 `merkleblock.cpp`, `net_processing.cpp` (`ProcessGetBlockData`).
 */
import type { Sha256 } from "@satwire/crypto"
import { type BloomFilter, buildPartialTree } from "@satwire/filters"
import type { BlockView, Txid } from "@satwire/primitives"
import { HashList, type MerkleBlock, type Tx } from "@satwire/wire"

/**
 * @limit elements of a block that are looked for in a filter in one turn, and hashes of them
 */
const WORK_PER_TURN = 100_000
/**
 * @limit bytes of a block's transactions that are looked through in one turn, and one transaction more
 */
const LOOKED_BYTES_PER_TURN = 32_768
/**
 * @limit bytes of transactions that are sent with a `merkleblock` in one turn, and one transaction more
 */
const SENT_BYTES_PER_TURN = 131_072

type Messages = ReadonlyArray<MerkleBlock | Tx>

const NONE: Messages = []

/** What is sent of a block, step by step: most steps before the first message have none, and the last has some. */
export function* filteredBlock(filter: BloomFilter, block: BlockView, sha256: Sha256): Generator<Messages, Messages> {
  const txids = block.txids(sha256)
  const matched = new Set<number>()
  let bytes = 0
  let begunAt = filter.work
  const hasTurn = (): boolean => filter.work - begunAt < WORK_PER_TURN
  for (let i = 0; i < block.transactionCount; i++) {
    const tx = block.transaction(i)
    const txid = txids.subarray(32 * i, 32 * i + 32) as Txid
    const match = filter.match(tx.materialise(), txid, hasTurn)
    let step = match.next()
    for (; step.done !== true; step = match.next()) {
      yield NONE
      begunAt = filter.work
    }
    if (step.value) matched.add(i)
    bytes += tx.bytes.length
    if (bytes < LOOKED_BYTES_PER_TURN) continue
    bytes = 0
    yield NONE
    begunAt = filter.work
  }
  let batch: Array<MerkleBlock | Tx> = [merkleBlock(block, txids, matched, sha256)]
  bytes = 0
  for (const i of matched) {
    if (bytes >= SENT_BYTES_PER_TURN) {
      yield batch
      batch = []
      bytes = 0
    }
    const tx = block.transaction(i)
    batch.push({ _tag: "tx", tx })
    bytes += tx.bytes.length
  }
  return batch
}

const merkleBlock = (
  block: BlockView,
  txids: Uint8Array,
  matched: ReadonlySet<number>,
  sha256: Sha256
): MerkleBlock => {
  const { flags, hashes, transactionCount } = buildPartialTree(sha256, txids, (i) => matched.has(i))
  return { _tag: "merkleblock", header: block.header, transactionCount, hashes: new HashList(hashes), flags }
}
