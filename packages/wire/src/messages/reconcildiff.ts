import { compactSizeLength } from "@satwire/bytes"
import { type Codec, defineCodec } from "../Codec.ts"
import { MAX_SKETCH_CAPACITY } from "./sketch.ts"

/** Elements of a sketch and of its extension: no more differences can be told from them. */
const MAX_DIFFERENCES = 2 * MAX_SKETCH_CAPACITY

/** Draft. Ends a round of reconciliation: which transactions its sender lacks (BIP-0330). */
export interface ReconcilDiff {
  readonly _tag: "reconcildiff"
  /** Whether the sets' difference could be told. */
  readonly success: boolean
  /** Short ids of what the sender lacks. */
  readonly shortIds: ReadonlyArray<number>
}

export const reconcildiff: Codec<ReconcilDiff> = defineCodec<ReconcilDiff>({
  command: "reconcildiff",
  spec: "BIP-0330 (draft)",
  maxSize: 1 + compactSizeLength(MAX_DIFFERENCES) + 4 * MAX_DIFFERENCES,
  overLimit: "disconnect",
  size: (m) => 1 + compactSizeLength(m.shortIds.length) + 4 * m.shortIds.length,
  encode(w, m) {
    w.bool(m.success)
    w.compactSize(m.shortIds.length)
    for (const shortId of m.shortIds) w.u32(shortId)
  },
  decode(r) {
    const success = r.u8("success")
    // BIP-0330 §"New messages": a boolean is 0 or 1 exactly.
    if (success > 1) r.malformed(`success of ${success}`, 0)
    const shortIds = new Array<number>(r.count(MAX_DIFFERENCES, 4, "short ids"))
    for (let i = 0; i < shortIds.length; i++) shortIds[i] = r.u32("short id")
    return { _tag: "reconcildiff", success: success === 1, shortIds }
  }
})
