/** Bridges that refuse, bridges that lie, and sessions that are lost: each is told in words, and nothing of an attempt is left. */
import { it } from "@effect/vitest"
import { type DialReason, Dialer, type Endpoint, Listener } from "@satwire/transport"
import { Observed, Signal, pattern } from "@satwire/transport/compliance"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import { describe, expect } from "vitest"
import {
  ACCEPT_RETRY_MS,
  ACCEPT_WAIT_MS,
  DEFAULT_I2P_TIMEOUT_MS,
  I2P_HOST,
  type I2pOptions,
  MAX_SAM_LINE_BYTES,
  SAM_ANSWER_MS,
  layerI2p,
  makeIdentity
} from "../src/index.ts"
import { type SamRouter, type SamRouterOptions, keys, nameOf, samRouter } from "./SamRouter.ts"

const LISTEN = { host: I2P_HOST, port: 0 }

/** A dialer and a listener under one identity of that router's. */
const identity = (router: SamRouter, options: Omit<I2pOptions, "bridge"> = {}) =>
  Effect.map(Layer.build(layerI2p({ bridge: router.bridge, ...options })), (built) => ({
    dialer: Context.get(built, Dialer),
    listener: Context.get(built, Listener)
  }))

/** A router with somebody who listens, and somebody else who dials. */
const two = (options: SamRouterOptions = {}) =>
  Effect.gen(function* () {
    const router = yield* samRouter()
    const there = yield* identity(router)
    const signal = new Signal()
    const accepted: Array<Observed> = []
    const { endpoint } = yield* there.listener.listen(LISTEN, (connection) => {
      accepted.push(new Observed(connection, signal))
      signal.changed()
    })
    yield* Effect.promise(async () => {
      while (!router.asked.some((line) => line.startsWith("STREAM ACCEPT"))) await new Promise(setImmediate)
    })
    router.instead.push(...(options.instead ?? []))
    const here = yield* identity(router)
    return { router, there, here, endpoint, accepted, signal, ...here.dialer }
  })

/** What comes of a dial where the router says something else instead of what is due. */
const failure = (to: string, say: string) =>
  Effect.gen(function* () {
    const { dial, connections, endpoint } = yield* two({ instead: [[to, say]] })
    const error = yield* Effect.flip(dial(endpoint))
    expect(connections()).toBe(0)
    expect(error.message).toContain(endpoint.host)
    return error
  }).pipe(Effect.scoped)

