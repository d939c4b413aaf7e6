/** One job in a worker, as a program of its own: says what came of it in one line of JSON, and ends by itself. */
import { WorkerPool } from "@satwire/runtime/workers"
import * as Effect from "effect/Effect"

const program = Effect.gen(function* () {
  const { run } = yield* WorkerPool
  const bytes = new TextEncoder().encode("hello")
  const memory = bytes.buffer
  const answer = yield* run({ _tag: "Sha256d", bytes })
  const hash = Array.from(answer.hash, (byte) => byte.toString(16).padStart(2, "0")).join("")
  return { hash, left: memory.byteLength, back: answer.bytes.length, module: import.meta.url.replace(/.*\//, "") }
})

const told = await Effect.runPromise(Effect.provide(program, WorkerPool.layer({ size: 1 })))
process.stdout.write(`${JSON.stringify(told)}\n`)
