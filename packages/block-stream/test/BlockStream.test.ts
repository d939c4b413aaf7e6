import { assert, describe, it } from "@effect/vitest"
import { BlockDamaged } from "@satwire/block-store"
import type { BlockPlace, BlockStep } from "@satwire/block-stream"
import { BlockUnavailable, Changes, UnknownPlace, blockStream } from "@satwire/block-stream/effect"
import { ProofOfWork } from "@satwire/consensus"
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import { HeaderTree, acceptHeaders } from "@satwire/header-sync"
import { type BlockHash, BlockView, HEADER_SIZE, regtest, toHex } from "@satwire/primitives"
import { regtestChain } from "@satwire/testkit"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"

/** A tree of headers, any of which may be the tip, and blocks that say of which header they are. */
class World {
  readonly tree: HeaderTree = HeaderTree.fromGenesis(regtest, ChaChaRandom.fromNumber(1))
  readonly changes: Changes = new Changes()
  readonly missing: Set<number> = new Set()
  readonly damaged: Set<number> = new Set()
  /** Hashes that were read, as text. */
  readonly reads: Array<string> = []
  tip = 0

  /** So many headers behind one; gives their numbers. */
  grow(parent: number, count: number, salt: number): ReadonlyArray<number> {
    const chain = regtestChain(count, {
      salt,
      parent: this.tree.hash(parent),
      time: regtest.genesis.time + 600 + 10 * this.tree.height(parent)
    })
    const before = this.tree.size
    acceptHeaders(this.tree, new ProofOfWork(regtest), portableSha256, chain, chain.length / HEADER_SIZE, Infinity)
    return Array.from({ length: this.tree.size - before }, (_, i) => before + i)
  }

  follow(tip: number): void {
    this.tip = tip
    this.changes.tell()
  }

  place(header: number): BlockPlace {
    return { height: this.tree.height(header), hash: this.tree.hash(header) }
  }

  stream(after?: BlockPlace, isPassedOver?: (header: number) => boolean) {
    const read = (hash: BlockHash): Effect.Effect<BlockView | undefined, BlockDamaged> => {
      const header = this.tree.find(hash)
      this.reads.push(toHex(hash))
      if (this.damaged.has(header)) {
        return Effect.fail(
          new BlockDamaged({
            hash,
            height: this.tree.height(header),
            path: "blk00000.dat",
            offset: 8
          })
        )
      }
      return Effect.succeed(this.missing.has(header) ? undefined : blockOf(this.tree, header))
    }
    const source = { tree: this.tree, tip: () => this.tip, read, changes: this.changes }
    return blockStream(isPassedOver === undefined ? source : { ...source, isPassedOver }, after)
  }
}

/** A block without transactions: nobody decodes it here. */
const blockOf = (tree: HeaderTree, header: number): BlockView => {
  const bytes = new Uint8Array(HEADER_SIZE + 1)
  bytes.set(tree.rawRange(header, 1))
  return new BlockView(bytes, HEADER_SIZE + 1, new Uint32Array(0))
}

const told = ({ _tag, height }: BlockStep): string => `${_tag === "Connected" ? "+" : "-"}${height}`

const take = (world: World, count: number, after?: BlockPlace) =>
  Stream.runCollect(Stream.take(world.stream(after), count))

