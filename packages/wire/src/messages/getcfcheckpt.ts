import type { BlockHash } from "@satwire/primitives"
import { type Codec, defineCodec } from "../Codec.ts"
import { readFilterType, readStopHash } from "../FilterQuery.ts"

/** Asks for a `cfcheckpt`. */
export interface GetCFCheckpt {
  readonly _tag: "getcfcheckpt"
  readonly filterType: number
  readonly stopHash: BlockHash
}

export const getcfcheckpt: Codec<GetCFCheckpt> = defineCodec<GetCFCheckpt>({
  command: "getcfcheckpt",
  shortId: 26,
  spec: "BIP-0157",
  maxSize: 33,
  size: () => 33,
  encode(w, m) {
    w.u8(m.filterType)
    w.raw(m.stopHash)
  },
  decode: (r) => ({ _tag: "getcfcheckpt", filterType: readFilterType(r), stopHash: readStopHash(r) })
})
