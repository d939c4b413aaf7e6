import { type Block as BlockData, blockSize, readBlock, writeBlock } from "@satwire/primitives"
import { type Codec, defineCodec } from "../Codec.ts"
import { MAX_PROTOCOL_MESSAGE_LENGTH } from "../Protocol.ts"

/** A block, answering a `getdata` (BIP-0144: with its witnesses where the type asked for them). */
export interface Block {
  readonly _tag: "block"
  readonly block: BlockData
}

export const block: Codec<Block> = defineCodec<Block>({
  command: "block",
  shortId: 2,
  spec: "BIP-0144",
  maxSize: MAX_PROTOCOL_MESSAGE_LENGTH,
  size: (m) => blockSize(m.block),
  encode: (w, m) => writeBlock(w, m.block),
  decode: (r) => ({ _tag: "block", block: readBlock(r) })
})
