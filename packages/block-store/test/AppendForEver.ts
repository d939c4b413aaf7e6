/** Appends blocks for ever, with one forgotten now and then, and says what is done. Killed by Killed.test.ts. */
import { layerLevel } from "@satwire/kv-store/level"
import { layerFiles } from "@satwire/store"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { writeSync } from "node:fs"
import { someBlock, someBlocks } from "../src/compliance.ts"
import { BlockStore } from "../src/index.ts"

const [directory = "", first = "0"] = process.argv.slice(2)

const appendForEver = Effect.gen(function* () {
  const { append, forget } = yield* BlockStore
  for (let n = Number(first); ; n += 5) {
    yield* append([...someBlocks(4, n), someBlock(n + 4, 100_000)])
    writeSync(1, `kept ${n + 5}\n`)
    yield* forget(someBlock(n).hash)
    writeSync(1, `forgotten ${n}\n`)
  }
})
const options = { directory: `${directory}/blocks`, networkMagic: 1, maxFileBytes: 1_000_000 }
const store = BlockStore.layerIndexed(options).pipe(
  Layer.provide([layerFiles, layerLevel({ directory: `${directory}/index` })])
)
await Effect.runPromise(Effect.provide(appendForEver, store))
