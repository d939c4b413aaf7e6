import * as fc from "fast-check"
import * as Effect from "effect/Effect"
import { describe, expect, test } from "vitest"
import { MAX_BATCH, MAX_REQUEST_VALUES, dispatcher, methodTable, parseJsonBytes } from "@satwire/json-rpc"
import { ask, methods } from "./Calls.ts"

const FIRST = { first: 1, second: "two" }
const error = (code: number, message: string): object => ({ code, message })

describe("the old dialect", () => {
  test.each([[{}], [{ jsonrpc: "1.0" }]])("answers with result and error, and the id: %o", async (version) => {
    expect(await ask({ ...version, method: "tell", params: [1], id: "x" })).toEqual({
      status: 200,
      body: { result: FIRST, error: null, id: "x" }
    })
  })
  test("has no id in the reply where none was in the request", async () => {
    expect(await ask({ method: "tell", params: [1] })).toEqual({ status: 200, body: { result: FIRST, error: null } })
  })
  test.each([
    [{ method: "nothing" }, 404, error(-32_601, "Method not found")],
    [{ method: "__proto__" }, 404, error(-32_601, "Method not found")],
    [{ method: "fail" }, 500, error(-5, "Block not found")],
    [{}, 400, error(-32_600, "Missing method")],
    [{ method: 1 }, 400, error(-32_600, "Method must be a string")],
    [{ method: "tell", params: 1 }, 400, error(-32_600, "Params must be an array or object")],
    [{ method: "tell", jsonrpc: 2 }, 400, error(-32_600, "jsonrpc field must be a string")],
    [{ method: "tell", jsonrpc: "3.0" }, 400, error(-32_600, "JSON-RPC version not supported")]
  ])("says with the HTTP status what is wrong: %o", async (request, status, error) => {
    expect(await ask({ ...request, id: 7 })).toEqual({ status, body: { result: null, error, id: 7 } })
  })
  test.each(["", "nonsense", "[1", '{"method":"tell"} x', "﻿{}", '{"a":"\\ud800"}', "[".repeat(100_000)])(
    "answers what is no JSON with a parse error: %j",
    async (text) => {
      const body = { result: null, error: error(-32_700, "Parse error"), id: null }
      expect(await ask(undefined, text)).toEqual({ status: 500, body })
    }
  )
  test("answers a value that is neither an object nor an array", async () => {
    const body = { result: null, error: error(-32_700, "Top-level object parse error"), id: null }
    expect(await ask("tell")).toEqual({ status: 500, body })
  })
})

describe("JSON-RPC 2.0", () => {
  const v2 = { jsonrpc: "2.0", id: 3 }
  test("answers with a result or an error, and 200", async () => {
    const good = { jsonrpc: "2.0", result: FIRST, id: 3 }
    expect(await ask({ ...v2, method: "tell", params: [1] })).toEqual({ status: 200, body: good })
    const bad = { jsonrpc: "2.0", error: error(-32_601, "Method not found"), id: 3 }
    expect(await ask({ ...v2, method: "nothing" })).toEqual({ status: 200, body: bad })
  })
  test("says nothing to a notification, whatever becomes of it; an id of null is an id", async () => {
    const quiet = { status: 204, body: null }
    expect(await ask({ jsonrpc: "2.0", method: "tell", params: [1] })).toEqual(quiet)
    expect(await ask({ jsonrpc: "2.0", method: "fail" })).toEqual(quiet)
    expect(await ask({ jsonrpc: "2.0", id: null, method: "stop" })).toEqual({
      status: 200,
      body: { jsonrpc: "2.0", result: "stopping", id: null }
    })
  })
})

