/** Nodes that find one another and remember whom they found, on a network in memory with addresses as the public one has them. */
import { assert, describe, it } from "@effect/vitest"
import { parseSubnet } from "@satwire/connections"
import { ResolveError, SeedResolver } from "@satwire/discovery/effect"
import { type NetAddr, parseHost, parseNode } from "@satwire/netaddress"
import { type AddressOptions, Node, type NodeOptions } from "@satwire/node"
import { regtest } from "@satwire/primitives"
import { Entropy } from "@satwire/runtime"
import { HeaderStore, Snapshots } from "@satwire/store"
import { type Faults, MemoryDisk, faultyFiles } from "@satwire/store/faults"
import { MemoryNetwork } from "@satwire/transport"
import { NODE_NETWORK, NODE_WITNESS } from "@satwire/wire"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { TestNode, optionsOf } from "./TestNode.ts"

const PORT = 8333
const START_MS = 1_760_000_000_000
const hostOf = (n: number): string => `${50 + n}.1.0.1`
const must = <A>(value: A | undefined): A => {
  if (value === undefined) throw new Error("it is not there")
  return value
}

interface Given {
  readonly addresses?: AddressOptions | undefined
  readonly options?: Partial<NodeOptions>
  readonly disk?: MemoryDisk
  readonly faults?: Faults
  readonly resolver?: Layer.Layer<SeedResolver>
}

/** A node at the address of its number, that wants two full-relay peers and one for blocks alone. */
const nodeAt = (n: number, given: Given = {}): Effect.Effect<TestNode, unknown, MemoryNetwork | Scope.Scope> =>
  Effect.gen(function* () {
    const network = yield* MemoryNetwork
    const { addresses, disk = new MemoryDisk(), faults, options, resolver = Layer.empty } = given
    const host = hostOf(n)
    const files = faults === undefined ? disk.layer : Layer.provide(faultyFiles(faults), disk.layer)
    const edges = Layer.mergeAll(
      Layer.provide(MemoryNetwork.host(host), Layer.succeed(MemoryNetwork, network)),
      HeaderStore.layerMemory,
      Layer.provide(Snapshots.layer({ directory: "/data", networkMagic: regtest.magic }), files),
      resolver
    )
    const local = [{ node: must(parseNode(`${host}:${PORT}`)), origin: "manual" as const }]
    const context = yield* Layer.build(
      Layer.fresh(
        Layer.provide(
          Node.layer(
            optionsOf({
              params: regtest,
              services: NODE_NETWORK | NODE_WITNESS,
              v2transport: false,
              listen: { host, port: PORT },
              maxFullRelay: 2,
              maxBlockRelayOnly: 1,
              addresses: { local, dnsSeeds: false, ...addresses },
              ...options
            })
          ),
          edges
        )
      )
    )
    const node = new TestNode(Context.get(context, Node))
    yield* Effect.forkDetach(
      Stream.runForEach(node.service.facts, (fact) => Effect.sync(() => node.heard(fact))),
      { startImmediately: true }
    )
    return node
  })

/** Lets time pass in steps until something is so, and no longer than an hour. */
const until = (done: () => Effect.Effect<boolean> | boolean): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (let second = 0; second < 3600; second++) {
      const now = done()
      if (typeof now === "boolean" ? now : yield* now) return
      yield* TestClock.adjust("1 second")
      for (let i = 0; i < 20; i++) yield* Effect.yieldNow
    }
    throw new Error("it never came about")
  })

const outbound = (node: TestNode, kind: string): Effect.Effect<ReadonlyArray<string>> =>
  Effect.map(node.service.query("connections"), (all) =>
    all.flatMap((slot) => (slot.kind === kind && slot.isReady ? [slot.endpoint] : []))
  )

/**
 * The same seeds each time: a node is told of a quarter of what another knows, and where that is five one of a hundred networks has somebody
 * who has heard of one peer alone after an hour.
 */
const seeds = (): (() => Uint8Array) => {
  let given = 0
  return () => new Uint8Array(32).fill(++given)
}

const onNetwork = <A, E>(effect: Effect.Effect<A, E, MemoryNetwork | Scope.Scope>): Effect.Effect<A, E> =>
  Effect.andThen(TestClock.setTime(START_MS), effect).pipe(
    Effect.scoped,
    Effect.provideService(Entropy, seeds()),
    Effect.provide(Layer.fresh(MemoryNetwork.layer({ latencyMs: 10 })))
  )