describe("a router that refuses", () => {
  it.live.each<readonly [result: string, reason: DialReason]>([
    ["CANT_REACH_PEER", "Unreachable"],
    ["PEER_NOT_FOUND", "Unreachable"],
    ["LEASESET_NOT_FOUND", "Unreachable"],
    ["CONNECTION_REFUSED", "Refused"],
    ["TIMEOUT", "TimedOut"],
    ["INVALID_KEY", "NameNotFound"],
    ["INVALID_ID", "ProxyFailed"],
    ["I2P_ERROR", "ProxyFailed"],
    ["WHO_KNOWS", "ProxyFailed"]
  ])("a stream with %s is told as such", ([result, reason]) =>
    Effect.gen(function* () {
      const error = yield* failure("STREAM CONNECT", `STREAM STATUS RESULT=${result} MESSAGE="so it is"\n`)
      expect(error).toMatchObject({ reason, code: result })
      expect(error.message).toContain(reason === "ProxyFailed" ? `${result}: so it is` : "")
    })
  )

  it.live.each<readonly [result: string, reason: DialReason]>([
    ["KEY_NOT_FOUND", "NameNotFound"],
    ["INVALID_KEY", "NameNotFound"],
    ["LEASESET_NOT_FOUND", "Unreachable"],
    ["I2P_ERROR", "ProxyFailed"]
  ])("a name with %s is told as such", ([result, reason]) =>
    Effect.gen(function* () {
      const error = yield* failure("NAMING LOOKUP", `NAMING REPLY RESULT=${result} NAME=x.i2p\n`)
      expect(error).toMatchObject({ reason, code: result })
    })
  )

  it.live.each<readonly [to: string, say: string]>([
    ["HELLO VERSION", "HELLO REPLY RESULT=NOVERSION\n"],
    ["SESSION CREATE", "SESSION STATUS RESULT=DUPLICATED_ID\n"],
    ["SESSION CREATE", "SESSION STATUS RESULT=DUPLICATED_DEST\n"],
    ["SESSION CREATE", 'SESSION STATUS RESULT=I2P_ERROR MESSAGE="not ready"\n']
  ])("%s with %j is told as the router's doing", ([to, say]) =>
    Effect.gen(function* () {
      const error = yield* failure(to, say)
      expect(error).toMatchObject({ reason: "ProxyFailed", code: "SAM_REFUSED" })
      expect(error.message).toContain(/RESULT=(\w+)/.exec(say)?.[1])
    })
  )

  it.live("to be there at all is out of reach", () =>
    Effect.gen(function* () {
      const built = yield* Layer.build(layerI2p({ bridge: { host: "127.0.0.1", port: 1 } }))
      const error = yield* Effect.flip(Context.get(built, Dialer).dial({ host: "x.b32.i2p", port: 0 }))
      expect(error).toMatchObject({ reason: "ProxyUnreachable" })
      const unheard = yield* Effect.flip(Context.get(built, Listener).listen(LISTEN, () => undefined))
      expect(unheard).toMatchObject({ reason: "Other", code: "SAM" })
      expect(unheard.message).toContain("127.0.0.1:1")
    }).pipe(Effect.scoped)
  )
})

const STAGES = ["HELLO VERSION", "SESSION CREATE", "NAMING LOOKUP", "STREAM CONNECT"] as const

describe("a router that does not speak SAM", () => {
  const http = "HTTP/1.1 400 Bad Request\r\n\r\n"
  const lies = [
    ["speaks HTTP", http],
    ["answers something else", "PONG REPLY RESULT=OK\n"],
    ["says an empty line", "\n"],
    ["says a line that does not end", "x".repeat(MAX_SAM_LINE_BYTES + 1)],
    ["says bytes that are no letters", "\u0000\u0001\u0002\n"]
  ] as const
  it.live.each(lies.flatMap(([what, say]) => STAGES.map((stage) => [what, stage, say] as const)))(
    "and %s to %s has failed",
    ([, stage, say]) =>
      Effect.gen(function* () {
        const error = yield* failure(stage, say)
        expect(error).toMatchObject({ reason: "ProxyFailed", code: "SAM_MALFORMED" })
      })
  )

  it.live("and takes one name for another has failed", () =>
    Effect.gen(function* () {
      const say = `NAMING REPLY RESULT=OK NAME=x VALUE=${keys().destination}\n`
      expect(yield* failure("NAMING LOOKUP", say)).toMatchObject({ code: "SAM_MALFORMED" })
    })
  )

  it.live("and gives a session without a key has failed", () =>
    Effect.gen(function* () {
      const error = yield* failure("SESSION CREATE", "SESSION STATUS RESULT=OK DESTINATION=abcd\n")
      expect(error).toMatchObject({ code: "SAM_MALFORMED" })
    })
  )

  it.live("and takes the longest line there may be is still heard", () =>
    Effect.gen(function* () {
      const before = "STREAM STATUS RESULT=I2P_ERROR MESSAGE="
      const error = yield* failure("STREAM CONNECT", `${before}${"x".repeat(MAX_SAM_LINE_BYTES - before.length)}\n`)
      expect(error).toMatchObject({ code: "I2P_ERROR" })
    })
  )
})

describe("a router that breaks off", () => {
  it.live.each(STAGES)("at %s is told as lost", (stage) =>
    Effect.gen(function* () {
      expect(yield* failure(stage, "")).toMatchObject({ reason: "ProxyUnreachable", code: "SAM_LOST" })
    })
  )
})

