/** Why a day of torture cannot go on. */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"

interface TortureFailedFields {
  /** One sentence. */
  readonly message: string
  readonly cause?: unknown
}

const TortureFailedBase: new (
  fields: TortureFailedFields
) => Cause.YieldableError & { readonly _tag: "TortureFailed" } & TortureFailedFields = Data.TaggedError("TortureFailed")

/** A node did not start, did not answer, or did not come to agree with the others. */
export class TortureFailed extends TortureFailedBase {}

export const failed = (message: string, cause?: unknown): TortureFailed => new TortureFailed({ message, cause })
