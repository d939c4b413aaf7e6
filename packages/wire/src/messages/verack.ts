import { type Codec, emptyCodec } from "../Codec.ts"

/** Accepts the other side's `version`. The handshake is done when both sides have sent and received one. */
export interface Verack {
  readonly _tag: "verack"
}

export const VERACK: Verack = { _tag: "verack" }

export const verack: Codec<Verack> = emptyCodec(VERACK, "Bitcoin Core 28.1")
