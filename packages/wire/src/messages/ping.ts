import { type Codec, defineCodec } from "../Codec.ts"

/** Asks for a `pong` with the same nonce (BIP-0031). Peers of version 60000 and older send none and get no answer. */
export interface Ping {
  readonly _tag: "ping"
  readonly nonce: bigint
}

export const ping: Codec<Ping> = defineCodec<Ping>({
  command: "ping",
  shortId: 18,
  spec: "BIP-0031",
  maxSize: 8,
  size: () => 8,
  encode: (w, m) => w.u64(m.nonce),
  decode: (r) => ({ _tag: "ping", nonce: r.u64("nonce") })
})
