/** A node that knows others: with its address manager, its connection manager and its peers, over the bytes of the wire. */
import { AddrMan } from "@satwire/addrman"
import { parsePermissionRule } from "@satwire/connections"
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import { FIRST_RETRY_MS, LocalAddresses, type SeedingOptions } from "@satwire/discovery"
import { type PeerId, UnixSeconds } from "@satwire/machine"
import { NETWORKS, NetGroups, type NodeAddress, parseHost, parseNode } from "@satwire/netaddress"
import { type ConnectionsRole, type NodeCoreFact, type NodeCoreOutput, describeDisconnect } from "@satwire/node-core"
import { regtest } from "@satwire/primitives"
import { frame } from "@satwire/testkit"
import {
  type AddrV2,
  GETADDR,
  type Message,
  NODE_NETWORK,
  NODE_NETWORK_LIMITED,
  NODE_WITNESS,
  SENDADDRV2,
  VERACK,
  type Version
} from "@satwire/wire"
import { describe, expect, it } from "vitest"
import { NodeBench, START_UNIX, THEIR_VERSION, framed, sentTo } from "./NodeBench.ts"

const SERVICES = NODE_NETWORK | NODE_WITNESS
const MINUTE = 60_000
const DAY_S = 24 * 60 * 60

const node = (text: string): NodeAddress => {
  const found = parseNode(text, 18444)
  if (found === undefined) throw new Error(text)
  return found
}

/** Its tip is of this moment, so that it is done catching up; an old one where the test says so. */
const paramsWith = (ageS: number) => ({
  ...regtest,
  genesis: { ...regtest.genesis, time: UnixSeconds(START_UNIX - ageS) },
  dnsSeeds: ["seed.example"]
})

class Knowing {
  readonly book: AddrMan
  readonly own: LocalAddresses
  readonly bench: NodeBench

  constructor(
    options: {
      readonly connections?: Partial<ConnectionsRole>
      readonly seeding?: Partial<NonNullable<SeedingOptions>>
      readonly tipAgeS?: number
    } = {}
  ) {
    const random = ChaChaRandom.fromNumber(5)
    this.book = new AddrMan({ random: random.fork(), sha256: portableSha256, groups: new NetGroups() })
    const reachable = new Set(NETWORKS.map(({ network }) => network))
    this.own = new LocalAddresses({ random, reachable, discovers: true, port: 18444 })
    this.own.add(node("21.1.1.1"), "manual")
    const seeding = {
      dnsSeeds: [],
      defaultPort: 18444,
      resolvesThroughProxy: false,
      seedNodes: [],
      fixedSeeds: [],
      hasAddedNodes: false,
      ...options.seeding
    }
    this.bench = new NodeBench({
      params: paramsWith(options.tipAgeS ?? 600),
      roles: {
        connections: { maxInbound: 10, ...options.connections },
        addresses: { book: this.book, own: this.own, announceSelf: true, seeding }
      }
    })
  }

  know(...texts: ReadonlyArray<string>): void {
    for (const text of texts) {
      const one = { ...node(text), services: SERVICES, time: UnixSeconds(START_UNIX - 600) }
      this.book.add([one], one, UnixSeconds(START_UNIX))
    }
  }

  /** Lets so much time pass, and gives what was put out. */
  elapse(ms: number): ReadonlyArray<NodeCoreOutput> {
    const until = this.bench.clock.ms + ms
    for (;;) {
      const next = this.bench.core.nextTimeout()
      if (next === undefined || next > until) break
      this.bench.clock.ms = Math.max(this.bench.clock.ms, next)
      this.bench.settle()
    }
    this.bench.clock.ms = until
    return this.bench.outputs()
  }

  /** Answers a dial and shakes hands. */
  answer(dial: Dial, version: Partial<Version> = {}): PeerId {
    const peer = this.bench.dialled(dial)
    this.shake(peer, version)
    return peer
  }

  /** Somebody dials; `sendaddrv2` is said in between. */
  inbound(address: string): PeerId {
    const peer = this.bench.open("inbound", address)
    this.shake(peer)
    return peer
  }

  shake(peer: PeerId, version: Partial<Version> = {}): void {
    this.bench.receive(peer, framed({ ...THEIR_VERSION, services: SERVICES, ...version }, SENDADDRV2, VERACK))
  }

  messages(peer: PeerId, outputs: ReadonlyArray<NodeCoreOutput>): ReadonlyArray<string> {
    return sentTo(peer, outputs).map(({ _tag }) => _tag)
  }
}

type Dial = Extract<NodeCoreOutput, { readonly _tag: "Dial" }>
const dials = (outputs: ReadonlyArray<NodeCoreOutput>): ReadonlyArray<Dial> =>
  outputs.filter((output): output is Dial => output._tag === "Dial")

