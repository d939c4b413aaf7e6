/**
 * `npm run simulate:peers -- --scenario eclipse|discovery [--seed N] [--seeds COUNT] [--flat] [--days N] [--nodes N] [--through "DNS seed"]`: one line
 * of JSON for each seed, and one that sums them up. An attack that succeeds, or a network that does not hang together, ends it with exit
 * code 1; a wrong flag with 2.
 */
import { parseArgs } from "node:util"
import { type Terminal, wholeNumber } from "@satwire/simulator"
import { DEFAULT_NODES, type DiscoveryResult, runDiscovery } from "./DiscoveryScenario.ts"
import { type EclipseResult, runEclipse } from "./EclipseScenario.ts"
import { spreadOf } from "./Found.ts"

const text = { type: "string" } as const
const FLAGS = {
  scenario: text,
  seed: text,
  seeds: text,
  flat: { type: "boolean" },
  days: text,
  nodes: text,
  through: text
} as const

type Flags = {
  readonly [Name in keyof typeof FLAGS]?: (typeof FLAGS)[Name] extends { readonly type: "boolean" } ? boolean : string
}

/** A share of seeds in which the attack may succeed: one in a thousand. */
const ECLIPSED_AT_MOST = 0.001

/** Runs what the arguments ask for. Gives the exit code. */
export const simulatePeers = (args: ReadonlyArray<string>, terminal: Terminal): number => {
  try {
    const flags: Flags = parseArgs({ args: [...args], options: FLAGS }).values
    switch (flags.scenario) {
      case "eclipse":
        return eclipse(flags, terminal)
      case "discovery":
        return discovery(flags, terminal)
      default:
        throw new TypeError(`--scenario takes eclipse or discovery, not "${flags.scenario ?? ""}"`)
    }
  } catch (thrown) {
    if (!(thrown instanceof TypeError)) throw thrown
    terminal.error(thrown.message)
    return 2
  }
}

const each = <A>(flags: Flags, terminal: Terminal, run: (seed: number) => A): ReadonlyArray<A> => {
  const first = wholeNumber("seed", flags.seed, 1) ?? 1
  return Array.from({ length: wholeNumber("seeds", flags.seeds, 1) ?? 1 }, (_, i) => {
    const result = run(first + i)
    terminal.out(JSON.stringify(result))
    return result
  })
}

const eclipse = (flags: Flags, terminal: Terminal): number => {
  const { flat = false } = flags
  const days = wholeNumber("days", flags.days, 1)
  const results: ReadonlyArray<EclipseResult> = each(flags, terminal, (seed) => runEclipse({ seed, flat, days }))
  const eclipsed = results.filter((result) => result.eclipsed).length
  terminal.out(
    JSON.stringify({
      seeds: results.length,
      eclipsed,
      leastHonest: Math.min(...results.map(({ leastHonest }) => leastHonest)),
      shareOfNew: spreadOf(results.map(({ shareOfNew }) => shareOfNew)),
      shareOfTried: spreadOf(results.map(({ shareOfTried }) => shareOfTried))
    })
  )
  return !flat && eclipsed > ECLIPSED_AT_MOST * results.length ? 1 : 0
}

const discovery = (flags: Flags, terminal: Terminal): number => {
  const nodes = wholeNumber("nodes", flags.nodes, 1) ?? DEFAULT_NODES
  const through = flags.through ?? "seed node"
  if (through !== "seed node" && through !== "DNS seed")
    throw new TypeError(`--through takes "seed node" or "DNS seed", not "${through}"`)
  const results: ReadonlyArray<DiscoveryResult> = each(flags, terminal, (seed) =>
    runDiscovery({ seed, nodes, through })
  )
  return results.some(({ diameter, lacking }) => diameter === undefined || lacking > 0) ? 1 : 0
}