describe("a router that never answers", () => {
  /** Until it has heard a line, in real time. */
  const heard = (router: SamRouter, line: string) =>
    Effect.promise(async () => {
      while (!router.asked.some((one) => one.startsWith(line))) await new Promise(setImmediate)
    })
  const silent = (stage: string) =>
    Effect.gen(function* () {
      const router = yield* samRouter({ instead: [[stage, "x"]] })
      const { dialer } = yield* identity(router)
      return { router, ...dialer }
    })
  const nobody = { host: nameOf(keys().destination), port: 0 }

  it.effect.each(["HELLO VERSION", "SESSION CREATE", "NAMING LOOKUP"])(
    "%s costs a dial its time and leaves nothing",
    (stage) =>
      Effect.gen(function* () {
        const { router, dial, connections } = yield* silent(stage)
        const dialling = yield* Effect.forkChild(Effect.flip(dial(nobody, { timeoutMs: 5000 })), {
          startImmediately: true
        })
        yield* heard(router, stage)
        yield* TestClock.adjust(4999)
        expect(dialling.pollUnsafe()).toBeUndefined()
        yield* TestClock.adjust(1)
        expect(yield* Fiber.join(dialling)).toMatchObject({ reason: "TimedOut", endpoint: nobody })
        expect(connections()).toBe(0)
      }).pipe(Effect.scoped)
  )

  it.live.each(["HELLO VERSION", "SESSION CREATE", "NAMING LOOKUP"])(
    "%s is left when the dial is interrupted",
    (stage) =>
      Effect.gen(function* () {
        const { router, dial, connections } = yield* silent(stage)
        const dialling = yield* Effect.forkChild(dial(nobody), { startImmediately: true })
        yield* heard(router, stage)
        yield* Fiber.interrupt(dialling)
        expect(connections()).toBe(0)
        // And the next one is not held up by it.
        expect(yield* Effect.flip(dial(nobody))).toMatchObject({ reason: "NameNotFound" })
      }).pipe(Effect.scoped)
  )

  it.effect("costs whoever listens as long as Core waits", () =>
    Effect.gen(function* () {
      expect(DEFAULT_I2P_TIMEOUT_MS).toBe(SAM_ANSWER_MS)
      const router = yield* samRouter({ instead: [["SESSION CREATE", "x"]] })
      const { listener } = yield* identity(router)
      const listening = yield* Effect.forkChild(Effect.flip(listener.listen(LISTEN, () => undefined)), {
        startImmediately: true
      })
      yield* heard(router, "SESSION CREATE")
      yield* TestClock.adjust(SAM_ANSWER_MS)
      expect((yield* Fiber.join(listening)).message).toContain("SESSION CREATE")
    }).pipe(Effect.scoped)
  )
})

describe("a stream", () => {
  it.live("loses nothing of what comes in one piece with the router's last line", () =>
    Effect.gen(function* () {
      const said = pattern(1000, 3).map((byte) => 97 + (byte % 26))
      const text = String.fromCharCode(...said)
      for (const end of ["", "\n\nSTREAM STATUS RESULT=I2P_ERROR\n"]) {
        const { dial, endpoint } = yield* two({
          instead: [["STREAM CONNECT", `STREAM STATUS RESULT=OK\n${text}${end}`]]
        })
        const signal = new Signal()
        const near = new Observed(yield* dial(endpoint), signal)
        yield* signal.until(() => near.length >= said.length + end.length)
        expect(near.received(new TextEncoder().encode(text + end))).toBe(true)
      }
    }).pipe(Effect.scoped)
  )

  it.live("tells both ends who the other is", () =>
    Effect.gen(function* () {
      const { dial, endpoint, here, accepted, signal } = yield* two()
      const connection = yield* dial(endpoint)
      yield* signal.until(() => accepted.length === 1)
      const far = accepted[0]?.connection
      expect([connection.direction, connection.remote, far?.direction, far?.local]).toEqual([
        "outbound",
        endpoint,
        "inbound",
        endpoint
      ])
      expect(far?.remote).toEqual(connection.local)
      expect(here.dialer.connections()).toBe(1)
    }).pipe(Effect.scoped)
  )

  it.live.each<readonly [what: string, endpoint: Endpoint]>([
    ["another network's name", { host: "example.org", port: 0 }],
    ["an address", { host: "192.0.2.1", port: 8333 }],
    ["two lines", { host: "x.i2p\nSESSION CREATE STYLE=STREAM ID=a.i2p", port: 0 }],
    ["a pair of its own", { host: "x VALUE=y.i2p", port: 0 }],
    ["a port", { host: "x.b32.i2p", port: 8333 }]
  ])("is not asked for where the endpoint has %s", ([, endpoint]) =>
    Effect.gen(function* () {
      const router = yield* samRouter()
      const { dialer } = yield* identity(router)
      expect(yield* Effect.flip(dialer.dial(endpoint))).toMatchObject({ reason: "NoRoute", endpoint })
      expect(router.asked).toEqual([])
    }).pipe(Effect.scoped)
  )
})

