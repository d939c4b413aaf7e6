import { describe, expect, it } from "vitest"
import { runFetch, runLowWork, runReorganisation, simulateHeaders } from "../src/index.ts"

describe("a chain of headers over links of 100 ms and 50 Mbit/s", () => {
  const HEADERS = 100_000

  it("comes from one peer in little more than its round trips and bytes take", () => {
    const { sequentialSeconds, virtualSeconds } = runFetch({ seed: 1, headers: HEADERS, peers: 1, skeleton: false })
    expect(virtualSeconds).toBeGreaterThan(0.95 * sequentialSeconds)
    expect(virtualSeconds).toBeLessThan(1.1 * sequentialSeconds)
  })

  it("comes along a skeleton from eight peers in a sixth of that", () => {
    const { sequentialSeconds, virtualSeconds } = runFetch({ seed: 1, headers: HEADERS, peers: 8, skeleton: true })
    expect(virtualSeconds).toBeLessThan(sequentialSeconds / 6)
  })

  it("comes in the same time again, on the same seed", () => {
    const options = { seed: 5, headers: 10_000, peers: 3, skeleton: true }
    expect(runFetch(options)).toEqual(runFetch(options))
  })
})

describe("parts of a network that meet again", () => {
  it("agree on the chain of most work, however deep the reorganisation, on every seed", () => {
    const results = Array.from({ length: 24 }, (_, i) => runReorganisation(100 + i))
    expect(Math.max(...results.map(({ deepest }) => deepest))).toBeGreaterThan(120)
    expect(results.some(({ branches }) => new Set(branches).size < branches.length)).toBe(true)
    expect(new Set(results.flatMap(({ others }) => others)).size).toBeGreaterThan(5)
    for (const { agreedAfterSeconds } of results) expect(agreedAfterSeconds).toBeLessThan(3600)
    expect(runReorganisation(100)).toEqual(results[0])
  })
})

describe("a chain of little work", () => {
  it("is kept in nothing but a bit now and then", () => {
    const { heldMB, kept, memoryMB } = runLowWork(60_000)
    expect(kept).toBe(0)
    expect(heldMB[1] - heldMB[0]).toBeLessThan(10)
    expect(memoryMB[1]).toBeGreaterThan(0)
  })
})

describe("npm run simulate:headers", () => {
  const run = (...args: ReadonlyArray<string>): readonly [number, Array<string>] => {
    const lines: Array<string> = []
    const code = simulateHeaders(args, { out: (line) => lines.push(line), error: (line) => lines.push(line) })
    return [code, lines]
  }

  it("prints a line for each run and tells by its exit code whether all came to be as it must", () => {
    const [code, lines] = run("--scenario", "reorganisations", "--seed", "3", "--seeds", "2")
    expect([code, lines.length]).toEqual([0, 3])
    expect(JSON.parse(lines[2] ?? "")).toMatchObject({ seeds: 2 })
    expect(run("--scenario", "fetch", "--headers", "20000")[0]).toBe(0)
    expect(run("--scenario", "low-work", "--headers", "20000")[0]).toBe(0)
  })

  it.each([
    [[], "--scenario takes fetch"],
    [["--scenario", "fetch", "--peers", "none"], "--peers takes a whole number"]
  ])("says what is wrong with %j", (args, what) => {
    const [code, [line]] = run(...args)
    expect(code).toBe(2)
    expect(line).toContain(what)
  })
})
