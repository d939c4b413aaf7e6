import { type Codec, defineCodec } from "../Codec.ts"

/** Draft. Begins a round of reconciliation (BIP-0330). */
export interface ReqRecon {
  readonly _tag: "reqrecon"
  /** Transactions in the sender's set. */
  readonly setSize: number
  /** How different the sender takes the sets to be, in units that its version of the protocol defines. */
  readonly q: number
}

export const reqrecon: Codec<ReqRecon> = defineCodec<ReqRecon>({
  command: "reqrecon",
  spec: "BIP-0330 (draft)",
  maxSize: 4,
  size: () => 4,
  encode(w, m) {
    w.u16(m.setSize)
    w.u16(m.q)
  },
  decode: (r) => ({ _tag: "reqrecon", setSize: r.u16("set size"), q: r.u16("q") })
})