const count = (router: SamRouter, line: string): number => router.asked.filter((one) => one.startsWith(line)).length

describe("a session", () => {
  it.live("is one for all that is dialled, also at once", () =>
    Effect.gen(function* () {
      const { router, dial, endpoint } = yield* two()
      yield* Effect.all(
        Array.from({ length: 20 }, () => dial(endpoint)),
        { concurrency: "unbounded" }
      )
      expect(count(router, "SESSION CREATE")).toBe(2)
    }).pipe(Effect.scoped)
  )

  it.live("that the router lost is made anew, under the same name where it has a key, and streams live on", () =>
    Effect.gen(function* () {
      const router = yield* samRouter()
      const { privateKey, endpoint } = yield* makeIdentity(router.bridge)
      const there = yield* identity(router, { privateKey })
      const here = yield* identity(router)
      const signal = new Signal()
      const accepted: Array<Observed> = []
      yield* there.listener.listen(LISTEN, (connection) => {
        accepted.push(new Observed(connection, signal))
        signal.changed()
      })
      const before = new Observed(yield* here.dialer.dial(endpoint), signal)
      yield* signal.until(() => accepted.length === 1)
      router.restart()
      yield* Effect.retry(here.dialer.dial(endpoint), { while: ({ reason }) => reason === "NameNotFound" })
      yield* signal.until(() => accepted.length === 2)
      expect(count(router, "SESSION CREATE")).toBe(4)
      before.connection.write(Uint8Array.of(1))
      yield* signal.until(() => accepted[0]?.length === 1)
    }).pipe(Effect.scoped)
  )

  it.live("that the router no longer knows is made anew for the next dial", () =>
    Effect.gen(function* () {
      const { router, dial, endpoint } = yield* two({
        instead: [["STREAM CONNECT", "STREAM STATUS RESULT=INVALID_ID\n"]]
      })
      expect(yield* Effect.flip(dial(endpoint))).toMatchObject({ reason: "ProxyFailed", code: "INVALID_ID" })
      yield* dial(endpoint)
      expect(count(router, "SESSION CREATE")).toBe(3)
    }).pipe(Effect.scoped)
  )

  it.live("has a lasting identity for who gives a key", () =>
    Effect.gen(function* () {
      const router = yield* samRouter()
      const { privateKey, endpoint } = yield* makeIdentity(router.bridge)
      for (let i = 0; i < 2; i++) {
        yield* Effect.gen(function* () {
          const { listener } = yield* identity(router, { privateKey })
          expect((yield* listener.listen(LISTEN, () => undefined)).endpoint).toEqual(endpoint)
          expect((yield* Effect.flip(listener.listen(endpoint, () => undefined))).reason).toBe("AddressInUse")
        }).pipe(Effect.scoped)
      }
      expect(router.asked.filter((line) => line.includes("TRANSIENT"))).toEqual([])
    }).pipe(Effect.scoped)
  )

  it.live.each(["", "abcd", `${keys().privateKey}\nDEST GENERATE`, keys().destination])(
    "is not asked for with the key %#",
    (privateKey) =>
      Effect.gen(function* () {
        const router = yield* samRouter()
        const { dialer } = yield* identity(router, { privateKey })
        const error = yield* Effect.flip(dialer.dial({ host: "x.i2p", port: 0 }))
        expect(error.message).toContain("private key")
        if (privateKey !== "") expect(error.message).not.toContain(privateKey)
        expect(router.asked).toEqual([])
      }).pipe(Effect.scoped)
  )

  it.live("ends with the layer, and so does whoever waits at the router", () =>
    Effect.gen(function* () {
      const router = yield* samRouter()
      yield* Effect.gen(function* () {
        const { listener } = yield* identity(router)
        yield* listener.listen(LISTEN, () => undefined)
      }).pipe(Effect.scoped)
      yield* Effect.promise(async () => {
        while (router.open() > 0) await new Promise(setImmediate)
      })
    }).pipe(Effect.scoped)
  )
})

