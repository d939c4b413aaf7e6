import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { readdirSync, readlinkSync, writeFileSync } from "node:fs"
import { describe, expect } from "vitest"
import { kvStoreCompliance } from "../src/compliance.ts"
import { KvStore } from "../src/index.ts"
import { onDisk, temporaryDirectory } from "./Places.ts"

kvStoreCompliance({ describe, it }, { name: "memory", place: () => Layer.fresh(KvStore.layerMemory), survives: false })

/** The files in the directory that this process has open. */
const openIn = (directory: string): ReadonlyArray<string> =>
  readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`)
      return path.startsWith(directory) ? [path] : []
    } catch {
      // It was the one that listed them.
      return []
    }
  })

for (const { name, open } of onDisk) {
  kvStoreCompliance({ describe, it }, { name, place: () => open(temporaryDirectory()), survives: true })

  describe(name, () => {
    const change = KvStore.use((store) =>
      store.batch([{ key: Uint8Array.of(1), value: Uint8Array.of(2) }], { durable: true })
    )

    it.live.skipIf(process.platform !== "linux")("leaves no file open when its scope has closed, or did not open", () =>
      Effect.gen(function* () {
        const directory = temporaryDirectory()
        const layer = open(directory)
        yield* Effect.gen(function* () {
          yield* change
          expect(openIn(directory).length).toBeGreaterThan(0)
          yield* Effect.flip(Effect.provide(change, Layer.fresh(layer)))
        }).pipe(Effect.provide(Layer.fresh(layer)))
        expect(openIn(directory)).toEqual([])
      })
    )

    it.live("says what is wrong with a place where it cannot be", () =>
      Effect.gen(function* () {
        const directory = temporaryDirectory()
        writeFileSync(`${directory}/file`, "")
        const error = yield* Effect.flip(Effect.provide(change, open(`${directory}/file`)))
        expect(error._tag).toBe("DirectoryNotWritable")
        expect(error.message).toContain(`${directory}/file`)
      })
    )
  })
}