/** Those that are to last. */
const wanted = (outputs: ReadonlyArray<NodeCoreOutput>): ReadonlyArray<Dial> =>
  dials(outputs).filter(({ kind }) => kind !== "feeler")

type FactOf<Tag extends NodeCoreFact["_tag"]> = Extract<NodeCoreFact, { readonly _tag: Tag }>
const factsOf = <Tag extends NodeCoreFact["_tag"]>(
  outputs: ReadonlyArray<NodeCoreOutput>,
  tag: Tag
): ReadonlyArray<FactOf<Tag>> => outputs.filter((output): output is FactOf<Tag> => output._tag === tag)

const addrv2 = (texts: ReadonlyArray<string>, time: number = START_UNIX): AddrV2 => ({
  _tag: "addrv2",
  addresses: texts.map((text) => ({ ...node(text), services: SERVICES, time: UnixSeconds(time) }))
})

const numbered = (count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, i) => `${40 + (i >> 8)}.${i & 255}.3.3`)

describe("a node that knows others", () => {
  it("dials them, asks them for more, and dials what it hears of", () => {
    const knowing = new Knowing()
    knowing.know("30.1.1.1")
    const [dial] = dials(knowing.elapse(1000))
    expect(dial).toMatchObject({ endpoint: "30.1.1.1:18444", kind: "outbound-full-relay", transport: "v1" })
    const peer = knowing.answer(dial as Dial)
    const said = knowing.messages(peer, knowing.bench.outputs())
    expect(said).toContain("getaddr")
    knowing.bench.receive(peer, framed(addrv2(["31.1.1.1", "32.1.1.1"])))
    const heard = knowing.elapse(5000)
    expect(factsOf(heard, "AddressesLearned")).toEqual([{ _tag: "AddressesLearned", from: peer, told: 2, added: 2 }])
    expect(
      dials(heard)
        .map(({ endpoint }) => endpoint)
        .toSorted()
    ).toEqual(["31.1.1.1:18444", "32.1.1.1:18444"])
    expect(knowing.book.find(node("30.1.1.1"))?.table).toBe("tried")
  })

  it("asks who it dials for blocks alone nothing, tells it nothing, and listens to nothing of it", () => {
    const knowing = new Knowing({ connections: { maxFullRelay: 0 } })
    knowing.know("30.1.1.1")
    const [dial] = dials(knowing.elapse(1000))
    expect(dial?.kind).toBe("block-relay-only")
    const peer = knowing.answer(dial as Dial)
    knowing.bench.receive(peer, framed(addrv2(["31.1.1.1"]), GETADDR))
    const outputs = knowing.elapse(2 * DAY_S * 1000)
    const about = new Set(["addr", "addrv2", "getaddr"])
    expect(knowing.messages(peer, outputs).filter((tag) => about.has(tag))).toEqual([])
    expect(knowing.book.count()).toBe(1)
  })

  it("answers a getaddr of who dialled it once, out of what it knows", () => {
    const knowing = new Knowing({ connections: { isAutomatic: false } })
    knowing.know(...numbered(200))
    const peer = knowing.inbound("50.1.1.1:9999")
    knowing.bench.outputs()
    knowing.bench.receive(peer, framed(GETADDR))
    const first = sentTo(peer, knowing.elapse(10 * MINUTE)).filter(({ _tag }) => _tag === "addrv2")
    const told = first.flatMap((message) => (message._tag === "addrv2" ? message.addresses : []))
    // Its own, and 23 % of what it knows.
    expect(told.length).toBeGreaterThan(30)
    expect(told.length).toBeLessThanOrEqual(1 + 0.23 * 200)
    knowing.bench.receive(peer, framed(GETADDR))
    expect(sentTo(peer, knowing.elapse(10 * MINUTE)).some(({ _tag }) => _tag === "addrv2")).toBe(false)
  })

  it("tells of itself once it has caught up with the chain, and not before", () => {
    const told = (tipAgeS: number): ReadonlyArray<string> => {
      const knowing = new Knowing({ tipAgeS })
      knowing.know("30.1.1.1")
      const [dial] = dials(knowing.elapse(1000))
      const peer = knowing.answer(dial as Dial)
      const addresses = sentTo(peer, knowing.elapse(10 * MINUTE)).flatMap((message: Message) =>
        message._tag === "addrv2" ? message.addresses : []
      )
      return addresses.map(({ address }) => [...address].join("."))
    }
    expect(told(600)).toContain("21.1.1.1")
    expect(told(2 * DAY_S)).toEqual([])
  })

  it("lets a node go that lacks what it wants, which near the present need not be old blocks", () => {
    const reasons = [NODE_WITNESS, NODE_WITNESS | NODE_NETWORK_LIMITED, SERVICES].map((services) => {
      const knowing = new Knowing()
      knowing.know("30.1.1.1")
      const [dial] = dials(knowing.elapse(1000))
      knowing.answer(dial as Dial, { services })
      return factsOf(knowing.bench.outputs(), "PeerDisconnecting").map(({ reason }) => reason._tag)
    })
    expect(reasons).toEqual([["LacksServices"], [], []])
  })

  it("dials one more when no block has come for long, and lets one go again that told of none", () => {
    const knowing = new Knowing({ connections: { maxFullRelay: 2, maxBlockRelayOnly: 0 } })
    knowing.know(...numbered(10))
    const all: Array<NodeCoreOutput> = []
    /** Everybody answers dials and pings. */
    const minutes = (count: number): void => {
      for (let i = 0; i < 6 * count; i++) {
        const outputs = knowing.elapse(10_000)
        all.push(...outputs)
        for (const dial of wanted(outputs)) knowing.answer(dial)
        for (const { peer } of knowing.bench.core.query("peers")) {
          const pings = sentTo(peer, outputs).filter((message) => message._tag === "ping")
          for (const { nonce } of pings) knowing.bench.receive(peer, framed({ _tag: "pong", nonce }))
        }
      }
    }
    minutes(25)
    expect(wanted(all).length).toBe(2)
    minutes(20)
    expect(factsOf(all, "TipStale")).toEqual([{ _tag: "TipStale", isStale: true }])
    expect(wanted(all).length).toBe(3)
    const gone = factsOf(all, "PeerDisconnecting").map(({ reason }) => reason)
    expect(gone).toEqual([{ _tag: "LetGo", because: "extra" }])
  })

  it("holds nothing of anybody when all are gone", () => {
    const knowing = new Knowing()
    knowing.know(...numbered(20))
    const peers = wanted(knowing.elapse(8000)).map((dial) => knowing.answer(dial))
    const inbound = knowing.inbound("50.1.1.1:9999")
    knowing.bench.receive(inbound, framed(GETADDR, addrv2(["31.1.1.1"])))
    knowing.bench.input({ _tag: "NetworkActive", isActive: false })
    expect(peers.length).toBe(10)
    expect(knowing.bench.core.isEmpty).toBe(true)
    expect(knowing.bench.core.query("connections")).toEqual([])
  })
})

