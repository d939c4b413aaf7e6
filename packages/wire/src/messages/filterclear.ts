import { type Codec, emptyCodec } from "../Codec.ts"

/** Takes back the filter: the sender wants to hear of every transaction (BIP-0037). */
export interface FilterClear {
  readonly _tag: "filterclear"
}

export const FILTERCLEAR: FilterClear = { _tag: "filterclear" }

export const filterclear: Codec<FilterClear> = emptyCodec(FILTERCLEAR, "BIP-0037", 7)
