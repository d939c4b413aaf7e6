import { it } from "@effect/vitest"
import { type Connection, Dialer, type Endpoint, Listener } from "@satwire/transport"
import { MiB, Observed, Signal, hosted, pattern } from "@satwire/transport/compliance"
import { describeWithCertificate } from "@satwire/testkit"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { once } from "node:events"
import { afterEach, describe, expect, vi } from "vitest"
import { MAX_RECEIVED_MESSAGE_BYTES, directRoute } from "../src/index.ts"
import {
  HANDSHAKE_TIMEOUT_MS,
  MAX_HANDSHAKES,
  type WebSocketRequest,
  layerWebSocket,
  listenWebSocket
} from "../src/node.ts"
import { OPENING, closeOf, foreignClient, foreignClientSoon, rawClient, restOf } from "./ForeignPeers.ts"

const host = "127.0.0.1"
const carried = Effect.provide(layerWebSocket(), { local: true })

/** A client of another hand, and the connection that the listener has of it. */
const foreignPair = Effect.gen(function* () {
  const { listening, accepted, signal } = yield* hosted(host)
  const client = yield* foreignClient(listening.endpoint)
  yield* signal.until(() => accepted.length === 1)
  const near = accepted[0] as Observed
  return { client, near, signal, closed: signal.until(() => near.closedBy() !== undefined) }
})

/** A listener that takes nobody before it is told to. */
const asked = Effect.gen(function* () {
  const requests: Array<WebSocketRequest> = []
  const signal = new Signal()
  const listening = yield* listenWebSocket({ host, port: 0 }, (request) => {
    requests.push(request)
    signal.changed()
  })
  return { listening, requests, next: signal.until(() => requests.length > 0) }
})

afterEach(() => {
  vi.useRealTimers()
})

