import { portableSha256 } from "@satwire/crypto"
import { type NetAddr, internalAddr } from "@satwire/netaddress"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  DNSSEEDS_DELAY_FEW_PEERS_MS,
  DNSSEEDS_DELAY_MANY_PEERS_MS,
  FIRST_RETRY_MS,
  FIXED_SEEDS_DELAY_MS,
  type FixedSeed,
  MAX_FIXED_SEEDS_OF_NETWORK,
  MAX_RETRY_MS,
  SEED_ANSWER_TIMEOUT_MS,
  describeSeeding
} from "../src/index.ts"
import { START, node, nth, onion } from "./Known.ts"
import { SEEDS, Seekers, answerOf } from "./Seekers.ts"

const DAY_S = 24 * 60 * 60
const fixed = (count: number): ReadonlyArray<FixedSeed> =>
  Array.from({ length: count }, (_, i) => ({ ...nth(0x8000 + i), services: 1033n }))

describe("DNS seeds", () => {
  it("are all asked at once where nobody is known, three at a time, for nodes with all blocks and witnesses", () => {
    const seekers = new Seekers().start()
    const first = seekers.taken("QuerySeed").map(({ host }) => host)
    expect(first).toHaveLength(3)
    seekers.elapse(20_000)
    expect(seekers.taken("QuerySeed")).toEqual([])
    seekers.answer(first[0] as string, answerOf(10))
    const next = seekers.taken("QuerySeed").map(({ host }) => host)
    expect(next).toHaveLength(1)
    for (const host of [...first.slice(1), ...next]) seekers.answer(host, answerOf(10, 100))
    const rest = seekers.taken("QuerySeed").map(({ host }) => host)
    expect([...first, ...next, ...rest].toSorted()).toEqual(SEEDS.map((seed) => `x9.${seed}`))
    expect(seekers.taken("SeedsWait")).toEqual([])
  })

  it("are asked in an order of chance", () => {
    const orders = new Set<string>()
    for (let i = 0; i < 20; i++)
      orders.add(
        new Seekers({ dnsSeeds: SEEDS.slice(i % 7) })
          .start()
          .taken("QuerySeed")
          .map(({ host }) => host)
          .join()
      )
    expect(orders.size).toBeGreaterThan(5)
  })

  it.each([
    ["eleven seconds", 1, DNSSEEDS_DELAY_FEW_PEERS_MS],
    ["eleven seconds", 999, DNSSEEDS_DELAY_FEW_PEERS_MS],
    ["five minutes", 1000, DNSSEEDS_DELAY_MANY_PEERS_MS]
  ])("wait %s for peers where %i addresses are known, and again after each three", (_, known, waitMs) => {
    const seekers = new Seekers({}, known).start()
    expect(seekers.taken("SeedsWait")).toEqual([{ _tag: "SeedsWait", waitMs, known }])
    seekers.elapse(waitMs - 1)
    expect(seekers.taken("QuerySeed")).toEqual([])
    seekers.elapse(1)
    expect(seekers.answerAll(() => [])).toBe(3)
    seekers.elapse(waitMs - 1)
    expect(seekers.taken("QuerySeed")).toEqual([])
    seekers.elapse(1)
    expect(seekers.answerAll(() => [])).toBe(3)
    seekers.elapse(waitMs)
    expect(seekers.answerAll(() => [])).toBe(1)
  })

  it("are not asked while two outbound peers are there", () => {
    const seekers = new Seekers({}, 10).start()
    seekers.elapse(5000).outbound(1).elapse(5999).outbound(2)
    expect(seekers.taken("SeedingDone")).toEqual([{ _tag: "SeedingDone", outbound: 2 }])
    seekers.elapse(DAY_S * 1000)
    expect([seekers.taken("QuerySeed"), seekers.machine.isSeeking]).toEqual([[], false])
  })

  it("that were asked are heard to the end, though two peers are there by then", () => {
    const seekers = new Seekers({}, 10).start().elapse(DNSSEEDS_DELAY_FEW_PEERS_MS)
    const asked = seekers.taken("QuerySeed")
    seekers.outbound(2)
    expect(seekers.taken("SeedingDone")).toEqual([])
    for (const { host } of asked) seekers.answer(host, answerOf(3))
    expect(seekers.taken("Learned")).toHaveLength(3)
    expect(seekers.taken("SeedingDone")).toHaveLength(1)
    expect(seekers.taken("QuerySeed")).toEqual([])
  })

  it("are asked again five minutes after peers are lost, if they do not come back", () => {
    const seekers = new Seekers({}, 10).start().outbound(2)
    seekers
      .elapse(DAY_S * 1000)
      .outbound(1)
      .elapse(DNSSEEDS_DELAY_MANY_PEERS_MS - 1)
      .outbound(2)
    seekers.elapse(DAY_S * 1000)
    expect(seekers.taken("QuerySeed")).toEqual([])
    expect(seekers.taken("SeedingDone")).toHaveLength(1)
    seekers.outbound(0).elapse(DNSSEEDS_DELAY_MANY_PEERS_MS + DNSSEEDS_DELAY_FEW_PEERS_MS)
    expect(seekers.taken("QuerySeed")).toHaveLength(3)
  })

  it("are asked whether they are needed or not where our user says so", () => {
    const seekers = new Seekers({ forcesDns: true }, 5000).outbound(8).start()
    expect(seekers.answerAll(() => answerOf(1))).toBe(SEEDS.length)
    expect(seekers.taken("SeedingDone")).toHaveLength(1)
  })

  it("are dialled by the proxy that resolves names, and never resolved here", () => {
    const seekers = new Seekers({ resolvesThroughProxy: true }).start()
    const fetches = seekers.taken("FetchAddresses")
    expect(fetches.map(({ endpoint }) => endpoint.host).toSorted()).toEqual(SEEDS)
    expect(fetches.every(({ endpoint, why }) => endpoint.port === 8333 && why === "proxied DNS seed")).toBe(true)
    seekers.elapse(DAY_S * 1000)
    expect(seekers.taken("QuerySeed")).toEqual([])
  })
})

