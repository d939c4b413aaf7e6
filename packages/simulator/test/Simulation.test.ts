import { Instant, type Now, type Outbox, type PeerId } from "@satwire/machine"
import type { NodeCoreInput, NodeCoreOutput } from "@satwire/node-core"
import { type Actor, Breach, type LinkConditions, type SimulatedNode, Simulation, Trace } from "@satwire/simulator"
import { describe, expect, it } from "vitest"

const CONDITIONS: LinkConditions = { latencyMs: 10, jitterMs: 0, chunkBytes: 1000 }

/** Does what it is told and notes what it hears. */
class Puppet implements Actor {
  readonly heard: Array<string> = []
  peer: PeerId | undefined = undefined
  /** What it does with its next inputs, by their tags. */
  readonly reactions: { [Tag in NodeCoreInput["_tag"]]?: (peer: PeerId, now: Now) => ReadonlyArray<NodeCoreOutput> } =
    {}
  wants: Instant | undefined = undefined

  nextTimeout(): Instant | undefined {
    return this.wants
  }

  handle(input: NodeCoreInput, now: Now, out: Outbox<NodeCoreOutput>): void {
    if ("peer" in input) this.peer = input.peer
    const what = input._tag === "BytesReceived" ? ` ${[...input.chunk].join(",")}` : ""
    const how = input._tag === "ConnectionClosed" ? ` ${input.how}` : ""
    this.heard.push(`${now.instant} ${input._tag}${what}${how}`)
    for (const output of this.reactions[input._tag]?.(this.peer as PeerId, now) ?? []) out.push(output)
  }
}

interface Two {
  readonly simulation: Simulation
  readonly nodes: readonly [SimulatedNode, SimulatedNode]
  readonly puppets: readonly [Puppet, Puppet]
}

const two = (): Two => {
  const simulation = new Simulation(1)
  const puppets = [new Puppet(), new Puppet()] as const
  const nodes = [simulation.add("a", puppets[0]), simulation.add("b", puppets[1])] as const
  return { simulation, nodes, puppets }
}

const write = (peer: PeerId, ...bytes: ReadonlyArray<number>): NodeCoreOutput => ({
  _tag: "Write",
  peer,
  bytes: Uint8Array.from(bytes)
})

/** Has a node put something out, by a turn of its own. */
const act = (
  { simulation, nodes, puppets }: Two,
  i: 0 | 1,
  outputs: (peer: PeerId) => ReadonlyArray<NodeCoreOutput>
): void => {
  puppets[i].reactions.Timeout = outputs
  simulation.input(nodes[i], { _tag: "Timeout" })
}

