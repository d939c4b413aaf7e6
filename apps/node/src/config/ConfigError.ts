/** What is wrong with a value that a person gave, and where it was given. */
import { ConfigError, clipped } from "@satwire/command-line"

export { ConfigError, clipped }

/** Where a value was given. */
export type Origin =
  | { readonly _tag: "Flag"; readonly name: string }
  | { readonly _tag: "Environment"; readonly name: string }
  | { readonly _tag: "File"; readonly path: string; readonly line: number; readonly name: string }
  | { readonly _tag: "Preset"; readonly name: string; readonly preset: string }
  | { readonly _tag: "Default"; readonly name: string }

/** The beginning of a sentence about a value that was given there. */
export const describeOrigin = (origin: Origin): string => {
  switch (origin._tag) {
    case "Flag":
      return `the flag --${origin.name}`
    case "Environment":
      return `the environment variable ${origin.name}`
    case "File":
      return `"${origin.name}" in line ${origin.line} of ${origin.path}`
    case "Preset":
      return `"${origin.name}" of the preset ${origin.preset}`
    case "Default":
      return `the default of ${origin.name}`
  }
}

/** `the flag --port is "x", but must be a number …`; of a secret the value is not told. */
export const wrongValue = (origin: Origin, value: string, allowed: string, isSecret = false): ConfigError => {
  const is = isSecret ? "is something else" : `is "${clipped(value)}"`
  return new ConfigError({ message: `${describeOrigin(origin)} ${is}, but must be ${allowed}` })
}