describe("a WebSocket that is accepted", () => {
  it.live("takes a message in fragments, and one byte a message, as the bytes that they are", () =>
    Effect.gen(function* () {
      const { client, near, signal } = yield* foreignPair
      const sent = pattern(1000, 1)
      client.send(sent.subarray(0, 10), { fin: false })
      client.ping()
      client.send(sent.subarray(10, 11), { fin: false })
      client.send(sent.subarray(11, 500), { fin: true })
      for (let at = 500; at < 1000; at++) client.send(sent.subarray(at, at + 1))
      client.send(new Uint8Array(0))
      yield* signal.until(() => near.length === 1000)
      expect(near.received(sent)).toBe(true)
    }).pipe(carried, Effect.scoped)
  )

  it.live("answers a ping", () =>
    Effect.gen(function* () {
      const { client } = yield* foreignPair
      client.ping("are you there")
      const [said] = yield* Effect.promise(() => once(client, "pong"))
      expect(String(said)).toBe("are you there")
    }).pipe(carried, Effect.scoped)
  )

  it.live("closes with code 1003 who sends text", () =>
    Effect.gen(function* () {
      const { client, near, closed } = yield* foreignPair
      client.send("hello")
      expect(yield* closeOf(client)).toEqual({ code: 1003, why: "bytes are expected, not text" })
      yield* closed
      expect(near.reason()).toEqual({
        _tag: "Failed",
        code: "1003",
        message: "the other end sent text and not bytes"
      })
    }).pipe(carried, Effect.scoped)
  )

  it.live("closes with code 1009 who sends a message over the limit, also in fragments", () =>
    Effect.gen(function* () {
      for (const pieces of [1, 3]) {
        const { client, near, closed } = yield* foreignPair
        const piece = new Uint8Array(Math.ceil((MAX_RECEIVED_MESSAGE_BYTES + 1) / pieces))
        for (let i = 1; i <= pieces; i++) client.send(piece, { fin: i === pieces })
        expect((yield* closeOf(client)).code).toBe(1009)
        yield* closed
        expect(near.reason()).toMatchObject({ _tag: "Failed", code: "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH" })
        expect(near.length).toBe(0)
      }
    }).pipe(carried, Effect.scoped)
  )

  it.live("closes who sends a message in ever more fragments", () =>
    Effect.gen(function* () {
      const { client, near, closed } = yield* foreignPair
      for (let sent = 0; sent < 2000; sent++) client.send(Uint8Array.of(7), { fin: false })
      yield* closed
      expect(near.reason()).toMatchObject({ _tag: "Failed", code: "WS_ERR_TOO_MANY_BUFFERED_PARTS" })
      expect(near.length).toBe(0)
    }).pipe(carried, Effect.scoped)
  )

  // On Deno what is sent one by one does not arrive so.
  it.live.skipIf("Deno" in globalThis)("closes who sends a frame in ever more pieces", () =>
    Effect.gen(function* () {
      const { listening, accepted, signal } = yield* hosted(host)
      const client = yield* rawClient(listening.endpoint)
      client.setNoDelay(true)
      client.write(OPENING)
      yield* signal.until(() => accepted.length === 1)
      const near = accepted[0]
      // The head of a frame of 64 KiB, masked with zeros.
      client.write(Uint8Array.of(0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0))
      for (let sent = 0; sent < 60_000 && near?.closedBy() === undefined && client.writable; sent++) {
        client.write(Uint8Array.of(7))
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      }
      yield* signal.until(() => near?.closedBy() !== undefined)
      expect(near?.reason()).toMatchObject({ _tag: "Failed", code: "WS_ERR_TOO_MANY_BUFFERED_PARTS" })
    }).pipe(carried, Effect.scoped)
  )

  it.live("closes who sends what is no frame of a client", () =>
    Effect.gen(function* () {
      const { listening, accepted, signal } = yield* hosted(host)
      const client = yield* rawClient(listening.endpoint)
      client.write(OPENING)
      yield* signal.until(() => accepted.length === 1)
      // A binary frame of one byte without the mask that a client has to put on.
      client.write(Uint8Array.of(0x82, 0x01, 0x07))
      yield* signal.until(() => accepted[0]?.closedBy() !== undefined)
      expect(accepted[0]?.reason()).toMatchObject({ _tag: "Failed", code: "WS_ERR_EXPECTED_MASK" })
    }).pipe(carried, Effect.scoped)
  )

  it.live("gives the code and the words of who closes, without what is not printable", () =>
    Effect.gen(function* () {
      const { client, near, closed } = yield* foreignPair
      client.close(4001, "enough\u0007\nof it")
      yield* closed
      const message = "the other end closed the WebSocket: enough??of it"
      expect(near.reason()).toEqual({ _tag: "Failed", code: "4001", message })
    }).pipe(carried, Effect.scoped)
  )

  it.live("ends with a code and words for the other end, which take nothing from what was sent before", () =>
    Effect.gen(function* () {
      const { listening, requests, next } = yield* asked
      const client = yield* foreignClientSoon(listening.endpoint)
      yield* next
      const signal = new Signal()
      const end = requests[0]?.accept()
      if (end === undefined) return expect.unreachable()
      const near = new Observed(end, signal)
      let heard = 0
      client.on("message", (bytes: Buffer) => (heard += bytes.length))
      end.write(new Uint8Array(MiB))
      end.endWith(4408, `idle\u0000 and \u20ac ${"x".repeat(200)}`)
      const { code, why } = yield* closeOf(client)
      expect([code, heard]).toEqual([4408, MiB])
      expect(why).toBe(`idle? and ? ${"x".repeat(111)}`)
      yield* signal.until(() => near.closedBy() !== undefined)
      expect(near.closedBy()).toBe("Ended")
    }).pipe(Effect.scoped)
  )

  it.live("ends in order with who leaves without a word, and is reset with who vanishes", () =>
    Effect.gen(function* () {
      for (const [leave, tag] of [
        ["close", "Ended"],
        ["terminate", "Reset"]
      ] as const) {
        const { client, near, closed } = yield* foreignPair
        client[leave]()
        yield* closed
        expect(near.closedBy()).toBe(tag)
      }
    }).pipe(carried, Effect.scoped)
  )

  it.live("compresses nothing, though it is offered", () =>
    Effect.gen(function* () {
      const { listening } = yield* hosted(host)
      const client = yield* foreignClient(listening.endpoint, { perMessageDeflate: true })
      expect(client.extensions).toBe("")
    }).pipe(carried, Effect.scoped)
  )
})

