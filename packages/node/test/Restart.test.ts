import { HeadersRefused, type NodeOptions, layerOnDisk } from "@satwire/node"
import { BlockHash, HEADER_PREVIOUS, HEADER_SIZE, Height, regtest, workFromBits } from "@satwire/primitives"
import { HeaderStore } from "@satwire/store"
import { type Faults, MemoryDisk, faultyFiles } from "@satwire/store/faults"
import { layerTcp } from "@satwire/transport-tcp"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as Scope from "effect/Scope"
import { readFileSync, writeFileSync } from "node:fs"
import { lastOf, regtestChain } from "@satwire/testkit"
import { temporaryDirectory } from "./TemporaryDirectory.ts"
import { type TestNode, startNode, startOn, tipOf } from "./TestNode.ts"

const COUNT = 12_000
const chain = regtestChain(COUNT)
const tip = lastOf(chain, 1)

/** A node that has the first `count` of the chain's headers. */
const serverOf = (count: number): Effect.Effect<TestNode, unknown, Scope.Scope> =>
  Effect.tap(startNode(), (server) => server.service.submitHeaders(chain.subarray(0, count * HEADER_SIZE), count))

/** A base on regtest, known by its hash. */
const baseAt = (height: number, hash: Uint8Array) => ({
  height: Height(height),
  hash: BlockHash(hash),
  bits: regtest.genesis.bits,
  chainWork: BigInt(height + 1) * workFromBits(regtest.genesis.bits),
  periodFirstTime: regtest.genesis.time
})

const onDisk = (directory: string) => Layer.fresh(Layer.mergeAll(layerTcp, layerOnDisk(directory, regtest)))

/** A node that keeps its headers in this directory and follows this one until it is there. */
const followOnce = (directory: string, server: TestNode) =>
  Effect.scoped(
    Effect.gen(function* () {
      const node = yield* startOn(onDisk(directory), { connect: [server.endpoint], listen: undefined })
      yield* node.followed(yield* tipOf(server))
      // Of its one peer: how many bytes of headers it was sent.
      const [peer] = yield* node.peers
      return { node, received: peer?.received.get("headers")?.bytes ?? 0 }
    })
  )

describe("a node that is started again", () => {
  it.live("has its headers, and asks for none of them", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const first = yield* followOnce(directory, yield* serverOf(COUNT - 1))
        assert.isAbove(first.received, (COUNT - 1) * HEADER_SIZE)
        const again = yield* followOnce(directory, yield* serverOf(COUNT))
        const [loaded] = again.node.all("HeadersLoaded")
        assert.deepInclude(loaded, { count: COUNT - 1, height: COUNT - 1, setAside: undefined })
        // Our tip, by which the peer shows where it stands, and the new one.
        assert.isBelow(again.received, 10 * HEADER_SIZE)
        assert.deepStrictEqual(
          again.node.all("HeadersStored").map(({ count }) => count),
          [1]
        )
      })
    )
  )

  it.live("goes on from what came before a damage, and fetches the rest again", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        // Each start makes a commit of its own, at least.
        for (const count of [3000, 6000, 9000, COUNT]) yield* followOnce(directory, yield* serverOf(count))
        const server = yield* serverOf(COUNT)
        const path = `${directory}/regtest/headers.dat`
        const whole = readFileSync(path)
        const places = [
          [0, 0],
          [100, 0],
          [Math.floor(whole.length / 2) - 1000, 3000],
          [whole.length - 1, 9000]
        ] as const
        for (const [at, atLeast] of places) {
          const damaged = Uint8Array.from(whole)
          damaged[at] = (damaged[at] ?? 0) ^ 0x10
          writeFileSync(path, damaged)
          const { node } = yield* followOnce(directory, server)
          const [loaded] = node.all("HeadersLoaded")
          const stored = node.all("HeadersStored").reduce((sum, { count }) => sum + count, 0)
          assert.isAtLeast(loaded?.count ?? -1, atLeast)
          assert.isAtMost(loaded?.count ?? COUNT, (COUNT * at) / whole.length)
          assert.strictEqual((loaded?.count ?? 0) + stored, COUNT)
          assert.strictEqual(loaded?.setAside?._tag, at === 0 ? "ForeignFile" : "DamagedFile")
        }
      })
    ).pipe(Effect.provide(Logger.layer([])))
  )

  it.live("has its headers above the base with which it began", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const store = Layer.succeedContext(yield* Layer.build(HeaderStore.layerMemory))
        const edges = Layer.merge(Layer.fresh(layerTcp), store)
        const above = chain.subarray(1000 * HEADER_SIZE)
        const base = baseAt(1000, above.slice(HEADER_PREVIOUS, HEADER_PREVIOUS + 32))
        yield* Effect.scoped(
          Effect.flatMap(startOn(edges, { base }), (node) => node.service.submitHeaders(above, COUNT - 1000))
        )
        const again = yield* startOn(edges, { base })
        assert.deepInclude(again.all("HeadersLoaded")[0], { count: COUNT - 1000, height: COUNT })
        assert.deepStrictEqual(yield* tipOf(again), tip)
      })
    )
  )

  it.live("loads a tree of forks as they came, one header of each in turn", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const store = Layer.succeedContext(yield* Layer.build(HeaderStore.layerMemory))
        const edges = Layer.merge(Layer.fresh(layerTcp), store)
        const branches = [1, 2, 3].map((salt) => regtestChain(700, { salt }))
        yield* Effect.scoped(
          Effect.gen(function* () {
            const node = yield* startOn(edges)
            for (let at = 0; at < 700 * HEADER_SIZE; at += HEADER_SIZE) {
              for (const branch of branches) yield* node.service.submitHeaders(branch.subarray(at, at + HEADER_SIZE), 1)
            }
            assert.strictEqual((yield* node.headers).headers, 2101)
          })
        )
        const again = yield* startOn(edges)
        assert.deepInclude(again.all("HeadersLoaded")[0], { count: 2100, height: 700 })
        // Of chains with the same work the first to come stays the best.
        assert.deepStrictEqual(yield* tipOf(again), lastOf(branches[0] ?? chain, 1))
      })
    )
  )
})

