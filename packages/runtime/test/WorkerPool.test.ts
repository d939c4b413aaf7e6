import { createHash } from "node:crypto"
import { WorkerFailed, WorkerPool } from "@satwire/runtime/workers"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Context from "effect/Context"
import * as Scope from "effect/Scope"

const sha256 = (bytes: Uint8Array): Uint8Array => createHash("sha256").update(bytes).digest()
const expected = (bytes: Uint8Array): Uint8Array => new Uint8Array(sha256(sha256(bytes)))

const bytesOf = (length: number, fill: number): Uint8Array<ArrayBuffer> => new Uint8Array(length).fill(fill)

const moody = WorkerPool.layer({ size: 1, program: new URL("./MoodyWorker.ts", import.meta.url) })
const hashed = Effect.fnUntraced(function* (bytes: Uint8Array<ArrayBuffer>) {
  const { run } = yield* WorkerPool
  return yield* run({ _tag: "Sha256d", bytes })
})

describe("a worker", () => {
  it.live("does a job with the memory that it is given, and gives it back", () =>
    Effect.gen(function* () {
      const bytes = bytesOf(100_000, 7)
      const memory = bytes.buffer
      const job = yield* Effect.forkChild(hashed(bytes))
      yield* Effect.repeat(Effect.yieldNow, { until: () => memory.byteLength === 0 })
      const answer = yield* Fiber.join(job)
      expect(answer.hash).toEqual(expected(bytesOf(100_000, 7)))
      expect(answer.bytes).toEqual(bytesOf(100_000, 7))
      expect(answer.bytes.buffer.byteLength).toBe(100_000)
    }).pipe(Effect.provide(WorkerPool.layer()))
  )

  it.live("is given a copy of bytes that share their memory with others", () =>
    Effect.gen(function* () {
      const all = bytesOf(1000, 1)
      all.fill(2, 100, 200)
      const answer = yield* hashed(all.subarray(100, 200))
      expect(answer.hash).toEqual(expected(bytesOf(100, 2)))
      expect(all.length).toBe(1000)
    }).pipe(Effect.provide(WorkerPool.layer()))
  )

  it.live("is one of a few that share many jobs, and each job gets its own answer", () =>
    Effect.gen(function* () {
      const answers = yield* Effect.forEach(
        Array.from({ length: 200 }, (_, i) => i),
        (i) => hashed(bytesOf(i + 1, i)),
        { concurrency: "unbounded" }
      )
      for (const [i, { hash }] of answers.entries()) expect(hash).toEqual(expected(bytesOf(i + 1, i)))
    }).pipe(Effect.provide(WorkerPool.layer({ size: 2 })))
  )
})

describe("a worker that fails", () => {
  it.live("fails its job, typed, and the next job has a fresh one", () =>
    Effect.gen(function* () {
      for (const [byte, why] of [
        [1, "it ended with code 7"],
        [2, "not today"]
      ] as const) {
        const error = yield* Effect.flip(hashed(bytesOf(10, byte)))
        expect(error).toBeInstanceOf(WorkerFailed)
        expect(error).toMatchObject({ job: "Sha256d", message: `a worker died with a Sha256d job: ${why}` })
        expect((yield* hashed(bytesOf(10, 9))).hash).toEqual(expected(bytesOf(10, 9)))
      }
    }).pipe(Effect.provide(moody, { local: true }))
  )

  it.live("keeps no job waiting when it died with none in its hands", () =>
    Effect.gen(function* () {
      yield* hashed(bytesOf(10, 4))
      // Whether the next job still meets it alive is a race; that it is answered is not.
      yield* Effect.result(hashed(bytesOf(10, 9)))
      for (let i = 0; i < 3; i++) yield* Effect.repeat(Effect.yieldNow, { times: 500 })
      expect((yield* hashed(bytesOf(10, 9))).hash).toEqual(expected(bytesOf(10, 9)))
    }).pipe(Effect.provide(moody, { local: true }))
  )

  it.live("fails its job when there is no such program", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(hashed(bytesOf(10, 0)))
      expect(error).toBeInstanceOf(WorkerFailed)
      // Deno sometimes tells that the worker has ended before it tells why.
      expect(error.message).toMatch(/NoSuchWorker|it ended with code 1$/)
    }).pipe(Effect.provide(WorkerPool.layer({ program: new URL("./NoSuchWorker.js", import.meta.url) })))
  )

  it.live("is ended by an interrupt in the midst of its work, and the next job has a fresh one", () =>
    Effect.gen(function* () {
      // So that it is at work, and not still starting, when it is interrupted.
      yield* hashed(bytesOf(10, 9))
      const memory = bytesOf(10, 3)
      const endless = yield* Effect.forkChild(hashed(memory))
      yield* Effect.repeat(Effect.yieldNow, { until: () => memory.length === 0 })
      yield* Fiber.interrupt(endless)
      expect((yield* hashed(bytesOf(10, 9))).hash).toEqual(expected(bytesOf(10, 9)))
    }).pipe(Effect.provide(moody, { local: true }))
  )

  it.live("ends with the scope, even one that would never end by itself", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const pool = Context.get(yield* Layer.buildWithScope(moody, scope), WorkerPool)
      const memory = bytesOf(10, 3)
      const endless = yield* Effect.forkChild(pool.run({ _tag: "Sha256d", bytes: memory }))
      yield* Effect.repeat(Effect.yieldNow, { until: () => memory.length === 0 })
      yield* Fiber.interrupt(endless)
      yield* Scope.close(scope, Exit.void)
      const late = yield* Effect.exit(pool.run({ _tag: "Sha256d", bytes: bytesOf(10, 9) }))
      expect(Exit.isFailure(late)).toBe(true)
    })
  )
})
