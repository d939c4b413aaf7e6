import { concat } from "@satwire/bytes"
import { PeerId } from "@satwire/machine"
import { ANYONE_CAN_SPEND } from "@satwire/mining"
import {
  type NodeCoreFact,
  type NodeCoreInput,
  type NodeCoreOutput,
  ROUTES,
  TIMEOUTS_PER_TURN,
  describeDisconnect
} from "@satwire/node-core"
import { DEFAULT_PEER_CONNECT_TIMEOUT_MS, FRAMES_PER_TURN, actionFor } from "@satwire/peer"
import { ZERO_HASH, mainnet } from "@satwire/primitives"
import { arbitraryMessages } from "@satwire/testkit"
import {
  type Command,
  type GetHeaders,
  Inventory,
  MSG_BLOCK,
  type Message,
  SENDHEADERS,
  VERACK,
  WTXIDRELAY,
  commands,
  headersMessage
} from "@satwire/wire"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { NodeBench, START_UNIX, THEIR_VERSION, framed, isFact, sentTo } from "./NodeBench.ts"
import { Pipe, run } from "./Pipe.ts"
import { chain, tipOf, unproven } from "./chains.ts"

const MINUTE = 60_000
const GETHEADERS: GetHeaders = { _tag: "getheaders", protocolVersion: 70016, locator: [ZERO_HASH], stopHash: ZERO_HASH }
const ping = (nonce: bigint): Message => ({ _tag: "ping", nonce })

const tags = (outputs: ReadonlyArray<NodeCoreOutput>): ReadonlyArray<string> => outputs.map(({ _tag }) => _tag)

/** The ping of one peer is answered: the node and the connection live. */
const answers = (bench: NodeBench, peer: PeerId): void => {
  expect(sentTo(peer, bench.receive(peer, framed(ping(99n))))).toEqual([{ _tag: "pong", nonce: 99n }])
}

describe("the routes", () => {
  it("have a row for every command that the wire has, and no other", () => {
    expect(Object.keys(ROUTES).toSorted()).toEqual([...commands].toSorted())
  })

  it("leave to the peer machine exactly what it does not deliver", () => {
    const kept = commands.filter((command) => actionFor("Ready", command) !== "deliver")
    expect(commands.filter((command) => ROUTES[command] === "peer").toSorted()).toEqual(kept.toSorted())
  })

  const sample = (command: Command): Message =>
    fc.sample<Message>(arbitraryMessages[command], { numRuns: 1, seed: 3 })[0] as Message

  it.each(commands.filter((command) => ROUTES[command] === "ignore"))("lead nowhere: %s", (command) => {
    const bench = new NodeBench()
    const peer = bench.ready()
    expect(bench.receive(peer, framed(sample(command)))).toEqual([])
    answers(bench, peer)
  })

  it("lead to header sync", () => {
    const bench = new NodeBench()
    const peer = bench.ready()
    bench.input({ _tag: "SubmitHeaders", headers: chain(3, { time: START_UNIX }), count: 3 })
    expect(sentTo(peer, bench.receive(peer, framed(GETHEADERS)))).toMatchObject([{ _tag: "headers", count: 3 }])
    const inventory = Inventory.ofType(MSG_BLOCK, [new Uint8Array(32).fill(9)])
    bench.clock.ms += 10 * MINUTE
    expect(tags(sentTo(peer, bench.receive(peer, framed({ _tag: "inv", inventory }))) as never)).toContain("getheaders")
  })

  it("lead nowhere where the role is not played", () => {
    const bench = new NodeBench({ roles: { headers: undefined } })
    const peer = bench.ready()
    for (const command of commands) {
      if (ROUTES[command] === "headerSync") expect(bench.receive(peer, framed(sample(command)))).toEqual([])
    }
    expect(bench.input({ _tag: "SubmitHeaders", headers: chain(1, { time: START_UNIX }), count: 1 })).toEqual([])
    expect(bench.input({ _tag: "MakeBlock" })).toEqual([])
    expect(bench.core.query("headers")).toBeUndefined()
    expect(bench.core.query("peers")).toHaveLength(1)
  })
})

