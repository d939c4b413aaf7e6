/** What a node tells of its peers and of itself, gathered from all of its parts. */
import { AddrMan } from "@satwire/addrman"
import { ChaChaRandom, portableAead, portableCurve, portableSha256 } from "@satwire/crypto"
import { LocalAddresses } from "@satwire/discovery"
import { Instant, type PeerId } from "@satwire/machine"
import { AsMap, NETWORKS, NetGroups, type NodeAddress, formatNode, parseNode } from "@satwire/netaddress"
import {
  NODE_NETWORK,
  NODE_P2P_V2,
  NODE_WITNESS,
  type NetAddress,
  VERACK,
  type Version,
  headersMessage
} from "@satwire/wire"
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import { medianOffset } from "../src/PeerDetails.ts"
import { NodeBench, START_UNIX, THEIR_VERSION, framed, sentTo } from "./NodeBench.ts"
import { Pipe, run } from "./Pipe.ts"
import { chain } from "./chains.ts"

const V2 = { aead: portableAead, curve: portableCurve }

const shake = (bench: NodeBench, peer: PeerId, version: Partial<Version> = {}): void => {
  bench.receive(peer, framed({ ...THEIR_VERSION, ...version }, VERACK))
}

const node = (text: string): NodeAddress => {
  const found = parseNode(text)
  if (found === undefined) throw new Error(text)
  return found
}

/** `::ffff:a.b.c.d`. */
const receiver = (port: number, ...ipv4: ReadonlyArray<number>): NetAddress => ({
  services: 0n,
  ip: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...ipv4),
  port
})

const knowing = (): { readonly bench: NodeBench; readonly book: AddrMan } => {
  const random = ChaChaRandom.fromNumber(5)
  const book = new AddrMan({ random: random.fork(), sha256: portableSha256, groups: new NetGroups() })
  const reachable = new Set(NETWORKS.map(({ network }) => network))
  const own = new LocalAddresses({ random, reachable, discovers: true, port: 18444 })
  const bench = new NodeBench({
    roles: { connections: { maxInbound: 10, isAutomatic: false }, addresses: { book, own, announceSelf: false } }
  })
  return { bench, book }
}

describe("what a node tells of a peer", () => {
  it("is how far its chain is known, and what it was asked for", () => {
    const a = new NodeBench({ roles: { blocks: { wanted: {}, serve: true, isLimited: false, kept: [] } } })
    const b = new NodeBench()
    for (const bench of [a, b]) {
      const peer = bench.open("outbound")
      shake(bench, peer, { services: NODE_NETWORK | NODE_WITNESS })
      expect(bench.core.query("peerDetails")).toMatchObject([{ headersHeight: -1, blocksHeight: -1, inFlight: [] }])
      bench.receive(peer, framed(headersMessage(chain(3, { time: START_UNIX }))))
      bench.settle()
    }
    expect(a.core.query("peerDetails")).toMatchObject([
      {
        presyncedHeight: -1,
        headersHeight: 3,
        blocksHeight: 0,
        inFlight: [1, 2, 3],
        isHighBandwidthTo: false,
        isHighBandwidthFrom: false,
        transactions: undefined
      }
    ])
    // Without the role of blocks there are none that both have.
    expect(b.core.query("peerDetails")).toMatchObject([{ headersHeight: 3, blocksHeight: -1, inFlight: [] }])
  })

  it("is where both ends are, as far as they are known, and whose network that is", () => {
    // Everything is of one AS.
    const map = Result.getOrThrow(AsMap.load(Uint8Array.of(0xd8, 0x00, 0x00), portableSha256))
    const groups = new NetGroups(map)
    const bench = new NodeBench({ roles: { connections: { maxInbound: 10, groups } } })
    const peer = bench.open("inbound", "99.1.1.1:5")
    const mappedAs = groups.mappedAs(node("99.1.1.1:5"))
    expect(mappedAs).toBeGreaterThan(0)
    expect(bench.core.query("peerDetails")).toMatchObject([{ socket: "", seenAs: undefined, mappedAs }])
    shake(bench, peer, { receiver: receiver(8333, 20, 1, 2, 3) })
    const [seen] = bench.core.query("peerDetails")
    expect(seen?.seenAs && formatNode(seen.seenAs)).toBe("20.1.2.3:8333")
    const other = bench.open("inbound", "99.1.1.2:5")
    shake(bench, other, { receiver: receiver(0, 0, 0, 0, 0) })
    expect(bench.core.query("peerDetails")[1]?.seenAs).toBeUndefined()
  })

  it("keeps where peers see us once for all that say the same", () => {
    const bench = new NodeBench()
    for (let i = 0; i < 3; i++) shake(bench, bench.open("inbound"), { receiver: receiver(8333, 20, 1, 2, 3) })
    const seen = bench.core.query("peerDetails").map(({ seenAs }) => seenAs)
    expect(seen[0]).toBeDefined()
    expect(new Set(seen).size).toBe(1)
  })

  it("is gone with it", () => {
    const bench = new NodeBench()
    const peer = bench.ready()
    bench.input({ _tag: "Disconnect", peer })
    expect([bench.core.query("peerDetails"), bench.core.has(peer)]).toEqual([[], false])
  })
})

