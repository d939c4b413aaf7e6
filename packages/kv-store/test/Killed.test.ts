import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { describe, expect } from "vitest"
import { KvStore } from "../src/index.ts"
import { hasSqlite } from "../src/sqlite.ts"
import { onDisk, temporaryDirectory } from "./Places.ts"

/** How many times: a few here, and as many as `SATWIRE_KILLS` says for who has the time. */
const KILLS = Number(process.env["SATWIRE_KILLS"] ?? 4)

const script = fileURLToPath(new URL("./WriteForEver.ts", import.meta.url))
const runtime = "Deno" in globalThis ? ["run", "-A", "--conditions=@satwire/source"] : ["--conditions=@satwire/source"]

/** A life that is killed some milliseconds after it has said something; gives the last number that it said. */
const live = async (name: string, directory: string, first: number, afterMs: number): Promise<number> => {
  const child = spawn(process.execPath, [...runtime, script, name, directory, String(first)], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  let said = ""
  child.stdout.on("data", (chunk) => (said += String(chunk)))
  await once(child.stdout, "data")
  const gone = once(child, "close")
  setTimeout(() => child.kill("SIGKILL"), afterMs)
  await gone
  return Number(said.slice(0, said.lastIndexOf("\n")).split("\n").at(-1))
}

describe("kill -9", () => {
  for (const { name, open } of onDisk) {
    // A Node without SQLite runs no TypeScript either, so it cannot be the process that is killed.
    it.live.skipIf(!hasSqlite())(
      `loses nothing that ${name} has acknowledged, and leaves no batch half done`,
      () =>
        Effect.gen(function* () {
          const directory = temporaryDirectory()
          let last = 0
          for (let life = 0; life < KILLS; life++) {
            const said = yield* Effect.promise(() => live(name, directory, last, (life * 37) % 150))
            expect(said).toBeGreaterThan(last)
            last = yield* Effect.gen(function* () {
              const store = yield* KvStore
              const keys = Array.from({ length: 20 }, (_, i) => Uint8Array.of(i))
              const values = (yield* store.getMany(keys)).map((value) => new TextDecoder().decode(value))
              expect(new Set(values).size).toBe(1)
              const kept = Number(values[0])
              expect(kept).toBeGreaterThanOrEqual(said)
              const own = yield* Stream.runCollect(store.range({ gte: Uint8Array.of(100) }))
              expect(own.length).toBe(kept)
              return kept
            }).pipe(Effect.provide(open(directory)))
          }
        }),
      60_000 + KILLS * 6000
    )
  }
})