describe("who listens", () => {
  const accepts = (router: SamRouter, wanted: number) =>
    Effect.promise(async () => {
      while (count(router, "STREAM ACCEPT") < wanted) await new Promise(setImmediate)
    })
  /** Long enough for what was said on loopback to be heard, which nothing else shows. */
  const delivered = () => new Promise((resolve) => setTimeout(resolve, 50))
  /** Until the pause has begun that follows a failure. */
  const settled = (router: SamRouter) =>
    Effect.promise(async () => {
      while (router.open() > 1) await new Promise(setImmediate)
      await delivered()
    })

  it.effect.each<readonly [what: string, say: string]>([
    ["refuses", "STREAM STATUS RESULT=I2P_ERROR\n"],
    ["knows no such session", "STREAM STATUS RESULT=INVALID_ID\n"],
    ["closes the session", 'STREAM STATUS RESULT=OK\nSTREAM STATUS RESULT=I2P_ERROR MESSAGE="Session was closed"\n'],
    ["breaks off", ""],
    ["does not say who came", "STREAM STATUS RESULT=OK\nsomebody\n"],
    ["says nobody came", "STREAM STATUS RESULT=OK\n\n"]
  ])("asks again after a pause that grows where the router %s", ([, say]) =>
    Effect.gen(function* () {
      const router = yield* samRouter({ instead: Array.from({ length: 3 }, () => ["STREAM ACCEPT", say] as const) })
      const { listener } = yield* identity(router)
      yield* listener.listen(LISTEN, () => expect.unreachable())
      for (let failed = 1; failed <= 3; failed++) {
        yield* accepts(router, failed)
        yield* settled(router)
        yield* TestClock.adjust(failed * ACCEPT_RETRY_MS - 1)
        expect(count(router, "STREAM ACCEPT")).toBe(failed)
        yield* TestClock.adjust(1)
      }
      yield* accepts(router, 4)
    }).pipe(Effect.scoped)
  )

  it.effect("waits at a new connection after three minutes without anybody", () =>
    Effect.gen(function* () {
      const router = yield* samRouter()
      const { listener } = yield* identity(router)
      yield* listener.listen(LISTEN, () => undefined)
      for (let turn = 1; turn <= 3; turn++) {
        yield* accepts(router, turn)
        yield* Effect.promise(delivered)
        yield* TestClock.adjust(ACCEPT_WAIT_MS)
      }
      yield* accepts(router, 4)
    }).pipe(Effect.scoped)
  )

  it.live("goes on after somebody who came and went at once", () =>
    Effect.gen(function* () {
      const { dial, endpoint, accepted, signal } = yield* two()
      for (let i = 0; i < 20; i++) (yield* dial(endpoint)).destroy()
      yield* signal.until(() => accepted.length === 20 && accepted.every((one) => one.closedBy() !== undefined))
    }).pipe(Effect.scoped)
  )
})
