import { varBytesLength } from "@satwire/bytes"
import { type BlockHeader, HEADER_SIZE, readHeader, writeHeader } from "@satwire/primitives"
import { type Codec, defineCodec } from "../Codec.ts"
import { type HashList, hashListMaxSize, hashListSize, readHashList, writeHashList } from "../HashList.ts"

/**
 * Bitcoin Core's `MAX_BLOCK_WEIGHT / MIN_TRANSACTION_WEIGHT` (consensus/consensus.h; merkleblock.cpp): no block has more transactions,
 * and no partial tree more hashes.
 *
 * @limit hashes of a `merkleblock`
 */
export const MAX_MERKLE_HASHES = 16_666

/** A bit for each node of a tree over that many leaves: fewer than twice as many, and one more on each odd level. */
const MAX_FLAG_BYTES = Math.ceil((2 * MAX_MERKLE_HASHES + 16) / 8)

/** A block's header and the part of its merkle tree that proves the transactions which match a filter (BIP-0037). */
export interface MerkleBlock {
  readonly _tag: "merkleblock"
  readonly header: BlockHeader
  /** Transactions of the whole block, as the sender claims. */
  readonly transactionCount: number
  /** Hashes of the partial tree, depth first. */
  readonly hashes: HashList
  /** A bit for each node that was visited, the first lowest in the first byte. */
  readonly flags: Uint8Array
}

export const merkleblock: Codec<MerkleBlock> = defineCodec<MerkleBlock>({
  command: "merkleblock",
  shortId: 16,
  spec: "BIP-0037",
  maxSize: HEADER_SIZE + 4 + hashListMaxSize(MAX_MERKLE_HASHES) + 3 + MAX_FLAG_BYTES,
  // Core takes none. A tree that claims more is no tree of any block.
  overLimit: "ignore",
  size: (m) => HEADER_SIZE + 4 + hashListSize(m.hashes) + varBytesLength(m.flags),
  encode(w, m) {
    writeHeader(w, m.header)
    w.u32(m.transactionCount)
    writeHashList(w, m.hashes)
    w.varBytes(m.flags)
  },
  decode: (r) => ({
    _tag: "merkleblock",
    header: readHeader(r),
    transactionCount: r.u32("transaction count"),
    hashes: readHashList(r, MAX_MERKLE_HASHES, "merkle hashes"),
    flags: r.varBytes(MAX_FLAG_BYTES, "merkle flags")
  })
})