describe("a stream of blocks", () => {
  it.effect("goes from behind a place to the tip, waits there, and goes on", () =>
    Effect.gen(function* () {
      const world = new World()
      const main = world.grow(0, 4, 1)
      world.follow(main[1] ?? 0)
      const steps: Array<BlockStep> = []
      const fiber = yield* Effect.forkChild(
        Stream.runForEach(world.stream(world.place(main[0] ?? 0)), (step) => Effect.sync(() => void steps.push(step))),
        { startImmediately: true }
      )
      yield* Effect.yieldNow
      assert.deepStrictEqual(steps.map(told), ["+2"])
      world.follow(main[3] ?? 0)
      yield* Effect.yieldNow
      assert.deepStrictEqual(steps.map(told), ["+2", "+3", "+4"])
      world.changes.end()
      yield* Fiber.join(fiber)
    })
  )

  it.effect("leaves out what its reader does not want, both ways, however much of it there is", () =>
    Effect.gen(function* () {
      const world = new World()
      const main = world.grow(0, 20_100, 1)
      const other = world.grow(main[20_000] ?? 0, 200, 2)
      const wanted = new Set([main[20_050], other[0], other[150]])
      for (const header of main.filter((header) => !wanted.has(header))) world.missing.add(header)
      const stream = world.stream(undefined, (header) => !wanted.has(header))
      world.follow(main[20_099] ?? 0)
      const steps: Array<string> = []
      yield* Stream.runForEach(Stream.take(stream, 4), (step) =>
        Effect.sync(() => {
          steps.push(told(step))
          if (steps.length === 1) world.follow(other[199] ?? 0)
        })
      )
      assert.deepStrictEqual(steps, ["+20051", "-20051", "+20002", "+20152"])
    })
  )

  it.effect("goes back over what is followed no more, with its bytes where they are kept, before it goes on", () =>
    Effect.gen(function* () {
      const world = new World()
      const main = world.grow(0, 3, 1)
      const other = world.grow(main[0] ?? 0, 3, 2)
      world.missing.add(main[2] ?? 0)
      world.follow(other[2] ?? 0)
      const steps = yield* take(world, 5, world.place(main[2] ?? 0))
      assert.deepStrictEqual(steps.map(told), ["-3", "-2", "+2", "+3", "+4"])
      assert.deepStrictEqual(
        steps.map(({ block }) => block !== undefined),
        [false, true, true, true, true]
      )
    })
  )

  it.effect("reads nothing that was not asked for", () =>
    Effect.gen(function* () {
      const world = new World()
      const main = world.grow(0, 9, 1)
      world.follow(main[8] ?? 0)
      yield* take(world, 2)
      assert.strictEqual(world.reads.length, 2)
    })
  )

  it.effect("ends with what it cannot give: a block that is not kept, a place that nobody knows", () =>
    Effect.gen(function* () {
      const world = new World()
      const main = world.grow(0, 3, 1)
      world.follow(main[2] ?? 0)
      world.missing.add(main[1] ?? 0)
      const unavailable = yield* Effect.flip(Stream.runDrain(world.stream()))
      assert.instanceOf(unavailable, BlockUnavailable)
      assert.deepInclude(unavailable, { height: 2, hash: world.tree.hash(main[1] ?? 0) })
      for (const place of [
        { ...world.place(main[1] ?? 0), height: 3 },
        { height: 1, hash: new Uint8Array(32) as BlockHash }
      ]) {
        assert.instanceOf(yield* Effect.flip(Stream.runDrain(world.stream(place))), UnknownPlace)
      }
    })
  )

  it.effect("waits for a block whose bytes are damaged until it was fetched again", () =>
    Effect.gen(function* () {
      const world = new World()
      const main = world.grow(0, 2, 1)
      world.follow(main[1] ?? 0)
      world.damaged.add(main[0] ?? 0)
      const fiber = yield* Effect.forkChild(take(world, 2), { startImmediately: true })
      yield* Effect.yieldNow
      assert.strictEqual(world.reads.length, 1)
      world.damaged.clear()
      world.changes.tell()
      assert.deepStrictEqual((yield* Fiber.join(fiber)).map(told), ["+1", "+2"])
    })
  )

  it.effect("leads any reader to the tip by steps of one, whatever the tip does meanwhile", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.record({ parent: fc.nat(30), count: fc.integer({ min: 1, max: 4 }) }), {
            minLength: 1,
            maxLength: 8
          }),
          fc.array(fc.nat(60), { minLength: 1, maxLength: 6 }),
          async (branches, tips) => {
            const world = new World()
            branches.forEach(({ count, parent }, i) => world.grow(parent % world.tree.size, count, i + 1))
            let at = 0
            for (const chosen of tips) {
              world.follow(chosen % world.tree.size)
              const { tip, tree } = world
              const fork = tree.fork(at, tip)
              const back = tree.height(at) - tree.height(fork)
              const on = tree.height(tip) - tree.height(fork)
              const steps = await Effect.runPromise(take(world, back + on, world.place(at)))
              let place = at
              for (const step of steps) {
                if (step._tag === "Disconnected") {
                  assert.strictEqual(toHex(step.hash), toHex(tree.hash(place)))
                  place = tree.parent(place)
                } else {
                  const next = tree.find(step.hash)
                  assert.strictEqual(tree.parent(next), place)
                  place = next
                }
              }
              assert.strictEqual(place, tip)
              at = tip
            }
          }
        ),
        { numRuns: 100 }
      )
    )
  )
})