describe("what a DNS seed answers", () => {
  const asked = (): { readonly seekers: Seekers; readonly host: string } => {
    const seekers = new Seekers({ dnsSeeds: ["a.example"] }).start()
    return { seekers, host: seekers.taken("QuerySeed")[0]?.host ?? "" }
  }

  it("is learned as three to seven days old, from the seed's name, on the network's port", () => {
    const { host, seekers } = asked()
    seekers.answer(host, [...answerOf(20), node("[2a00::1]")])
    const [learned] = seekers.taken("Learned")
    expect(learned?.source).toEqual(internalAddr("x9.a.example", portableSha256))
    expect(learned?.timePenaltyS).toBe(0)
    expect(learned?.addresses).toHaveLength(21)
    const ages = (learned?.addresses ?? []).map(({ time }) => (START - time) / DAY_S)
    expect(Math.min(...ages)).toBeGreaterThanOrEqual(3)
    expect(Math.max(...ages)).toBeLessThanOrEqual(7)
    expect(Math.max(...ages) - Math.min(...ages)).toBeGreaterThan(2)
    expect(learned?.addresses.every(({ port, services }) => port === 8333 && services === 9n)).toBe(true)
    expect(seekers.taken("SeedGave")).toEqual([{ _tag: "SeedGave", host, count: 21 }])
  })

  it("is cut after 32 addresses", () => {
    const { host, seekers } = asked()
    seekers.answer(host, answerOf(1000))
    expect(seekers.taken("Learned")[0]?.addresses).toHaveLength(32)
  })

  it.each<readonly [string, ReadonlyArray<NetAddr>]>([
    ["nothing", []],
    ["private addresses", [node("10.0.0.1"), node("127.0.0.1")]],
    ["addresses of a wrong length", [{ network: "ipv4", address: Uint8Array.of(21, 1, 1) }]],
    ["no networks", [{ network: "internal", address: new Uint8Array(10) }]]
  ])("is %s: one of the nodes behind its plain name is dialled instead", (_, addresses) => {
    const { host, seekers } = asked()
    seekers.answer(host, addresses)
    expect(seekers.taken("SeedGaveNothing")).toHaveLength(1)
    expect(seekers.taken("FetchAddresses")).toEqual([
      { _tag: "FetchAddresses", endpoint: { host: "a.example", port: 8333 }, why: "empty DNS seed" }
    ])
    expect(seekers.taken("Learned")).toEqual([])
  })

  it("is an error, or never comes: the same", () => {
    for (const fails of [true, false]) {
      const { host, seekers } = asked()
      if (fails) seekers.handle({ _tag: "SeedFailed", host, why: "the server refused" })
      else seekers.elapse(SEED_ANSWER_TIMEOUT_MS)
      expect(seekers.taken("SeedGaveNothing")[0]?.why).toBe(fails ? "the server refused" : "it did not answer")
      expect(seekers.taken("FetchAddresses")).toHaveLength(1)
      // Too late.
      expect(seekers.answer(host, answerOf(3)).taken("Learned")).toEqual([])
    }
  })

  it("is nothing where nobody asked", () => {
    const { host, seekers } = asked()
    seekers.answer("x9.b.example", answerOf(3)).answer("a.example", answerOf(3))
    expect(seekers.taken("Learned")).toEqual([])
    seekers.answer(host, answerOf(3)).answer(host, answerOf(3))
    expect(seekers.taken("Learned")).toHaveLength(1)
  })
})

