import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { describe, expect } from "vitest"
import { headerStoreCompliance, loadAll, someHeaders } from "../src/compliance.ts"
import { MemoryDisk, faultyFiles } from "../src/faults.ts"
import { HeaderStore, layerFiles } from "../src/index.ts"
import { onDisk, temporaryDirectory } from "./Places.ts"

headerStoreCompliance(
  { describe, it },
  { name: "memory", place: () => Layer.fresh(HeaderStore.layerMemory), survives: false }
)
headerStoreCompliance(
  { describe, it },
  { name: "a file on a disk in memory", place: () => onDisk(new MemoryDisk()), survives: true }
)
headerStoreCompliance(
  { describe, it },
  {
    name: "a file on the disk",
    place: () =>
      HeaderStore.layer({ directory: temporaryDirectory(), networkMagic: 1 }).pipe(Layer.provide(layerFiles)),
    survives: true
  }
)

describe("a header store on a disk", () => {
  it.live("joins the appends that wait for the disk in one commit", () =>
    Effect.gen(function* () {
      const faults = { written: { bytes: 0, changes: 0 } }
      const store = HeaderStore.layer({ directory: temporaryDirectory(), networkMagic: 1 }).pipe(
        Layer.provide(faultyFiles(faults)),
        Layer.provide(layerFiles)
      )
      yield* Effect.gen(function* () {
        const { append } = yield* HeaderStore
        yield* append(someHeaders(1), 1)
        const { changes } = faults.written
        yield* Effect.forEach(Array.from({ length: 100 }), (_, i) => append(someHeaders(1, i + 1), 1), {
          concurrency: "unbounded"
        })
        // One write and one sync for the first, and one of each for all that came while it was under way.
        expect(faults.written.changes - changes).toBeLessThanOrEqual(4)
        expect((yield* loadAll).headers).toEqual(someHeaders(101))
      }).pipe(Effect.provide(store))
    })
  )

  it.effect("takes at most 130 bytes for a header, also where each comes alone", () =>
    Effect.gen(function* () {
      const disk = new MemoryDisk()
      yield* Effect.gen(function* () {
        const { append } = yield* HeaderStore
        for (let i = 0; i < 1000; i++) yield* append(someHeaders(1, i), 1)
      }).pipe(Effect.provide(onDisk(disk)))
      expect(disk.read("/data/headers.dat")?.length).toBe(24 + 1000 * 96)
    })
  )
})
