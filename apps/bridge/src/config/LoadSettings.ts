/** From flags and environment to one value for each option, or one sentence that says which value is wrong and where it stands. */
import * as Result from "effect/Result"
import { ConfigError, clipped } from "@satwire/command-line"
import { OPTIONS, type OptionName, type OptionRow, type Settings, environmentName } from "./Options.ts"

export interface Given {
  /** The texts of each option on the command line, in order. */
  readonly flags: Readonly<Record<string, ReadonlyArray<string>>>
  readonly environment: Readonly<Record<string, string | undefined>>
}

export const loadSettings = (given: Given): Result.Result<Settings, ConfigError> =>
  Result.gen(function* () {
    const values: Record<string, unknown> = {}
    for (const [name, row] of Object.entries<OptionRow<unknown>>(OPTIONS))
      values[name] = yield* valueOf(name, row, given)
    // Each row gives what `Settings` says of it: `OPTIONS` is typed by it.
    return yield* checked(values as unknown as Settings)
  })

const valueOf = (name: string, row: OptionRow<unknown>, given: Given): Result.Result<unknown, ConfigError> => {
  const { where, texts } = textsOf(name, row, given)
  const parsed = (text: string): Result.Result<unknown, ConfigError> => {
    const value = row.parse(text)
    const message = `${where} is "${clipped(text)}", but must be ${row.allowed}`
    return value === undefined ? Result.fail(new ConfigError({ message })) : Result.succeed(value)
  }
  if (row.kind === "list") return Result.all(texts.map(parsed))
  // As with Bitcoin Core the last one counts.
  const text = texts.at(-1) ?? row.default
  return text === undefined ? Result.succeed(undefined) : parsed(text)
}

const textsOf = (
  name: string,
  row: OptionRow<unknown>,
  { flags, environment }: Given
): { readonly where: string; readonly texts: ReadonlyArray<string> } => {
  const onCommandLine = flags[name] ?? []
  if (onCommandLine.length > 0) return { where: `the flag --${name}`, texts: onCommandLine }
  const variable = environmentName(name)
  const value = environment[variable] ?? ""
  const texts = (row.kind === "list" ? value.split(",") : [value])
    .map((text) => text.trim())
    .filter((text) => text !== "")
  return { where: `the environment variable ${variable}`, texts }
}

/** A bridge that lets nobody in, or leads nowhere, is a mistake. */
const checked = (settings: Settings): Result.Result<Settings, ConfigError> => {
  const missing = (["allow", "origin"] as const satisfies ReadonlyArray<OptionName>).find(
    (name) => settings[name].length === 0
  )
  if (missing !== undefined) {
    const what = missing === "allow" ? "no target is allowed" : "no page is allowed to use the bridge"
    return fail(`${what}: give --${missing}, which is ${OPTIONS[missing].allowed}`)
  }
  if ((settings.tlscert === undefined) !== (settings.tlskey === undefined)) {
    return fail("tlscert and tlskey belong together: give both or none")
  }
  return Result.succeed(settings)
}

const fail = (message: string): Result.Result<never, ConfigError> => Result.fail(new ConfigError({ message }))
