import { type Codec, emptyCodec } from "../Codec.ts"

/** Says that transactions are to be announced by wtxid. Between `version` and `verack` only. */
export interface WtxidRelay {
  readonly _tag: "wtxidrelay"
}

export const WTXIDRELAY: WtxidRelay = { _tag: "wtxidrelay" }

export const wtxidrelay: Codec<WtxidRelay> = emptyCodec(WTXIDRELAY, "BIP-0339")
