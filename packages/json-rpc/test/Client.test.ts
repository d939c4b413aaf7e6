import { layerNodeHttp } from "@effect/platform-node/NodeHttpClient"
import { RpcError, rpcPage, methodTable, result } from "@satwire/json-rpc"
import {
  RpcClientError,
  conversionsFor,
  errorText,
  exitCodeOf,
  makeRpcClient,
  namedParams,
  positionalParams,
  resultText
} from "@satwire/json-rpc/client"
import { rpcClient } from "@satwire/json-rpc/promise"
import * as Effect from "effect/Effect"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { methods } from "./Calls.ts"
import { type Served, serve } from "./Serving.ts"

let served: Served
beforeAll(async () => {
  served = await serve()
})
afterAll(() => served.close())

const ours = (credentials = "alice:päss:word"): { readonly url: string; readonly credentials: string } => ({
  url: `http://127.0.0.1:${served.port}/`,
  credentials
})

describe("the client", () => {
  test("gives results by promises, as numbers and where they are bigger as integers", async () => {
    const answer = await rpcClient(ours()).call("getbalance")
    expect(answer).toEqual({ sum: 20_999_999.99999999, big: 18_446_744_073_709_551_615n })
    expect(await rpcClient(ours()).call("tell", { first: 3 })).toMatchObject({ first: 3, second: "two" })
  })
  test("fails with what the node says, with its code", async () => {
    const failed = await rpcClient(ours())
      .call("fail")
      .catch((error: unknown) => error)
    expect(failed).toBeInstanceOf(RpcError)
    expect(failed).toMatchObject({ code: -5, message: "Block not found" })
  })
  test("says why there is no answer", async () => {
    const faultOf = async (options: { readonly url: string; readonly credentials: string }): Promise<unknown> =>
      rpcClient(options)
        .call("stop")
        .catch((error: unknown) => error)
    const wrong = await faultOf(ours("alice:wrong"))
    expect(wrong).toBeInstanceOf(RpcClientError)
    expect(wrong).toMatchObject({ fault: "unauthorized", status: 401 })
    const gone = await serve()
    await gone.close()
    expect(await faultOf({ ...ours(), url: `http://127.0.0.1:${gone.port}/` })).toMatchObject({ fault: "unreachable" })
    expect(await faultOf({ ...ours(), url: `${ours().url}elsewhere` })).toMatchObject({
      fault: "no JSON-RPC",
      status: 404
    })
  })
  test("sends several calls at once, over node:http", async () => {
    const program = Effect.gen(function* () {
      const client = yield* makeRpcClient(ours())
      return yield* client.batch([{ method: "fail" }, { method: "stop" }])
    })
    const [bad, good] = await Effect.runPromise(Effect.provide(program, layerNodeHttp))
    expect(bad).toMatchObject({ _tag: "Failure", failure: { code: -5 } })
    expect(good).toMatchObject({ _tag: "Success", success: "stopping" })
  })
})

describe("a command line", () => {
  const conversions = [
    { position: 0, name: "first", isString: false },
    { position: 1, name: "second", isString: true }
  ]
  test("converts arguments as the node says", async () => {
    const asked = Effect.flatMap(makeRpcClient(ours()), (client) => conversionsFor(client, "tell"))
    const found = await Effect.runPromise(Effect.provide(asked, layerNodeHttp))
    expect(found).toEqual(expect.arrayContaining(conversions))
    expect(found).toContainEqual({ position: 3, name: "fee", isString: false })
  })
  test("sends strings as they are, all else as JSON, and what is no JSON as a string", () => {
    expect(positionalParams(conversions, ["1", "1"])).toEqual([1, "1"])
    expect(positionalParams(conversions, ['{"a":[true]}', "x", "3"])).toEqual([{ a: [true] }, "x", "3"])
    expect(positionalParams(conversions, ["00ab"])).toEqual(["00ab"])
  })
  test("takes named arguments, and leaves those without a name in their place", () => {
    expect(namedParams(conversions, ["second=a=b", "first=2"])).toEqual({ first: 2, second: "a=b" })
    expect(namedParams(conversions, ["1", "second=x"])).toEqual({ args: [1], second: "x" })
    expect(namedParams(conversions, ["QUJD=="])).toEqual({ args: ["QUJD=="] })
  })
  test("shows results bare, and errors with their code", () => {
    expect([null, "text", 1n, { a: [1] }].map(resultText)).toEqual(["", "text", "1", '{\n  "a": [\n    1\n  ]\n}'])
    const error = new RpcError({ code: -8, message: "Block height out of range" })
    expect([errorText(error), exitCodeOf(error)]).toEqual([
      "error code: -8\nerror message:\nBlock height out of range",
      8
    ])
  })
})

describe("documentation", () => {
  test("tells every method that is not hidden, with its arguments, results and examples", () => {
    const page = rpcPage(methodTable(methods), "RPC", "All methods.")
    expect(page).toContain("## Util\n\n### getbalance\n\n`getbalance`\n\nA sum.")
    expect(page).toContain('- `second` or `zweites` (string, optional, default="two") A word')
    expect(page).toContain("  - `sum` (numeric) The sum")
    expect(page).toContain(
      "```sh\nsatwire rpc tell 1 'it'\\''s'\nsatwire rpc tell 1 '' 'a(b)#c'\nsatwire rpc -named tell first=1 second=b\n```"
    )
    expect(page).not.toContain("### bug")
  })
  test("finds where an answer is not as it says", () => {
    const doc = result.object("", {
      a: result.number(""),
      b: result.optional(result.string("")),
      c: result.array("", result.record("", result.amount("")))
    })
    expect(result.differences(doc, { a: 1, c: [{ x: 1n }] })).toEqual([])
    expect(result.differences(doc, { a: "1", c: [{ x: true }], d: null })).toEqual([
      "result.a is string, not number",
      "result.c[0].x is bool, not number",
      "result.d is not in the documentation"
    ])
    expect(result.differences(doc, { b: "" })).toEqual(["result.a is missing", "result.c is missing"])
    expect(result.differencesFromAll([result.none(), result.hex("")], "00")).toEqual([])
  })
})