describe("a connection", () => {
  it("opens at both ends and carries bytes either way, a latency later", () => {
    const all = two()
    const { simulation, nodes, puppets } = all
    simulation.connect(nodes[0], nodes[1], CONDITIONS)
    simulation.run(20)
    act(all, 0, (peer) => [write(peer, 1, 2)])
    act(all, 1, (peer) => [write(peer, 3)])
    simulation.run(100)
    expect(puppets[0].heard).toEqual(["10 ConnectionOpened", "20 Timeout", "30 BytesReceived 3"])
    expect(puppets[1].heard).toEqual(["10 ConnectionOpened", "20 Timeout", "30 BytesReceived 1,2"])
    expect(simulation.isConnected(nodes[0], nodes[1])).toBe(true)
  })

  it("that one closes is closed for the other behind what was written", () => {
    const all = two()
    const { simulation, nodes, puppets } = all
    let closed = 0
    simulation.connect(nodes[0], nodes[1], CONDITIONS, () => (closed += 1))
    simulation.run(20)
    act(all, 1, (peer) => [write(peer, 9), { _tag: "Close", peer }, write(peer, 10)])
    expect([simulation.isConnected(nodes[0], nodes[1]), simulation.isConnected(nodes[1], nodes[0])]).toEqual([
      true,
      false
    ])
    expect(closed).toBe(0)
    simulation.run(100)
    expect(puppets[0].heard.slice(1)).toEqual(["30 BytesReceived 9", "30 ConnectionClosed ended"])
    expect(puppets[1].heard.slice(1)).toEqual(["20 Timeout", "20 ConnectionClosed from here"])
    expect(closed).toBe(1)
  })

  it("that is written to after the other closed is reset", () => {
    const all = two()
    const { simulation, nodes, puppets } = all
    simulation.connect(nodes[0], nodes[1], CONDITIONS)
    simulation.run(20)
    act(all, 0, (peer) => [{ _tag: "Pause", peer, paused: true }])
    act(all, 1, (peer) => [write(peer, 9), { _tag: "Close", peer }])
    simulation.run(100)
    expect(puppets[0].heard.slice(1)).toEqual(["20 Timeout"])
    act(all, 0, (peer) => [write(peer, 1)])
    simulation.run(200)
    expect(puppets[0].heard.slice(2)).toEqual(["100 Timeout", "120 ConnectionClosed ended"])
  })

  it("hears nothing through a partition, loses nothing, and is not told of it", () => {
    const all = two()
    const { simulation, nodes, puppets } = all
    simulation.connect(nodes[0], nodes[1], CONDITIONS)
    simulation.run(20)
    simulation.partition((node) => node.index)
    act(all, 0, (peer) => [write(peer, 7)])
    simulation.run(500)
    expect(puppets[1].heard).toHaveLength(1)
    simulation.partition(() => 0)
    expect(puppets[1].heard.slice(1)).toEqual(["500 BytesReceived 7"])
  })

  it("that is cut is closed for both at once", () => {
    const { simulation, nodes, puppets } = two()
    simulation.connect(nodes[0], nodes[1], CONDITIONS)
    simulation.run(20)
    simulation.cut(nodes[1])
    simulation.run(20)
    for (const { heard } of puppets) expect(heard.slice(1)).toEqual(["20 ConnectionClosed cut"])
    expect(simulation.isConnected(nodes[0], nodes[1])).toBe(false)
  })

  it("gives bytes that are spoiled after the turn, as a socket's are", () => {
    const all = two()
    const { simulation, nodes, puppets } = all
    let kept: Uint8Array | undefined
    const handle = puppets[1].handle.bind(puppets[1])
    puppets[1].handle = (input, now, out) => {
      if (input._tag === "BytesReceived") kept = input.chunk
      handle(input, now, out)
    }
    simulation.connect(nodes[0], nodes[1], CONDITIONS)
    simulation.run(20)
    act(all, 0, (peer) => [write(peer, 1, 2)])
    simulation.run(100)
    expect(kept).toEqual(Uint8Array.of(0xa5, 0xa5))
  })
})

describe("time", () => {
  it("stands still in between, and wakes a node when it asked to be", () => {
    const { simulation, nodes, puppets } = two()
    puppets[0].wants = Instant(5000)
    puppets[0].reactions.Timeout = () => {
      puppets[0].wants = undefined
      return []
    }
    simulation.input(nodes[0], { _tag: "MakeBlock" })
    simulation.run(3600_000)
    expect(puppets[0].heard).toEqual(["0 MakeBlock", "5000 Timeout"])
    expect(simulation.timeMs).toBe(3600_000)
  })

  it("follows a deadline that moves, either way", () => {
    const { simulation, nodes, puppets } = two()
    puppets[0].wants = Instant(5000)
    simulation.input(nodes[0], { _tag: "MakeBlock" })
    puppets[0].wants = Instant(2000)
    simulation.input(nodes[0], { _tag: "MakeBlock" })
    puppets[0].reactions.Timeout = () => {
      puppets[0].wants = puppets[0].wants === 2000 ? Instant(7000) : undefined
      return []
    }
    simulation.run(10_000)
    expect(puppets[0].heard.slice(2)).toEqual(["2000 Timeout", "7000 Timeout"])
  })

  it("is each node's own where the wall clock is meant", () => {
    const simulation = new Simulation(1)
    const late = simulation.add("late", new Puppet(), { skewSeconds: -30 })
    const right = simulation.add("right", new Puppet())
    simulation.run(1500)
    expect(simulation.now(right).unix - simulation.now(late).unix).toBe(30)
    expect(simulation.now(right).instant).toBe(simulation.now(late).instant)
  })
})