const seedIs = (n: number): AddressOptions => ({ seedNodes: [{ host: hostOf(n), port: PORT }], dnsSeeds: false })

/** A block of now, so that nobody takes itself for one that has to catch up. */
const fresh = (node: TestNode): Effect.Effect<void> => node.service.makeBlock

describe("nodes that know one of them", () => {
  it.effect("find the others, and have the peers that they want", () =>
    onNetwork(
      Effect.gen(function* () {
        const seed = yield* nodeAt(0)
        yield* fresh(seed)
        const others = yield* Effect.forEach([1, 2, 3, 4, 5], (n) => nodeAt(n, { addresses: seedIs(0) }))
        yield* Effect.forEach(others, fresh)
        for (const node of others) {
          yield* until(() => Effect.map(outbound(node, "outbound-full-relay"), (all) => all.length === 2))
        }
        assert.isAbove(others.flatMap((node) => node.all("AddressesLearned")).length, 0)
      })
    )
  )

  it.effect("say what they tried where nobody answers, and find a peer when one comes", () =>
    onNetwork(
      Effect.gen(function* () {
        const lonely = yield* nodeAt(1, { addresses: seedIs(0) })
        yield* until(() => lonely.all("StillLooking").length > 1)
        assert.deepStrictEqual(lonely.all("StillLooking")[0]?.tried.nodes, [hostOf(0)])
        assert.isAbove(lonely.all("DialFailed").length, 0)
        const seed = yield* nodeAt(0)
        yield* until(() => seed.all("PeerReady").length > 0)
      })
    )
  )
})

describe("a DNS seed", () => {
  const resolverOf = (answers: () => ReadonlyArray<NetAddr> | string): Layer.Layer<SeedResolver> =>
    Layer.succeed(
      SeedResolver,
      SeedResolver.of({
        resolve: (host) =>
          Effect.suspend(() => {
            const answer = answers()
            return typeof answer === "string" ? Effect.fail(new ResolveError(host, answer)) : Effect.succeed(answer)
          })
      })
    )
  const params = { ...regtest, defaultPort: PORT, dnsSeeds: ["seed.example"] }

  it.effect("that fails is told of and asked again, and the node takes what it gives then", () =>
    onNetwork(
      Effect.gen(function* () {
        yield* nodeAt(0, { options: { params } })
        let answer: ReadonlyArray<NetAddr> | string = "the server's answer makes no sense"
        const node = yield* nodeAt(1, {
          addresses: { dnsSeeds: true },
          options: { params },
          resolver: resolverOf(() => answer)
        })
        yield* until(() => node.all("StillLooking").length > 0)
        const [nothing] = node.all("SeedGaveNothing")
        assert.deepStrictEqual([nothing?.host, nothing?.why], ["x9.seed.example", answer])
        answer = [must(parseHost(hostOf(0)))]
        yield* until(() => Effect.map(outbound(node, "outbound-full-relay"), (all) => all.length === 1))
        assert.strictEqual(node.all("SeedGave")[0]?.count, 1)
      })
    )
  )

  it.effect("whose resolver dies of a mistake is told of like any other that gave nothing", () =>
    onNetwork(
      Effect.gen(function* () {
        const node = yield* nodeAt(1, {
          addresses: { dnsSeeds: true },
          options: { params },
          resolver: Layer.succeed(SeedResolver, SeedResolver.of({ resolve: () => Effect.die(new Error("a mistake")) }))
        })
        yield* until(() => node.all("SeedGaveNothing").length > 0)
        assert.strictEqual(node.all("SeedGaveNothing")[0]?.why, "the resolver died: a mistake")
      })
    )
  )

  it.effect("is not asked where a proxy resolves names: the proxy dials it", () =>
    onNetwork(
      Effect.gen(function* () {
        const node = yield* nodeAt(1, {
          addresses: { dnsSeeds: true, resolvesThroughProxy: true },
          options: { params },
          resolver: resolverOf(() => assert.fail("it was asked"))
        })
        yield* until(() => node.all("PeerConnecting").length > 0)
        assert.deepStrictEqual(node.all("PeerConnecting")[0], {
          _tag: "PeerConnecting",
          endpoint: { host: "seed.example", port: PORT },
          kind: "addr-fetch"
        })
      })
    )
  )
})

