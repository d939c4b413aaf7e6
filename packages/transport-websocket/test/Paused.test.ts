import { it } from "@effect/vitest"
import { Dialer } from "@satwire/transport"
import { MiB, Observed, Signal, hosted, pair } from "@satwire/transport/compliance"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { describe, expect } from "vitest"
import { MAX_WAITING_BYTES, directRoute, layerWebSocketDialer } from "../src/index.ts"
import { layerWebSocket } from "../src/node.ts"
import { closeOf, foreignServer } from "./ForeignPeers.ts"

const onPlatform = Layer.merge(layerWebSocket(), layerWebSocketDialer(directRoute()))

describe("a paused WebSocket", () => {
  it.live("on the platform keeps what comes, up to a bound, and hands it over when it goes on", () =>
    Effect.gen(function* () {
      const { near, far, signal } = yield* pair("127.0.0.1")
      near.connection.pause()
      const most = 15 * MiB
      far.connection.write(new Uint8Array(most))
      far.connection.end()
      // The end has come, and is not told before the bytes.
      yield* signal.until(() => far.closedBy() !== undefined)
      expect([near.length, near.closedBy()]).toEqual([0, undefined])
      near.connection.resume()
      yield* signal.until(() => near.closedBy() !== undefined)
      expect([near.length, near.closedBy()]).toEqual([most, "Ended"])
    }).pipe(Effect.provide(onPlatform, { local: true }), Effect.scoped)
  )

  it.live("on the platform closes when more comes than it keeps, and tells both ends why", () =>
    Effect.gen(function* () {
      const { near, far, signal } = yield* pair("127.0.0.1")
      near.connection.pause()
      far.connection.write(new Uint8Array(MAX_WAITING_BYTES))
      yield* signal.until(() => near.closedBy() !== undefined && far.closedBy() !== undefined)
      expect([near.length, near.closedBy()]).toEqual([0, "Overrun"])
      expect(far.reason()).toMatchObject({ _tag: "Failed", code: "4008" })
    }).pipe(Effect.provide(onPlatform, { local: true }), Effect.scoped)
  )

  it.live("on the platform counts small messages for what they cost", () =>
    Effect.gen(function* () {
      const few = MAX_WAITING_BYTES / 100
      const endpoint = yield* foreignServer((socket) => {
        for (let i = 0; i < few; i++) socket.send(Uint8Array.of(1))
      })
      const signal = new Signal()
      const connection = yield* (yield* Dialer).dial(endpoint)
      connection.pause()
      const near = new Observed(connection, signal)
      yield* signal.until(() => near.closedBy() !== undefined)
      expect(near.closedBy()).toBe("Overrun")
    }).pipe(Effect.provide(onPlatform, { local: true }), Effect.scoped)
  )

  it.live("on Node and Deno holds the other end back, on either end", () =>
    Effect.gen(function* () {
      const { listening, accepted, signal } = yield* hosted("127.0.0.1")
      const near = new Observed(yield* (yield* Dialer).dial(listening.endpoint), signal)
      yield* signal.until(() => accepted.length === 1)
      const far = accepted[0] as Observed
      for (const [reader, writer] of [
        [near, far],
        [far, near]
      ] as const) {
        reader.connection.pause()
        writer.connection.write(new Uint8Array(4 * MAX_WAITING_BYTES))
        yield* signal.until(() => writer.connection.bufferedBytes > 0)
        reader.connection.resume()
        yield* signal.until(() => reader.length === 4 * MAX_WAITING_BYTES)
      }
      expect([near.closedBy(), far.closedBy()]).toEqual([undefined, undefined])
    }).pipe(Effect.provide(layerWebSocket(), { local: true }), Effect.scoped)
  )

  it.live("on the platform closes who sends text, with a code that a page may send", () =>
    Effect.gen(function* () {
      const signal = new Signal()
      let code = 0
      const endpoint = yield* foreignServer((socket) => {
        socket.send("text")
        Effect.runFork(
          Effect.map(closeOf(socket), (close) => {
            code = close.code
            signal.changed()
          })
        )
      })
      const near = new Observed(yield* (yield* Dialer).dial(endpoint), signal)
      yield* signal.until(() => near.closedBy() !== undefined && code !== 0)
      expect(near.reason()).toMatchObject({ _tag: "Failed", code: "1003" })
      expect(code).toBe(4003)
    }).pipe(Effect.provide(onPlatform, { local: true }), Effect.scoped)
  )
})
