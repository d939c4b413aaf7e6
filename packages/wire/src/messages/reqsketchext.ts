import { type Codec, emptyCodec } from "../Codec.ts"

/** Draft. Asks for more of a sketch that was too small (BIP-0330). */
export interface ReqSketchExt {
  readonly _tag: "reqsketchext"
}

export const REQSKETCHEXT: ReqSketchExt = { _tag: "reqsketchext" }

export const reqsketchext: Codec<ReqSketchExt> = emptyCodec(REQSKETCHEXT, "BIP-0330 (draft)")