describe("a listener for WebSockets", () => {
  it.live("tells a plain request that it wants another one, and a bad one that it is bad", () =>
    Effect.gen(function* () {
      const { listening } = yield* hosted(host)
      const answerTo = (text: string): Effect.Effect<string> =>
        Effect.scoped(
          Effect.gen(function* () {
            const client = yield* rawClient(listening.endpoint)
            client.write(text)
            return (yield* restOf(client)).split("\r\n")[0] ?? ""
          })
        )
      expect(yield* answerTo("GET / HTTP/1.1\r\nHost: x\r\n\r\n")).toBe("HTTP/1.1 426 Upgrade Required")
      expect(yield* answerTo(OPENING.replace("Version: 13", "Version: 7"))).toBe("HTTP/1.1 400 Bad Request")
      expect(yield* answerTo(OPENING.replace(/Key: .*/, "Key: short"))).toBe("HTTP/1.1 400 Bad Request")
      expect(yield* answerTo(OPENING.replace("GET", "POST"))).toBe("HTTP/1.1 405 Method Not Allowed")
      expect(yield* answerTo("\u0000\u0001\u0002\r\n\r\n")).toBe("HTTP/1.1 400 Bad Request")
    }).pipe(carried, Effect.scoped)
  )

  it.live("drops the oldest where more are on their way than it allows, and takes the newest", () =>
    Effect.gen(function* () {
      const { listening } = yield* hosted(host)
      const oldest = yield* rawClient(listening.endpoint)
      const dropped = yield* Deferred.make<string>()
      yield* Effect.forkScoped(Effect.flatMap(restOf(oldest), (said) => Deferred.succeed(dropped, said)))
      for (let i = 1; i < MAX_HANDSHAKES; i++) yield* rawClient(listening.endpoint)
      yield* foreignClient(listening.endpoint)
      expect(yield* Deferred.await(dropped)).toBe("")
    }).pipe(carried, Effect.scoped)
  )

  it.live("asks about each one first, and refuses with a status and a sentence", () =>
    Effect.gen(function* () {
      const { listening, requests, next } = yield* asked
      const client = yield* rawClient(listening.endpoint)
      client.write(
        OPENING.replace("GET /", "GET /a?b=c").replace(
          "Host",
          "Origin: https://page.example\r\nX-A: 1\r\nX-A: 2\r\nHost"
        )
      )
      yield* next
      const [request] = requests as [WebSocketRequest]
      const { path, origin, remote, local } = request
      expect({ path, origin }).toEqual({ path: "/a?b=c", origin: "https://page.example" })
      expect(request.header("x-a")).toBe("1, 2")
      expect(remote).toEqual({ host, port: client.localPort })
      expect(local).toEqual(listening.endpoint)
      request.refuse(403, "Not for you.")
      const answer = yield* restOf(client)
      expect(answer).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/)
      expect(answer).toMatch(/\r\n\r\nNot for you\.\n$/)
      expect(listening.connections()).toBe(0)
    }).pipe(Effect.scoped)
  )

  it.live("gives no connection for who is gone by the time that it is accepted", () =>
    Effect.gen(function* () {
      const { listening, requests, next } = yield* asked
      const client = yield* rawClient(listening.endpoint)
      client.write(OPENING)
      yield* next
      client.resetAndDestroy()
      yield* Effect.promise(() => once(client, "close"))
      // The reset has crossed when a later connection has.
      yield* rawClient(listening.endpoint)
      const given: Connection | undefined = requests[0]?.accept()
      if (given !== undefined) {
        // The reset was not read before the answer was written: then the connection closes at once.
        const signal = new Signal()
        const near = new Observed(given, signal)
        yield* signal.until(() => near.closedBy() !== undefined)
        expect(near.closedBy()).toBe("Reset")
      }
      expect(listening.connections()).toBe(0)
    }).pipe(Effect.scoped)
  )

  it.live("says what is wrong with a port that does not exist", () =>
    Effect.gen(function* () {
      const { listen } = yield* Listener
      const where: Endpoint = { host, port: 70_000 }
      const error = yield* Effect.flip(listen(where, () => undefined))
      expect(error).toMatchObject({ reason: "Other", message: expect.stringContaining("70000") })
    }).pipe(carried, Effect.scoped)
  )
})

/** Neither silence nor half a request keeps a place, and who is through keeps it. */
const dropsTheSlow = (layer: Layer.Layer<Dialer | Listener>): Effect.Effect<void, unknown> =>
  Effect.gen(function* () {
    const { listening } = yield* hosted(host)
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
    const silent = yield* rawClient(listening.endpoint)
    const dribbling = yield* rawClient(listening.endpoint)
    dribbling.write(OPENING.slice(0, 60))
    const signal = new Signal()
    const near = new Observed(yield* (yield* Dialer).dial(listening.endpoint), signal)
    vi.advanceTimersByTime(HANDSHAKE_TIMEOUT_MS)
    vi.useRealTimers()
    yield* Effect.all([restOf(silent), restOf(dribbling)], { concurrency: 2 })
    expect(near.closedBy()).toBe(undefined)
    expect(listening.connections()).toBe(1)
  }).pipe(Effect.provide(layer, { local: true }), Effect.scoped)

describe("a slow handshake", () => {
  it.live("is dropped in time, whatever was said of it so far", () => dropsTheSlow(layerWebSocket()))
})

describeWithCertificate(describe, "a slow handshake in TLS", (tls) => {
  const layer = layerWebSocket({ tls, authorities: tls.certificate, route: directRoute({ secure: true }) })
  it.live("is dropped in time, whatever was said of it so far", () => dropsTheSlow(layer))
})
