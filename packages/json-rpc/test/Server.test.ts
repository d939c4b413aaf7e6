import { connect } from "node:net"
import { type Method, method, result } from "@satwire/json-rpc"
import { REFUSAL_LINES_PER_MINUTE } from "@satwire/http-door"
import { RPC_ALL_REPLY_BYTES, RPC_BODY_BYTES } from "@satwire/json-rpc/server"
import { rawHttp } from "@satwire/testkit"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { methods } from "./Calls.ts"
import { type Served, asBitcoinCli, call, serve } from "./Serving.ts"

const STOP = { method: "stop", params: [], id: 1 }

describe("a server of JSON-RPC", () => {
  let served: Served
  beforeAll(async () => {
    served = await serve({ warmingUp: Effect.succeed(undefined) })
  })
  afterAll(() => served.close())

  test("answers the bytes of bitcoin-cli", async () => {
    const reply = await rawHttp(served.port, asBitcoinCli('{"method":"stop","params":[],"id":1}\n'))
    expect(reply.status).toBe(200)
    expect(reply.headers.toLowerCase()).toContain("content-type: application/json")
    expect(reply.body).toBe('{"result":"stopping","error":null,"id":1}\n')
  })
  test("answers bitcoin-cli of today, which speaks 2.0", async () => {
    const reply = await call(served.port, '{"jsonrpc":"2.0","method":"fail","params":{},"id":1}\n')
    expect([reply.status, reply.body]).toEqual([
      200,
      '{"jsonrpc":"2.0","error":{"code":-5,"message":"Block not found"},"id":1}\n'
    ])
  })
  test.each([
    [{ method: "fail", id: 1 }, 500],
    [{ method: "nothing", id: 1 }, 404],
    [{ id: 1 }, 400],
    [{ jsonrpc: "2.0", method: "nothing", id: 1 }, 200],
    [{ jsonrpc: "2.0", method: "stop" }, 204],
    [[{ jsonrpc: "2.0", method: "stop" }], 204],
    [[{ method: "fail" }], 200]
  ])("says with its status what became of %o", async (request, status) => {
    expect((await call(served.port, request)).status).toBe(status)
  })
  test("takes a body in chunks and a body of 8 MB", async () => {
    const chunked = { "Content-Length": "", "Transfer-Encoding": "chunked" }
    const body = JSON.stringify(STOP)
    const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
    expect((await rawHttp(served.port, asBitcoinCli(chunk, chunked))).status).toBe(200)
    const long = { jsonrpc: "2.0", id: 1, method: "lookup", params: ["0".repeat(64), [], "00".repeat(4_000_000)] }
    expect((await call(served.port, long)).body).toBe('{"jsonrpc":"2.0","result":"0 ","id":1}\n')
  })
  test("takes a body that comes after its head, in parts", async () => {
    const socket = connect(served.port, "127.0.0.1").setNoDelay(true)
    const request = asBitcoinCli(JSON.stringify(STOP), { Connection: "keep-alive" })
    const body = request.indexOf("\r\n\r\n") + 4
    const chunks: Array<string> = []
    socket.on("data", (chunk) => chunks.push(chunk.toString()))
    const answered = (count: number): Promise<void> =>
      until(() => chunks.join("").split('"stopping"').length === count + 1)
    for (let i = 1; i <= 2; i++) {
      for (const part of [request.slice(0, body), request.slice(body, body + 5), request.slice(body + 5)]) {
        await new Promise<void>((resolve) => socket.write(part, () => resolve()))
      }
      await answered(i)
    }
    socket.write(request + request)
    await answered(4)
    socket.destroy()
  })
  test("keeps a connection for the next request", async () => {
    const first = asBitcoinCli(JSON.stringify(STOP), { Connection: "keep-alive" })
    const reply = await rawHttp(served.port, first + asBitcoinCli(JSON.stringify(STOP)))
    expect(reply.body).toContain("HTTP/1.1 200")
  })

  test("refuses a body that is said to be too long, in one line", async () => {
    expect((await call(served.port, STOP, { "Content-Length": String(RPC_BODY_BYTES + 1) })).status).toBe(413)
    expect(served.lines).toEqual(["Refused an HTTP request from 127.0.0.1: its body has more than 16777216 bytes"])
  })
  test.each([
    ["{", "its body is not JSON: a name is missing, at character 1"],
    ["[".repeat(100_000), "its body is not JSON: it is nested more than 512 levels deep, at character 512"],
    ["7", "its body is neither an object nor an array"]
  ])("tells of a body that is none of JSON-RPC in one line", async (body, why) => {
    const served = await serve()
    expect((await rawHttp(served.port, asBitcoinCli(body))).status).toBe(500)
    expect(served.lines).toEqual([`Refused an HTTP request from 127.0.0.1: ${why}`])
    await served.close()
  })
  test("refuses a body in chunks that grows too long", async () => {
    const head = asBitcoinCli("", { "Content-Length": "", "Transfer-Encoding": "chunked" })
    const chunk = `${(1_048_576).toString(16)}\r\n${" ".repeat(1_048_576)}\r\n`
    expect((await rawHttp(served.port, head + chunk.repeat(18))).status).toBe(413)
  })
  test("has nothing but POST, and that at / alone", async () => {
    const get = await rawHttp(served.port, asBitcoinCli("", {}, "GET /"))
    expect([get.status, get.body]).toEqual([405, "JSONRPC server handles only POST requests"])
    for (const line of ["POST /wallet/x", "GET /metrics"]) {
      expect((await rawHttp(served.port, asBitcoinCli("{}", {}, line))).status).toBe(404)
    }
  })

  test("lets users call only what they may: else all of the request is refused", async () => {
    const served = await serve({ mayCall: (user, method) => user === "alice" && method === "stop" })
    expect((await call(served.port, [STOP, STOP])).status).toBe(200)
    const refused = await call(served.port, [STOP, { method: "tell", params: [1] }])
    expect([refused.status, refused.body]).toEqual([403, ""])
    expect(served.lines).toHaveLength(1)
    await served.close()
  })
})

