import { type Codec, emptyCodec } from "../Codec.ts"

/** Asks for new blocks to be announced by `headers` and not by `inv`. */
export interface SendHeaders {
  readonly _tag: "sendheaders"
}

export const SENDHEADERS: SendHeaders = { _tag: "sendheaders" }

export const sendheaders: Codec<SendHeaders> = emptyCodec(SENDHEADERS, "BIP-0130")