describe("a turn", () => {
  it("of any input writes once to each peer at most", () => {
    const bench = new NodeBench()
    const peers = [bench.ready(), bench.ready("outbound"), bench.ready()]
    bench.receive(peers[0] as PeerId, framed(ping(1n), GETHEADERS, ping(2n), GETHEADERS))
    bench.input({ _tag: "SubmitHeaders", headers: chain(2, { time: START_UNIX }), count: 2 })
    for (const outputs of bench.turns) {
      const written = outputs.flatMap((output) => (output._tag === "Write" ? [output.peer] : []))
      expect(new Set(written).size).toBe(written.length)
    }
  })

  it("answers in the order of what was asked, whoever answers it", () => {
    const bench = new NodeBench()
    const peer = bench.ready()
    bench.input({ _tag: "SubmitHeaders", headers: chain(1, { time: START_UNIX }), count: 1 })
    const outputs = bench.receive(peer, framed(ping(1n), GETHEADERS, ping(2n), GETHEADERS, ping(3n)))
    expect(sentTo(peer, outputs).map(({ _tag }) => _tag)).toEqual(["pong", "headers", "pong", "headers", "pong"])
  })

  it("tells of a connection, then of its handshake, with a ping before the first question as in Core", () => {
    const bench = new NodeBench()
    const peer = bench.open("outbound", "there:1")
    expect(tags(bench.outputs())).toEqual(["PeerConnected", "Write"])
    const outputs = bench.receive(peer, framed(THEIR_VERSION, VERACK))
    expect(tags(outputs)).toEqual(["PeerIntroduced", "PeerReady", "Write"])
    expect(outputs[0]).toMatchObject({ peer, address: "there:1", info: { userAgent: "/other:1.0/" } })
    expect(sentTo(peer, outputs).map(({ _tag }) => _tag)).toEqual([
      "wtxidrelay",
      "sendaddrv2",
      "verack",
      "ping",
      "getheaders"
    ])
  })

  it("that mines tells of the block, of the header, of the tip, and then writes the news", () => {
    const bench = new NodeBench({ roles: { mining: { payTo: ANYONE_CAN_SPEND } } })
    const peer = bench.ready()
    expect(bench.input({ _tag: "MakeBlock" })).toEqual([])
    bench.settle()
    const outputs = bench.outputs()
    expect(tags(outputs)).toEqual(["BlockMade", "HeadersAccepted", "TipChanged", "Write"])
    expect(outputs[2]).toMatchObject({ tip: { height: 1 }, removed: 0, added: 1, from: undefined })
    expect(sentTo(peer, outputs).map(({ _tag }) => _tag)).toEqual(["inv"])
  })

  it("leaves bytes for a connection that nobody knows alone, and every other word about it", () => {
    const bench = new NodeBench()
    const peer = PeerId(404)
    const inputs: ReadonlyArray<NodeCoreInput> = [
      { _tag: "BytesReceived", peer, chunk: framed(THEIR_VERSION) },
      { _tag: "SendBlocked", peer, blocked: true },
      { _tag: "ConnectionClosed", peer, how: "reset" },
      { _tag: "Disconnect", peer },
      { _tag: "Timeout" }
    ]
    for (const input of inputs) expect(bench.input(input)).toEqual([])
    expect(bench.core.isEmpty).toBe(true)
  })

  it("stops at a connection that is opened twice, because that is a bug of ours", () => {
    const bench = new NodeBench()
    const peer = bench.open("inbound")
    expect(() => bench.input({ _tag: "ConnectionOpened", peer, kind: "inbound", address: "x" })).toThrow("opened twice")
  })
})