describe("seed nodes", () => {
  const seedNodes = ["one.example", "two.example", "three.example"].map((host) => ({ host, port: 8333 }))
  const hosts = (seekers: Seekers): ReadonlyArray<string> =>
    seekers
      .taken("FetchAddresses")
      .filter(({ why }) => why === "seed node")
      .map(({ endpoint }) => endpoint.host)

  it("are dialled one at once where nobody is known, and one more each ten seconds", () => {
    const seekers = new Seekers({ seedNodes }).start()
    const order = [
      hosts(seekers),
      hosts(seekers.elapse(9_999)),
      hosts(seekers.elapse(1)),
      hosts(seekers.elapse(10_000))
    ]
    expect(order.map((some) => some.length)).toEqual([1, 0, 1, 1])
    expect(order.flat().toSorted()).toEqual(["one.example", "three.example", "two.example"])
  })

  it("have ten seconds of the known addresses before them", () => {
    const seekers = new Seekers({ seedNodes }, 10).start()
    expect(hosts(seekers)).toEqual([])
    expect(hosts(seekers.elapse(10_000))).toHaveLength(1)
  })

  it("come half a minute before DNS seeds", () => {
    const seekers = new Seekers({ seedNodes }).start().elapse(29_999)
    expect(seekers.taken("QuerySeed")).toEqual([])
    expect(seekers.elapse(1).taken("QuerySeed")).toHaveLength(3)
  })

  it("leave nothing out that our user forces", () => {
    const seekers = new Seekers({ seedNodes, forcesDns: true }, 10).start().elapse(15_000).outbound(2)
    expect(seekers.taken("QuerySeed")).toHaveLength(3)
  })

  it("make DNS seeds needless once two peers are there", () => {
    const seekers = new Seekers({ seedNodes }, 10).start().elapse(15_000).outbound(2)
    expect(seekers.taken("SeedingDone")).toHaveLength(1)
    expect(seekers.elapse(DAY_S * 1000).taken("QuerySeed")).toEqual([])
  })
})

describe("fixed seeds", () => {
  it("are used at once where there is nobody else to ask", () => {
    const seekers = new Seekers({ dnsSeeds: [], fixedSeeds: fixed(5) }).start()
    const [learned] = seekers.taken("Learned")
    expect(learned?.source).toEqual(internalAddr("fixedseeds", portableSha256))
    const ages = (learned?.addresses ?? []).map(({ time }) => (START - time) / DAY_S)
    expect(Math.min(...ages)).toBeGreaterThanOrEqual(7)
    expect(Math.max(...ages)).toBeLessThanOrEqual(14)
    expect(learned?.addresses.every(({ services }) => services === 1033n)).toBe(true)
  })

  it("wait a minute for those whom our user named, and for DNS seeds", () => {
    for (const seekers of [
      new Seekers({ dnsSeeds: [], fixedSeeds: fixed(5), hasAddedNodes: true }),
      new Seekers({ fixedSeeds: fixed(5) })
    ]) {
      seekers.start().elapse(FIXED_SEEDS_DELAY_MS - 1)
      expect(seekers.taken("FixedSeedsUsed")).toEqual([])
      seekers.elapse(1)
      expect(seekers.taken("FixedSeedsUsed")).toEqual([{ _tag: "FixedSeedsUsed", count: 5, networks: ["ipv4"] }])
    }
  })

  it("are used for those networks alone of which nothing is known and which can be dialled", () => {
    const fixedSeeds = [...fixed(5), { ...onion(1), services: 9n }, { ...node("[2a00::1]"), services: 9n }]
    const seekers = new Seekers({ fixedSeeds, reachable: new Set(["ipv4", "torv3"]) }, 10).start()
    seekers.outbound(8).elapse(FIXED_SEEDS_DELAY_MS)
    expect(seekers.taken("Learned").flatMap(({ addresses }) => addresses.map(({ network }) => network))).toEqual([
      "torv3"
    ])
  })

  it("are a thousand of a network at most", () => {
    const seekers = new Seekers({ dnsSeeds: [], fixedSeeds: fixed(3000) }).start()
    expect(seekers.taken("FixedSeedsUsed")[0]?.count).toBe(MAX_FIXED_SEEDS_OF_NETWORK)
  })
})

