import { it } from "@effect/vitest"
import { layerLevel } from "@satwire/kv-store/level"
import { layerFiles } from "@satwire/store"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { describe, expect } from "vitest"
import { loadAll, someBlock } from "../src/compliance.ts"
import { BlockStore } from "../src/index.ts"
import { temporaryDirectory } from "./Places.ts"

/** How many times: a few here, and as many as `SATWIRE_KILLS` says for who has the time. */
const KILLS = Number(process.env["SATWIRE_KILLS"] ?? 5)

const script = fileURLToPath(new URL("./AppendForEver.ts", import.meta.url))
const runtime = "Deno" in globalThis ? ["run", "-A", "--conditions=@satwire/source"] : ["--conditions=@satwire/source"]

/** A life that is killed some milliseconds after it has said something; gives all that it said. */
const live = async (directory: string, first: number, afterMs: number): Promise<ReadonlyArray<string>> => {
  const child = spawn(process.execPath, [...runtime, script, directory, String(first)], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  let out = ""
  child.stdout.on("data", (chunk) => (out += String(chunk)))
  await once(child.stdout, "data")
  const gone = once(child, "close")
  setTimeout(() => child.kill("SIGKILL"), afterMs)
  await gone
  // The last line may be cut.
  return out.slice(0, out.lastIndexOf("\n")).split("\n")
}

describe("kill -9", () => {
  it.live(
    "loses no block that was acknowledged, and brings none back that was forgotten",
    () =>
      Effect.gen(function* () {
        const directory = temporaryDirectory()
        const options = { directory: `${directory}/blocks`, networkMagic: 1, maxFileBytes: 1_000_000 }
        const index = layerLevel({ directory: `${directory}/index` })
        const indexed = BlockStore.layerIndexed(options).pipe(Layer.provide([layerFiles, index]))
        const plain = BlockStore.layer(options).pipe(Layer.provide(layerFiles))
        const kept = new Set<number>()
        const forgotten = new Set<number>()
        for (let life = 0; life < KILLS; life++) {
          // What was begun and not acknowledged may be either, so each life has blocks of its own.
          const first = Math.max(-5, ...kept) + 6
          for (const line of yield* Effect.promise(() =>
            live(directory, 5 * Math.ceil(first / 5), (life * 41) % 200)
          )) {
            const n = Number(line.split(" ")[1])
            if (line.startsWith("forgotten")) forgotten.add(n)
            // The first of them is forgotten next.
            else for (let i = 1; i < 5; i++) kept.add(n - 5 + i)
          }
          for (const layer of [indexed, plain]) {
            yield* Effect.gen(function* () {
              const { has, read } = yield* BlockStore
              expect((yield* loadAll).loaded).toMatchObject({ setAside: [], damaged: [] })
              for (const n of forgotten) expect(yield* has(someBlock(n).hash)).toBe(false)
              for (const n of kept) {
                const { bytes, hash } = n % 5 === 4 ? someBlock(n, 100_000) : someBlock(n)
                expect(Buffer.compare((yield* read(hash)) as Uint8Array, bytes)).toBe(0)
              }
            }).pipe(Effect.provide(layer, { local: true }))
          }
        }
        expect(kept.size).toBeGreaterThan(KILLS)
      }),
    60_000 + KILLS * 8000
  )
})