describe("a day's upload", () => {
  it("is counted by what leaves, old blocks find no room near its end, and a new day begins anew", () => {
    const knowing = new Knowing({ connections: { isAutomatic: false, uploadTargetBytes: 1_000_000_000 } })
    const before = knowing.bench.core.query("upload").leftBytes
    knowing.inbound("50.1.1.1:9999")
    const { isReachedForHistoric, leftBytes, targetBytes } = knowing.bench.core.query("upload")
    expect([before, targetBytes, isReachedForHistoric]).toEqual([1_000_000_000, 1_000_000_000, false])
    expect(leftBytes).toBeLessThan(1_000_000_000)
    knowing.elapse(DAY_S * 1000)
    knowing.bench.input({ _tag: "Timeout" })
    expect(knowing.bench.core.query("upload").leftBytes).toBe(1_000_000_000)
  })
})

describe("somebody who tells of addresses", () => {
  it("is listened to at a tenth of an address a second, whatever it sends", () => {
    const knowing = new Knowing({ connections: { isAutomatic: false } })
    const peer = knowing.inbound("50.1.1.1:9999")
    for (let round = 0; round < 10; round++) {
      knowing.bench.receive(peer, framed(addrv2(numbered(1000), START_UNIX - 60)))
      knowing.elapse(100_000)
    }
    const [status] = knowing.bench.core.query("peers")
    expect(status?.addresses?.processed).toBeLessThanOrEqual(1 + 100)
    expect(status?.addresses?.rateLimited).toBeGreaterThanOrEqual(9800)
    expect(knowing.book.count()).toBeLessThanOrEqual(101)
  })

  it("may tell as many as it likes where our user says so", () => {
    const rule = parsePermissionRule("addr@50.0.0.0/8")
    if (typeof rule === "string") throw new Error(rule)
    const knowing = new Knowing({ connections: { isAutomatic: false, permissions: [rule] } })
    const peer = knowing.inbound("50.1.1.1:9999")
    knowing.bench.receive(peer, framed(addrv2(numbered(1000), START_UNIX - 60)))
    const [status] = knowing.bench.core.query("peers")
    expect(status?.addresses?.rateLimited).toBe(0)
    expect(status?.permissions.has("addr")).toBe(true)
  })

  it("gets nowhere with times of the future, hosts that nobody reaches, or whom we want nothing to do with", () => {
    const knowing = new Knowing({ connections: { isAutomatic: false } })
    const base = parseHost("61.0.0.0")
    if (base === undefined) throw new Error("61.0.0.0")
    knowing.bench.input({ _tag: "Ban", subnet: { base, prefixBits: 8 }, seconds: DAY_S })
    const tell = (from: string, text: string, time: number): void => {
      const peer = knowing.inbound(from)
      knowing.bench.receive(peer, framed(addrv2([text], time)))
    }
    tell("50.1.1.1:1", "10.0.0.1", START_UNIX)
    tell("51.1.1.1:1", "61.1.1.1", START_UNIX)
    tell("52.1.1.1:1", "62.1.1.1", START_UNIX + 10 * DAY_S)
    expect([...knowing.book.addresses()].map(({ address }) => [...address].join("."))).toEqual(["62.1.1.1"])
    const known = knowing.book.find(node("62.1.1.1"))
    expect(known?.time).toBeLessThan(START_UNIX - 4 * DAY_S)
  })

  it("and breaks the rules is discouraged with all of its host, and told of to nobody", () => {
    const knowing = new Knowing({ connections: { isAutomatic: false } })
    const [bad, other] = [knowing.inbound("50.1.1.1:1"), knowing.inbound("50.1.1.1:2")]
    knowing.bench.outputs()
    // 1,001 of them.
    knowing.bench.receive(bad, frame("addrv2", Uint8Array.of(0xfd, 0xe9, 0x03), { magic: regtest.magic }))
    const gone = factsOf(knowing.bench.outputs(), "PeerDisconnecting")
    expect(gone.map(({ cost, peer }) => [peer, cost])).toEqual([
      [bad, "discourage"],
      [other, "disconnect"]
    ])
    expect(describeDisconnect((gone[1] as FactOf<"PeerDisconnecting">).reason)).toContain("same host broke the rules")
  })
})

