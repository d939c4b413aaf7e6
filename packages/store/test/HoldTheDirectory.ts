/** Takes a data directory and appends headers to it for ever, saying each time how many are kept. Killed by DataDirectory.test.ts. */
import { regtest } from "@satwire/primitives"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { writeSync } from "node:fs"
import { loadAll, someHeaders } from "../src/compliance.ts"
import { DataDirectory, HeaderStore, layerFiles } from "../src/index.ts"

const root = process.argv[2] ?? ""

const appendForEver = Effect.gen(function* () {
  const { path } = yield* DataDirectory
  const store = HeaderStore.layer({ directory: path, networkMagic: regtest.magic })
  yield* Effect.gen(function* () {
    const { append } = yield* HeaderStore
    let kept = (yield* loadAll).loaded.count
    for (;;) {
      yield* append(someHeaders(3, kept), 3)
      kept += 3
      writeSync(1, `${kept}\n`)
    }
  }).pipe(Effect.provide(store))
})

const edges = Layer.provideMerge(DataDirectory.layer({ root, network: regtest }), layerFiles)
await Effect.runPromise(Effect.provide(appendForEver, edges))
