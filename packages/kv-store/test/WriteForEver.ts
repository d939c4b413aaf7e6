/**
 * Writes batches of twenty keys with one value for ever, and says each that is kept; all of them durable where it is told so. Killed by
 * Killed.test.ts.
 */
import * as Effect from "effect/Effect"
import { writeSync } from "node:fs"
import { KvStore } from "../src/index.ts"
import { layerLevel } from "../src/level.ts"
import { layerSqlite } from "../src/sqlite.ts"

const [name, directory = "", first = "0"] = process.argv.slice(2)
const layer =
  name === "level" ? layerLevel({ directory: `${directory}/level` }) : layerSqlite({ path: `${directory}/kv.sqlite` })

const writeForEver = Effect.gen(function* () {
  const { batch } = yield* KvStore
  for (let n = Number(first) + 1; ; n++) {
    const value = new TextEncoder().encode(String(n))
    const changes = Array.from({ length: 20 }, (_, i) => ({ key: Uint8Array.of(i), value }))
    const own = { key: Uint8Array.of(100, n >>> 16, n >>> 8, n), value }
    yield* batch([...changes, own], { durable: n % 3 === 0 })
    writeSync(1, `${n}\n`)
  }
})
await Effect.runPromise(Effect.provide(writeForEver, layer))
