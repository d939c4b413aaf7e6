/**
 * The thousand seeds, in two files so that two cores share them, and as processes of their own, which are half again as fast as the test
 * runner's modules (measured). The fifty-node thousand is `npm run simulate -- --seeds 1000 --nodes 50`.
 */
import type { ScenarioResult } from "@satwire/simulator"
import { describe, expect, it } from "vitest"
import { simulateCommand } from "./command.ts"

const SEEDS_PER_TEST = 250
/** About ten times what they take on a machine that does nothing else. */
const LIMIT_MS = 150_000

/** One test for each 250 seeds from `first` to `last`. */
export const seedsHold = (first: number, last: number): void => {
  const starts = Array.from({ length: (last - first + 1) / SEEDS_PER_TEST }, (_, i) => first + i * SEEDS_PER_TEST)
  describe("every invariant holds after every turn", () => {
    it.each(starts.map((start) => [start, start + SEEDS_PER_TEST - 1]))(
      "of the seeds %i to %i",
      async (from) => {
        const { code, out, error } = await simulateCommand("--seed", `${from}`, "--seeds", `${SEEDS_PER_TEST}`)
        // The message of a breach names the seed and the command that replays it.
        expect(error).toBe("")
        expect(code).toBe(0)
        const results = out
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line) as ScenarioResult)
        expect(results.map(({ seed }) => seed)).toEqual(Array.from({ length: SEEDS_PER_TEST }, (_, i) => from + i))
        expect(new Set(results.map(({ traceHash }) => traceHash)).size).toBe(SEEDS_PER_TEST)
      },
      LIMIT_MS
    )
  })
}
