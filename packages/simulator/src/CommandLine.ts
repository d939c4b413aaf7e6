/**
 * `npm run simulate -- [--seed N] [--seeds COUNT] [--nodes N] [--network regtest|fast] [--others "flood,slow"]
 * [--max-reorganisation N]`: runs the scenario of header sync, one line of JSON for each seed. A breach ends it with exit code 1 and the command that replays the seed, a wrong flag
 * with exit code 2.
 */
import { parseArgs } from "node:util"
import { Breach } from "./Breach.ts"
import { type Terminal, WrongFlag, wholeNumber } from "./Flags.ts"
import { type ScenarioOptions, type ScenarioResult, runHeaderScenario } from "./HeaderScenario.ts"
import { WEAKNESSES, type Weakness } from "./Impostor.ts"
import { LIES, type Lie } from "./Liar.ts"
import { NETWORKS, type SimulatedNetwork } from "./Networks.ts"

/** Runs what the arguments ask for. Gives the exit code. */
export const simulate = (
  args: ReadonlyArray<string>,
  terminal: Terminal,
  scenario: (options: ScenarioOptions) => ScenarioResult = runHeaderScenario
): number => {
  try {
    const { seed: first, seeds, ...options } = read(args)
    for (let seed = first; seed < first + seeds; seed++) terminal.out(JSON.stringify(scenario({ seed, ...options })))
    return 0
  } catch (thrown) {
    if (thrown instanceof Breach || thrown instanceof WrongFlag) terminal.error(thrown.message)
    else throw thrown
    return thrown instanceof Breach ? 1 : 2
  }
}

const read = (args: ReadonlyArray<string>): ScenarioOptions & { readonly seeds: number } => {
  const values = parsed(args)
  return {
    seed: wholeNumber("seed", values.seed, 0) ?? 1,
    seeds: wholeNumber("seeds", values.seeds, 1) ?? 1,
    nodes: wholeNumber("nodes", values.nodes, 1),
    network: networkNamed(values.network),
    others: othersNamed(values.others),
    maxReorganisation: wholeNumber("max-reorganisation", values["max-reorganisation"], 0)
  }
}

const text = { type: "string" } as const
const FLAGS = { seed: text, seeds: text, nodes: text, network: text, others: text, "max-reorganisation": text }

const parsed = (args: ReadonlyArray<string>): { readonly [Flag in keyof typeof FLAGS]?: string | undefined } => {
  try {
    return parseArgs({ args: [...args], options: FLAGS }).values
  } catch (thrown) {
    throw new WrongFlag(thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown })
  }
}

const othersNamed = (names: string | undefined): ReadonlyArray<Lie | Weakness> | undefined =>
  names?.split(",").map((name) => {
    const every: ReadonlyArray<Lie | Weakness> = [...LIES, ...WEAKNESSES]
    const found = every.find((other) => other === name)
    if (found === undefined) throw new WrongFlag(`--others takes any of ${every.join(", ")}; not "${name}"`)
    return found
  })

const networkNamed = (name: string | undefined): SimulatedNetwork | undefined => {
  if (name === undefined) return undefined
  const found = (Object.keys(NETWORKS) as ReadonlyArray<SimulatedNetwork>).find((network) => network === name)
  if (found !== undefined) return found
  throw new WrongFlag(`--network takes ${Object.keys(NETWORKS).join(" or ")}, not "${name}"`)
}
