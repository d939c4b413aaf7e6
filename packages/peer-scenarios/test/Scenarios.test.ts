import { describe, expect, it } from "vitest"
import { diameter, runDiscovery, runEclipse, simulatePeers, spreadOf } from "../src/index.ts"

/** A minute of the 1,000 seeds that `npm run simulate:peers` takes hours for. */
const SEEDS = [1]
const DAYS = 3

describe("somebody with 20,000 addresses in ten networks, who floods a node that knows 2,000", () => {
  it.each(SEEDS)("never is all of its peers, whatever part of its tables he has (seed %i)", (seed) => {
    const result = runEclipse({ seed, days: DAYS })
    expect(result.eclipsed).toBe(false)
    expect(result.leastHonest).toBeGreaterThanOrEqual(1)
    // Most of what was told of comes from him; far less of what has answered.
    expect(result.shareOfNew).toBeGreaterThan(0.5)
    expect(result.shareOfTried).toBeLessThan(0.5)
  })

  it.each(SEEDS)("is all of its peers within days where it keeps a flat list (seed %i)", (seed) => {
    const result = runEclipse({ seed, days: DAYS, flat: true })
    expect(result.eclipsed).toBe(true)
    expect(result.afterDays).toBeLessThan(DAYS)
  })

  it("is nobody where there is no attacker", () => {
    const result = runEclipse({ seed: 1, days: 2, attackers: 0 })
    expect([result.eclipsed, result.shareOfNew, result.shareOfTried]).toEqual([false, 0, 0])
    expect(result.leastHonest).toBeGreaterThanOrEqual(8)
  })
})

describe("nodes that know one seed", () => {
  it.each(["seed node", "DNS seed"] as const)("find one another in seconds by a %s, and hang together", (through) => {
    const result = runDiscovery({ seed: 1, nodes: 150, through })
    expect(result.lacking).toBe(0)
    expect(result.eightPeersMs.most).toBeLessThan(30_000)
    expect(result.diameter).toBeLessThanOrEqual(6)
    expect(result.known.median).toBeGreaterThan(8)
  })

  it("do the same again from the same seed, and something else from another", () => {
    const [first, again, other] = [1, 1, 2].map((seed) => runDiscovery({ seed, nodes: 40 }))
    expect(again).toEqual(first)
    expect(other?.trace).not.toBe(first?.trace)
  })
})

describe("the command", () => {
  const run = (...args: ReadonlyArray<string>) => {
    const lines: Array<string> = []
    const errors: Array<string> = []
    const code = simulatePeers(args, { out: (line) => lines.push(line), error: (line) => errors.push(line) })
    return { code, lines: lines.map((line): unknown => JSON.parse(line)), errors }
  }

  it("prints a line a seed and sums them up, and fails where an attack succeeded that must not", () => {
    const { code, lines } = run("--scenario", "eclipse", "--days", "1", "--seeds", "2", "--seed", "5")
    expect([code, lines.length]).toEqual([0, 3])
    expect(lines[0]).toMatchObject({ seed: 5, victim: "addrman", eclipsed: false })
    expect(lines[2]).toMatchObject({ seeds: 2, eclipsed: 0 })
  })

  it.each([
    [["--scenario", "eclypse"], '--scenario takes eclipse or discovery, not "eclypse"'],
    [["--scenario", "discovery", "--nodes", "few"], '--nodes takes a whole number from 1 on, not "few"'],
    [["--scenario", "discovery", "--through", "luck"], '--through takes "seed node" or "DNS seed", not "luck"']
  ])("says in one sentence what is wrong with %j", (args, sentence) => {
    expect(run(...args)).toEqual({ code: 2, lines: [], errors: [sentence] })
  })
})

describe("how a network hangs together", () => {
  it("is told by the most hops, and not at all where it is in pieces", () => {
    const line = [new Set([1]), new Set([0, 2]), new Set([1, 3]), new Set([2])]
    expect(diameter(line)).toBe(3)
    expect(diameter([new Set([1]), new Set([0]), new Set<number>()])).toBeUndefined()
    expect(spreadOf([5, 1, 3])).toEqual({ median: 3, p95: 5, most: 5 })
  })
})