describe("a search that finds nobody", () => {
  it("says what it tried, and goes on, later each time", () => {
    const seekers = new Seekers({ dnsSeeds: ["a.example"], seedNodes: [{ host: "one.example", port: 8333 }] }).start()
    const times: Array<number> = []
    let asked = 0
    for (let minute = 0; minute < 600; minute++) {
      seekers.elapse(60_000)
      for (const { host } of seekers.taken("QuerySeed")) {
        asked++
        seekers.answer(host, [])
      }
      for (const { outbound, tried } of seekers.taken("StillLooking")) {
        times.push(seekers.atMs)
        expect(outbound).toBe(0)
        expect(tried).toEqual({ seeds: ["a.example"], found: 0, nodes: ["one.example", "a.example"], fixedSeeds: 0 })
      }
    }
    expect(times.length).toBeGreaterThan(5)
    expect(asked).toBeGreaterThanOrEqual(times.length)
    const pauses = times.map((at, i) => at - (times[i - 1] ?? 0))
    expect(pauses[0]).toBeLessThan(FIRST_RETRY_MS + 3 * 60_000)
    expect(pauses.every((pause, i) => i === 0 || pause >= (pauses[i - 1] ?? 0) - 60_000)).toBe(true)
    expect(Math.max(...pauses)).toBeLessThan(MAX_RETRY_MS + 3 * 60_000)
  })

  it("waits two minutes before the second time, then twice as long each time, and an hour at most", () => {
    const seekers = new Seekers({ dnsSeeds: ["a.example"] }).start()
    const search = (rounds: number): ReadonlyArray<number> => {
      const pauses: Array<number> = []
      let from = seekers.atMs
      while (pauses.length < rounds) {
        seekers.answerAll(() => [])
        seekers.elapse((seekers.machine.nextTimeout() ?? 0) - seekers.atMs)
        if (seekers.taken("StillLooking").length === 0) continue
        pauses.push((seekers.atMs - from) / 60_000)
        from = seekers.atMs
      }
      return pauses
    }
    expect(search(8)).toEqual([2, 4, 8, 16, 32, 60, 60, 60])
    // Once there were peers, a search begins anew.
    seekers.answerAll(() => [])
    seekers.outbound(2).outbound(0).elapse(DNSSEEDS_DELAY_MANY_PEERS_MS)
    expect(search(2)).toEqual([2, 4])
  })

  it("tries fixed seeds again where nothing is known of a network", () => {
    const seekers = new Seekers({ dnsSeeds: [], fixedSeeds: fixed(2) }).start()
    seekers.taken("Learned")
    seekers.known.clear()
    seekers.elapse(FIRST_RETRY_MS)
    expect(seekers.taken("StillLooking")[0]?.tried.fixedSeeds).toBe(2)
    expect(seekers.taken("Learned")).toHaveLength(1)
  })

  it("is none where there is nobody to ask", () => {
    const seekers = new Seekers({ dnsSeeds: [] }).start()
    expect(seekers.take()).toEqual([{ _tag: "NobodyToAsk" }])
    seekers.outbound(1).outbound(0)
    expect([seekers.machine.nextTimeout(), seekers.take()]).toEqual([undefined, []])
  })
})

