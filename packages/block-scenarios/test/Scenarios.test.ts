import { describe, expect, it } from "vitest"
import { BLOCK_TROUBLES, runBlockReorganisation, runFetchBlocks, runLiars, simulateBlocks } from "../src/index.ts"

describe("blocks from eight peers of 1 to 100 Mbit/s at 20 to 300 ms", () => {
  const big = { seed: 1, blocks: 300, blockBytes: 500_000 }

  it("come in little more than what all links together take, and none twice but at the end", () => {
    const { idealSeconds, megabytes, virtualSeconds, wastedMB } = runFetchBlocks(big)
    expect(virtualSeconds).toBeGreaterThan(0.95 * idealSeconds)
    expect(virtualSeconds).toBeLessThan(1.3 * idealSeconds + 1)
    // A second of all links: what slow peers had still to send when nothing else was left to ask for.
    expect(wastedMB).toBeLessThan(megabytes / idealSeconds)
  })

  it("come in little more than their round trips take where they are near-empty", () => {
    const { idealSeconds, virtualSeconds } = runFetchBlocks({ seed: 1, blocks: 4000, blockBytes: 0 })
    expect(virtualSeconds).toBeLessThan(1.3 * idealSeconds + 1)
  })

  it.each([
    [
      0,
      "the very first of a window that others fill",
      { seed: 1, blocks: 3000, blockBytes: 20_000, knowsHeaders: true }
    ],
    [10, "one in the middle", big]
  ] as const)(
    "come as fast, but five seconds, beside a ninth that gives %i and then stalls with %s",
    (after, _, options) => {
      const without = runFetchBlocks(options)
      const beside = runFetchBlocks({ ...options, stalling: 1, stallsAfter: after })
      expect(beside.stalled).toBe(1)
      expect(beside.virtualSeconds - without.virtualSeconds).toBeLessThan(5)
    }
  )

  it("come in the same time again, on the same seed", () => {
    const options = { seed: 5, blocks: 50, blockBytes: 100_000, stalling: 1 }
    expect(runFetchBlocks(options)).toEqual(runFetchBlocks(options))
  })
})

describe("among peers that lie about blocks", () => {
  it.each(BLOCK_TROUBLES)("all honest nodes have the same whole chain, beside two of whom each %s", (trouble) => {
    const result = runLiars({ seed: 7, others: [trouble, trouble] })
    if (trouble === "mutates") expect(result.discouraged).toBeGreaterThan(0)
    else if (trouble !== "gives unasked") expect(result.discouraged).toBe(0)
  })

  it("all honest nodes have the same whole chain, whoever else is there, on every seed", () => {
    const results = Array.from({ length: 3 }, (_, i) => runLiars({ seed: 200 + i }))
    expect(new Set(results.flatMap(({ others }) => others)).size).toBeGreaterThan(4)
    expect(runLiars({ seed: 200 })).toEqual(results[0])
  })
})

describe("parts of a network that meet again", () => {
  it("follow the chain of most work, and tell in order what left and what joined, on every seed", () => {
    const results = Array.from({ length: 8 }, (_, i) => runBlockReorganisation(300 + i))
    expect(Math.max(...results.map(({ deepest }) => deepest))).toBeGreaterThan(50)
    expect(results.some(({ branches }) => new Set(branches).size < branches.length)).toBe(true)
    expect(runBlockReorganisation(300)).toEqual(results[0])
  })
})

describe("npm run simulate:blocks", () => {
  const run = (...args: ReadonlyArray<string>): readonly [number, Array<string>] => {
    const lines: Array<string> = []
    const code = simulateBlocks(args, { out: (line) => lines.push(line), error: (line) => lines.push(line) })
    return [code, lines]
  }

  it("prints a line for each run and tells by its exit code whether all came to be as it must", () => {
    const [code, lines] = run("--scenario", "reorganisations", "--seed", "3", "--seeds", "2")
    expect([code, lines.length]).toEqual([0, 3])
    expect(JSON.parse(lines[2] ?? "")).toMatchObject({ seeds: 2 })
    expect(run("--scenario", "liars", "--seed", "3")[0]).toBe(0)
    expect(run("--scenario", "fetch", "--blocks", "60", "--bytes", "200000")[0]).toBe(0)
    expect(run("--scenario", "stall", "--blocks", "100", "--bytes", "200000")[0]).toBe(0)
  })

  it.each([
    [[], "--scenario takes fetch"],
    [["--scenario", "fetch", "--blocks", "none"], "--blocks takes a whole number"]
  ])("says what is wrong with %j", (args, what) => {
    const [code, [line]] = run(...args)
    expect(code).toBe(2)
    expect(line).toContain(what)
  })
})
