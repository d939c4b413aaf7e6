import { type Codec, emptyCodec } from "../Codec.ts"

/** Asks for addresses of other nodes. Answered once, and only to who connected to us. */
export interface GetAddr {
  readonly _tag: "getaddr"
}

export const GETADDR: GetAddr = { _tag: "getaddr" }

export const getaddr: Codec<GetAddr> = emptyCodec(GETADDR, "Bitcoin Core 28.1")