describe("a batch", () => {
  test("answers in order, each in its own dialect, without the notifications", async () => {
    const batch = [
      { method: "tell", params: [1], id: 1 },
      { jsonrpc: "2.0", method: "stop" },
      { jsonrpc: "2.0", method: "fail", id: 2 },
      5
    ]
    const body = [
      { result: FIRST, error: null, id: 1 },
      { jsonrpc: "2.0", error: error(-5, "Block not found"), id: 2 },
      { result: null, error: error(-32_600, "Invalid Request object"), id: null }
    ]
    expect(await ask(batch)).toEqual({ status: 200, body })
  })
  test("has an empty answer when empty, and none when it is nothing but notifications", async () => {
    expect(await ask([])).toEqual({ status: 200, body: [] })
    expect(await ask([{ jsonrpc: "2.0", method: "stop" }])).toEqual({ status: 204, body: null })
  })
  test("of too many calls is refused whole", async () => {
    const calls = Array.from({ length: MAX_BATCH + 1 }, () => ({ method: "stop" }))
    expect((await ask(calls)).status).toBe(400)
    expect((await ask(calls.slice(1))).body).toHaveLength(MAX_BATCH)
  })
  test("of small values without end is read so far and no further", async () => {
    const body = (count: number): Uint8Array => new TextEncoder().encode(`[${"{},".repeat(count - 1)}{}]`)
    const faultOf = (count: number): Promise<string | undefined> =>
      Effect.runPromise(Effect.map(dispatcher(methodTable([]))(body(count)), ({ fault }) => fault))
    // The array is one of them.
    expect(await faultOf(MAX_REQUEST_VALUES - 1)).toContain("its batch has 262143 calls")
    const at = 1 + 3 * (MAX_REQUEST_VALUES - 1)
    expect(await faultOf(5_000_000)).toBe(`its body is not JSON: it has too many values, at character ${at}`)
  })
  test("of too many calls is refused before any of them is looked at", async () => {
    const asked: Array<string> = []
    const body = new TextEncoder().encode(
      JSON.stringify(Array.from({ length: MAX_BATCH + 1 }, () => ({ method: "stop" })))
    )
    const caller = { user: "alice", mayCall: (method: string) => asked.push(method) > 0 }
    const reply = await Effect.runPromise(dispatcher(methodTable([]))(body, caller))
    expect(reply).toMatchObject({ status: 400, fault: "its batch has 10001 calls, more than 10000" })
    expect(asked).toEqual([])
  })
})

describe("arguments", () => {
  const call = async (params: unknown, name = "tell"): Promise<unknown> => {
    const { body } = await ask(undefined, JSON.stringify({ jsonrpc: "2.0", id: 1, method: name, params }))
    const reply = body as { readonly result?: unknown; readonly error?: unknown }
    return reply.error ?? reply.result
  }
  test.each([
    [
      { first: 1, second: "b" },
      { first: 1, second: "b" }
    ],
    [
      { first: 1, zweites: "b", third: true },
      { first: 1, second: "b", third: true }
    ],
    [
      { args: [1], third: false },
      { first: 1, second: "two", third: false }
    ],
    [
      { args: [1, null], fee: 0.1 },
      { first: 1, second: "two", fee: 10_000_000 }
    ],
    [
      { first: 1, options: { fee: "0.00000001" } },
      { first: 1, second: "two", fee: 1 }
    ],
    [[1, null, null], FIRST]
  ])("are understood by name, by position and mixed: %o", async (params, result) => {
    expect(await call(params)).toEqual(result)
  })
  test.each([
    [{ first: 1, x: 1 }, -8, "Unknown named parameter x"],
    [{ first: 1, toString: 1 }, -8, "Unknown named parameter toString"],
    [{ first: 1, args: 1 }, -8, "Unknown named parameter args"],
    [{ args: [1], first: 1 }, -8, "Parameter first specified twice both as positional and named argument"],
    [
      { args: [1, "b"], zweites: "c" },
      -8,
      "Parameter second|zweites specified twice both as positional and named argument"
    ],
    [{ first: 1, fee: 1, options: {} }, -8, "Parameter options conflicts with parameter fee"],
    [[1, "b", true, { feee: 1 }], -3, "Unexpected key feee"],
    [[1.5], -1, "JSON integer out of range"],
    [[2_147_483_648], -1, "JSON integer out of range"],
    [[1, "b", true, { fee: 0.000000001 }], -3, "Invalid amount"],
    [[1, "b", true, { fee: -1 }], -3, "Amount out of range"],
    [[1, "b", true, { fee: 21_000_001 }], -3, "Amount out of range"],
    [[1, "b", true, { fee: true }], -3, "Amount is not a number or string"],
    [
      ["1", 2],
      -3,
      'Wrong type passed:\n{\n    "Position 1 (first)": "JSON value of type string is not of expected type number",\n    "Position 2 (second|zweites)": "JSON value of type number is not of expected type string"\n}'
    ]
  ])("that are wrong are named in Core's words: %o", async (params, code, message) => {
    expect(await call(params)).toEqual({ code, message })
  })
  test.each([[[]], [[1, "b", true, {}, 5]], [{}], [{ second: "b" }]])(
    "of a wrong number get the help: %o",
    async (params) => {
      const told = (await call(params)) as { readonly code: number; readonly message: string }
      // `{ second: "b" }` fills the hole before it with null, which is of no number.
      if (!Array.isArray(params) && "second" in params) expect(told.code).toBe(-3)
      else
        expect([told.code, told.message.split("\n")[0]]).toEqual([
          -1,
          'tell first ( "second" third {"fee":n,"deep":n,...} )'
        ])
    }
  )
  test.each([
    [["00"], -8, "hash must be of length 64 (not 2, for '00')"],
    [["z".repeat(64)], -8, `hash must be hexadecimal string (not '${"z".repeat(64)}')`],
    [["0".repeat(64), [1, "x"]], -3, "Invalid amount"],
    [["0".repeat(64), [], "0"], -8, "raw must be hexadecimal string (not '0')"],
    [["0".repeat(64), [], "", "c"], -8, "Invalid mode 'c', must be one of: a, b"]
  ])("of the chain are judged: %o", async (params, code, message) => {
    expect(await call(params, "lookup")).toEqual({ code, message })
  })
  test("are read: hashes from the last byte, amounts in satoshis", async () => {
    expect(await call([`${"0".repeat(62)}07`, [1, "0.5", 1e-8]], "lookup")).toBe("7 100000000 50000000 1")
  })
  test("given twice by name are refused; elsewhere the first counts", async () => {
    const twice = await ask(undefined, '{"id":1,"method":"tell","params":{"first":1,"first":2}}')
    expect(twice.body).toMatchObject({ error: error(-8, "Parameter first specified multiple times") })
    const first = await ask(undefined, '{"id":1,"method":"stop","method":"fail"}')
    expect(first.body).toMatchObject({ result: "stopping" })
  })
  test("may be called as an object's inner names", async () => {
    const text = '{"id":1,"method":"tell","params":{"first":1,"__proto__":{"second":"x"}}}'
    expect((await ask(undefined, text)).body).toMatchObject({ error: error(-8, "Unknown named parameter __proto__") })
    const deep = '{"id":1,"method":"tell","params":[1,"b",null,{"deep":{"__proto__":{"x":1},"constructor":2}}]}'
    const told = JSON.stringify((await ask(undefined, deep)).body)
    expect(told).toContain('"deep":{"__proto__":{"x":1},"constructor":2}')
    expect(({} as { readonly x?: number }).x).toBe(undefined)
  })
})

