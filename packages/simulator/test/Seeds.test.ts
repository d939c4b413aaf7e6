/**
 * Forty seeds in a process of their own, which is half again as fast as the test runner's modules (measured). `.ci/run` goes on to the
 * four-hundredth; the fifty-node thousand is `npm run simulate -- --seeds 1000 --nodes 50`.
 */
import type { ScenarioResult } from "@satwire/simulator"
import { describe, expect, it } from "vitest"
import { simulateCommand } from "./command.ts"

const SEEDS = 40
/** About ten times what they take on a machine that does nothing else. */
const LIMIT_MS = 150_000

describe("every invariant holds after every turn", () => {
  it(
    `of the seeds 1 to ${SEEDS}`,
    async () => {
      const { code, out, error } = await simulateCommand("--seeds", `${SEEDS}`)
      // The message of a breach names the seed and the command that replays it.
      expect(error).toBe("")
      expect(code).toBe(0)
      const results = out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as ScenarioResult)
      expect(results.map(({ seed }) => seed)).toEqual(Array.from({ length: SEEDS }, (_, i) => 1 + i))
      expect(new Set(results.map(({ traceHash }) => traceHash)).size).toBe(SEEDS)
    },
    LIMIT_MS
  )
})
