import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import { type Random, UnixSeconds } from "@satwire/machine"
import { NETWORKS, NetGroups, type Network, isSameNode, netClass } from "@satwire/netaddress"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { AddrMan, type AddressInfo, type KnownAddress, MAX_ENTRIES } from "../src/index.ts"
import { START, at, host, ipv4, known } from "./KnownAddresses.ts"
import { NaiveAddrMan, type NaiveInfo, keyOf } from "./NaiveAddrMan.ts"

/** Two generators: what both sides draw in common, and what only one of them draws. */
class Streams implements Random {
  readonly #common: Random
  readonly #own: Random
  isCommon = true
  constructor(seed: number) {
    this.#common = ChaChaRandom.fromNumber(seed)
    this.#own = ChaChaRandom.fromNumber(seed + 1)
  }
  get #now(): Random {
    return this.isCommon ? this.#common : this.#own
  }
  u32 = (): number => this.#now.u32()
  u64 = (): bigint => this.#now.u64()
  below = (bound: number): number => this.#now.below(bound)
  unit = (): number => this.#now.unit()
  bytes = (length: number): Uint8Array => this.#now.bytes(length)
  fork = (): Random => this.#now.fork()
}

const networks: ReadonlyArray<Network> = NETWORKS.map(({ network }) => network)

/** Two groups of IPv4 that fill their few buckets, and some of everything else. */
const POOL: ReadonlyArray<KnownAddress> = [
  ...Array.from({ length: 150 }, (_, n) => known(ipv4(0x0102, n))),
  ...Array.from({ length: 60 }, (_, n) => known(ipv4(0x0908, n))),
  ...Array.from({ length: 10 }, (_, n) => known(`${ipv4(0x0102, 0)}:${n + 1}`)),
  ...Array.from({ length: 12 }, (_, n) => known(`[2001:2001::${n + 1}]:8333`)),
  ...Array.from({ length: 6 }, (_, n) => known(`[2002:102:${n}::1]:8333`)),
  ...Array.from({ length: 8 }, (_, n) => known(`[fc12::${n + 1}]:8333`)),
  ...(["torv3", "i2p"] as const).flatMap((network) =>
    Array.from({ length: 8 }, (_, n) => ({
      ...known("1.2.3.4"),
      network,
      address: new Uint8Array(32).fill(n + 1),
      port: network === "i2p" ? 0 : 8333
    }))
  ),
  // Nobody is led there.
  known("10.0.0.1"),
  known("127.0.0.1"),
  known("[2001:db8::1]:8333")
]
const SOURCES = [
  host("7.7.7.7"),
  host("1.2.0.5"),
  host("2001:2001::1"),
  { network: "internal", address: new Uint8Array(10) } as const
]

const which = fc.nat(POOL.length - 1)
const age = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -300, max: 30_000 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 40 * 86_400 }) },
  { weight: 1, arbitrary: fc.constantFrom(-601, -600, -3600, START, 0) }
)
const services = fc.constantFrom(0n, 1n, 1033n, 2n ** 63n + 8n)

type Op =
  | {
      readonly _tag: "add"
      readonly from: number
      readonly count: number
      readonly source: number
      readonly age: number
      readonly services: bigint
      readonly penalty: number
    }
  | { readonly _tag: "good" | "connected"; readonly who: number; readonly count: number }
  | { readonly _tag: "attempt"; readonly who: number; readonly counts: boolean; readonly times: number }
  | { readonly _tag: "services"; readonly who: number; readonly services: bigint }
  | {
      readonly _tag: "select"
      readonly newOnly: boolean
      readonly networks: ReadonlyArray<Network>
      readonly services: bigint
    }
  | { readonly _tag: "getaddr"; readonly network: Network | undefined; readonly percent: number; readonly most: number }
  | { readonly _tag: "wait"; readonly seconds: number }
  | { readonly _tag: "collision" | "resolve" | "restart" }

