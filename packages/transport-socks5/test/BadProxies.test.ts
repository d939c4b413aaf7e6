/** Proxies that refuse, and proxies that lie: each is told in words, and nothing of an attempt is left. */
import { it } from "@effect/vitest"
import { Pieces, tcpServer } from "@satwire/testkit"
import { type DialReason, Dialer } from "@satwire/transport"
import { Observed, Signal, pattern } from "@satwire/transport/compliance"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import { describe, expect } from "vitest"
import { DEFAULT_SOCKS5_TIMEOUT_MS, type Socks5Options, layerSocks5 } from "../src/index.ts"

const ENDPOINT = { host: "satwire.onion", port: 8333 }
/** Ours for that endpoint: greeting without credentials, then the request. */
const GREETING_BYTES = 3
const REQUEST_BYTES = 4 + 1 + ENDPOINT.host.length + 2
const AGREED = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0]

interface Step {
  /** How many bytes it waits for … */
  readonly after: number
  /** … and what it says then. */
  readonly say: ReadonlyArray<number> | Uint8Array
}

interface Scripted {
  readonly steps: ReadonlyArray<Step>
  readonly credentials?: Socks5Options["credentials"]
  /** What it does at the end of its script; it waits where not given. */
  readonly finally?: "end" | "reset"
  /** Says each byte for itself. */
  readonly dribbles?: boolean
}

/** What comes of a dial through a proxy that follows a script. */
const dialThrough = (script: Scripted) =>
  Effect.gen(function* () {
    const spoken = yield* Deferred.make<void>()
    const closed = yield* Deferred.make<void>()
    const proxy = yield* tcpServer(async (socket) => {
      socket.setNoDelay(true)
      socket.on("close", () => Deferred.doneUnsafe(closed, Effect.void))
      const pieces = new Pieces(socket)
      for (const { after, say } of script.steps) {
        await pieces.read(after)
        for (const part of script.dribbles === true ? Array.from(say, (byte) => [byte]) : [say]) {
          await new Promise((resolve) => socket.write(Uint8Array.from(part), resolve))
        }
      }
      Deferred.doneUnsafe(spoken, Effect.void)
      if (script.finally === "end") socket.end()
      if (script.finally === "reset") socket.resetAndDestroy()
    })
    const layer = layerSocks5({ proxy, credentials: script.credentials ?? "None" })
    const { dial, connections } = Context.get(yield* Layer.build(layer), Dialer)
    return { dial: dial(ENDPOINT), connections, spoken: Deferred.await(spoken), closed: Deferred.await(closed) }
  })

const failure = (script: Scripted) =>
  Effect.gen(function* () {
    const { dial, connections, closed } = yield* dialThrough(script)
    const error = yield* Effect.flip(dial)
    expect(connections()).toBe(0)
    yield* closed
    return error
  }).pipe(Effect.scoped)

const greeted: Step = { after: GREETING_BYTES, say: [5, 0] }
const replies = (...say: ReadonlyArray<number>): Scripted => ({ steps: [greeted, { after: REQUEST_BYTES, say }] })

describe("a proxy that replies", () => {
  it.live.each<readonly [code: number, reason: DialReason, code: string]>([
    [0x01, "ProxyFailed", "SOCKS5_GENERAL_FAILURE"],
    [0x02, "NotAllowed", "SOCKS5_NOT_ALLOWED"],
    [0x03, "Unreachable", "SOCKS5_NETWORK_UNREACHABLE"],
    [0x04, "Unreachable", "SOCKS5_HOST_UNREACHABLE"],
    [0x05, "Refused", "SOCKS5_CONNECTION_REFUSED"],
    [0x06, "TimedOut", "SOCKS5_TTL_EXPIRED"],
    [0x07, "ProxyFailed", "SOCKS5_COMMAND_NOT_SUPPORTED"],
    [0x08, "NoRoute", "SOCKS5_ADDRESS_TYPE_NOT_SUPPORTED"],
    [0xf0, "Unreachable", "TOR_DESCRIPTOR_NOT_FOUND"],
    [0xf1, "Unreachable", "TOR_DESCRIPTOR_INVALID"],
    [0xf2, "Unreachable", "TOR_INTRODUCTION_FAILED"],
    [0xf3, "Unreachable", "TOR_RENDEZVOUS_FAILED"],
    [0xf4, "NotAllowed", "TOR_MISSING_AUTHORIZATION"],
    [0xf5, "NotAllowed", "TOR_WRONG_AUTHORIZATION"],
    [0xf6, "NameNotFound", "TOR_INVALID_ADDRESS"],
    [0xf7, "TimedOut", "TOR_INTRODUCTION_TIMED_OUT"],
    [0x09, "ProxyFailed", "SOCKS5_0x09"],
    [0xff, "ProxyFailed", "SOCKS5_0xff"]
  ])("with code %i is told as such", ([reply, reason, code]) =>
    Effect.gen(function* () {
      const error = yield* failure(replies(5, reply, 0, 1, 0, 0, 0, 0, 0, 0))
      expect(error).toMatchObject({ reason, code, endpoint: ENDPOINT })
      expect(error.message).toContain("satwire.onion:8333")
    })
  )

  it.live.each([
    ["an IPv4 address", AGREED],
    ["an IPv6 address", [5, 0, 0, 4, ...new Uint8Array(18).fill(255)]],
    ["a name", [5, 0, 0, 3, 255, ...new Uint8Array(257).fill(97)]],
    ["an empty name", [5, 0, 0, 3, 0, 0, 0]]
  ] as const)("with %s has agreed, in one piece or in many", ([, answer]) =>
    Effect.gen(function* () {
      for (const dribbles of [false, true]) {
        const said = pattern(1000, 3)
        const steps = [greeted, { after: REQUEST_BYTES, say: [...answer, ...said] }]
        const { dial } = yield* dialThrough({ steps, dribbles })
        const signal = new Signal()
        const connection = yield* dial
        const near = new Observed(connection, signal)
        yield* signal.until(() => near.length >= said.length)
        expect(near.received(said)).toBe(true)
      }
    }).pipe(Effect.scoped)
  )

  it.live("and then closes loses nothing of what came after the reply", () =>
    Effect.gen(function* () {
      const said = pattern(100_000, 4)
      const { dial } = yield* dialThrough({
        steps: [greeted, { after: REQUEST_BYTES, say: [...AGREED, ...said] }],
        finally: "end"
      })
      const connection = yield* dial
      for (let turn = 0; turn < 20; turn++) yield* Effect.yieldNow
      const signal = new Signal()
      const near = new Observed(connection, signal)
      yield* signal.until(() => near.closedBy() !== undefined)
      expect([near.closedBy(), near.received(said)]).toEqual(["Ended", true])
    }).pipe(Effect.scoped)
  )
})

