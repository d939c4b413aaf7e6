import { it } from "@effect/vitest"
import { layerFiles } from "@satwire/store"
import { type Faults, MemoryDisk, faultyFiles } from "@satwire/store/faults"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { describe, expect } from "vitest"
import { blockStoreCompliance, holds, someBlock } from "../src/compliance.ts"
import { BlockStore } from "../src/index.ts"
import { NETWORK_MAGIC, lastingIndex, onDisk, temporaryDirectory } from "./Places.ts"

blockStoreCompliance(
  { describe, it },
  { name: "memory", place: () => Layer.fresh(BlockStore.layerMemory), survives: false }
)
blockStoreCompliance(
  { describe, it },
  { name: "files on a disk in memory", place: () => onDisk(new MemoryDisk(), { maxFileBytes: 5000 }), survives: true }
)
blockStoreCompliance(
  { describe, it },
  {
    name: "files with an index",
    place: () => onDisk(new MemoryDisk(), { maxFileBytes: 5000, index: lastingIndex() }),
    survives: true
  }
)
blockStoreCompliance(
  { describe, it },
  {
    name: "files on the disk",
    place: () =>
      BlockStore.layer({ directory: temporaryDirectory(), networkMagic: NETWORK_MAGIC, maxFileBytes: 5000 }).pipe(
        Layer.provide(layerFiles)
      ),
    survives: true
  }
)

describe("blocks on a disk", () => {
  it.live("that wait for the disk become one write and one sync, large ones a write each", () =>
    Effect.gen(function* () {
      const faults: Faults = { written: { bytes: 0, changes: 0 } }
      const options = { directory: temporaryDirectory(), networkMagic: NETWORK_MAGIC }
      const store = BlockStore.layer(options).pipe(Layer.provide(faultyFiles(faults)), Layer.provide(layerFiles))
      yield* Effect.gen(function* () {
        const { append } = yield* BlockStore
        const changes = (): number => faults.written?.changes ?? 0
        yield* append([someBlock(0)])
        const before = changes()
        const small = Array.from({ length: 100 }, (_, i) => someBlock(i + 1))
        yield* Effect.forEach(small, (block) => append([block]), { concurrency: "unbounded" })
        // One of each for the first, and one of each for all that came while it was under way.
        expect(changes() - before).toBeLessThanOrEqual(4)
        const between = changes()
        const large = Array.from({ length: 10 }, (_, i) => someBlock(i + 200, 100_000))
        yield* append(large)
        expect(changes() - between).toBe(2 * 10 + 1)
        yield* holds([someBlock(0), ...small, ...large])
      }).pipe(Effect.provide(store))
    })
  )

  it.effect("take 60 bytes each beside their own, and files that are opened again go on", () =>
    Effect.gen(function* () {
      const disk = new MemoryDisk()
      for (let i = 0; i < 10; i++) {
        yield* Effect.provide(
          BlockStore.use(({ append }) => append([someBlock(i, 100)])),
          onDisk(disk)
        )
      }
      expect(disk.read("/data/blocks/blk00000.dat")?.length).toBe(64 + 10 * 160)
      expect(disk.paths()).toEqual(["/data/blocks/blk00000.dat"])
    })
  )

  it.live("are read while more files are open than stay open", () =>
    Effect.gen(function* () {
      const directory = temporaryDirectory()
      const store = BlockStore.layer({ directory, networkMagic: NETWORK_MAGIC, maxFileBytes: 200 })
      yield* Effect.gen(function* () {
        const { append, read } = yield* BlockStore
        const blocks = Array.from({ length: 60 }, (_, i) => someBlock(i, 100))
        yield* append(blocks)
        for (let round = 0; round < 3; round++) {
          const found = yield* Effect.forEach(blocks, ({ hash }) => read(hash), { concurrency: "unbounded" })
          expect(found).toEqual(blocks.map(({ bytes }) => bytes))
        }
      }).pipe(Effect.provide(Layer.provide(store, layerFiles)))
    })
  )
})
