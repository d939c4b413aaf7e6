/**
 * `npm run simulate:relay -- --scenario compact [--seed N] [--nodes N] [--blocks N] [--transactions N] [--bytes N] [--miners N] [--svg FILE]`: how
 * long blocks take through a network in short with what others lack, in short alone, and whole; a table, and the curves as SVG. Where the first
 * is not as fast as it must be, or asks too often, it ends with exit code 1; with a wrong flag with 2.
 */
import { parseArgs } from "node:util"
import { type Terminal, wholeNumber } from "@satwire/simulator"
import { chartOf } from "./Chart.ts"
import { type RelayOptions, type RelayResult, runRelay } from "./RelayScenario.ts"

const text = { type: "string" } as const
const FLAGS = {
  scenario: text,
  seed: text,
  nodes: text,
  blocks: text,
  transactions: text,
  bytes: text,
  miners: text,
  svg: text
} as const
type Flags = { readonly [Name in keyof typeof FLAGS]?: string }

export interface RelayTerminal extends Terminal {
  readonly save: (file: string, text: string) => void
}

/** What must hold of the 95th percentile beside that of whole blocks, and of what is put together without a round trip. */
const BELOW_WHOLE = 0.5
const LEAST_AT_ONCE = 0.95

const NAMES: { readonly [Short in RelayResult["short"]]: string } = {
  prefilled: "in short, prefilled",
  plain: "in short, not prefilled",
  never: "announced, then whole"
}

/** Runs what the arguments ask for. Gives the exit code. */
export const simulateRelay = (args: ReadonlyArray<string>, terminal: RelayTerminal): number => {
  try {
    const flags: Flags = parseArgs({ args: [...args], options: FLAGS }).values
    if (flags.scenario !== "compact") {
      throw new TypeError(`--scenario takes compact, not "${flags.scenario ?? ""}"`)
    }
    const options = optionsOf(flags)
    const prefilled = runRelay({ ...options, short: "prefilled" })
    const plain = runRelay({ ...options, short: "plain" })
    const never = runRelay({ ...options, short: "never" })
    const results = [prefilled, plain, never]
    for (const line of table(results)) terminal.out(line)
    if (flags.svg !== undefined) terminal.save(flags.svg, drawn(results))
    const missed = missedOf(prefilled, never)
    for (const line of missed) terminal.error(line)
    return missed.length === 0 ? 0 : 1
  } catch (thrown) {
    terminal.error(thrown instanceof Error ? thrown.message : String(thrown))
    return thrown instanceof TypeError ? 2 : 1
  }
}

const optionsOf = (flags: Flags): Omit<RelayOptions, "short"> => ({
  seed: wholeNumber("seed", flags.seed, 1) ?? 1,
  nodes: wholeNumber("nodes", flags.nodes, 2),
  blocks: wholeNumber("blocks", flags.blocks, 1),
  transactions: wholeNumber("transactions", flags.transactions, 2),
  transactionBytes: wholeNumber("bytes", flags.bytes, 200),
  miners: wholeNumber("miners", flags.miners, 1)
})

/** By when so large a share of all had it. */
export const percentile = (delaysMs: ReadonlyArray<number>, percent: number): number =>
  delaysMs[Math.max(0, Math.ceil((percent / 100) * delaysMs.length) - 1)] ?? Number.NaN

const missedOf = (prefilled: RelayResult, never: RelayResult): ReadonlyArray<string> => {
  const ratio = percentile(prefilled.delaysMs, 95) / percentile(never.delaysMs, 95)
  const atOnce = prefilled.rebuiltAtOnce / prefilled.rebuilt
  return [
    ...(ratio < BELOW_WHOLE
      ? []
      : [`the 95th percentile is ${ratio.toFixed(2)} of that of whole blocks, not below ${BELOW_WHOLE}`]),
    ...(atOnce >= LEAST_AT_ONCE
      ? []
      : [`${percent(atOnce)} are put together without a round trip, not ${percent(LEAST_AT_ONCE)}`])
  ]
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

const table = (results: ReadonlyArray<RelayResult>): ReadonlyArray<string> => {
  const rows = [
    ["", "p50", "p95", "all", "no getblocktxn", "no round trip", "kB a node", "trace"],
    ...results.map(({ bytesPerNode, delaysMs, rebuilt, rebuiltAtOnce, rebuiltOfPool, short, traceHash }) => [
      NAMES[short],
      ...[50, 95, 100].map((at) => `${Math.round(percentile(delaysMs, at))} ms`),
      rebuilt === 0 ? "–" : percent(rebuiltOfPool / rebuilt),
      rebuilt === 0 ? "–" : percent(rebuiltAtOnce / rebuilt),
      (bytesPerNode / 1000).toFixed(1),
      traceHash
    ])
  ]
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  return rows.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  ")
  )
}

const drawn = (results: ReadonlyArray<RelayResult>): string => {
  const { blockBytes, blocks, nodes } = results[0] as RelayResult
  return chartOf(
    results.map(({ delaysMs, short }) => ({ name: NAMES[short], delaysMs })),
    {
      title: `A block on its way to ${nodes} nodes`,
      subtitle: `${(blockBytes / 1e6).toFixed(2)} MB, lines of 10 to 100 Mbit/s, eight dialled peers, 1 % of it in no pool but its miner's; ${blocks} block${blocks === 1 ? "" : "s"}, simulated`
    }
  )
}
