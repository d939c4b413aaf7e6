/**
 * `npm run simulate:headers -- --scenario fetch|reorganisations|low-work [--seed N] [--seeds COUNT] [--headers N] [--peers N]`: one line of JSON
 * for each run. What does not come to be as it must ends it with exit code 1; a wrong flag with 2.
 *
 *   fetch             the whole chain from one peer, and along a skeleton from `--peers` of them
 *   reorganisations   `--seeds` networks that are split and meet again
 *   low-work          `--headers` headers of a chain of little work, from one peer
 */
import { parseArgs } from "node:util"
import { type Terminal, wholeNumber } from "@satwire/simulator"
import { runFetch } from "./FetchScenario.ts"
import { runLowWork } from "./LowWork.ts"
import { runReorganisation } from "./ReorganisationScenario.ts"

const text = { type: "string" } as const
const FLAGS = { scenario: text, seed: text, seeds: text, headers: text, peers: text } as const
type Flags = { readonly [Name in keyof typeof FLAGS]?: string }

/** How much longer than round trips and bytes alone a sync from one peer may take, and how long for shaking hands. */
const SEQUENTIAL_AT_MOST = 1.1
const HANDS_SECONDS = 0.5
/** In seconds, for 970,000 headers from eight peers. */
const SKELETON_AT_MOST = 10
/** By how much memory may grow from the first tenth of a chain of little work to its end. */
const LOW_WORK_AT_MOST_MB = 10

/** Runs what the arguments ask for. Gives the exit code. */
export const simulateHeaders = (args: ReadonlyArray<string>, terminal: Terminal): number => {
  try {
    const flags: Flags = parseArgs({ args: [...args], options: FLAGS }).values
    switch (flags.scenario) {
      case "fetch":
        return fetch(flags, terminal)
      case "reorganisations":
        return reorganisations(flags, terminal)
      case "low-work":
        return lowWork(flags, terminal)
      default:
        throw new TypeError(`--scenario takes fetch, reorganisations or low-work, not "${flags.scenario ?? ""}"`)
    }
  } catch (thrown) {
    terminal.error(thrown instanceof Error ? thrown.message : String(thrown))
    return thrown instanceof TypeError ? 2 : 1
  }
}

const fetch = (flags: Flags, terminal: Terminal): number => {
  const seed = wholeNumber("seed", flags.seed, 1) ?? 1
  const headers = wholeNumber("headers", flags.headers, 1) ?? 970_000
  const peers = wholeNumber("peers", flags.peers, 1) ?? 8
  const one = runFetch({ seed, headers, peers: 1, skeleton: false })
  terminal.out(JSON.stringify(one))
  const many = runFetch({ seed, headers, peers, skeleton: true })
  terminal.out(JSON.stringify(many))
  const isSlow = one.virtualSeconds > SEQUENTIAL_AT_MOST * one.sequentialSeconds + HANDS_SECONDS
  return isSlow || many.virtualSeconds > SKELETON_AT_MOST ? 1 : 0
}

const reorganisations = (flags: Flags, terminal: Terminal): number => {
  const first = wholeNumber("seed", flags.seed, 1) ?? 1
  const seeds = wholeNumber("seeds", flags.seeds, 1) ?? 1
  let deepest = 0
  let slowest = 0
  for (let seed = first; seed < first + seeds; seed++) {
    const result = runReorganisation(seed)
    if (seeds <= 100) terminal.out(JSON.stringify(result))
    deepest = Math.max(deepest, result.deepest)
    slowest = Math.max(slowest, result.agreedAfterSeconds)
  }
  terminal.out(JSON.stringify({ seeds, deepest, slowestSeconds: slowest }))
  return 0
}

const lowWork = (flags: Flags, terminal: Terminal): number => {
  const result = runLowWork(wholeNumber("headers", flags.headers, 1) ?? 10_000_000)
  terminal.out(JSON.stringify(result))
  const [early, late] = result.memoryMB
  return result.kept > 0 || late - early > LOW_WORK_AT_MOST_MB ? 1 : 0
}
