import { it } from "@effect/vitest"
import { type DialError, Dialer, type Endpoint } from "@satwire/transport"
import { Observed, Signal, hosted } from "@satwire/transport/compliance"
import { describeWithCertificate } from "@satwire/testkit"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { describe, expect } from "vitest"
import {
  BRIDGE_PROTOCOL,
  BRIDGE_REFUSALS,
  BRIDGE_REFUSAL_PROTOCOL,
  bridgeRoute,
  directRoute,
  layerWebSocketDialer
} from "../src/index.ts"
import { layerWebSocket } from "../src/node.ts"
import { foreignServer, rawServer } from "./ForeignPeers.ts"

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const isDeno = "Deno" in globalThis

/** How a dial fails. */
const failure = (
  where: Effect.Effect<Endpoint, unknown, Scope.Scope> | Endpoint,
  timeoutMs = 5000
): Effect.Effect<DialError, unknown, Dialer | Scope.Scope> =>
  Effect.gen(function* () {
    const { dial, connections } = yield* Dialer
    const error = yield* Effect.flip(dial("host" in where ? where : yield* where, { timeoutMs }))
    // What is given up is gone a moment later.
    while (connections() > 0) yield* Effect.promise(nextTurn)
    return error
  })

const reset = rawServer((socket) => socket.resetAndDestroy())
const forbidden = rawServer("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
const notWeb = rawServer("SSH-2.0-OpenSSH_9.2\r\n")
const wrongKey = rawServer(
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n"
)
const silent = rawServer("")
const nowhere = { host: "nowhere.invalid", port: 8333 }
const wrongPort = { host: "127.0.0.1", port: 70_000 }

describe("a dialer for Node and Deno", () => {
  const via = Effect.provide(layerWebSocket(), { local: true })

  it.live("says why there is no connection", () =>
    Effect.gen(function* () {
      expect(yield* failure(reset)).toMatchObject({ reason: "Reset", code: "ECONNRESET" })
      expect(yield* failure(nowhere)).toMatchObject({ reason: "NameNotFound" })
      expect(yield* failure(wrongPort)).toMatchObject({ reason: "Other", message: expect.stringContaining("70000") })
      expect(yield* failure(silent, 50)).toMatchObject({ reason: "TimedOut" })
    }).pipe(via, Effect.scoped)
  )

  it.live("says what a server answers that opens no WebSocket", () =>
    Effect.gen(function* () {
      const error = yield* failure(forbidden)
      expect(error).toMatchObject({ reason: "HttpStatus", code: "403" })
      expect(error.message).toMatch(/^127\.0\.0\.1:\d+ answered with HTTP status 403 and not with a WebSocket\.$/)
      expect(yield* failure(notWeb)).toMatchObject({ reason: "BadHandshake" })
      expect(yield* failure(wrongKey)).toMatchObject({ reason: "BadHandshake" })
    }).pipe(via, Effect.scoped)
  )
})

describeWithCertificate(describe, "a dialer of secure WebSockets", (tls) => {
  const secure = directRoute({ secure: true })

  it.live("does not believe a certificate that nobody vouches for, or that is for another name", () =>
    Effect.gen(function* () {
      const server = yield* Layer.build(layerWebSocket({ tls }))
      const at = (host: string) =>
        Effect.map(hosted(host).pipe(Effect.provideContext(server)), ({ listening }) => listening.endpoint)
      const wary = layerWebSocket({ route: secure })
      const trusting = layerWebSocket({ route: secure, authorities: tls.certificate })
      for (const [host, layer] of [
        ["127.0.0.1", wary],
        ["127.0.0.2", trusting]
      ] as const) {
        const error = yield* failure(at(host)).pipe(Effect.provide(layer, { local: true }))
        expect(error).toMatchObject({ reason: "Tls", message: expect.stringContaining("the TLS handshake failed") })
      }
    }).pipe(Effect.scoped)
  )

  it.live("says that a server speaks no TLS", () =>
    Effect.gen(function* () {
      const plain = yield* hosted("127.0.0.1").pipe(Effect.provide(layerWebSocket(), { local: true }))
      const error = yield* failure(plain.listening.endpoint)
      expect(error).toMatchObject({ reason: "Tls", message: expect.stringContaining("TLS handshake failed") })
    }).pipe(Effect.provide(layerWebSocket({ route: secure }), { local: true }), Effect.scoped)
  )
})

describe("a dialer on the platform's WebSocket", () => {
  const via = Effect.provide(layerWebSocketDialer(directRoute()), { local: true })

  it.live("has no connection where there is no server of WebSockets, and says what the platform says", () =>
    Effect.gen(function* () {
      const unsaid = expect.stringContaining("the platform does not say why")
      expect(yield* failure(forbidden)).toMatchObject(
        isDeno ? { reason: "HttpStatus", code: "403" } : { reason: "Other", code: "1006", message: unsaid }
      )
      expect(yield* failure(nowhere)).toMatchObject({ reason: isDeno ? "NameNotFound" : "Other" })
      expect(yield* failure(notWeb)).toMatchObject({ reason: "Other" })
      expect(yield* failure(wrongPort)).toMatchObject({ reason: "Other" })
      expect(yield* failure(silent, 50)).toMatchObject({ reason: "TimedOut" })
    }).pipe(via, Effect.scoped)
  )

  it.live("says that the platform has none", () =>
    Effect.gen(function* () {
      const error = yield* failure(nowhere)
      expect(error.message).toBe("No connection to nowhere.invalid:8333: no WebSocket here.")
    }).pipe(
      Effect.provide(
        layerWebSocketDialer(directRoute(), {
          open: () => {
            throw new Error("no WebSocket here")
          }
        })
      ),
      Effect.scoped
    )
  )
})

const target = { host: "203.0.113.5", port: 8333 }
const bridgeAt = ({ port }: Endpoint) => bridgeRoute(`ws://127.0.0.1:${port}/?key=1`)

describe.each([
  ["for Node and Deno", (bridge: Endpoint): Layer.Layer<Dialer> => layerWebSocket({ route: bridgeAt(bridge) })],
  ["on the platform's WebSocket", (bridge: Endpoint) => layerWebSocketDialer(bridgeAt(bridge))]
] as const)("a dialer through a bridge, %s", (_, layer) => {
  it.live("names the endpoint to the bridge, and is connected to it when the bridge says so", () =>
    Effect.gen(function* () {
      let asked: string | undefined
      const bridge = yield* foreignServer((socket) => {
        asked = socket.protocol
        socket.send(Uint8Array.of(7))
      }, BRIDGE_PROTOCOL)
      yield* Effect.gen(function* () {
        const signal = new Signal()
        const near = new Observed(yield* (yield* Dialer).dial(target), signal)
        yield* signal.until(() => near.length === 1)
        expect(near.connection.remote).toEqual(target)
        expect(asked).toBe(BRIDGE_PROTOCOL)
      }).pipe(Effect.provide(layer(bridge)))
    }).pipe(Effect.scoped)
  )

  it.live("fails as a dial of its own would, for the reason that the bridge gives", () =>
    Effect.gen(function* () {
      const reasons: Record<string, string> = {}
      for (const [name, code] of Object.entries(BRIDGE_REFUSALS)) {
        const bridge = yield* foreignServer((socket) => socket.close(code, `it is ${name}`), BRIDGE_REFUSAL_PROTOCOL)
        const error = yield* failure(target).pipe(Effect.provide(layer(bridge)))
        expect(error).toMatchObject({ endpoint: target, code: String(code) })
        expect(error.message).toContain("203.0.113.5:8333")
        reasons[name] = error.reason
      }
      expect(reasons).toEqual({
        BadRequest: "ProxyFailed",
        NotAllowed: "NotAllowed",
        NameNotFound: "NameNotFound",
        Refused: "Refused",
        Unreachable: "Unreachable",
        TimedOut: "TimedOut",
        Reset: "Reset",
        Other: "ProxyFailed"
      })
    }).pipe(Effect.scoped)
  )

  it.live("does not take the bridge's trouble for the endpoint's", () =>
    Effect.gen(function* () {
      const dead = yield* Effect.scoped(hosted("127.0.0.1").pipe(Effect.provide(layerWebSocket(), { local: true })))
      expect(yield* failure(target).pipe(Effect.provide(layer(dead.listening.endpoint)))).toMatchObject({
        reason: "ProxyUnreachable"
      })
      const noBridge = yield* foreignServer(() => undefined)
      const { reason } = yield* failure(target).pipe(Effect.provide(layer(noBridge)))
      // A server that chooses none of the protocols fails the handshake, of which not every platform tells more.
      expect(["ProxyFailed", "ProxyUnreachable"]).toContain(reason)
    }).pipe(Effect.scoped)
  )
})

describe("a bridge's route", () => {
  it("keeps the path and the query of the bridge, and writes the endpoint so that it can be read back", () => {
    const route = bridgeRoute("wss://bridge.example/bitcoin?key=1")
    const url = new URL(route.url({ host: "2001:db8::1", port: 8333 }))
    expect(url.href).toBe("wss://bridge.example/bitcoin?key=1&to=%5B2001%3Adb8%3A%3A1%5D%3A8333")
    expect(url.searchParams.get("to")).toBe("[2001:db8::1]:8333")
  })
})
