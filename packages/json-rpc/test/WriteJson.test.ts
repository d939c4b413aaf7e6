import {
  ExactNumber,
  type Json,
  dispatcher,
  method,
  methodTable,
  parseJson,
  result,
  writeJson
} from "@satwire/json-rpc"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { expect, it } from "vitest"
import { call, serve } from "./Serving.ts"

it("writes what JSON.stringify does, in one line and in several", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(0, 2), (value, indent) => {
      expect(writeJson(value as Json, indent)).toBe(JSON.stringify(value, undefined, indent))
    }),
    { numRuns: 300, seed: 3 }
  )
})

it("leaves out what is not there, and writes numbers as exactly as they are", () => {
  const json = { a: undefined, b: [1n << 64n, new ExactNumber("1.50")], c: NaN, d: undefined, e: {} }
  expect(writeJson(json)).toBe('{"b":[18446744073709551616,1.50],"c":null,"e":{}}')
  expect(writeJson({ a: undefined }, 2)).toBe("{}")
})

/** Three million characters, of which one is two halves at any border. */
const many = Array.from({ length: 3000 }, (_, i) => ({ i, text: "\u{1F600}".repeat(500) }))
const methods = [
  method({
    name: "many",
    category: "control",
    about: "",
    params: [],
    result: result.any(""),
    run: () => Effect.succeed(many)
  }),
  method({
    name: "one",
    category: "control",
    about: "",
    params: [],
    result: result.any(""),
    run: () => Effect.succeed(1)
  })
]

it("answers others while a long answer is written", async () => {
  const answer = dispatcher(methodTable(methods))
  const order: Array<string> = []
  const asked = (name: string) =>
    Effect.tap(answer(new TextEncoder().encode(`{"method":"${name}"}`)), () => Effect.sync(() => order.push(name)))
  const [long] = await Effect.runPromise(Effect.all([asked("many"), asked("one")], { concurrency: 2 }))
  expect(order).toEqual(["one", "many"])
  expect(Result.getOrThrow(parseJson(long.body))).toMatchObject({ result: many })
})

it("sends a long answer whole, with its length", async () => {
  const served = await serve({ methods })
  const reply = await call(served.port, { method: "many", id: 1 })
  await served.close()
  expect(reply.headers.toLowerCase()).toContain("content-length: ")
  expect(reply.headers.toLowerCase()).not.toContain("transfer-encoding")
  expect(JSON.parse(reply.body)).toEqual({ result: many, error: null, id: 1 })
})