test("amounts and integers beyond 2^53 are written to the last digit", async () => {
  const reply = await Effect.runPromise(
    dispatcher(methodTable(methods))(new TextEncoder().encode('{"id":9007199254740993,"method":"getbalance"}'))
  )
  expect(reply.body).toBe(
    '{"result":{"sum":20999999.99999999,"big":18446744073709551615},"error":null,"id":9007199254740993}\n'
  )
})

test("while the node warms up all is answered with -28 and why, unless a method says otherwise", async () => {
  const options = { warmingUp: Effect.succeed("Loading block index…") }
  const told = { result: null, error: error(-28, "Loading block index…"), id: 1 }
  expect(await ask({ method: "tell", id: 1 }, undefined, options)).toEqual({ status: 500, body: told })
  expect(await ask({ method: "nothing", id: 1 }, undefined, options)).toEqual({ status: 500, body: told })
  expect((await ask({ method: "stop", id: 1 }, undefined, options)).body).toMatchObject({ result: "stopping" })
})

test("a bug in a method is told to who looks after it, and not to the caller", async () => {
  const bugs: Array<string> = []
  const onDefect = (method: string): Effect.Effect<void> => Effect.sync(() => bugs.push(method))
  const { body } = await ask({ method: "bug", id: 1 }, undefined, { onDefect })
  expect(body).toMatchObject({ error: error(-32_603, "Internal error in bug") })
  expect(bugs).toEqual(["bug"])
})

