import { type Codec, emptyCodec } from "../Codec.ts"

/** Says that `addrv2` is understood and wanted in place of `addr`. Between `version` and `verack` only. */
export interface SendAddrV2 {
  readonly _tag: "sendaddrv2"
}

export const SENDADDRV2: SendAddrV2 = { _tag: "sendaddrv2" }

export const sendaddrv2: Codec<SendAddrV2> = emptyCodec(SENDADDRV2, "BIP-0155")
