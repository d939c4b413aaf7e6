import { assert, describe, it } from "@effect/vitest"
import { BlockStore } from "@satwire/block-store"
import { platformSha256 } from "@satwire/crypto/node"
import { type BlockStep, BlockUnavailable, type NodeOptions, PrunedBefore, layerOnDisk } from "@satwire/node"
import { BlockView, headerHash, regtest, toHex } from "@satwire/primitives"
import { HeaderStore, Snapshots } from "@satwire/store"
import { type Faults, MemoryDisk, faultyFiles } from "@satwire/store/faults"
import { FilledChain } from "@satwire/testkit"
import { layerTcp } from "@satwire/transport-tcp"
import { NODE_NETWORK, NODE_NETWORK_LIMITED, NODE_WITNESS } from "@satwire/wire"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { closeSync, openSync, readFileSync, writeSync } from "node:fs"
import { join } from "node:path"
import { temporaryDirectory } from "./TemporaryDirectory.ts"
import { type TestNode, startNode, startOn } from "./TestNode.ts"

const FULL = NODE_NETWORK | NODE_NETWORK_LIMITED | NODE_WITNESS
const MAX_FILE_BYTES = 100_000

/** A disk with a node's part of it; each start is a life of its own. */
class Place {
  readonly disk: MemoryDisk = new MemoryDisk()
  readonly faults: Faults = {}

  start(changes: Partial<NodeOptions>): Effect.Effect<TestNode, unknown, Scope.Scope> {
    const files = Layer.provide(faultyFiles(this.faults), this.disk.layer)
    const place = { directory: "/data", networkMagic: regtest.magic }
    const blocks = { directory: "/data/blocks", networkMagic: regtest.magic, maxFileBytes: MAX_FILE_BYTES }
    const stores = Layer.mergeAll(HeaderStore.layer(place), Snapshots.layer(place), BlockStore.layer(blocks))
    return startOn(Layer.fresh(Layer.merge(layerTcp, Layer.provide(stores, files))), changes)
  }
}

/** A node that has a chain of so many blocks of 4 kB. */
const serverOf = (count: number, changes: Partial<NodeOptions> = {}) =>
  Effect.gen(function* () {
    const chain = new FilledChain({ count, blockBytes: 4000, transactions: 2 }, platformSha256)
    const node = yield* startNode({ blocks: { serve: true }, services: FULL, ...changes })
    for (let height = 1; height <= count; height++) yield* node.service.submitBlock(chain.block(height))
    yield* reaches(node, count)
    const hashAt = (height: number): BlockStep["hash"] =>
      headerHash(platformSha256, chain.headers.subarray(80 * (height - 1), 80 * height))
    return { node, chain, hashAt }
  })

const reaches = (node: TestNode, height: number): Effect.Effect<unknown> =>
  node.until("BlockTipChanged", ({ tip }) => tip.height === height)

const tipOf = (node: TestNode): Effect.Effect<number> =>
  Effect.map(node.service.query("blocks"), (blocks) => blocks?.tip.height ?? -1)

const scoped = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>): Effect.Effect<A, E> => Effect.scoped(effect)