const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      _tag: fc.constant("add" as const),
      from: which,
      count: fc.integer({ min: 1, max: 60 }),
      source: fc.nat(SOURCES.length - 1),
      age,
      services,
      penalty: fc.constantFrom(0, 7200)
    })
  },
  {
    weight: 20,
    arbitrary: fc.record({
      _tag: fc.constantFrom("good" as const, "good" as const, "connected" as const),
      who: which,
      count: fc.integer({ min: 1, max: 40 })
    })
  },
  {
    weight: 5,
    arbitrary: fc.record({
      _tag: fc.constant("attempt" as const),
      who: which,
      counts: fc.boolean(),
      times: fc.integer({ min: 1, max: 12 })
    })
  },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("services" as const), who: which, services }) },
  {
    weight: 3,
    arbitrary: fc.record({
      _tag: fc.constant("select" as const),
      newOnly: fc.boolean(),
      networks: fc.subarray([...networks]),
      services
    })
  },
  {
    weight: 2,
    arbitrary: fc.record({
      _tag: fc.constant("getaddr" as const),
      network: fc.option(fc.constantFrom(...networks), { nil: undefined }),
      percent: fc.constantFrom(23, 100),
      most: fc.constantFrom(3, 1000)
    })
  },
  {
    weight: 6,
    arbitrary: fc.record({
      _tag: fc.constant("wait" as const),
      seconds: fc.oneof(fc.nat(120), fc.nat(3 * 3600), fc.constantFrom(60, 61, 600, 4 * 3600, 2400), fc.nat(3 * 86_400))
    })
  },
  { weight: 4, arbitrary: fc.record({ _tag: fc.constantFrom("collision" as const, "resolve" as const) }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("restart" as const) }) }
)

/** Both, side by side. */
class Pair {
  readonly #random: Streams
  readonly #modelRandom: Streams
  readonly #options
  real: AddrMan
  readonly model: NaiveAddrMan
  now = 0

