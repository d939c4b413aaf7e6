/**
 * A block of 3,029 transactions (mainnet 831331, 1.8 MB) that comes as short ids and is found in a mempool: from the payload to all transactions
 * at hand, and on to the block with both its roots checked. The mempool's hashes are at hand, as a mempool has them.
 */
import { BlockView, type TransactionView } from "@satwire/primitives"
import { PartialBlock, type TransactionPool, buildCompactBlock } from "@satwire/compact-blocks"
import { ChaChaRandom } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"
import { realData } from "@satwire/testkit"
import { decodePayload, encodePayload } from "@satwire/wire"
import * as Result from "effect/Result"
import { type CompactPeer, bcoinCompactBlock } from "./peers/npmPeers.ts"
import type { Suite } from "./Suite.ts"

const BLOCK = "blocks/mainnet/run_831328-831333/block_831331_99668afa68d3.bin"

/** A mempool with all transactions of the block but the coinbase, in the midst of others. */
class BenchPool implements TransactionPool {
  readonly count: number
  readonly wtxids: Uint8Array
  readonly txids: Uint8Array
  readonly #transactions: ReadonlyArray<TransactionView>

  constructor(block: BlockView, count: number) {
    const random = ChaChaRandom.fromNumber(count)
    this.count = count
    this.wtxids = random.bytes(32 * count)
    this.txids = random.bytes(32 * count)
    const transactions = new Array<TransactionView>(count).fill(block.transaction(0))
    const [txids, wtxids] = [block.txids(platformSha256), block.wtxids(platformSha256)]
    for (let i = 1; i < block.transactionCount; i++) {
      const slot = Math.floor((count * i) / block.transactionCount)
      transactions[slot] = block.transaction(i)
      this.txids.set(txids.subarray(32 * i, 32 * i + 32), 32 * slot)
      this.wtxids.set(wtxids.subarray(32 * i, 32 * i + 32), 32 * slot)
    }
    this.#transactions = transactions
  }

  transaction(slot: number): TransactionView {
    return this.#transactions[slot] as TransactionView
  }
}

/** None where the folder of real data is absent. */
export const compactSuites = (): ReadonlyArray<Suite> => {
  const data = realData()
  if (data === undefined) return []
  const raw = data.bytes(BLOCK)
  const block = Result.getOrThrow(BlockView.decode(raw)).value
  const payload = encodePayload(buildCompactBlock(platformSha256, block, { nonce: 1n }))
  const begin = (pool: TransactionPool): PartialBlock => {
    const message = Result.getOrThrow(decodePayload("cmpctblock", payload)).value
    const begun = PartialBlock.begin({ sha256: platformSha256, message, pools: [pool], hasWitness: true })
    if (begun._tag !== "Begun" || begun.partial.missing.length > 0) throw new Error("the block is not found")
    return begun.partial
  }
  const rebuild = (pool: TransactionPool): BlockView => {
    const completed = begin(pool).complete([])
    if (completed._tag !== "Whole") throw new Error("the block is not rebuilt")
    return completed.block
  }
  const suiteOf = (count: number, peer?: (wtxids: Uint8Array) => CompactPeer): ReadonlyArray<Suite> => {
    const pool = new BenchPool(block, count)
    if (Buffer.compare(rebuild(pool).bytes, raw) !== 0) throw new Error("another block was rebuilt")
    let made: CompactPeer | undefined
    const bcoin = (): CompactPeer | undefined => (made ??= peer?.(pool.wtxids))
    const contenders = (run: (pool: TransactionPool) => unknown, what: "find" | "rebuild"): Suite["contenders"] => [
      { name: "satwire", run: () => (run(pool), 1) },
      ...(peer === undefined ? [] : [{ name: "bcoin", run: () => bcoin()?.[what]() ?? 0 }])
    ]
    const among = `${block.transactionCount} transactions among ${count.toLocaleString("en")}`
    return [
      { title: `a compact block: ${among}, found`, unit: "blocks", contenders: contenders(begin, "find") },
      {
        title: "the same: found, put together, both roots checked",
        unit: "blocks",
        contenders: contenders(rebuild, "rebuild")
      }
    ]
  }
  // The larger one alone and first: 300,000 objects of bcoin's would be gone through at every collection that our blocks bring about.
  return [...suiteOf(300_000), ...suiteOf(50_000, (wtxids) => bcoinCompactBlock(raw, payload, wtxids))]
}
