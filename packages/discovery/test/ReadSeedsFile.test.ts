import { NodeServices } from "@effect/platform-node"
import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as Scope from "effect/Scope"
import { describe, expect } from "vitest"
import { MAX_SEEDS_FILE_BYTES, readSeedsFile } from "../src/effect.ts"
import { seedLine } from "../src/index.ts"
import { START, nth } from "./Known.ts"

const written = (text: string): Effect.Effect<string, never, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const path = `${yield* files.makeTempDirectoryScoped()}/seeds.jsonl`
    yield* files.writeFileString(path, text)
    return path
  }).pipe(Effect.orDie)

describe("a seeds file on the disk", () => {
  it.live("is read", () =>
    Effect.gen(function* () {
      const path = yield* written(`${JSON.stringify(seedLine("regtest", nth(1), 9n, START))}\n`)
      expect(yield* readSeedsFile(path, "regtest")).toEqual([{ ...nth(1), services: 9n, seen: START }])
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("is refused with its path, the line and the reason", () =>
    Effect.gen(function* () {
      const path = yield* written("\nnonsense\n")
      const error = yield* Effect.flip(readSeedsFile(path, "regtest"))
      expect(error).toMatchObject({ _tag: "SeedsFileError", path, line: 2 })
      expect(error.message).toBe(`the seeds file ${path} is wrong: line 2 is no JSON object`)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("that is not there, is a directory, or is too big is refused in a sentence", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const path = yield* written("")
      const directory = path.replace("/seeds.jsonl", "")
      const missing = yield* Effect.flip(readSeedsFile(`${path}.no`, "regtest"))
      expect([missing.message, missing.line]).toEqual([`the seeds file ${path}.no does not exist`, undefined])
      const no = yield* Effect.flip(readSeedsFile(directory, "regtest"))
      expect(no.message).toBe(`the seeds file ${directory} is a directory`)
      yield* Effect.orDie(files.truncate(path, MAX_SEEDS_FILE_BYTES + 1))
      const big = yield* Effect.flip(readSeedsFile(path, "regtest"))
      expect(big.message).toBe(`the seeds file ${path} has more than ${MAX_SEEDS_FILE_BYTES} bytes`)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})
