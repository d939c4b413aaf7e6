import type { Satoshis } from "@satwire/primitives"
import { type Codec, defineCodec } from "../Codec.ts"

/** Asks not to be told of transactions that pay less (BIP-0133). */
export interface FeeFilter {
  readonly _tag: "feefilter"
  /** Satoshis for a thousand virtual bytes. Signed, and whatever the peer wrote: it need not be money. */
  readonly feeRateSatPerKvb: Satoshis
}

export const feefilter: Codec<FeeFilter> = defineCodec<FeeFilter>({
  command: "feefilter",
  shortId: 5,
  spec: "BIP-0133",
  maxSize: 8,
  size: () => 8,
  encode: (w, m) => w.i64(m.feeRateSatPerKvb),
  decode: (r) => ({ _tag: "feefilter", feeRateSatPerKvb: r.i64("fee rate") as Satoshis })
})
