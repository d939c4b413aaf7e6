import { ChaChaRandom } from "@satwire/crypto"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Context from "effect/Context"
import { TestClock } from "effect/testing"
import { describe } from "vitest"
import { hosted, pair, pattern } from "../src/compliance/Case.ts"
import { Observed } from "../src/compliance/Observed.ts"
import { transportCompliance } from "../src/compliance.ts"
import { Dialer, END_TIMEOUT_MS, Listener, MemoryNetwork, layerMemory } from "../src/index.ts"

const host = "127.0.0.1"
transportCompliance({ describe, it }, { name: "the memory network", layer: layerMemory(), host })
transportCompliance(
  { describe, it },
  {
    name: "the memory network with latency and random chunks",
    layer: layerMemory({ latencyMs: 1, maxChunkBytes: 40_000, random: ChaChaRandom.fromNumber(7) }),
    host
  }
)

describe("the memory network", () => {
  it.effect("carries bytes after its latency and not before", () =>
    Effect.gen(function* () {
      const pairing = yield* Effect.forkChild(pair(host))
      yield* TestClock.adjust("100 millis")
      const { near, far, signal } = yield* Fiber.join(pairing)
      near.connection.write(pattern(100, 1))
      yield* TestClock.adjust("49 millis")
      expect(far.length).toBe(0)
      yield* TestClock.adjust("1 millis")
      yield* signal.until(() => far.length === 100)
    }).pipe(Effect.provide(layerMemory({ latencyMs: 50 })), Effect.scoped)
  )

  it.effect("times out a dial that its latency makes too slow, and leaves nothing of it", () =>
    Effect.gen(function* () {
      const { listening } = yield* hosted(host)
      const { dial, connections } = yield* Dialer
      const dialling = yield* Effect.forkChild(Effect.flip(dial(listening.endpoint, { timeoutMs: 1500 })))
      yield* TestClock.adjust("1500 millis")
      const error = yield* Fiber.join(dialling)
      expect(error).toMatchObject({ reason: "TimedOut", message: expect.stringContaining("did not answer in time") })
      yield* TestClock.adjust("10 seconds")
      expect(connections()).toBe(0)
      expect(listening.connections()).toBe(0)
    }).pipe(Effect.provide(layerMemory({ latencyMs: 1000 })), Effect.scoped)
  )

  it.effect("cuts off an end that does not close after the other has ended", () =>
    Effect.gen(function* () {
      const { near, far, signal } = yield* pair(host)
      far.connection.pause()
      near.connection.end()
      yield* TestClock.adjust(END_TIMEOUT_MS - 1)
      expect(near.closedBy()).toBe(undefined)
      yield* TestClock.adjust(1)
      yield* signal.until(() => near.closedBy() !== undefined && far.closedBy() !== undefined)
      expect([near.closedBy(), far.closedBy()]).toEqual(["TimedOut", "Reset"])
    }).pipe(Effect.provide(layerMemory()), Effect.scoped)
  )

  it.effect("cuts writes where the generator says, and never above the limit", () =>
    Effect.gen(function* () {
      const { near, far, signal } = yield* pair(host)
      const sizes: Array<number> = []
      const onBytes = far.onBytes.bind(far)
      far.onBytes = (bytes) => {
        sizes.push(bytes.length)
        onBytes(bytes)
      }
      near.connection.write(pattern(1000, 2))
      yield* signal.until(() => far.length === 1000)
      expect(far.received(pattern(1000, 2))).toBe(true)
      expect(Math.max(...sizes)).toBe(7)
      expect(Math.min(...sizes)).toBe(1)
    }).pipe(Effect.provide(layerMemory({ maxChunkBytes: 7, random: ChaChaRandom.fromNumber(1) })), Effect.scoped)
  )

  it.effect("hands bytes over in memory that the next delivery overwrites", () =>
    Effect.gen(function* () {
      const { near, far, signal } = yield* pair(host)
      const kept: Array<Uint8Array> = []
      const onBytes = far.onBytes.bind(far)
      far.onBytes = (bytes) => {
        kept.push(bytes)
        onBytes(bytes)
      }
      for (const byte of [1, 2]) {
        near.connection.write(Uint8Array.of(byte))
        yield* signal.until(() => far.length === byte)
      }
      expect(kept[0]?.[0]).toBe(2)
    }).pipe(Effect.provide(layerMemory()), Effect.scoped)
  )

  it.effect("loses a connection when it is cut, with what was under way", () =>
    Effect.gen(function* () {
      const network = yield* MemoryNetwork
      const first = yield* pair(host)
      const second = yield* pair(host)
      first.far.connection.pause()
      first.near.connection.write(pattern(1000, 3))
      network.cut(first.far.connection)
      yield* first.signal.until(() => first.near.closedBy() !== undefined && first.far.closedBy() !== undefined)
      expect([first.near.closedBy(), first.far.closedBy(), first.far.length]).toEqual(["Reset", "Reset", 0])
      expect(second.near.closedBy()).toBe(undefined)
      network.cutAll()
      yield* second.signal.until(() => second.near.closedBy() === "Reset" && second.far.closedBy() === "Reset")
    }).pipe(Effect.provide(layerMemory()), Effect.scoped)
  )

  it.effect("joins hosts by their names, each with its own scope", () =>
    Effect.gen(function* () {
      const a = yield* Layer.build(MemoryNetwork.host("10.0.0.1"))
      const b = yield* Layer.build(MemoryNetwork.host("10.0.0.2"))
      const { listening, accepted, signal } = yield* hosted("0.0.0.0").pipe(Effect.provideContext(a))
      expect(listening.endpoint.host).toBe("10.0.0.1")
      const near = new Observed(yield* Context.get(b, Dialer).dial(listening.endpoint), signal)
      yield* signal.until(() => accepted.length === 1)
      expect(accepted[0]?.connection.remote.host).toBe("10.0.0.2")
      expect(near.connection.local).toEqual(accepted[0]?.connection.remote)
      expect([Context.get(a, Listener).connections(), Context.get(b, Listener).connections()]).toEqual([1, 0])
    }).pipe(Effect.provide(MemoryNetwork.layer()), Effect.scoped)
  )
})