describe("blocks on a disk", () => {
  it.live("are there again after a restart, and the sync goes on where it was", () =>
    scoped(
      Effect.gen(function* () {
        const { node: server } = yield* serverOf(60)
        const place = new Place()
        yield* scoped(
          Effect.gen(function* () {
            const node = yield* place.start({ blocks: { serve: false, to: 40 }, connect: [server.endpoint] })
            yield* reaches(node, 40)
          })
        )
        const again = yield* place.start({ blocks: { serve: false }, connect: [server.endpoint] })
        assert.deepInclude(again.all("BlocksLoaded")[0], { count: 40, height: 40 })
        yield* reaches(again, 60)
        const stored = again.all("BlocksStored").reduce((sum, { count }) => sum + count, 0)
        assert.strictEqual(stored, 20)
      })
    )
  )

  it.live("that is full stop a sync with a word, and it goes on when there is room", () =>
    scoped(
      Effect.gen(function* () {
        const { node: server } = yield* serverOf(60)
        const place = new Place()
        place.faults.freeBytes = 120_000
        const node = yield* place.start({ blocks: { serve: false }, connect: [server.endpoint] })
        const { error } = yield* node.until("StoreFull")
        assert.match(
          error.message,
          /^\/data\/blocks\/\S+ cannot grow, the disk is full \(ENOSPC\): make room and go on\.$/
        )
        assert.isBelow(yield* tipOf(node), 60)
        place.faults.freeBytes = undefined
        yield* node.until("StoreHasRoom")
        yield* reaches(node, 60)
        assert.deepStrictEqual(node.all("PeerDisconnecting"), [])
      })
    )
  )

  it.live("that is full lets nobody who hands a block in wait: it says so, until there is room", () =>
    scoped(
      Effect.gen(function* () {
        const { chain } = yield* serverOf(60)
        const place = new Place()
        place.faults.freeBytes = 120_000
        const node = yield* place.start({ blocks: { serve: false } })
        const handIn = (height: number) =>
          node.service.submitBlockAndWait(Result.getOrThrow(BlockView.decode(chain.bytes(height))).value)
        const taken: Array<string | undefined> = []
        const inVain = yield* Effect.flip(
          Effect.forEach(
            Array.from({ length: 60 }, (_, i) => 1 + i),
            (height) => Effect.map(handIn(height), (rule) => taken.push(rule))
          )
        )
        assert.strictEqual(inVain._tag, "DiskFull")
        assert.isAbove(taken.length, 0)
        assert.deepStrictEqual(new Set(taken), new Set([undefined]))
        assert.strictEqual((yield* Effect.flip(handIn(60)))._tag, "DiskFull")
        place.faults.freeBytes = undefined
        yield* node.until("StoreHasRoom")
        // It stands on the one that waited.
        assert.isUndefined(yield* handIn(taken.length + 2))
      })
    )
  )

  it.live("that flips a bit is found out, named and mended by fetching the block again", () =>
    scoped(
      Effect.gen(function* () {
        const { chain, hashAt, node: server } = yield* serverOf(30)
        const directory = yield* temporaryDirectory
        const edges = Layer.fresh(Layer.merge(layerTcp, layerOnDisk(directory, regtest)))
        const node = yield* startOn(edges, { blocks: { serve: true }, services: FULL, connect: [server.endpoint] })
        yield* reaches(node, 30)
        const name = join(directory, "regtest/blocks/blk00000.dat")
        const at = readFileSync(name).indexOf(chain.bytes(7))
        assert.isAbove(at, 0)
        const file = openSync(name, "r+")
        writeSync(file, Uint8Array.of(1), 0, 1, at + 2000)
        closeSync(file)
        const steps = yield* Stream.runCollect(Stream.take(node.service.blocks(), 30))
        assert.deepStrictEqual(
          steps.map(({ height }) => height),
          Array.from({ length: 30 }, (_, i) => i + 1)
        )
        assert.deepStrictEqual(steps[6]?.block?.bytes, chain.bytes(7))
        const [damaged] = node.all("BlockDamaged")
        assert.strictEqual(toHex(damaged?.error.hash ?? new Uint8Array(0)), toHex(hashAt(7)))
        assert.include(damaged?.error.message, name)
        assert.strictEqual(yield* tipOf(node), 30)
      })
    )
  )

  it.live("make room for new ones where they are pruned, stay gone after a restart, and the last 288 stay", () =>
    scoped(
      Effect.gen(function* () {
        const { hashAt, node: server } = yield* serverOf(700)
        const place = new Place()
        const options = {
          blocks: { serve: true, pruneBytes: 1_500_000 },
          services: NODE_NETWORK_LIMITED | NODE_WITNESS
        }
        const kept = yield* scoped(
          Effect.gen(function* () {
            const node = yield* place.start({ ...options, connect: [server.endpoint] })
            yield* reaches(node, 700)
            yield* node.until("BlocksPruned")
            const blocks = yield* node.service.query("blocks")
            assert.isAtLeast(blocks?.kept ?? 0, 288)
            assert.isBelow(blocks?.kept ?? 700, 700)
            assert.isUndefined(yield* node.service.readBlock(hashAt(1)))
            assert.isDefined(yield* node.service.readBlock(hashAt(412)))
            const failure = yield* Effect.flip(Stream.runDrain(node.service.blocks()))
            assert.instanceOf(failure, BlockUnavailable)
            return blocks?.kept ?? 0
          })
        )
        // Nobody is promised all blocks where some are gone.
        const whole = yield* Effect.flip(scoped(place.start({ ...options, blocks: { serve: true } })))
        assert.instanceOf(whole, PrunedBefore)
        const again = yield* place.start({ ...options, connect: [server.endpoint] })
        assert.deepInclude(again.all("BlocksLoaded")[0], { count: kept, height: 700 })
        yield* again.until("PeerReady")
        yield* server.service.makeBlock
        yield* reaches(again, 701)
        assert.strictEqual(
          again.all("BlocksStored").reduce((sum, { count }) => sum + count, 0),
          1
        )
      })
    )
  )

  it.live("are only those of the range that is wanted", () =>
    scoped(
      Effect.gen(function* () {
        const { hashAt, node: server } = yield* serverOf(50)
        const node = yield* startNode({ blocks: { serve: false, from: 20, to: 30 }, connect: [server.endpoint] })
        yield* reaches(node, 30)
        const blocks = yield* node.service.query("blocks")
        assert.deepInclude(blocks, { kept: 11, targetHeight: 30 })
        const after = { height: 19, hash: hashAt(19) }
        const steps = yield* Stream.runCollect(Stream.take(node.service.blocks(after), 11))
        assert.deepStrictEqual(
          steps.map(({ height }) => height),
          Array.from({ length: 11 }, (_, i) => 20 + i)
        )
        assert.instanceOf(yield* Effect.flip(Stream.runDrain(node.service.blocks())), BlockUnavailable)
      })
    )
  )
})
