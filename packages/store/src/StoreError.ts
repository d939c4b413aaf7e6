/** Why a store cannot do what it was asked to: local failures, nobody's fault in the protocol. */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"

interface StoreErrorFields {
  readonly reason: "DirectoryLocked" | "DirectoryNotWritable" | "DiskFull" | "DamagedFile" | "ForeignFile" | "IoFailed"
  readonly path: string
  /** One sentence that names the path and says what to do. */
  readonly message: string
}

const StoreErrorBase: new (
  fields: StoreErrorFields
) => Cause.YieldableError & { readonly _tag: "StoreError" } & StoreErrorFields = Data.TaggedError("StoreError")

export class StoreError extends StoreErrorBase {}
