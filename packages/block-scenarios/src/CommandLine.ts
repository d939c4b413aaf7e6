/**
 * `npm run simulate:blocks -- --scenario fetch|stall|liars|reorganisations [--seed N] [--seeds COUNT] [--blocks N] [--bytes N]`: one line of
 * JSON for each run. What does not come to be as it must ends it with exit code 1; a wrong flag with 2.
 *
 *   fetch             `--blocks` blocks of `--bytes` from eight peers of 1 to 100 Mbit/s, and 22 times as many near-empty ones
 *   stall             those blocks beside a peer that stalls after ten, and many small ones beside one that stalls with the very first
 *   liars             `--seeds` small networks among peers that lie about blocks, or vanish
 *   reorganisations   `--seeds` networks that are split and meet again
 */
import { parseArgs } from "node:util"
import { type Terminal, wholeNumber } from "@satwire/simulator"
import { type FetchBlocksOptions, type FetchBlocksResult, runFetchBlocks } from "./FetchBlocks.ts"
import { runLiars } from "./LiarsScenario.ts"
import { runBlockReorganisation } from "./ReorganisationScenario.ts"

const text = { type: "string" } as const
const FLAGS = { scenario: text, seed: text, seeds: text, blocks: text, bytes: text } as const
type Flags = { readonly [Name in keyof typeof FLAGS]?: string }

/** How much longer than the links alone would take a fetch may take, and how long for shaking hands and headers. */
const AT_MOST = 1.3
const BEGIN_SECONDS = 2
/** In seconds, what one stalling peer may cost. */
const STALLING_AT_MOST = 5
/** How many more near-empty or small blocks than big ones a run has. */
const NEAR_EMPTY = 22
const SMALL = 5
const SMALL_BYTES = 100_000
const STALLS_AFTER = 10

/** Runs what the arguments ask for. Gives the exit code. */
export const simulateBlocks = (args: ReadonlyArray<string>, terminal: Terminal): number => {
  try {
    const flags: Flags = parseArgs({ args: [...args], options: FLAGS }).values
    switch (flags.scenario) {
      case "fetch":
        return fetch(flags, terminal)
      case "stall":
        return stall(flags, terminal)
      case "liars":
        return eachSeed(flags, terminal, (seed) => runLiars({ seed }))
      case "reorganisations":
        return eachSeed(flags, terminal, runBlockReorganisation)
      default:
        throw new TypeError(`--scenario takes fetch, stall, liars or reorganisations, not "${flags.scenario ?? ""}"`)
    }
  } catch (thrown) {
    terminal.error(thrown instanceof Error ? thrown.message : String(thrown))
    return thrown instanceof TypeError ? 2 : 1
  }
}

const optionsOf = (flags: Flags): FetchBlocksOptions => ({
  seed: wholeNumber("seed", flags.seed, 1) ?? 1,
  blocks: wholeNumber("blocks", flags.blocks, 1) ?? 1000,
  blockBytes: wholeNumber("bytes", flags.bytes, 0) ?? 2_000_000
})

const run = (options: FetchBlocksOptions, terminal: Terminal): FetchBlocksResult => {
  const result = runFetchBlocks(options)
  terminal.out(JSON.stringify(result))
  return result
}

const fetch = (flags: Flags, terminal: Terminal): number => {
  const options = optionsOf(flags)
  const big = run(options, terminal)
  const nearEmpty = run({ ...options, blocks: NEAR_EMPTY * options.blocks, blockBytes: 0 }, terminal)
  const isSlow = ({ idealSeconds, virtualSeconds }: FetchBlocksResult): boolean =>
    virtualSeconds > AT_MOST * idealSeconds + BEGIN_SECONDS
  return isSlow(big) || isSlow(nearEmpty) ? 1 : 0
}

const stall = (flags: Flags, terminal: Terminal): number => {
  const options = optionsOf(flags)
  const small = { ...options, knowsHeaders: true, blocks: SMALL * options.blocks, blockBytes: SMALL_BYTES }
  const costs = (options: FetchBlocksOptions, stallsAfter: number): boolean => {
    const without = run(options, terminal)
    const beside = run({ ...options, stalling: 1, stallsAfter }, terminal)
    return beside.stalled !== 1 || beside.virtualSeconds - without.virtualSeconds > STALLING_AT_MOST
  }
  return costs(options, STALLS_AFTER) || costs(small, 0) ? 1 : 0
}

const eachSeed = (
  flags: Flags,
  terminal: Terminal,
  one: (seed: number) => { readonly agreedAfterSeconds: number }
): number => {
  const first = wholeNumber("seed", flags.seed, 1) ?? 1
  const seeds = wholeNumber("seeds", flags.seeds, 1) ?? 1
  let slowest = 0
  for (let seed = first; seed < first + seeds; seed++) {
    const result = one(seed)
    if (seeds <= 100) terminal.out(JSON.stringify(result))
    slowest = Math.max(slowest, result.agreedAfterSeconds)
  }
  terminal.out(JSON.stringify({ seeds, slowestSeconds: slowest }))
  return 0
}
