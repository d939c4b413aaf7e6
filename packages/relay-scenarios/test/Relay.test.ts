import { ChaChaRandom } from "@satwire/crypto"
import { describe, expect, it } from "vitest"
import {
  DIALLED,
  REGIONS,
  chartOf,
  linkBetween,
  percentile,
  runRelay,
  simulateRelay,
  topologyOf
} from "../src/index.ts"

const SMALL = { seed: 1, nodes: 16, transactions: 20, transactionBytes: 8000 }

describe("a network", () => {
  it("has nodes everywhere that dial eight others each, and nobody twice", () => {
    const { dials, places } = topologyOf(200, ChaChaRandom.fromNumber(1))
    expect(new Set(places.map(({ region }) => region)).size).toBe(REGIONS.length)
    const pairs = dials.flatMap((others, i) => others.map((j) => [Math.min(i, j), Math.max(i, j)].join()))
    expect([pairs.length, new Set(pairs).size]).toEqual([200 * DIALLED, 200 * DIALLED])
    expect(dials.some((others, i) => others.includes(i))).toBe(false)
  })

  it("has lines as long one way as the other, and as fast as the slower end", () => {
    for (const [i, { latencyMs }] of REGIONS.entries()) {
      expect(latencyMs).toEqual(REGIONS.map((region) => region.latencyMs[i]))
    }
    const link = linkBetween({ region: 0, megabitsPerSecond: 80 }, { region: 2, megabitsPerSecond: 16 })
    expect(link).toMatchObject({ latencyMs: 43, bytesPerSecond: 2_000_000 })
  })
})

const prefilled = runRelay({ ...SMALL, short: "prefilled" })

describe("a block that all pools lack the same of", () => {
  it("is everywhere without a question where that goes whole with it, and else nowhere", () => {
    const plain = runRelay({ ...SMALL, short: "plain" })
    expect([prefilled.rebuilt, plain.rebuilt]).toEqual([15, 15])
    expect(prefilled.rebuiltAtOnce / prefilled.rebuilt).toBeGreaterThanOrEqual(0.95)
    expect(plain.rebuiltOfPool).toBe(0)
    expect(percentile(prefilled.delaysMs, 95)).toBeLessThan(percentile(plain.delaysMs, 95))
  })

  it("comes in less than half the time of a whole one, and no byte of it twice", () => {
    const never = runRelay({ ...SMALL, short: "never" })
    expect([never.rebuilt, never.delaysMs.length]).toEqual([0, 15])
    expect(percentile(prefilled.delaysMs, 95)).toBeLessThan(0.5 * percentile(never.delaysMs, 95))
    expect(never.bytesPerNode).toBeLessThan(1.05 * never.blockBytes)
  })
})

describe("the curves", () => {
  it("rise to all nodes, in a drawing that names them and their axes", () => {
    const curves = [
      { name: "fast & <small>", delaysMs: [10, 20, 20, 40] },
      { name: "slow", delaysMs: [100, 900] }
    ]
    const svg = chartOf(curves, { title: "Two", subtitle: "of them" })
    expect(svg).toContain("fast &amp; &lt;small>")
    expect(svg).toContain("seconds since the block was made")
    expect(svg.match(/class="curve c\d dash\d" d="M64 412H/g)).toHaveLength(2)
    expect(svg).toContain("prefers-color-scheme: dark")
    expect(svg).not.toMatch(/NaN|undefined/)
  })
})

describe("npm run simulate:relay", () => {
  const run = (...args: ReadonlyArray<string>): readonly [code: number, lines: Array<string>, files: Array<string>] => {
    const [lines, files]: [Array<string>, Array<string>] = [[], []]
    const line = (text: string): void => void lines.push(text)
    return [simulateRelay(args, { out: line, error: line, save: (file) => void files.push(file) }), lines, files]
  }

  it("prints the same table on the same seed and draws the curves, and tells by its exit code what does not hold", () => {
    const { nodes, seed, transactionBytes, transactions } = SMALL
    const flags = ["--seed", seed, "--nodes", nodes, "--transactions", transactions, "--bytes", transactionBytes]
    const [code, lines, files] = run("--scenario", "compact", ...flags.map(String), "--svg", "curves.svg")
    expect([code, lines.length, files]).toEqual([0, 4, ["curves.svg"]])
    expect(lines[1]).toMatch(/^in short, prefilled +\d+ ms +\d+ ms/)
    expect(lines[1]).toContain(prefilled.traceHash)
    expect(lines[2]).not.toContain(prefilled.traceHash)
    // What is lacked is too big to go whole, and the block so small that its bytes do not matter.
    const [missed, reasons] = run("--scenario", "compact", "--nodes", "9", "--transactions", "2", "--bytes", "10500")
    expect([missed, reasons.length]).toEqual([1, 6])
  })

  it.each([
    [[], "--scenario takes compact"],
    [["--scenario", "compact", "--nodes", "one"], "--nodes takes a whole number"]
  ])("says what is wrong with %j", (args, what) => {
    const [code, [line]] = run(...args)
    expect(code).toBe(2)
    expect(line).toContain(what)
  })
})