describe("help", () => {
  const help = async (...params: ReadonlyArray<string>): Promise<unknown> => {
    return ((await ask({ method: "help", params, id: 1 })).body as { readonly result: unknown }).result
  }
  test("lists methods below their headings, without the hidden ones", async () => {
    expect(await help()).toBe(
      [
        "== Blockchain ==",
        'lookup "hash" ( [item,...] "raw" "mode" )',
        "",
        "== Control ==",
        "getrpcinfo",
        'help ( "command" )',
        "stop",
        "",
        "== Util ==",
        "getbalance",
        'tell first ( "second" third {"fee":n,"deep":n,...} )'
      ].join("\n")
    )
  })
  test("shows arguments, results and examples of one", async () => {
    const text = await help("tell")
    expect(text).toContain('2. second     (string, optional, default="two") A word\n')
    expect(text).toContain("> bitcoin-cli tell 1 'it'\\''s'\n")
    expect(text).toContain("> bitcoin-cli tell 1 '' 'a(b)#c'\n")
    expect(text).toContain("> bitcoin-cli -named tell first=1 second=b\n")
    expect(await help("getbalance")).toContain('  "big" : n     (numeric) More than 2^53\n}')
    expect(await help("nonsense")).toBe("help: unknown command: nonsense")
  })
  test("tells programs which arguments to convert", async () => {
    const rows = (await help("dump_all_command_conversions")) as ReadonlyArray<unknown>
    expect(rows).toContainEqual(["tell", 0, "first", false])
    expect(rows).toContainEqual(["tell", 1, "zweites", true])
    expect(rows).toContainEqual(["tell", 3, "fee", false])
  })
})

test("getrpcinfo tells of itself and of where the log is", async () => {
  const answer = dispatcher(methodTable(methods, { logPath: "/x/debug.log" }))
  const reply = await Effect.runPromise(answer(new TextEncoder().encode('{"method":"getrpcinfo"}')))
  expect(JSON.parse(reply.body)).toMatchObject({
    result: { active_commands: [{ method: "getrpcinfo" }], logpath: "/x/debug.log" }
  })
})

describe("whatever comes", () => {
  const answer = dispatcher(methodTable(methods))
  const statuses = new Set([200, 204, 400, 404, 500])
  const answered = async (body: Uint8Array): Promise<void> => {
    const reply = await Effect.runPromise(answer(body))
    expect(statuses.has(reply.status)).toBe(true)
    expect(reply.body === "" ? 204 : parseJsonBytes(new TextEncoder().encode(reply.body.trim()))._tag).toSatisfy(
      (seen) => seen === 204 || seen === "Success"
    )
  }
  test("any bytes have an answer", async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), answered), { numRuns: 200 })
  })
  test("any request has an answer", async () => {
    const name = fc.constantFrom(...methods.map(({ name }) => name), "help", "getrpcinfo", "constructor")
    const request = fc.record(
      { jsonrpc: fc.constantFrom("1.0", "2.0"), method: name, params: fc.jsonValue(), id: fc.jsonValue() },
      { requiredKeys: [] }
    )
    const json = fc.oneof(request, fc.array(request), fc.jsonValue())
    const property = fc.asyncProperty(json, (value) => answered(new TextEncoder().encode(JSON.stringify(value))))
    await fc.assert(property, { numRuns: 300 })
  })
  test("JSON is read as JSON.parse reads it", () => {
    const property = fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, space) => {
      const text = JSON.stringify(value, undefined, space)
      const read = parseJsonBytes(new TextEncoder().encode(text))
      expect(read._tag).toBe("Success")
      if (read._tag === "Success") expect(JSON.stringify(read.success, plain)).toBe(JSON.stringify(JSON.parse(text)))
    })
    fc.assert(property, { numRuns: 300 })
  })
  test("JSON is what JSON.parse takes for it, at every length of a number and a string", () => {
    const unit = fc.constantFrom(...'0019-.eE+""\\n \t\u0001\u007Fé'.split(""), "12345678901234", "x".repeat(31))
    const text = fc.oneof(
      fc.string({ unit, maxLength: 8 }),
      fc.string({ unit, maxLength: 8 }).map((text) => `"${text}"`),
      fc.string({ unit, maxLength: 4 }).map((text) => `[${text}]`)
    )
    const expected = (text: string): unknown => {
      try {
        return JSON.stringify(JSON.parse(text))
      } catch {
        return undefined
      }
    }
    const property = fc.property(text, (text) => {
      const read = parseJsonBytes(new TextEncoder().encode(text))
      expect(read._tag === "Success" ? JSON.stringify(read.success, plain) : undefined).toBe(expected(text))
    })
    fc.assert(property, { numRuns: 2000 })
  })
})

/** What is no number of JavaScript, as one. */
const plain = (_: string, value: unknown): unknown => {
  if (typeof value === "bigint") return Number(value)
  return typeof value === "object" && value !== null && "text" in value && Object.keys(value).length === 1
    ? Number(value.text)
    : value
}
