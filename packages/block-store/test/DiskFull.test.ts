import { it } from "@effect/vitest"
import { KvStore } from "@satwire/kv-store"
import { DiskFull } from "@satwire/store"
import { type Faults, MemoryDisk, faultyFiles } from "@satwire/store/faults"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { describe, expect } from "vitest"
import { holds, loadAll, someBlock, someBlocks } from "../src/compliance.ts"
import { BlockStore } from "../src/index.ts"
import { lastingIndex, onDisk } from "./Places.ts"

describe("a full disk", () => {
  it.effect("fails the append, keeps what was stored, and takes the append when there is room again", () =>
    Effect.gen(function* () {
      const first = someBlock(0, 100)
      const second = someBlock(1, 100)
      for (let free = 64; free < 64 + 2 * 160; free += 7) {
        const disk = new MemoryDisk()
        const faults: Faults = { freeBytes: free }
        yield* Effect.gen(function* () {
          const { append, forget, has } = yield* BlockStore
          const exit = yield* Effect.exit(append([first]))
          const error = yield* Effect.flip(append([second]))
          expect(error).toMatchObject({ _tag: "DiskFull", path: "/data/blocks/blk00000.dat" })
          yield* holds(exit._tag === "Success" ? [first] : [])
          // Forgetting needs no room.
          if (exit._tag === "Success") expect(yield* forget(first.hash)).toBe(true)
          expect(yield* has(second.hash)).toBe(false)
          faults.freeBytes = 10_000
          yield* append([first, second])
          yield* holds([first, second])
        }).pipe(Effect.provide(onDisk(disk, { faults: faultyFiles(faults) })))
        const loaded = yield* Effect.provide(holds([first, second]), onDisk(disk))
        expect(loaded).toMatchObject({ tornBytes: 0, setAside: [], damaged: [] })
      }
    })
  )

  it.effect("fails all appends of one commit alike, and none of them is kept", () =>
    Effect.gen(function* () {
      const { append } = yield* BlockStore
      const exits = yield* Effect.all(
        [0, 1, 2].map((n) => Effect.exit(append([someBlock(n, 100)]))),
        {
          concurrency: "unbounded"
        }
      )
      expect(exits.map((exit) => exit._tag)).toEqual(["Failure", "Failure", "Failure"])
      expect((yield* loadAll).loaded.count).toBe(0)
    }).pipe(Effect.provide(onDisk(new MemoryDisk(), { faults: faultyFiles({ freeBytes: 100 }) })))
  )

  it.effect("under the index costs nothing but a look at the files at the next start", () =>
    Effect.gen(function* () {
      const disk = new MemoryDisk()
      const kept = yield* Effect.provide(KvStore, lastingIndex())
      let isFull = true
      const full = Layer.succeed(KvStore, {
        ...kept,
        batch: (changes, options) =>
          isFull ? Effect.fail(new DiskFull({ path: "/index", code: "ENOSPC" })) : kept.batch(changes, options)
      })
      yield* Effect.gen(function* () {
        const { append } = yield* BlockStore
        for (const block of someBlocks(5)) yield* append([block])
        yield* holds(someBlocks(5))
      }).pipe(Effect.provide(onDisk(disk, { index: full })))
      yield* Effect.gen(function* () {
        const { append } = yield* BlockStore
        expect((yield* holds(someBlocks(5))).scanned).toBe(5)
        isFull = false
        // With the next block comes what is missing.
        yield* append(someBlocks(1, 5))
      }).pipe(Effect.provide(onDisk(disk, { index: full })))
      expect((yield* Effect.provide(holds(someBlocks(6)), onDisk(disk, { index: full }))).scanned).toBe(0)
    })
  )

  it.effect("is mended by the next append where nothing could be cut back either", () =>
    Effect.gen(function* () {
      const disk = new MemoryDisk()
      const faults: Faults = {}
      yield* Effect.gen(function* () {
        const { append } = yield* BlockStore
        yield* append(someBlocks(1))
        faults.failures = [
          { operation: "sync", nth: 1, times: 1000, code: "EIO" },
          { operation: "truncate", nth: 1, times: 1000, code: "EIO" }
        ]
        for (let i = 0; i < 3; i++) expect((yield* Effect.flip(append(someBlocks(5, 1))))._tag).toBe("IoFailed")
        faults.failures = []
        yield* append(someBlocks(1, 1))
        yield* holds(someBlocks(2))
      }).pipe(Effect.provide(onDisk(disk, { faults: faultyFiles(faults) })))
      expect(yield* Effect.provide(holds(someBlocks(2)), onDisk(disk))).toMatchObject({ tornBytes: 0, damaged: [] })
    })
  )
})

