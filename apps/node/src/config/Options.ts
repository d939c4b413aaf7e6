/**
 * Every option, once. Flags, environment variables, the configuration file, `--help`, completions and the README's table are made from
 * these rows; a new option is a field and a row in one file of `rows/`.
 *
 * Specification: a value is looked for among the flags, then in the environment (`SATWIRE_` and the name in capitals), then in the
 * configuration file, then in the preset, and the first place that has the option wins whole, also for options that may be given several
 * times.
 *
 * Rationale: one rule that a person can keep in mind. Bitcoin Core adds up the lists of the command line and the file; here a
 * `-connect` on the command line means those addresses and no others. An option that Core has bears Core's name and takes Core's values.
 */
import type { OptionRow, RowsOf } from "./OptionRow.ts"
import type { NetworkName } from "./Values.ts"
import { type BlocksSettings, blocksRows } from "./rows/Blocks.ts"
import { type ConnectionsSettings, connectionsRows } from "./rows/Connections.ts"
import { type LoggingSettings, loggingRows } from "./rows/Logging.ts"
import { type NetworkSettings, networkRows } from "./rows/Network.ts"
import { type RpcSettings, rpcRows } from "./rows/Rpc.ts"
import { type RpcClientSettings, rpcClientRows } from "./rows/RpcClient.ts"
import { type ToolsSettings, toolsRows } from "./rows/Tools.ts"

/** The values of all options. What has no default is `undefined` until somebody gives it. */
export interface Settings
  extends
    NetworkSettings,
    ConnectionsSettings,
    BlocksSettings,
    RpcSettings,
    RpcClientSettings,
    LoggingSettings,
    ToolsSettings {}

export type OptionName = keyof Settings

export const OPTIONS: RowsOf<Settings> = {
  ...networkRows,
  ...connectionsRows,
  ...blocksRows,
  ...rpcRows,
  ...rpcClientRows,
  ...loggingRows,
  ...toolsRows
}

/** All rows in the order of the table. */
export const ROWS: ReadonlyArray<OptionRow<unknown>> = Object.values(OPTIONS)

/** The rows that choose a network without a value of their own. */
export const NETWORK_SWITCHES: ReadonlyMap<OptionName, NetworkName> = new Map([
  ["regtest", "regtest"],
  ["signet", "signet"],
  ["testnet", "testnet3"],
  ["testnet4", "testnet4"]
])

const BY_NAME: ReadonlyMap<string, OptionRow<unknown>> = new Map(
  ROWS.flatMap((row) => [row.name, ...row.aliases].map((name) => [name, row] as const))
)

/** Every name under which an option is known. */
export const optionNames = (): IterableIterator<string> => BY_NAME.keys()

export const rowNamed = (name: string): OptionRow<unknown> | undefined => BY_NAME.get(name)

/** An option's row, and whether its name was written with `no` before it. */
export interface Resolved {
  readonly row: OptionRow<unknown>
  readonly negated: boolean
}

/** What a name means: `listen`, `chain`, `nolisten`, `no-listen`. */
export const resolveName = (name: string): Resolved | undefined => {
  const row = rowNamed(name)
  if (row !== undefined) return { row, negated: false }
  const positive = /^no-?(.+)$/.exec(name)?.[1]
  const negated = positive === undefined ? undefined : rowNamed(positive)
  return negated?.negatable !== true ? undefined : { row: negated, negated: true }
}

/** `SATWIRE_PORT`. */
export const environmentName = (name: string): string => `SATWIRE_${name.toUpperCase()}`

/** What a row's default is, in words. */
export const defaultInWords = (row: OptionRow<unknown>): string => row.default ?? row.defaultDoc ?? "none"
