import { LIES, type ScenarioOptions, WEAKNESSES, replayCommand, runHeaderScenario } from "@satwire/simulator"
import { describe, expect, it } from "vitest"

describe("the scenario of header sync", () => {
  it("brings two nodes to one chain", () => {
    const { nodes, blocks, height } = runHeaderScenario({ seed: 1, nodes: 2, others: [], network: "regtest" })
    expect(nodes).toBe(2)
    // Blocks that lost a race are in no chain.
    expect(height).toBeLessThanOrEqual(blocks)
    expect(height).toBeGreaterThan(blocks / 2)
  })

  it.each([1, 2])("brings fifty to one chain, with latency, partitions and liars: seed %i", (seed) => {
    const { nodes, others, reorganisations } = runHeaderScenario({ seed, nodes: 50 })
    expect(nodes).toBe(50)
    expect(others).toHaveLength(6)
    expect(reorganisations).toBeGreaterThan(20)
  })

  it.each([...LIES, ...WEAKNESSES])("comes to its end beside a peer of this kind: %s", (other) => {
    for (const seed of [1, 2]) {
      expect(runHeaderScenario({ seed, nodes: 4, others: [other, other] })).toMatchObject({ others: [other, other] })
    }
  })

  it("comes to its end with more liars than honest nodes", () => {
    runHeaderScenario({ seed: 3, nodes: 3, others: [...LIES, ...WEAKNESSES] })
  })

  it.each([1, 2, 3, 4])("follows the most work where the target changes, across forks: seed %i", (seed) => {
    const { network, height, reorganisations } = runHeaderScenario({ seed, nodes: 8, network: "fast" })
    expect(network).toBe("fast")
    // Two retargets and more.
    expect(height).toBeGreaterThan(40)
    expect(reorganisations).toBeGreaterThan(0)
  })

  it("is the same for the same seed, turn by turn, and another for another", () => {
    const of = (options: ScenarioOptions): string => JSON.stringify(runHeaderScenario(options))
    const hashes = [1, 2, 3, 4].map((seed) => runHeaderScenario({ seed }).traceHash)
    expect(new Set(hashes).size).toBe(4)
    expect([1, 2, 3, 4].map((seed) => runHeaderScenario({ seed }).traceHash)).toEqual(hashes)
    const options = { seed: 5, nodes: 6, network: "fast" } as const
    expect(of(options)).toBe(of(options))
  })

  it("says how to see a failure again, with everything that was asked for", () => {
    const options: ScenarioOptions = { seed: 5, nodes: 6, network: "fast", others: ["deaf"], maxReorganisation: 0 }
    const command = 'npm run simulate -- --seed 5 --nodes 6 --network fast --others "deaf" --max-reorganisation 0'
    expect(replayCommand(options)).toBe(command)
    expect(() => runHeaderScenario(options)).toThrow(command)
    expect(() => runHeaderScenario(options)).toThrow(
      /^seed 5 at \d+ ms: node-\d+: \d+ headers left its best chain at once\n/
    )
  })
})