describe("what a node tells of itself", () => {
  it("is what it offers, and how many bytes passed, also with peers that have gone", () => {
    const clock = { ms: 0 }
    const [a, b] = [new NodeBench({ clock, seed: 1, v2: V2 }), new NodeBench({ clock, seed: 2, v2: V2 })]
    const pipe = new Pipe(a, b)
    run(clock, [a, b], [pipe], 1000)
    const [ofB] = a.core.query("peerDetails")
    a.input({ _tag: "Disconnect", peer: ofB?.peer as PeerId })
    run(clock, [a, b], [pipe], 1000)
    const [mine, theirs] = [a.core.query("traffic"), b.core.query("traffic")]
    expect(mine.bytesSent).toBeGreaterThan(64)
    expect(mine).toMatchObject({ bytesSent: theirs.bytesReceived, bytesReceived: theirs.bytesSent })
    expect(a.core.query("self")).toMatchObject({
      services: NODE_NETWORK,
      userAgent: "/bench:1.0/",
      relaysTransactions: false,
      isNetworkActive: true,
      timeOffsetSeconds: 0,
      speaksV2: true,
      maxFullRelay: 8,
      maxBlockRelayOnly: 2
    })
    a.input({ _tag: "NetworkActive", isActive: false })
    expect(a.core.query("self").isNetworkActive).toBe(false)
    expect(NODE_P2P_V2 & a.core.query("self").services).toBe(0n)
  })

  it("says by how much its clock is off once five that it dialled say so", () => {
    const bench = new NodeBench()
    const offsets = [30, -10, 20, 40, 0]
    for (const [i, offset] of offsets.entries()) {
      expect(bench.core.query("self").timeOffsetSeconds).toBe(0)
      // Who dialled us may say what he wants.
      shake(bench, bench.open("inbound"), { time: BigInt(START_UNIX + 5000) })
      shake(bench, bench.open("outbound"), { time: BigInt(START_UNIX + offset), nonce: BigInt(i + 1) })
    }
    expect(bench.core.query("self").timeOffsetSeconds).toBe(20)
    expect(medianOffset([6, 5, 4, 3, 2, 1])).toBe(4)
  })
})

describe("our user", () => {
  it("may ping all that were not, and send one what he likes", () => {
    const bench = new NodeBench()
    const [one, two] = [bench.ready(), bench.ready()]
    const shaking = bench.open("inbound")
    expect(bench.core.query("peerDetails").map(({ pingSince }) => pingSince)).toEqual([
      Instant(0),
      Instant(0),
      undefined
    ])
    // What the first is waited for stays so.
    bench.receive(two, framed({ _tag: "pong", nonce: 0n }))
    bench.outputs()
    const outputs = bench.input({ _tag: "SendPings" })
    expect([one, two, shaking].map((peer) => sentTo(peer, outputs).map(({ _tag }) => _tag))).toEqual([[], ["ping"], []])
    bench.input({ _tag: "SendRaw", peer: two, command: "what", payload: new Uint8Array(5) })
    expect(bench.core.query("peerDetails")[1]?.sent.get("*other*")).toEqual({ messages: 1, bytes: 29 })
    bench.input({ _tag: "Disconnect", peer: two })
    expect(bench.input({ _tag: "SendRaw", peer: two, command: "what", payload: new Uint8Array(5) })).toEqual([])
  })

  it("may name nodes, which are known then, and tried where he says so", () => {
    const { bench, book } = knowing()
    const [first, second] = [node("21.1.1.1:8333"), node("22.1.1.1:8333")]
    bench.input({ _tag: "AddAddress", node: first, services: NODE_NETWORK, isTried: false })
    bench.input({ _tag: "AddAddress", node: second, services: NODE_NETWORK, isTried: true })
    // Nobody could reach it.
    bench.input({ _tag: "AddAddress", node: node("127.0.0.1:8333"), services: NODE_NETWORK, isTried: false })
    expect([book.find(first)?.table, book.find(second)?.table]).toEqual(["new", "tried"])
    expect(book.find(first)).toMatchObject({ services: NODE_NETWORK, time: START_UNIX, source: { network: "ipv4" } })
    expect(bench.core.query("addresses")).toMatchObject({ new: 1, tried: 1 })
    expect(bench.core.query("addresses")?.networks[0]).toEqual({ network: "ipv4", new: 1, tried: 1 })
    expect(
      bench.core
        .query("addresses")
        ?.networks.slice(1)
        .every((counts) => counts.new + counts.tried === 0)
    ).toBe(true)
    const nobody = new NodeBench()
    expect(nobody.input({ _tag: "AddAddress", node: first, services: 0n, isTried: true })).toEqual([])
  })
})