describe("a breach", () => {
  const breachOf = (run: () => unknown): string => {
    try {
      run()
    } catch (thrown) {
      if (thrown instanceof Breach) return thrown.message
      throw thrown
    }
    throw new Error("nothing was broken")
  }

  it("says which seed, when, what, and how to see it again", () => {
    const simulation = new Simulation(42)
    const node = simulation.add("a", new Puppet())
    simulation.always(({ input }) => {
      if (input._tag === "MakeBlock") throw new Breach("no blocks today")
    })
    simulation.after(1234, () => simulation.input(node, { _tag: "MakeBlock" }))
    expect(breachOf(() => simulation.explain(() => simulation.run(2000)))).toBe(
      "seed 42 at 1234 ms: no blocks today\nreplay: npm run simulate -- --seed 42"
    )
  })

  it("is made of whatever a node throws", () => {
    const simulation = new Simulation(3, { replay: "again 3" })
    const puppet = new Puppet()
    puppet.reactions.MakeBlock = () => {
      throw new TypeError("undefined is not a node")
    }
    const node = simulation.add("a", puppet)
    expect(breachOf(() => simulation.explain(() => simulation.input(node, { _tag: "MakeBlock" })))).toBe(
      "seed 3 at 0 ms: the simulation threw: TypeError: undefined is not a node\nreplay: again 3"
    )
  })

  it("is a node that spins", () => {
    const { simulation, nodes, puppets } = two()
    puppets[0].wants = Instant(0)
    simulation.input(nodes[0], { _tag: "MakeBlock" })
    expect(breachOf(() => simulation.run(1))).toContain("a spins")
  })

  it("is a node that acts on somebody else's connection", () => {
    const all = two()
    const { simulation, nodes, puppets } = all
    simulation.connect(nodes[0], nodes[1], CONDITIONS)
    simulation.run(20)
    expect(breachOf(() => act(all, 0, () => [write(puppets[1].peer as PeerId, 1)]))).toContain(
      "a acts on a connection of b"
    )
  })

  it("is a node that writes on and on to one that does not read", () => {
    const all = two()
    const { simulation, nodes } = all
    simulation.connect(nodes[0], nodes[1], CONDITIONS)
    simulation.run(20)
    act(all, 1, (peer) => [{ _tag: "Pause", peer, paused: true }])
    const big = (peer: PeerId): ReadonlyArray<NodeCoreOutput> => [
      { _tag: "Write", peer, bytes: new Uint8Array(2_400_000) }
    ]
    act(all, 0, big)
    act(all, 0, big)
    expect(breachOf(() => act(all, 0, big))).toContain("writes on and on")
  })
})

describe("a trace", () => {
  it("tells any two histories apart", () => {
    const digest = (fill: (trace: Trace) => void): string => {
      const trace = new Trace()
      fill(trace)
      return trace.digest()
    }
    const digests = [
      digest(() => {}),
      digest((trace) => trace.event()),
      digest((trace) => trace.number(1)),
      digest((trace) => trace.number(2 ** 32 + 1)),
      digest((trace) => trace.text("ab")),
      digest((trace) => trace.text("ba")),
      digest((trace) => trace.bytes(Uint8Array.of(1, 2, 3, 4, 5))),
      digest((trace) => trace.bytes(Uint8Array.of(1, 2, 3, 5, 4))),
      digest((trace) => trace.bytes(Uint8Array.of(1, 2, 4, 3, 5))),
      digest((trace) => {
        trace.bytes(Uint8Array.of(1, 2))
        trace.bytes(Uint8Array.of(3, 4, 5))
      })
    ]
    expect(new Set(digests).size).toBe(digests.length)
    for (const digest of digests) expect(digest).toMatch(/^[0-9a-f]{16}$/)
  })

  it("counts events", () => {
    const trace = new Trace()
    trace.event()
    trace.event()
    expect(trace.events).toBe(2)
  })
})