  constructor(seed: number, firstId: bigint) {
    this.#random = new Streams(seed)
    this.#modelRandom = new Streams(seed)
    const key = new Uint8Array(32).fill(seed)
    const groups = new NetGroups()
    this.#options = { random: this.#random, sha256: portableSha256, groups }
    this.#random.isCommon = false
    this.real = new AddrMan({ ...this.#options, key })
    this.#random.isCommon = true
    this.model = new NaiveAddrMan(key, groups, this.#modelRandom, firstId)
  }

  /** Runs what only the real one draws for. */
  alone<A>(body: () => A): A {
    this.#random.isCommon = false
    const got = body()
    this.#random.isCommon = true
    return got
  }

  restart(): void {
    this.alone(() => {
      const restored = AddrMan.restore(this.#options, structuredClone(this.real.snapshot()), at(this.now))
      if (Result.isFailure(restored)) throw new Error(restored.failure)
      expect(restored.success.lost).toEqual({ new: 0, tried: 0 })
      this.real = restored.success.addrman
    })
    this.model.restart()
  }
}

const seen = (info: AddressInfo): unknown => ({
  key: keyOf(info),
  services: info.services,
  time: info.time,
  lastTry: info.lastTry,
  lastSuccess: info.lastSuccess,
  attempts: info.attempts,
  source: info.source,
  table: info.table,
  places: info.places.map(({ bucket, position }) => `${bucket}/${position}`).toSorted()
})

const expected = (info: NaiveInfo): unknown => ({
  key: keyOf(info.node),
  services: info.services,
  time: info.time,
  lastTry: info.lastTry,
  lastSuccess: info.lastSuccess,
  attempts: info.attempts,
  source: info.source,
  table: info.table,
  places: [...info.places].toSorted()
})

const byKey = (a: unknown, b: unknown): number => ((a as { key: string }).key < (b as { key: string }).key ? -1 : 1)

const expectSame = ({ model, real }: Pair): void => {
  expect([...real.addresses()].map(seen).toSorted(byKey)).toEqual(
    [...model.infos.values()].map(expected).toSorted(byKey)
  )
  for (const network of networks) {
    for (const table of ["new", "tried"] as const)
      expect(real.count({ network, table })).toBe(model.count(table, network))
  }
  expect(real.count()).toBe(model.infos.size)
  expect(real.count()).toBeLessThanOrEqual(MAX_ENTRIES)
}

const hasAll = (have: bigint, wanted: bigint): boolean => (have & wanted) === wanted

const expectSelection = (pair: Pair, { networks: among, newOnly, services: wanted }: Op & { _tag: "select" }): void => {
  const { model, real } = pair
  const got = pair.alone(() => real.select({ newOnly, networks: among, services: wanted }, at(pair.now)))
  const isWanted = (info: NaiveInfo): boolean =>
    (among.length === 0 || among.includes(info.node.network)) &&
    !(newOnly && info.table === "tried") &&
    hasAll(info.services, wanted)
  if (got === undefined) return expect([...model.infos.values()].some(isWanted)).toBe(false)
  const info = model.info(got)
  expect(info !== undefined && isWanted(info)).toBe(true)
  expect(got).toMatchObject({ services: info?.services, time: info?.time, lastTry: info?.lastTry })
}

const expectAnswer = (pair: Pair, { most, network, percent }: Op & { _tag: "getaddr" }): void => {
  const { model, real } = pair
  const got = pair.alone(() => real.getAddr({ maxAddresses: most, maxPercent: percent, network }, at(pair.now)))
  const tellable = model.tellable(at(pair.now), network)
  expect(got.length).toBe(Math.min(most, Math.floor((percent * model.infos.size) / 100), tellable.length))
  expect(new Set(got.map(keyOf)).size).toBe(got.length)
  const keys = new Set(tellable.map(({ node }) => keyOf(node)))
  for (const address of got) {
    expect(keys.has(keyOf(address))).toBe(true)
    if (network !== undefined) expect(netClass(address)).toBe(network)
    expect(address).toMatchObject({ time: model.info(address)?.time, services: model.info(address)?.services })
  }
}

/** Says whether there was a collision. */
const expectCollision = (pair: Pair): boolean => {
  const { model, real } = pair
  const { colliding } = model
  const got = pair.alone(() => real.selectTriedCollision())
  if (got !== undefined) {
    expect(colliding.some(({ old }) => old !== undefined && isSameNode(old.node, got))).toBe(true)
    return true
  }
  // Nobody waits; or one was drawn that was forgotten, and waits no more.
  expect(colliding.every(({ old }) => old !== undefined)).toBe(colliding.length === 0)
  model.dropForgotten()
  return false
}

const counts = { collisions: 0, tried: 0, many: 0 }

const run = (pair: Pair, operation: Op): void => {
  const { model, real } = pair
  const now = at(pair.now)
  const who = POOL["who" in operation ? operation.who : 0] as KnownAddress
  switch (operation._tag) {
    case "add": {
      const { from, count, source, penalty } = operation
      const addresses = Array.from({ length: count }, (_, i) => ({
        ...(POOL[(from + i) % POOL.length] as KnownAddress),
        time: UnixSeconds(Math.max(0, at(pair.now) - operation.age)),
        services: operation.services
      }))
      const teller = SOURCES[source] ?? host("7.7.7.7")
      expect(real.add(addresses, teller, now, penalty)).toBe(model.add(addresses, teller, now, penalty))
      return
    }
    case "good":
    case "connected":
      for (const one of POOL.slice(operation.who, operation.who + operation.count)) {
        if (operation._tag === "good") expect(real.good(one, now)).toBe(model.good(one, now))
        else {
          real.connected(one, now)
          model.connected(one, now)
        }
      }
      return
    case "attempt":
      for (let i = 0; i < operation.times; i++) {
        real.attempt(who, operation.counts, now)
        model.attempt(who, operation.counts, now)
        pair.now += 61
        // Somebody else answers, so that the next failure counts again.
        real.good(POOL[0] as KnownAddress, at(pair.now))
        model.good(POOL[0] as KnownAddress, at(pair.now))
        pair.now += 1
      }
      return
    case "services":
      real.setServices(who, operation.services)
      return model.setServices(who, operation.services)
    case "select":
      return expectSelection(pair, operation)
    case "getaddr":
      return expectAnswer(pair, operation)
    case "collision":
      if (expectCollision(pair)) counts.collisions++
      return
    case "resolve":
      real.resolveCollisions(now)
      return model.resolveCollisions(now)
    case "restart":
      return pair.restart()
    case "wait":
      pair.now += operation.seconds
  }
}

describe("the address manager", () => {
  it("does what a naive one does, under any operations, which counts its addresses from any number on", () => {
    fc.assert(
      fc.property(
        fc.array(op, { minLength: 20, maxLength: 150, size: "max" }),
        fc.nat(255),
        fc.constantFrom(0n, 2n ** 31n - 3n, 2n ** 32n - 3n, 2n ** 53n - 3n, 2n ** 64n),
        (operations, seed, firstId) => {
          const pair = new Pair(seed, firstId)
          for (const [i, operation] of operations.entries()) {
            run(pair, operation)
            if (i % 25 === 0) expectSame(pair)
          }
          expectSame(pair)
          pair.real.check()
          counts.tried += pair.real.count({ table: "tried" })
          counts.many += [...pair.real.addresses()].filter(({ places }) => places.length > 1).length
        }
      ),
      { numRuns: 200 }
    )
    // It went to the corners.
    expect(counts.tried).toBeGreaterThan(1000)
    expect(counts.collisions).toBeGreaterThan(5)
    expect(counts.many).toBeGreaterThan(100)
  }, 120_000)
})