describe("a peer at fault", () => {
  it("is closed and discouraged, and the others notice nothing", () => {
    const bench = new NodeBench()
    const [good, bad, other] = [bench.ready(), bench.ready(), bench.ready("outbound")]
    const before = bench.core.query("peers").filter(({ peer }) => peer !== bad)
    const headers = unproven(chain(3, { time: START_UNIX }), 1)
    const outputs = bench.receive(bad, framed(ping(1n), headersMessage(headers)))
    expect(tags(outputs)).toEqual(["Write", "Close", "PeerDisconnecting"])
    const reason = { _tag: "InvalidHeader", rule: "high-hash", index: 1 } as const
    expect(outputs[2]).toMatchObject({ peer: bad, reason, cost: "discourage" })
    expect(describeDisconnect(reason)).toBe('header 1 of its headers message breaks the rule "high-hash"')
    expect(bench.core.query("peers")).toEqual(before)
    answers(bench, good)
    answers(bench, other)
  })

  it("has said its last word: the rest of its chunk is not looked at", () => {
    const bench = new NodeBench()
    const peer = bench.ready()
    const bad = headersMessage(unproven(chain(1, { time: START_UNIX }), 0))
    const good = headersMessage(chain(1, { time: START_UNIX }))
    const spoiled = framed(ping(2n))
    spoiled[20] = (spoiled[20] as number) ^ 1
    bench.receive(peer, concat([framed(bad, ping(1n), good), spoiled, framed(WTXIDRELAY)]))
    const outputs = bench.outputs()
    expect(tags(outputs)).toEqual(["Close", "PeerDisconnecting"])
    expect(bench.tree.size).toBe(1)
    expect(bench.receive(peer, framed(good))).toEqual([])
  })

  it("in its framing is closed and not discouraged", () => {
    const bench = new NodeBench()
    const peer = bench.ready()
    const wrong = framed(ping(1n))
    new DataView(wrong.buffer).setUint32(0, mainnet.magic, true)
    expect(bench.receive(peer, wrong)).toMatchObject([
      { _tag: "Close", peer },
      { _tag: "PeerDisconnecting", peer, reason: { _tag: "WrongMagic" }, cost: "disconnect" }
    ])
  })

  it("that is slow with its headers makes way for the next", () => {
    const bench = new NodeBench()
    const [slow, next] = [bench.open("outbound"), bench.open("outbound")]
    bench.receive(slow, framed(THEIR_VERSION, VERACK))
    bench.receive(next, framed(THEIR_VERSION, VERACK))
    const before = bench.outputs()
    expect(sentTo(slow, before).map(({ _tag }) => _tag)).toContain("getheaders")
    expect(sentTo(next, before).map(({ _tag }) => _tag)).not.toContain("getheaders")
    // 15 minutes, and a millisecond for each of the blocks of some 14 years.
    for (let minute = 0; minute < 40; minute++) {
      bench.clock.ms += MINUTE
      for (const peer of [slow, next]) bench.receive(peer, framed({ _tag: "pong", nonce: 0n }))
      bench.settle()
    }
    const after = bench.outputs()
    expect(after.filter(({ _tag }) => _tag === "PeerDisconnecting")).toMatchObject([
      { peer: slow, reason: { _tag: "HeadersTimeout" }, cost: "disconnect" }
    ])
    expect(sentTo(next, after).map(({ _tag }) => _tag)).toContain("getheaders")
  })

  it("that we chose and whose chain stays behind ours goes, and one that follows stays", () => {
    const bench = new NodeBench()
    const headers = chain(3, { time: START_UNIX })
    bench.input({ _tag: "SubmitHeaders", headers, count: 3 })
    const [behind, follows, theirs] = [bench.ready("outbound"), bench.ready("outbound"), bench.ready()]
    bench.receive(follows, framed(headersMessage(headers)))
    for (let minute = 0; minute < 60; minute++) {
      bench.clock.ms += MINUTE
      for (const peer of [behind, follows, theirs]) bench.receive(peer, framed({ _tag: "pong", nonce: 0n }))
      bench.settle()
    }
    expect(bench.outputs().filter(({ _tag }) => _tag === "PeerDisconnecting")).toMatchObject([
      { peer: behind, reason: { _tag: "ChainTimeout" }, cost: "disconnect" }
    ])
  })
})

describe("a node that dials itself", () => {
  it("notices by its nonce on the accepting end, and nothing is left of either", () => {
    const bench = new NodeBench()
    const pipe = new Pipe(bench, bench)
    run(bench.clock, [bench], [pipe], 1000)
    const gone = bench.turns.flat().filter(({ _tag }) => _tag === "PeerDisconnecting")
    expect(gone).toMatchObject([
      { address: "from", reason: { _tag: "SelfConnection" }, cost: "disconnect" },
      { address: "to", reason: { _tag: "ClosedByPeer", how: "ended" } }
    ])
    expect(pipe.isOpen).toBe(false)
    expect(bench.core.isEmpty).toBe(true)
  })

  it("is not misled by a nonce whose handshake is over", () => {
    const clock = { ms: 0 }
    const [ours, theirs] = [new NodeBench({ clock }), new NodeBench({ clock, seed: 2 })]
    run(clock, [ours, theirs], [new Pipe(ours, theirs)], 1000)
    const write = ours.turns.flat().find((output) => output._tag === "Write")
    const version = write?._tag === "Write" ? sentTo(write.peer, [write])[0] : undefined
    if (version?._tag !== "version") throw new Error("no version")
    const replaying = ours.open("inbound")
    expect(tags(ours.receive(replaying, framed(version, VERACK)))).toContain("PeerReady")
    const without = ours.open("inbound")
    expect(tags(ours.receive(without, framed({ ...THEIR_VERSION, nonce: 0n }, VERACK)))).toContain("PeerReady")
  })
})

