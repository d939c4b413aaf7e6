import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { writeFileSync } from "node:fs"
import { MemoryDisk } from "../src/faults.ts"
import { Files, layerFiles } from "../src/index.ts"
import { temporaryDirectory } from "./Places.ts"

const content = Uint8Array.of(1, 2, 3)

const disks = [
  {
    name: "the disk",
    layer: layerFiles,
    place: () => {
      const directory = temporaryDirectory()
      writeFileSync(`${directory}/there`, content)
      return directory
    }
  },
  (() => {
    const disk = new MemoryDisk()
    disk.put("/data/there", content)
    return { name: "a disk in memory", layer: disk.layer, place: () => "/data" }
  })()
]

describe("a file that is only read", () => {
  for (const { layer, name, place } of disks) {
    it.live(`on ${name} has to be there, is not made, and cannot be written`, () =>
      Effect.gen(function* () {
        const files = yield* Files
        const directory = place()
        const missing = yield* Effect.flip(files.open(`${directory}/missing`, "readOnly"))
        assert.deepInclude(missing, { operation: "open", code: "ENOENT" })
        assert.deepStrictEqual(yield* files.list(directory), ["there"])
        const file = yield* files.open(`${directory}/there`, "readOnly")
        const bytes = new Uint8Array(4)
        assert.strictEqual(yield* file.read(bytes, 0), 3)
        assert.deepStrictEqual(bytes.subarray(0, 3), content)
        assert.deepInclude(yield* Effect.flip(file.write(content, 0)), { operation: "write", code: "EBADF" })
        yield* file.close
      }).pipe(Effect.provide(layer))
    )
  }
})
