import { compactSizeLength } from "@satwire/bytes"
import type { BlockHash } from "@satwire/primitives"
import { type Codec, defineCodec } from "../Codec.ts"
import { MAX_INDEXES, indexSize, readIndex, writeIndex } from "../DifferentialIndexes.ts"

/** Asks for the transactions of a compact block that its receiver lacks (BIP-0152). */
export interface GetBlockTxn {
  readonly _tag: "getblocktxn"
  readonly blockHash: BlockHash
  /** Their numbers in the block, rising. */
  readonly indexes: ReadonlyArray<number>
}

export const getblocktxn: Codec<GetBlockTxn> = defineCodec<GetBlockTxn>({
  command: "getblocktxn",
  shortId: 10,
  spec: "BIP-0152",
  // No distance takes more than three bytes.
  maxSize: 32 + compactSizeLength(MAX_INDEXES) + 3 * MAX_INDEXES,
  // Core's reading throws at the index that leaves 16 bits.
  overLimit: "ignore",
  size(m) {
    let bytes = 32 + compactSizeLength(m.indexes.length)
    let previous = -1
    for (const index of m.indexes) {
      bytes += indexSize(previous, index)
      previous = index
    }
    return bytes
  },
  encode(w, m) {
    w.raw(m.blockHash)
    w.compactSize(m.indexes.length)
    let previous = -1
    for (const index of m.indexes) {
      writeIndex(w, previous, index)
      previous = index
    }
  },
  decode(r) {
    const blockHash = r.view(32, "block hash") as BlockHash
    const indexes = new Array<number>(r.count(MAX_INDEXES, 1, "transaction indexes"))
    let previous = -1
    for (let i = 0; i < indexes.length; i++) {
      previous = readIndex(r, previous)
      indexes[i] = previous
    }
    return { _tag: "getblocktxn", blockHash, indexes }
  }
})