describe("any search", () => {
  const step = fc.oneof(
    fc.record({ _tag: fc.constant("outbound" as const), count: fc.integer({ min: 0, max: 3 }) }),
    fc.record({ _tag: fc.constant("elapse" as const), ms: fc.integer({ min: 0, max: 700_000 }) }),
    fc.record({ _tag: fc.constant("answer" as const), which: fc.nat(6), count: fc.integer({ min: 0, max: 50 }) }),
    fc.record({ _tag: fc.constant("fail" as const), which: fc.nat(6) })
  )
  const setup = fc.record({
    known: fc.constantFrom(0, 10, 2000),
    nodes: fc.integer({ min: 0, max: 3 }),
    fixed: fc.integer({ min: 0, max: 3 }),
    seeds: fc.integer({ min: 0, max: 7 }),
    proxied: fc.boolean()
  })

  it("has three seeds out at most, begins with none while there are peers enough, and never gives up without saying so", () => {
    fc.assert(
      fc.property(setup, fc.array(step, { maxLength: 60 }), (given, steps) => {
        const seekers = new Seekers(
          {
            dnsSeeds: SEEDS.slice(0, given.seeds),
            seedNodes: answerOf(given.nodes).map((_, i) => ({ host: `n${i}.example`, port: 8333 })),
            fixedSeeds: fixed(given.fixed),
            resolvesThroughProxy: given.proxied
          },
          given.known
        ).start()
        const waiting = new Set<string>()
        let outbound = 0
        const look = (wasEnough: boolean): void => {
          for (const output of seekers.take()) {
            if (output._tag === "SeedGave" || output._tag === "SeedGaveNothing") waiting.delete(output.host)
            if (output._tag === "Learned") expect(output.addresses.length).toBeLessThanOrEqual(32)
            if (output._tag !== "QuerySeed") continue
            expect(given.proxied).toBe(false)
            expect(wasEnough && given.known > 0).toBe(false)
            waiting.add(output.host)
            expect(waiting.size).toBeLessThanOrEqual(3)
          }
        }
        look(false)
        for (const one of steps) {
          const host = `x9.${SEEDS["which" in one ? one.which : 0]}`
          const wasEnough = outbound >= 2
          if (one._tag === "outbound") seekers.outbound((outbound = one.count))
          else if (one._tag === "elapse") seekers.elapse(one.ms)
          else if (one._tag === "answer") seekers.answer(host, answerOf(one.count))
          else seekers.handle({ _tag: "SeedFailed", host, why: "chance" })
          look(wasEnough && outbound >= 2)
          const canAsk = given.seeds + given.nodes + given.fixed > 0
          if (canAsk && outbound < 2) expect(seekers.machine.nextTimeout()).toBeDefined()
        }
      })
    )
  })
})

describe("what is said to people", () => {
  it("is one sentence each", () => {
    const tried = { seeds: ["a.example"], found: 0, nodes: ["one.example"], fixedSeeds: 3 }
    expect([
      describeSeeding({ _tag: "SeedsWait", waitMs: 11_000, known: 1 }),
      describeSeeding({ _tag: "SeedGave", host: "x9.a.example", count: 2 }),
      describeSeeding({ _tag: "SeedGaveNothing", host: "x9.a.example", why: "it has none" }),
      describeSeeding({ _tag: "FixedSeedsUsed", count: 3, networks: ["ipv4", "torv3"] }),
      describeSeeding({ _tag: "SeedingDone", outbound: 2 }),
      describeSeeding({ _tag: "StillLooking", tried, outbound: 0 }),
      describeSeeding({ _tag: "StillLooking", tried: { seeds: [], found: 0, nodes: [], fixedSeeds: 0 }, outbound: 1 }),
      describeSeeding({ _tag: "NobodyToAsk" })
    ]).toEqual([
      "1 known address is tried for 11 s before DNS seeds are asked",
      "the DNS seed x9.a.example gave 2 addresses",
      "the DNS seed x9.a.example gave no address: it has none",
      "3 nodes of the seeds file are tried, as no others are known on ipv4, torv3",
      "there are 2 outbound peers: no seeds are needed",
      "no peer was found: a.example gave 0 addresses, one.example was dialled for addresses, 3 nodes of the seeds file were taken; all is tried again",
      "too few peers were found: nobody was there to ask; all is tried again",
      "there are neither DNS seeds nor seed nodes nor a seeds file to learn of peers from"
    ])
  })
})