/** A method that tells when it begins and how it ends, and otherwise waits. */
const watched = (name: string, waits: boolean) => {
  const seen = { begun: 0, now: 0, most: 0, interrupted: 0 }
  const go = Deferred.makeUnsafe<void>()
  const row: Method<never> = method({
    name,
    category: "hidden",
    about: "Waits.",
    params: [],
    result: result.string(""),
    waits,
    run: () =>
      Effect.gen(function* () {
        seen.begun++
        seen.now++
        seen.most = Math.max(seen.most, seen.now)
        yield* Deferred.await(go)
        return "done"
      }).pipe(
        Effect.onInterrupt(() => Effect.sync(() => seen.interrupted++)),
        Effect.ensuring(Effect.sync(() => seen.now--))
      )
  })
  return { seen, row, go: () => Deferred.doneUnsafe(go, Effect.void) }
}

const until = (holds: () => boolean): Promise<void> => expect.poll(holds, { interval: 5, timeout: 30_000 }).toBe(true)

describe("many requests at once", () => {
  test("a thousand: sixteen run, so many wait, the others are refused at once", async () => {
    const slow = watched("slow", false)
    const served = await serve({ methods: [slow.row], listen: {} })
    let refused = 0
    const statuses = Array.from({ length: 1000 }, async () => {
      // Beyond the connections that are taken, one is closed without a word.
      const { status, body } = await call(served.port, { method: "slow", id: 1 }).catch(() => ({ status: 0, body: "" }))
      if (status === 0 || status === 503) refused++
      if (status === 503) expect(body).toBe("Work queue depth exceeded")
      return status
    })
    await until(() => refused === 1000 - 16 - 64)
    expect(slow.seen.begun).toBe(16)
    slow.go()
    const all = await Promise.all(statuses)
    expect(all.filter((status) => status === 200)).toHaveLength(16 + 64)
    expect(slow.seen.most).toBe(16)
    expect(served.lines.length).toBeLessThanOrEqual(REFUSAL_LINES_PER_MINUTE)
    await served.close()
  })
  test("a hundred whose bodies come slowly keep nobody waiting", async () => {
    const served = await serve()
    const head = asBitcoinCli("", { "Content-Length": "", "Transfer-Encoding": "chunked" })
    const slow = Array.from({ length: 100 }, () => connect(served.port, "127.0.0.1").on("error", () => undefined))
    for (const socket of slow) await new Promise<void>((resolve) => socket.write(`${head}1\r\n{\r\n`, () => resolve()))
    expect((await call(served.port, STOP)).status).toBe(200)
    for (const socket of slow) socket.destroy()
    await served.close()
  })
  test("those that wait, whose bodies came in chunks of any length, leave room for other bodies", async () => {
    const wait = watched("wait", true)
    const served = await serve({ methods: [wait.row, ...methods] })
    const body = '{"method":"wait"}'
    const chunked = { "Content-Length": "", "Transfer-Encoding": "chunked" }
    const request = asBitcoinCli(`${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`, chunked)
    const waiting = Array.from({ length: 10 }, () => rawHttp(served.port, request))
    await until(() => wait.seen.begun === 10)
    expect((await call(served.port, STOP)).status).toBe(200)
    wait.go()
    await Promise.all(waiting)
    await served.close()
  })
  test("those that wait for something hold no place, and are so many", async () => {
    const wait = watched("wait", true)
    const served = await serve({ methods: [wait.row, ...methods], threads: 1, workQueue: 1, waiting: 3 })
    const waiting = []
    for (let i = 1; i <= 3; i++) {
      waiting.push(call(served.port, { method: "wait", id: i }))
      await until(() => wait.seen.begun === i)
    }
    expect((await call(served.port, STOP)).status).toBe(200)
    expect((await call(served.port, { method: "wait" })).body).toContain("Too many calls are waiting already")
    wait.go()
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200, 200])
    await served.close()
  })
  test("who reads no long reply keeps others out once there is too much of that, until he reads or goes", async () => {
    const long: Method<never> = method({
      name: "long",
      category: "hidden",
      about: "Says much.",
      params: [],
      result: result.string(""),
      run: () => Effect.succeed("a".repeat(20_000_000))
    })
    const served = await serve({ methods: [long, ...methods] })
    const deaf = []
    let status = 0
    // Seven are more than may be on their way.
    for (; status !== 503 && deaf.length < 12; status = (await call(served.port, STOP)).status) {
      const socket = connect(served.port, "127.0.0.1")
      socket.write(asBitcoinCli('{"method":"long"}'))
      await new Promise<void>((resolve) => socket.once("data", () => resolve()).once("data", () => socket.pause()))
      deaf.push(socket)
    }
    expect([status, deaf.length]).toEqual([503, Math.ceil(RPC_ALL_REPLY_BYTES / 20_000_000)])
    for (const socket of deaf) socket.destroy()
    await expect.poll(async () => (await call(served.port, STOP)).status, { interval: 20, timeout: 5000 }).toBe(200)
    await served.close()
  })
  test("a caller that goes away interrupts his call", async () => {
    const slow = watched("slow", false)
    const served = await serve({ methods: [slow.row] })
    const socket = connect(served.port, "127.0.0.1")
    socket.write(asBitcoinCli('{"method":"slow"}'))
    await until(() => slow.seen.begun === 1)
    socket.destroy()
    await until(() => slow.seen.interrupted === 1)
    expect(slow.seen.now).toBe(0)
    await served.close()
  })
  test("a server that stops interrupts what runs, and is gone", async () => {
    const wait = watched("wait", true)
    const served = await serve({ methods: [wait.row], listen: { graceMs: 20 } })
    const asked = call(served.port, { method: "wait" }).catch(() => undefined)
    await until(() => wait.seen.begun === 1)
    await served.close()
    await asked
    expect(wait.seen.interrupted).toBe(1)
    await expect(call(served.port, STOP)).rejects.toThrow("ECONNREFUSED")
  })
})

describe("who says nothing", () => {
  test("a body that is cut off is refused, and its place is free again", async () => {
    const served = await serve({ threads: 1, workQueue: 0 })
    const socket = connect(served.port, "127.0.0.1")
    socket.end(asBitcoinCli("{}", { "Content-Length": "100" }))
    await new Promise((resolve) => socket.on("close", resolve).resume())
    expect((await call(served.port, STOP)).status).toBe(200)
    await served.close()
  })
})
