/** A command line, or what it leads to, that cannot be followed: one sentence, exit code 2. */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"

const ConfigErrorBase: new (fields: {
  readonly message: string
}) => Cause.YieldableError & { readonly _tag: "ConfigError"; readonly message: string } =
  Data.TaggedError("ConfigError")

export class ConfigError extends ConfigErrorBase {}