describe("pruning", () => {
  /** Twenty blocks, about four to a file. */
  const filled = Effect.gen(function* () {
    const disk = new MemoryDisk()
    const on = { index: lastingIndex(), maxFileBytes: 900 }
    yield* Effect.provide(
      BlockStore.use(({ append }) => append(someBlocks(20))),
      onDisk(disk, on)
    )
    return { disk, on }
  })

  it.effect("takes whole files, the oldest first, and leaves one that has a single block above the height", () =>
    Effect.gen(function* () {
      const { disk, on } = yield* filled
      yield* Effect.gen(function* () {
        const { append, prune } = yield* BlockStore
        yield* append([someBlock(50, 100, 3)])
        const gone = yield* prune({ belowHeight: 9, targetBytes: 0 })
        const left = someBlocks(20).filter(
          (block) => !gone.some((hash) => hash.every((byte, i) => byte === block.hash[i]))
        )
        expect(left.map(({ height }) => height)).toContain(9)
        expect(left.map(({ height }) => height)).not.toContain(0)
        // The file that grows stays, whatever lies in it.
        yield* holds([...left, someBlock(50, 100, 3)])
      }).pipe(Effect.provide(onDisk(disk, on)))
    })
  )

  it.effect("ended by a crash anywhere loses no block that it leaves, and can be done again", () =>
    Effect.gen(function* () {
      for (let at = 0; at < 12; at++) {
        const { disk, on } = yield* filled
        const faults = faultyFiles({ crashAfterChanges: at })
        const prune = BlockStore.use((store) => store.prune({ belowHeight: 10, targetBytes: 0 }))
        yield* Effect.exit(Effect.provide(prune, onDisk(disk, { ...on, faults })))
        disk.crash()
        yield* Effect.gen(function* () {
          const { hashes, loaded } = yield* loadAll
          expect(loaded).toMatchObject({ tornBytes: 0, setAside: [], damaged: [] })
          const left = someBlocks(20).filter(({ hash }) =>
            hashes.some((other) => other.every((byte, i) => byte === hash[i]))
          )
          yield* holds(left)
          for (const { height } of someBlocks(20).slice(10)) {
            expect(left.map((block) => block.height)).toContain(height)
          }
          yield* prune
          yield* (yield* BlockStore).append(someBlocks(20))
          yield* holds(someBlocks(20))
        }).pipe(Effect.provide(onDisk(disk, on)))
      }
    })
  )

  it.effect("tells what is gone also where the disk fails in the middle of it", () =>
    Effect.gen(function* () {
      for (const nth of [1, 2]) {
        const { disk, on } = yield* filled
        const faults = faultyFiles({ failures: [{ operation: "remove", nth, code: "EIO" }] })
        yield* Effect.gen(function* () {
          const { prune } = yield* BlockStore
          const all = { belowHeight: 20, targetBytes: 0 }
          const first = yield* Effect.exit(prune(all))
          expect(first._tag).toBe(nth === 1 ? "Failure" : "Success")
          const gone = first._tag === "Success" ? first.value : []
          const { count } = (yield* loadAll).loaded
          expect(count).toBe(20 - gone.length)
          expect((yield* prune(all)).length).toBe(count - (yield* loadAll).loaded.count)
        }).pipe(Effect.provide(onDisk(disk, { ...on, faults })))
      }
    })
  )

  it.effect("lets a reader finish, and gives it nothing wrong", () =>
    Effect.gen(function* () {
      const { disk, on } = yield* filled
      yield* Effect.gen(function* () {
        const { prune, read } = yield* BlockStore
        const reads = Effect.forEach(someBlocks(20), ({ hash }) => read(hash), { concurrency: "unbounded" })
        const [blocks] = yield* Effect.all([reads, prune({ belowHeight: 20, targetBytes: 0 })], {
          concurrency: "unbounded"
        })
        for (const [i, bytes] of blocks.entries()) {
          if (bytes !== undefined) expect(bytes).toEqual(someBlocks(20)[i]?.bytes)
        }
      }).pipe(Effect.provide(onDisk(disk, on)))
    })
  )
})