describe("a node that knows nobody", () => {
  it("asks a DNS seed, dials what it gives, and asks no more when it has peers", () => {
    const knowing = new Knowing({ seeding: { dnsSeeds: ["seed.example"] } })
    const outputs = knowing.elapse(100)
    const asked = outputs.filter(({ _tag }) => _tag === "QuerySeed")
    expect(asked).toEqual([{ _tag: "QuerySeed", host: "x9.seed.example" }])
    const addresses = numbered(100).map((text) => node(text))
    knowing.bench.input({ _tag: "SeedAnswered", host: "x9.seed.example", addresses })
    const dialled = wanted(knowing.elapse(10_000))
    expect(dialled.length).toBe(10)
    for (const dial of dialled) knowing.answer(dial)
    const later = knowing.elapse(15 * MINUTE)
    expect(later.some(({ _tag }) => _tag === "QuerySeed")).toBe(false)
    expect(factsOf(later, "SeedingDone").length).toBe(1)
  })

  it("dials a seed node for its addresses, and lets it go when they have come", () => {
    const knowing = new Knowing({ seeding: { seedNodes: [{ host: "seed.example", port: 18444 }] } })
    const [dial] = dials(knowing.elapse(100))
    expect(dial).toMatchObject({ endpoint: "seed.example:18444", kind: "addr-fetch" })
    const peer = knowing.answer(dial as Dial)
    knowing.bench.receive(peer, framed(addrv2(numbered(50))))
    const outputs = knowing.elapse(2000)
    expect(factsOf(outputs, "PeerDisconnecting").map(({ reason }) => describeDisconnect(reason))).toEqual([
      "it has told the addresses that we dialled it for"
    ])
    expect(dials(outputs).length).toBeGreaterThan(2)
  })

  it("says what it tried, and goes on trying", () => {
    const knowing = new Knowing({ seeding: { dnsSeeds: ["seed.example"] } })
    const fail = (outputs: ReadonlyArray<NodeCoreOutput>): void => {
      for (const output of outputs) {
        if (output._tag === "QuerySeed")
          knowing.bench.input({ _tag: "SeedFailed", host: output.host, why: "there is no such name" })
        if (output._tag === "Dial") knowing.bench.input({ _tag: "DialFailed", dial: output.dial, isOurs: false })
      }
    }
    const all: Array<NodeCoreOutput> = []
    for (let i = 0; i < 100; i++) {
      const outputs = knowing.elapse(FIRST_RETRY_MS / 10)
      all.push(...outputs)
      fail(outputs)
    }
    expect(all.filter(({ _tag }) => _tag === "QuerySeed").length).toBeGreaterThan(2)
    const [still] = factsOf(all, "StillLooking")
    expect(still?.tried.seeds).toEqual(["seed.example"])
    expect(still?.outbound).toBe(0)
  })
})
