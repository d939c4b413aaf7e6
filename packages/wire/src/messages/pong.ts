import { type Codec, defineCodec } from "../Codec.ts"

/** Answers a `ping` with its nonce (BIP-0031). */
export interface Pong {
  readonly _tag: "pong"
  readonly nonce: bigint
}

export const pong: Codec<Pong> = defineCodec<Pong>({
  command: "pong",
  shortId: 19,
  spec: "BIP-0031",
  maxSize: 8,
  size: () => 8,
  encode: (w, m) => w.u64(m.nonce),
  decode: (r) => ({ _tag: "pong", nonce: r.u64("nonce") })
})
