import { it } from "@effect/vitest"
import { Dialer, END_TIMEOUT_MS, Listener } from "@satwire/transport"
import { Observed, Signal, hosted, transportCompliance } from "@satwire/transport/compliance"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import { networkInterfaces } from "node:os"
import { afterEach, describe, expect, vi } from "vitest"
import { layerTcp } from "../src/index.ts"
import { event, rawServer, deafListener } from "./RawPeers.ts"

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"))

transportCompliance({ describe, it }, { name: "TCP over IPv4", layer: layerTcp, host: "127.0.0.1" })
describe.skipIf(!hasIpv6)("where this machine has ::1", () => {
  transportCompliance(
    { describe, it },
    { name: "TCP over IPv6", layer: layerTcp, host: "::1", foreignHost: "2001:db8::1" }
  )
})

const dialled = Effect.fnUntraced(function* (endpoint: { readonly host: string; readonly port: number }) {
  const signal = new Signal()
  const near = new Observed(yield* (yield* Dialer).dial(endpoint), signal)
  return { near, closed: signal.until(() => near.closedBy() !== undefined) }
})

afterEach(() => {
  vi.useRealTimers()
})

describe("a TCP connection", () => {
  it.live("is reset when the other end drops it with bytes unread", () =>
    Effect.gen(function* () {
      const raw = yield* rawServer
      const { near, closed } = yield* dialled(raw.endpoint)
      const far = yield* raw.accepted
      near.connection.write(new Uint8Array(100_000))
      far.resume()
      yield* event(far, "data")
      far.pause()
      near.connection.write(new Uint8Array(1_000_000))
      far.resetAndDestroy()
      yield* closed
      expect(near.closedBy()).toBe("Reset")
    }).pipe(Effect.provide(layerTcp, { local: true }), Effect.scoped)
  )

  it.live("cuts off an end that holds on to the connection after ours has ended", () =>
    Effect.gen(function* () {
      const raw = yield* rawServer
      const { near, closed } = yield* dialled(raw.endpoint)
      yield* raw.accepted
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
      near.connection.end()
      vi.advanceTimersByTime(END_TIMEOUT_MS - 1)
      yield* Effect.yieldNow
      expect(near.closedBy()).toBe(undefined)
      vi.advanceTimersByTime(1)
      yield* closed
      expect(near.closedBy()).toBe("TimedOut")
    }).pipe(Effect.provide(layerTcp, { local: true }), Effect.scoped)
  )

  it.live("leaves no timer behind when it closes after an end", () =>
    Effect.gen(function* () {
      const raw = yield* rawServer
      const { near, closed } = yield* dialled(raw.endpoint)
      const far = yield* raw.accepted
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
      near.connection.end()
      expect(vi.getTimerCount()).toBe(1)
      far.resume()
      yield* closed
      expect(near.closedBy()).toBe("Ended")
      expect(vi.getTimerCount()).toBe(0)
    }).pipe(Effect.provide(layerTcp, { local: true }), Effect.scoped)
  )
})

describe("a TCP dialer", () => {
  it.effect.skipIf(process.platform !== "linux")("gives up on who does not answer, and leaves nothing", () =>
    Effect.gen(function* () {
      const endpoint = yield* deafListener
      const { dial, connections } = yield* Dialer
      // The queue holds two; what comes after them gets no answer.
      for (let waiting = 0; waiting < 2; waiting++) yield* dial(endpoint)
      const dialling = yield* Effect.forkChild(Effect.flip(dial(endpoint)), { startImmediately: true })
      expect(connections()).toBe(3)
      yield* TestClock.adjust("5 seconds")
      const error = yield* Fiber.join(dialling)
      expect(error).toMatchObject({ reason: "TimedOut", endpoint })
      while (connections() > 2) yield* TestClock.withLive(Effect.yieldNow)
    }).pipe(Effect.provide(layerTcp, { local: true }), Effect.scoped)
  )

  it.effect("asks no name server for a name of another network", () =>
    Effect.gen(function* () {
      const { dial } = yield* Dialer
      for (const host of ["expyuzz4wqqyqhjn.onion", "satwire.b32.i2p"]) {
        const error = yield* Effect.flip(dial({ host, port: 8333 }))
        expect(error).toMatchObject({ reason: "NoRoute", message: expect.stringContaining("proxy") })
      }
    }).pipe(Effect.provide(layerTcp, { local: true }))
  )

  it.live("dials a name", () =>
    Effect.gen(function* () {
      const { listening } = yield* hosted("127.0.0.1")
      const { near } = yield* dialled({ host: "localhost", port: listening.endpoint.port })
      expect(near.connection.remote).toEqual(listening.endpoint)
    }).pipe(Effect.provide(layerTcp, { local: true }), Effect.scoped)
  )

  it.live("says what is wrong with a port that does not exist", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip((yield* Dialer).dial({ host: "127.0.0.1", port: 70_000 }))
      expect(error).toMatchObject({ reason: "Other", message: expect.stringContaining("70000") })
    }).pipe(Effect.provide(layerTcp, { local: true }))
  )
})

describe("a TCP listener", () => {
  it.live.skipIf(!hasIpv6)("takes IPv4 on ::, and names it so", () =>
    Effect.gen(function* () {
      const { listening, accepted, signal } = yield* hosted("::")
      const { near } = yield* dialled({ host: "127.0.0.1", port: listening.endpoint.port })
      yield* signal.until(() => accepted.length === 1)
      expect(accepted[0]?.connection.remote).toEqual(near.connection.local)
      expect(accepted[0]?.connection.local).toEqual(near.connection.remote)
    }).pipe(Effect.provide(layerTcp, { local: true }), Effect.scoped)
  )

  it.live.skipIf(!hasIpv6)("on all IPv4 addresses by their IPv6 name knows which one was dialled", () =>
    Effect.gen(function* () {
      const { listening, accepted, signal } = yield* hosted("::ffff:0.0.0.0")
      const { near } = yield* dialled({ host: "127.0.0.1", port: listening.endpoint.port })
      yield* signal.until(() => accepted.length === 1)
      expect(accepted[0]?.connection.local).toEqual(near.connection.remote)
    }).pipe(Effect.provide(layerTcp, { local: true }), Effect.scoped)
  )

  it.live("says what is wrong with a port that does not exist", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip((yield* Listener).listen({ host: "127.0.0.1", port: 70_000 }, () => undefined))
      expect(error).toMatchObject({ reason: "Other", message: expect.stringContaining("70000") })
    }).pipe(Effect.provide(layerTcp, { local: true }), Effect.scoped)
  )
})