describe("a store of another chain", () => {
  const refusal = (changes: Partial<NodeOptions>) =>
    Effect.scoped(
      Effect.gen(function* () {
        const store = Layer.succeedContext(yield* Layer.build(HeaderStore.layerMemory))
        const edges = Layer.merge(Layer.fresh(layerTcp), store)
        yield* Effect.scoped(
          Effect.flatMap(startOn(edges), (node) =>
            node.service.submitHeaders(chain.subarray(0, 100 * HEADER_SIZE), 100)
          )
        )
        return yield* Effect.flip(Effect.scoped(startOn(edges, changes)))
      })
    )

  it.live("is refused by a node that begins elsewhere, and says what to do", () =>
    Effect.gen(function* () {
      const base = baseAt(1000, new Uint8Array(32).fill(7))
      const error = yield* refusal({ base })
      assert.instanceOf(error, HeadersRefused)
      assert.strictEqual(error.accepted, 0)
      assert.match(error.message, /regtest.*number 1: its parent is missing.*move headers.dat away/)
    })
  )

  it.live("is refused by a node that has other rules, with the rule's name", () =>
    Effect.gen(function* () {
      const error = yield* refusal({ params: { ...regtest, powLimit: regtest.powLimit >> 8n } })
      assert.instanceOf(error, HeadersRefused)
      assert.match(error.message, /number 1: high-hash/)
    })
  )
})

describe("a disk that is full in the middle of a sync", () => {
  const onDisk = (faults: Faults, disk: MemoryDisk) => {
    const files = Layer.provide(faultyFiles(faults), disk.layer)
    const store = HeaderStore.layer({ directory: "/data", networkMagic: regtest.magic })
    return Layer.fresh(Layer.mergeAll(layerTcp, Layer.provide(store, files)))
  }
  const storedBy = (node: TestNode): number => node.all("HeadersStored").reduce((sum, { count }) => sum + count, 0)

  it.live("is told of with the file's name and tried again, and when there is room all goes on", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const faults: Faults = { freeBytes: 500_000 }
        const disk = new MemoryDisk()
        const server = yield* serverOf(COUNT)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const node = yield* startOn(onDisk(faults, disk), { connect: [server.endpoint] })
            const { error, retryInMs } = yield* node.until("StoreFull")
            assert.strictEqual(retryInMs, 1000)
            assert.include(error.message, "/data/headers.dat")
            faults.freeBytes = undefined
            yield* node.until("StoreHasRoom")
            yield* node.followed(tip)
            yield* node.until("HeadersStored", () => storedBy(node) === COUNT)
            assert.deepStrictEqual(node.all("PeerDisconnecting"), [])
          })
        )
        const again = yield* startOn(onDisk({}, disk))
        assert.strictEqual(again.all("HeadersLoaded")[0]?.count, COUNT)
      })
    )
  )

  it.live("does not keep the node from closing, and nothing that was told to be stored is lost", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const faults: Faults = { freeBytes: 500_000 }
        const disk = new MemoryDisk()
        const server = yield* serverOf(COUNT)
        const stored = yield* Effect.scoped(
          Effect.gen(function* () {
            const node = yield* startOn(onDisk(faults, disk), { connect: [server.endpoint] })
            yield* node.until("StoreFull")
            return storedBy(node)
          })
        )
        const again = yield* startOn(onDisk({}, disk), { connect: [server.endpoint] })
        assert.strictEqual(again.all("HeadersLoaded")[0]?.count, stored)
        yield* again.followed(tip)
      })
    )
  )
})

describe("a disk that fails in the middle of a sync", () => {
  it.live("stops the node with a failure that names the file", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const faults: Faults = { failures: [{ operation: "write", nth: 3, code: "EIO" }] }
        const files = Layer.provide(faultyFiles(faults), new MemoryDisk().layer)
        const store = HeaderStore.layer({ directory: "/data", networkMagic: regtest.magic })
        const edges = Layer.fresh(Layer.mergeAll(layerTcp, Layer.provide(store, files)))
        const server = yield* serverOf(COUNT)
        const node = yield* startOn(edges, { connect: [server.endpoint] })
        const error = yield* Effect.flip(node.service.failure)
        assert.strictEqual(error._tag, "IoFailed")
        assert.include(error.message, "/data/headers.dat")
        yield* server.until("PeerDisconnecting")
        assert.deepStrictEqual(yield* server.peers, [])
      })
    )
  )
})