describe("what a node knows of others", () => {
  it.effect("is there again after a restart: it begins with its anchor, and dials whom it knew", () =>
    onNetwork(
      Effect.gen(function* () {
        const disk = new MemoryDisk()
        for (const n of [0, 2, 3, 4, 5]) yield* nodeAt(n, n === 0 ? {} : { addresses: seedIs(0) })
        const anchor = yield* Effect.scoped(
          Effect.gen(function* () {
            const node = yield* nodeAt(1, { disk, addresses: seedIs(0) })
            yield* fresh(node)
            yield* until(() => Effect.map(outbound(node, "block-relay-only"), (all) => all.length === 1))
            yield* until(() => node.all("PeersSaved").some(({ what }) => what === "anchors"))
            return (yield* outbound(node, "block-relay-only"))[0]
          })
        )
        const again = yield* nodeAt(1, { disk })
        yield* until(() => Effect.map(outbound(again, "outbound-full-relay"), (all) => all.length === 2))
        const [first] = again.all("PeerConnecting")
        assert.deepStrictEqual(
          [`${first?.endpoint.host}:${first?.endpoint.port}`, first?.kind],
          [anchor, "block-relay-only"]
        )
      })
    )
  )

  it.effect("are the bans too: who is banned is let go, and stays away after a restart", () =>
    onNetwork(
      Effect.gen(function* () {
        const disk = new MemoryDisk()
        const far = yield* nodeAt(2, { options: { connect: [{ host: hostOf(1), port: PORT }] } })
        const subnet = must(parseSubnet(`${hostOf(2)}/16`))
        yield* Effect.scoped(
          Effect.gen(function* () {
            const node = yield* nodeAt(1, { disk })
            yield* until(() => node.all("PeerReady").length === 1)
            yield* node.service.ban(subnet, 86_400)
            const [gone] = node.all("PeerDisconnecting")
            assert.deepStrictEqual(gone?.reason, { _tag: "LetGo", because: "banned" })
            assert.strictEqual((yield* node.service.query("bans")).length, 1)
          })
        )
        const again = yield* nodeAt(1, { disk })
        yield* until(() => again.all("InboundRefused").length > 0)
        assert.strictEqual(again.all("InboundRefused")[0]?.because, "banned")
        yield* again.service.unban(subnet)
        yield* until(() => again.all("PeerReady").length === 1)
        assert.isAbove(far.all("PeerReady").length, 1)
      })
    )
  )

  it.effect("is saved when there is room again, where the disk was full", () =>
    onNetwork(
      Effect.gen(function* () {
        const disk = new MemoryDisk()
        const faults: Faults = { freeBytes: 0 }
        yield* nodeAt(0)
        const node = yield* nodeAt(1, { disk, faults, options: { connect: [{ host: hostOf(0), port: PORT }] } })
        yield* until(() => node.all("PeerReady").length === 1)
        const subnet = must(parseSubnet("99.0.0.0/8"))
        const error = yield* Effect.flip(node.service.ban(subnet, 86_400))
        assert.strictEqual(error._tag, "DiskFull")
        yield* TestClock.adjust("5 minutes")
        assert.deepStrictEqual(node.all("PeersSaved"), [])
        const pauses = node.all("PeersUnsaved").filter(({ what }) => what === "bans")
        assert.deepStrictEqual(
          pauses.slice(0, 8).map(({ error, retryInMs }) => [error._tag, retryInMs / 1000]),
          [1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => ["DiskFull", seconds])
        )
        assert.isAbove(node.all("PeersUnsaved").filter(({ what }) => what === "addresses").length, 5)
        faults.freeBytes = 1_000_000
        yield* until(() => node.all("PeersSaved").length === 2)
        assert.sameMembers(
          node.all("PeersSaved").map(({ what }) => what),
          ["addresses", "bans"]
        )
        // Nobody had to ban again.
        const again = yield* nodeAt(2, { disk })
        assert.strictEqual((yield* again.service.query("bans")).length, 1)
      })
    )
  )
})