describe("reading from a peer", () => {
  it("stops while it has more for us than a turn holds, and goes on when that is done", () => {
    const bench = new NodeBench()
    const peer = bench.ready()
    const outputs = bench.receive(peer, framed(...Array.from({ length: 3 * FRAMES_PER_TURN }, () => ping(1n))))
    expect(outputs.at(-1)).toEqual({ _tag: "Pause", peer, paused: true })
    bench.outputs()
    bench.settle()
    expect(bench.outputs().filter(({ _tag }) => _tag === "Pause")).toEqual([{ _tag: "Pause", peer, paused: false }])
  })

  it("stops while it does not take what we write", () => {
    const bench = new NodeBench()
    const peer = bench.ready()
    expect(bench.input({ _tag: "SendBlocked", peer, blocked: true })).toEqual([{ _tag: "Pause", peer, paused: true }])
    expect(bench.input({ _tag: "SendBlocked", peer, blocked: true })).toEqual([])
    expect(bench.receive(peer, framed(ping(7n)))).toEqual([])
    const outputs = bench.input({ _tag: "SendBlocked", peer, blocked: false })
    expect(tags(outputs)).toEqual(["Write", "Pause"])
    expect(sentTo(peer, outputs)).toEqual([{ _tag: "pong", nonce: 7n }])
  })

  it("of one that floods leaves the others their turns", () => {
    const bench = new NodeBench()
    const [flooding, quiet] = [bench.ready(), bench.ready()]
    bench.receive(flooding, framed(...Array.from({ length: 8 * FRAMES_PER_TURN }, () => ping(1n))))
    answers(bench, quiet)
    expect(bench.settle()).toBe(8)
  })
})

describe("many deadlines at once", () => {
  it("are served in bounded turns, and none is lost", () => {
    const bench = new NodeBench()
    const count = 2000
    for (let i = 0; i < count; i++) {
      bench.open(i % 2 === 0 ? "inbound" : "outbound")
      if (i % 100 === 0) bench.clock.ms += 1
    }
    bench.outputs()
    bench.clock.ms = DEFAULT_PEER_CONNECT_TIMEOUT_MS + 1000
    bench.turns.length = 0
    expect(bench.settle()).toBe(Math.ceil(count / TIMEOUTS_PER_TURN))
    for (const outputs of bench.turns) {
      expect(outputs.filter(({ _tag }) => _tag === "Close").length).toBeLessThanOrEqual(TIMEOUTS_PER_TURN)
    }
    const gone = bench.outputs().flatMap((output) => (output._tag === "PeerDisconnecting" ? [output.peer] : []))
    expect(new Set(gone).size).toBe(count)
    expect(bench.core.isEmpty).toBe(true)
  })

  it("of pings leave each at its time, whatever else is due", () => {
    const bench = new NodeBench()
    const peers = Array.from({ length: 500 }, () => bench.ready())
    for (const peer of peers) bench.receive(peer, framed({ _tag: "pong", nonce: 0n }))
    bench.outputs()
    bench.clock.ms += 2 * MINUTE
    bench.settle()
    const outputs = bench.outputs()
    for (const peer of peers) expect(sentTo(peer, outputs).filter(({ _tag }) => _tag === "ping")).toHaveLength(1)
  })

  it("ask for no turn before they are due", () => {
    const bench = new NodeBench()
    bench.open("inbound")
    expect(bench.core.nextTimeout()).toBe(DEFAULT_PEER_CONNECT_TIMEOUT_MS)
    bench.clock.ms = 10
    expect(bench.input({ _tag: "Timeout" })).toEqual([])
    expect(bench.core.nextTimeout()).toBe(DEFAULT_PEER_CONNECT_TIMEOUT_MS)
  })
})

