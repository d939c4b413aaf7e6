import { type Codec, emptyCodec } from "../Codec.ts"

/** Asks for an `inv` of the whole mempool. Answered only to peers with leave for it. */
export interface Mempool {
  readonly _tag: "mempool"
}

export const MEMPOOL: Mempool = { _tag: "mempool" }

export const mempool: Codec<Mempool> = emptyCodec(MEMPOOL, "BIP-0035", 15)
