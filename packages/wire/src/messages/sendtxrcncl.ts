import { type Codec, defineCodec } from "../Codec.ts"

/** Bitcoin Core's `TXRECONCILIATION_VERSION` (node/txreconciliation.h). */
export const TXRECONCILIATION_VERSION = 1

/** Draft. Says that transactions may be announced by reconciling sets (BIP-0330). Between `version` and `verack` only. */
export interface SendTxRcncl {
  readonly _tag: "sendtxrcncl"
  readonly version: number
  /** The sender's half of the salt of short ids. */
  readonly salt: bigint
}

export const sendtxrcncl: Codec<SendTxRcncl> = defineCodec<SendTxRcncl>({
  command: "sendtxrcncl",
  spec: "BIP-0330 (draft)",
  maxSize: 12,
  size: () => 12,
  encode(w, m) {
    w.u32(m.version)
    w.u64(m.salt)
  },
  decode: (r) => ({ _tag: "sendtxrcncl", version: r.u32("reconciliation version"), salt: r.u64("salt") })
})