/** Ways to a state, each with a peer that is then taken away. */
const states: { readonly [name: string]: (bench: NodeBench) => PeerId } = {
  "just accepted": (bench) => bench.open("inbound"),
  "just dialled": (bench) => bench.open("outbound"),
  "in the middle of a frame": (bench) => {
    const peer = bench.open("inbound")
    bench.receive(peer, framed(THEIR_VERSION).subarray(0, 50))
    return peer
  },
  "between version and verack, inbound": (bench) => {
    const peer = bench.open("inbound")
    bench.receive(peer, framed(THEIR_VERSION, SENDHEADERS))
    return peer
  },
  "between version and verack, outbound": (bench) => {
    const peer = bench.open("outbound")
    bench.receive(peer, framed(THEIR_VERSION))
    return peer
  },
  "ready, asked for headers": (bench) => bench.ready("outbound"),
  "ready, waiting to be asked": (bench) => {
    bench.ready("outbound")
    return bench.ready()
  },
  "in sync": (bench) => {
    const peer = bench.ready()
    bench.receive(peer, framed(headersMessage(chain(5, { time: START_UNIX }))))
    return peer
  },
  "to be asked again": (bench) => {
    const peer = bench.ready()
    const inventory = Inventory.ofType(MSG_BLOCK, [new Uint8Array(32).fill(9)])
    bench.receive(peer, framed({ _tag: "inv", inventory }, { _tag: "inv", inventory }))
    return peer
  },
  "with a backlog": (bench) => {
    const peer = bench.ready()
    bench.receive(peer, framed(...Array.from({ length: 2 * FRAMES_PER_TURN }, () => ping(1n))))
    return peer
  },
  blocked: (bench) => {
    const peer = bench.ready()
    bench.input({ _tag: "SendBlocked", peer, blocked: true })
    bench.receive(peer, framed(GETHEADERS))
    return peer
  }
}

const ways: { readonly [name: string]: (bench: NodeBench, peer: PeerId) => void } = {
  "by the other side": (bench, peer) => bench.input({ _tag: "ConnectionClosed", peer, how: "reset" }),
  "on request": (bench, peer) => bench.input({ _tag: "Disconnect", peer }),
  "by its fault": (bench, peer) => {
    bench.receive(peer, new Uint8Array(100).fill(0x47))
    // A fault in the middle of a frame, or behind a backlog, shows later.
    bench.input({ _tag: "SendBlocked", peer, blocked: false })
    bench.settle()
    bench.clock.ms += 30 * MINUTE
    bench.settle()
  }
}

describe("after the last peer left nothing is held", () => {
  const cases = Object.keys(states).flatMap((state) => Object.keys(ways).map((way) => ({ state, way })))

  it.each(cases)("$state, $way", ({ state, way }) => {
    const bench = new NodeBench()
    const peer = states[state]?.(bench) as PeerId
    bench.outputs()
    ways[way]?.(bench, peer)
    const facts = bench.facts().filter(({ _tag }) => _tag === "PeerDisconnecting")
    expect(facts.filter((fact) => fact._tag === "PeerDisconnecting" && fact.peer === peer)).toHaveLength(1)
    for (const { peer: other } of bench.core.query("peers")) bench.input({ _tag: "Disconnect", peer: other })
    expect(bench.core.query("peers")).toEqual([])
    expect(bench.core.isEmpty).toBe(true)
    expect(bench.core.nextTimeout()).toBeUndefined()
    expect(balance(bench)).toEqual(new Map())
  })
})

/** Who is connected, by the facts alone. */
const balance = (bench: NodeBench): ReadonlyMap<PeerId, string> => {
  const present = new Map<PeerId, string>()
  const facts: ReadonlyArray<NodeCoreFact> = bench.turns.flat().filter(isFact)
  for (const fact of facts) {
    if (fact._tag === "PeerConnected") present.set(fact.peer, "connected")
    if (fact._tag === "PeerReady") present.set(fact.peer, "ready")
    if (fact._tag === "PeerDisconnecting") expect(present.delete(fact.peer)).toBe(true)
  }
  return present
}

describe("what is asked between turns", () => {
  it("is told as it was then", () => {
    const bench = new NodeBench()
    const peer = bench.ready()
    const before = structuredClone([bench.core.query("peers"), bench.core.query("headers")])
    const asked = [bench.core.query("peers"), bench.core.query("headers")]
    bench.clock.ms += 1000
    bench.receive(peer, framed(ping(1n), headersMessage(chain(5, { time: START_UNIX }))))
    bench.open("outbound")
    expect(asked).toEqual(before)
    expect(bench.core.query("headers")).toMatchObject({ tip: { height: 5 }, headers: 6, peers: 1 })
    expect(bench.core.query("peers").map(({ state }) => state)).toEqual(["ready", "handshaking"])
  })

  it("is what the facts said, peer by peer", () => {
    const bench = new NodeBench()
    bench.ready("outbound")
    bench.input({ _tag: "Disconnect", peer: bench.ready() })
    bench.open("inbound")
    const asked = new Map<PeerId, string>()
    for (const { peer, state } of bench.core.query("peers")) asked.set(peer, state === "ready" ? "ready" : "connected")
    expect(asked).toEqual(balance(bench))
  })
})

