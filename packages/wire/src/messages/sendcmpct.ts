import { type Codec, defineCodec } from "../Codec.ts"

/** The version of compact blocks with witnesses, the only one alive. Core 28.1 ignores a `sendcmpct` of any other. */
export const CMPCTBLOCKS_VERSION = 2n

/** Says that compact blocks are understood (BIP-0152). */
export interface SendCmpct {
  readonly _tag: "sendcmpct"
  /** Asks for new blocks as `cmpctblock` at once, without an announcement before. */
  readonly highBandwidth: boolean
  readonly version: bigint
}

export const sendcmpct: Codec<SendCmpct> = defineCodec<SendCmpct>({
  command: "sendcmpct",
  shortId: 20,
  spec: "BIP-0152",
  maxSize: 9,
  // Core 31.99 `net_processing.cpp`: `Misbehaving`, where the first byte is neither 0 nor 1 (BIP-0152 §"sendcmpct").
  overLimit: "discourage",
  size: () => 9,
  encode(w, m) {
    w.bool(m.highBandwidth)
    w.u64(m.version)
  },
  decode(r) {
    const at = r.offset
    const announce = r.u8("high bandwidth")
    const version = r.u64("compact block version")
    if (announce > 1) r.overLimit(`high bandwidth: ${announce} where 1 is allowed`, at)
    return { _tag: "sendcmpct", highBandwidth: announce === 1, version }
  }
})