describe("a proxy that does not speak SOCKS5", () => {
  const http = Uint8Array.from(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"))
  it.live.each<readonly [what: string, script: Scripted]>([
    ["speaks HTTP", { steps: [{ after: GREETING_BYTES, say: http }] }],
    ["speaks SOCKS4", { steps: [{ after: GREETING_BYTES, say: [0, 90, 0, 0, 0, 0, 0, 0] }] }],
    ["chooses a method that was not offered", { steps: [{ after: GREETING_BYTES, say: [5, 1] }] }],
    ["floods", { steps: [{ after: GREETING_BYTES, say: new Uint8Array(4_000_000) }] }],
    ["answers with another version", replies(4, 0, 0, 1, 0, 0, 0, 0, 0, 0)],
    ["gives a type of address that there is not", replies(5, 0, 0, 2, 0, 0, 0, 0, 0, 0)],
    ["uses what is reserved", replies(5, 0, 1, 1, 0, 0, 0, 0, 0, 0)],
    [
      "answers what it was not asked yet",
      {
        steps: [
          { after: 4, say: [5, 2] },
          { after: 5, say: [1, 0, ...AGREED] }
        ],
        credentials: { username: "a", password: "b" }
      }
    ]
  ])("and %s has failed", ([, script]) =>
    Effect.gen(function* () {
      const error = yield* failure(script)
      expect(error).toMatchObject({ reason: "ProxyFailed", code: "SOCKS5_MALFORMED" })
    })
  )

  it.live("and wants credentials where we have none is told so", () =>
    Effect.gen(function* () {
      const error = yield* failure({
        steps: [
          { after: GREETING_BYTES, say: [5, 2] },
          { after: 3, say: [1, 1] }
        ]
      })
      expect(error).toMatchObject({ reason: "ProxyAuthentication" })
    })
  )
})

describe("a proxy that breaks off", () => {
  /** The first bytes of what a proxy says to agree. */
  const cut = (length: number): ReadonlyArray<Step> =>
    length <= greeted.say.length
      ? [{ ...greeted, say: greeted.say.slice(0, length) }]
      : [greeted, { after: REQUEST_BYTES, say: AGREED.slice(0, length - greeted.say.length) }]

  it.live.each(Array.from({ length: 12 }, (_, length) => length))("after %i bytes is told as lost", (length) =>
    Effect.gen(function* () {
      const ended = yield* failure({ steps: cut(length), finally: "end" })
      const reset = yield* failure({ steps: cut(length), finally: "reset" })
      expect(ended).toMatchObject({ reason: "ProxyUnreachable", code: "EOF" })
      expect(reset.reason).toBe("ProxyUnreachable")
      // Where our request meets the reset it is the write that fails.
      expect(["ECONNRESET", "EPIPE"]).toContain(reset.code)
    })
  )
})

describe("a proxy that never answers", () => {
  const stages: ReadonlyArray<readonly [string, ReadonlyArray<Step>]> = [
    ["at all", []],
    ["more than half of the greeting", [{ after: GREETING_BYTES, say: [5] }]],
    ["the request", [greeted]],
    ["more than half of the request", [greeted, { after: REQUEST_BYTES, say: [5, 0, 0, 3, 200] }]]
  ]

  it.effect.each(stages)("%s costs the time of a dial and leaves nothing", ([, steps]) =>
    Effect.gen(function* () {
      const { dial, connections, spoken, closed } = yield* dialThrough({ steps })
      const dialling = yield* Effect.forkChild(Effect.flip(dial), { startImmediately: true })
      yield* spoken
      yield* TestClock.adjust(DEFAULT_SOCKS5_TIMEOUT_MS - 1)
      expect(connections()).toBe(1)
      yield* TestClock.adjust(1)
      expect(yield* Fiber.join(dialling)).toMatchObject({ reason: "TimedOut", endpoint: ENDPOINT })
      yield* closed
      while (connections() > 0) yield* TestClock.withLive(Effect.yieldNow)
    }).pipe(Effect.scoped)
  )

  it.live.each(stages)("%s is left when the dial is interrupted", ([, steps]) =>
    Effect.gen(function* () {
      const { dial, connections, spoken, closed } = yield* dialThrough({ steps })
      const dialling = yield* Effect.forkChild(dial, { startImmediately: true })
      yield* spoken
      yield* Fiber.interrupt(dialling)
      while (connections() > 0) yield* Effect.yieldNow
      yield* closed
    }).pipe(Effect.scoped)
  )
})
