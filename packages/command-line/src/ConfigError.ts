/** What is wrong with what a person asked for, on a command line, in the environment or in a file: one sentence, exit code 2. */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"

const ConfigErrorBase: new (fields: {
  readonly message: string
}) => Cause.YieldableError & { readonly _tag: "ConfigError"; readonly message: string } =
  Data.TaggedError("ConfigError")

export class ConfigError extends ConfigErrorBase {}

const SHOWN_CHARACTERS = 80

/** What may be shown of a text that came from anywhere: no control characters, not too long. */
export const clipped = (text: string): string => {
  const plain = text.replace(/\p{Cc}/gu, "?")
  return plain.length <= SHOWN_CHARACTERS ? plain : `${plain.slice(0, SHOWN_CHARACTERS)}…`
}