describe("two nodes joined by a pipe", () => {
  const pair = (): { readonly clock: { ms: number }; readonly a: NodeBench; readonly b: NodeBench } => {
    const clock = { ms: 0 }
    return { clock, a: new NodeBench({ clock, seed: 1 }), b: new NodeBench({ clock, seed: 2 }) }
  }

  it("have the same chain in the end, however many messages it takes", () => {
    const { clock, a, b } = pair()
    const headers = chain(4500, { time: START_UNIX - 5000 })
    a.input({ _tag: "SubmitHeaders", headers, count: 4500 })
    const [, told] = run(clock, [a, b], [new Pipe(b, a)], 1000)
    expect(b.tree.hash(b.tree.best)).toEqual(tipOf(headers))
    const accepted = told?.flatMap((fact) => (fact._tag === "HeadersAccepted" ? [fact] : [])) ?? []
    expect(accepted.map(({ count }) => count)).toEqual([2000, 2000, 500])
    expect(concat(accepted.map(({ headers }) => headers))).toEqual(headers)
  })

  it("tell each other of every new block, and of the better chain after a fork", () => {
    const { clock, a, b } = pair()
    const pipe = new Pipe(a, b)
    run(clock, [a, b], [pipe], 1000)
    const short = chain(3, { time: START_UNIX, salt: 1 })
    const long = chain(5, { time: START_UNIX, salt: 2 })
    a.input({ _tag: "SubmitHeaders", headers: short, count: 3 })
    run(clock, [a, b], [pipe], 1000)
    expect(b.tree.hash(b.tree.best)).toEqual(tipOf(short))
    b.input({ _tag: "SubmitHeaders", headers: long, count: 5 })
    const [told] = run(clock, [a, b], [pipe], 1000)
    expect(a.tree.hash(a.tree.best)).toEqual(tipOf(long))
    expect(told?.filter(({ _tag }) => _tag === "TipChanged")).toMatchObject([
      { tip: { height: 5 }, forkHeight: 0, removed: 3, added: 5 }
    ])
  })

  it("stay together for a day of silence, by pings alone", () => {
    const { clock, a, b } = pair()
    const pipe = new Pipe(a, b)
    run(clock, [a, b], [pipe], 24 * 60 * MINUTE)
    expect(pipe.isOpen).toBe(true)
    expect(a.core.query("peers")).toMatchObject([{ state: "ready", pingMs: 0, minPingMs: 0 }])
  })

  it("do not hand a bad header on", () => {
    const { clock, a, b } = pair()
    const pipe = new Pipe(a, b)
    run(clock, [a, b], [pipe], 1000)
    const refused = a.input({
      _tag: "SubmitHeaders",
      headers: unproven(chain(1, { time: START_UNIX }), 0),
      count: 1
    })
    expect(refused).toEqual([{ _tag: "SubmitRefused", rule: "high-hash", index: 0 }])
    const unconnected = chain(1, { time: START_UNIX, parent: new Uint8Array(32).fill(7) })
    expect(a.input({ _tag: "SubmitHeaders", headers: unconnected, count: 1 })).toEqual([
      { _tag: "SubmitRefused", rule: "unconnected", index: 0 }
    ])
    run(clock, [a, b], [pipe], 1000)
    expect([a.tree.size, b.tree.size]).toEqual([1, 1])
  })
})

describe("any bytes at all", () => {
  it("never throw, and cost nobody but their sender", () => {
    const bench = new NodeBench()
    const honest = bench.ready()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (bytes, isReady) => {
        const peer = isReady ? bench.ready() : bench.open("inbound")
        bench.receive(peer, bytes)
        bench.input({ _tag: "ConnectionClosed", peer, how: "reset" })
        answers(bench, honest)
      })
    )
    expect(bench.core.query("peers")).toHaveLength(1)
  })
})

describe("the reasons", () => {
  it("are sentences", () => {
    expect(describeDisconnect({ _tag: "Requested" })).toBe("we were asked to disconnect")
    expect(describeDisconnect({ _tag: "ClosedByPeer", how: "reset" })).toContain("(reset)")
    expect(describeDisconnect({ _tag: "HeadersTimeout" })).toContain("HEADERS_DOWNLOAD_TIMEOUT")
    expect(describeDisconnect({ _tag: "ChainTimeout" })).toContain("CHAIN_SYNC_TIMEOUT")
    expect(describeDisconnect({ _tag: "PingTimeout" })).toContain("TIMEOUT_INTERVAL")
  })
})
