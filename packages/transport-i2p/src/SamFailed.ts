/** What a SAM bridge did not do. Inside this package only: who dials hears of it as a `DialError`. */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"

export type SamFailure =
  /** Nobody listens there, or nothing leads there. */
  | "Unreachable"
  /** It closed the connection. */
  | "Lost"
  /** It does not speak SAM. */
  | "Malformed"
  /** It said that it will not or cannot: `detail` begins with SAM's own result. */
  | "Refused"

interface SamFailedFields {
  readonly why: SamFailure
  readonly detail: string
  readonly message: string
}

const SamFailedBase: new (
  fields: SamFailedFields
) => Cause.YieldableError & { readonly _tag: "SamFailed" } & SamFailedFields = Data.TaggedError("SamFailed")

export class SamFailed extends SamFailedBase {
  constructor(why: SamFailure, detail: string) {
    super({ why, detail, message: detail })
  }
}
