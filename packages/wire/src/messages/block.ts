import { type BlockView, readBlockView } from "@satwire/primitives"
import { type Codec, defineCodec } from "../Codec.ts"
import { MAX_PROTOCOL_MESSAGE_LENGTH } from "../Protocol.ts"

/** A block, answering a `getdata` (BIP-0144: with its witnesses where the type asked for them). */
export interface Block {
  readonly _tag: "block"
  /** Its bytes and where its parts lie; `materialise` makes objects of them, `BlockView.of` the view of objects. */
  readonly block: BlockView
}

export const block: Codec<Block> = defineCodec<Block>({
  command: "block",
  shortId: 2,
  spec: "BIP-0144",
  maxSize: MAX_PROTOCOL_MESSAGE_LENGTH,
  size: (m) => m.block.bytes.length,
  encode: (w, m) => w.raw(m.block.bytes),
  decode: (r) => ({ _tag: "block", block: readBlockView(r) })
})
