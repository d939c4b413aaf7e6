/** What pages and nodes may do to a bridge: bounded, and the others unharmed. */
import { it } from "@effect/vitest"
import { ChaChaRandom, portableAead, portableCurve } from "@satwire/crypto"
import { V2Framing } from "@satwire/framing"
import { regtest } from "@satwire/primitives"
import { frame } from "@satwire/testkit"
import { Dialer, MemoryNetwork } from "@satwire/transport"
import { MiB, pattern } from "@satwire/transport/compliance"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import { describe, expect } from "vitest"
import { MAX_UNTAKEN_BYTES } from "../src/bridge/Carriage.ts"
import { type BridgeUnderTest, bridged, closeOf, edges, node, opened, page, rawPage, to } from "./BridgeUnderTest.ts"

const onEdges = Effect.provide(edges, { local: true })

/** Somebody else talks through the bridge at the same time, and is answered. */
const unharmed = (under: BridgeUnderTest) =>
  Effect.gen(function* () {
    const echo = yield* node((connection) => connection.write(pattern(1000, 9)))
    const near = yield* page(under, echo.endpoint)
    near.connection.write(pattern(1000, 8))
    yield* under.signal.until(() => near.length === 1000)
    yield* echo.signal.until(() => echo.accepted[0]?.length === 1000)
    expect([near.received(pattern(1000, 9)), echo.accepted[0]?.received(pattern(1000, 8))]).toEqual([true, true])
    near.connection.end()
  })

/** As much as the kernel may hold between two sockets, and then some. */
const KERNEL_BYTES = 32 * MiB

describe("a bridge withstands", () => {
  it.live("a page that sends text", () =>
    Effect.gen(function* () {
      const under = yield* bridged()
      const far = yield* node()
      const near = yield* rawPage(under, to(far.endpoint))
      yield* opened(near)
      near.send("hello")
      expect((yield* closeOf(near)).code).toBe(1003)
      yield* far.signal.until(() => far.accepted[0]?.closedBy() !== undefined)
      expect(far.accepted[0]?.length).toBe(0)
      yield* unharmed(under)
      yield* under.empty
    }).pipe(onEdges, Effect.scoped)
  )

  it.live("a page that sends a message over the limit", () =>
    Effect.gen(function* () {
      const under = yield* bridged({ maxMessageBytes: 100_000 })
      const far = yield* node()
      const near = yield* rawPage(under, to(far.endpoint))
      yield* opened(near)
      near.send(new Uint8Array(100_001))
      expect((yield* closeOf(near)).code).toBe(1009)
      yield* far.signal.until(() => far.accepted[0]?.closedBy() !== undefined)
      expect(far.accepted[0]?.length).toBe(0)
      yield* unharmed(under)
      yield* under.empty
    }).pipe(onEdges, Effect.scoped)
  )

  it.live("a page that reads nothing: the node is held back, and little is kept", () =>
    Effect.gen(function* () {
      const under = yield* bridged()
      const far = yield* node()
      const near = yield* page(under, far.endpoint)
      near.connection.pause()
      const end = yield* far.first
      for (let i = 0; i < 256; i++) end.connection.write(new Uint8Array(MiB))
      yield* unharmed(under)
      yield* unharmed(under)
      expect(end.connection.bufferedBytes).toBeGreaterThan(256 * MiB - 2 * KERNEL_BYTES)
      near.connection.destroy()
      const { summary } = yield* under.event("Carried", ({ summary }) => summary.toPageBytes > 2000)
      expect(summary.toPageBytes).toBeLessThan(KERNEL_BYTES + 2 * MAX_UNTAKEN_BYTES)
      yield* under.empty
    }).pipe(onEdges, Effect.scoped)
  )

  it.effect(
    "a node that reads nothing: the page is held back, little is kept, and it ends though the page is gone",
    () =>
      Effect.gen(function* () {
        const under = yield* bridged({ rules: { idleMs: 60_000 } })
        const far = yield* node((connection) => connection.pause())
        const near = yield* page(under, far.endpoint)
        for (let i = 0; i < 256; i++) near.connection.write(new Uint8Array(MiB))
        yield* unharmed(under)
        yield* unharmed(under)
        expect(near.connection.bufferedBytes).toBeGreaterThan(256 * MiB - 2 * KERNEL_BYTES)
        // Who is read no further is not seen to leave either.
        near.connection.destroy()
        yield* TestClock.adjust("1 minute")
        far.accepted[0]?.connection.destroy()
        const { summary } = yield* under.event("Carried", ({ summary }) => summary.toNodeBytes > 2000)
        expect(summary.toNodeBytes).toBeLessThan(KERNEL_BYTES + 2 * MAX_UNTAKEN_BYTES)
        expect(summary.why).toBe("nothing was said for too long")
        yield* under.empty
      }).pipe(onEdges, Effect.scoped)
  )

  it.live("a flood of pages that come and go", () =>
    Effect.gen(function* () {
      const under = yield* bridged({ limits: { maxConnections: 50, maxPerSource: 20, perMinute: 100 } })
      const far = yield* node()
      yield* Effect.forEach(
        Array.from({ length: 1000 }, (_, i) => i),
        (i) =>
          Effect.gen(function* () {
            const near = yield* rawPage(under, to(far.endpoint))
            if (i % 3 > 0)
              yield* Effect.promise(() => new Promise((resolve) => near.once("close", resolve).once("open", resolve)))
          }).pipe(Effect.scoped),
        { concurrency: 100 }
      )
      yield* under.empty
      expect(under.bridge.connections()).toBe(0)
      const count = (tag: string): number => under.events.filter((event) => event._tag === tag).length
      expect(count("Rejected")).toBeGreaterThan(100)
      // However long it takes: places come back by the minute.
      expect(count("Carrying")).toBeLessThan(500)
      expect(count("Carried")).toBe(count("Carrying"))
    }).pipe(onEdges, Effect.scoped)
  )

  it.effect("a page that opens its WebSocket and says nothing, or only what might become v1", () =>
    Effect.gen(function* () {
      const under = yield* bridged({ rules: { firstBytesMs: 10_000, idleMs: 60_000 } })
      const far = yield* node()
      const silent = yield* page(under, far.endpoint)
      const dribbling = yield* page(under, far.endpoint)
      dribbling.connection.write(frame("version", new Uint8Array(0)).subarray(0, 10))
      yield* TestClock.adjust(9_900)
      expect([silent.closedBy(), dribbling.closedBy()]).toEqual([undefined, undefined])
      yield* TestClock.adjust(100)
      for (const near of [silent, dribbling]) {
        yield* under.signal.until(() => near.closedBy() !== undefined)
        expect(near.reason()).toMatchObject({ _tag: "Failed", code: "4408" })
      }
      expect(far.accepted.map((end) => end.length)).toEqual([0, 0])
      yield* under.empty
    }).pipe(onEdges, Effect.scoped)
  )

  it.effect("a node that takes a page and never answers", () =>
    Effect.gen(function* () {
      const under = yield* bridged({ rules: { firstBytesMs: 10_000, idleMs: 60_000 } })
      const far = yield* node()
      const near = yield* page(under, far.endpoint)
      near.connection.write(pattern(64, 1))
      yield* far.signal.until(() => far.accepted[0]?.length === 64)
      yield* TestClock.adjust(59_900)
      expect(near.closedBy()).toBe(undefined)
      yield* TestClock.adjust(100)
      yield* under.signal.until(() => near.closedBy() !== undefined)
      expect(near.reason()).toMatchObject({
        _tag: "Failed",
        code: "4408",
        message: expect.stringContaining("nothing was said for too long")
      })
      yield* far.signal.until(() => far.accepted[0]?.closedBy() !== undefined)
      yield* under.empty
    }).pipe(onEdges, Effect.scoped)
  )

  it.effect("a node that nobody can tell apart from an empty wire", () =>
    Effect.gen(function* () {
      // Bytes take an hour in this network, also those that open a connection.
      const network = yield* Layer.build(
        MemoryNetwork.host("10.0.0.1").pipe(Layer.provide(MemoryNetwork.layer({ latencyMs: 3_600_000 })))
      )
      const under = yield* bridged({ targets: ["10.0.0.0/8"] }).pipe(
        Effect.provideService(Dialer, Context.get(network, Dialer))
      )
      const dialling = yield* Effect.forkChild(Effect.flip(page(under, { host: "10.0.0.9", port: 8333 })))
      while (under.bridge.guests() === 0) yield* TestClock.withLive(Effect.sleep(1))
      yield* TestClock.adjust(5000)
      // The page's own dial has the same five seconds, and either may be the first to be over.
      expect((yield* Fiber.join(dialling)).reason).toBe("TimedOut")
      while (under.bridge.guests() > 0) yield* TestClock.withLive(Effect.sleep(1))
      expect(yield* under.event("Refused")).toMatchObject({ code: 4504 })
    }).pipe(onEdges, Effect.scoped)
  )
})

describe("a bridge that carries no v1", () => {
  const version = frame("version", pattern(86, 1))

  it.live("closes a page that speaks it before the node hears a byte", () =>
    Effect.gen(function* () {
      const under = yield* bridged()
      const far = yield* node()
      for (const length of [version.length, 1]) {
        const near = yield* page(under, far.endpoint)
        for (let at = 0; at < version.length; at += length) near.connection.write(version.slice(at, at + length))
        yield* under.signal.until(() => near.closedBy() !== undefined)
        expect(near.reason()).toMatchObject({ _tag: "Failed", code: "4426" })
      }
      yield* far.signal.until(
        () => far.accepted.length === 2 && far.accepted.every((end) => end.closedBy() !== undefined)
      )
      expect(far.accepted.map((end) => end.length)).toEqual([0, 0])
      yield* under.empty
    }).pipe(onEdges, Effect.scoped)
  )

  it.live("carries it where it is told to", () =>
    Effect.gen(function* () {
      const under = yield* bridged({ rules: { allowUnencrypted: true } })
      const far = yield* node()
      const near = yield* page(under, far.endpoint)
      near.connection.write(version)
      const end = yield* far.first
      yield* far.signal.until(() => end.length === version.length)
    }).pipe(onEdges, Effect.scoped)
  )

  it.live("passes on what BIP-0324 begins with, byte by byte too", () =>
    Effect.gen(function* () {
      const under = yield* bridged()
      const far = yield* node()
      const near = yield* page(under, far.endpoint)
      const options = { magic: regtest.magic, aead: portableAead, curve: portableCurve }
      const framing = new V2Framing({ ...options, initiating: true, random: ChaChaRandom.fromNumber(1) })
      const hello = framing.takeOutput() ?? new Uint8Array(0)
      for (const byte of hello) near.connection.write(Uint8Array.of(byte))
      const end = yield* far.first
      yield* far.signal.until(() => end.length === hello.length)
      expect(end.received(hello)).toBe(true)
    }).pipe(onEdges, Effect.scoped)
  )
})

describe("a bridge that is told how much", () => {
  it.effect("carries so many bytes a second of one connection", () =>
    Effect.gen(function* () {
      const under = yield* bridged({ bytesPerSecond: 100_000 })
      const far = yield* node()
      const near = yield* page(under, far.endpoint)
      const end = yield* far.first
      end.connection.write(new Uint8Array(MiB))
      yield* under.signal.until(() => near.length >= 100_000)
      for (let second = 1; second <= 5; second++) {
        yield* unharmed(under)
        expect(near.length).toBeLessThan(100_000 * second + 2 * 65_536)
        yield* TestClock.adjust("1 second")
        yield* under.signal.until(() => near.length >= 100_000 * (second + 1) - 65_536)
      }
    }).pipe(onEdges, Effect.scoped)
  )

  it.effect("carries so many bytes a second of all connections", () =>
    Effect.gen(function* () {
      const under = yield* bridged({ totalBytesPerSecond: 100_000 })
      const far = yield* node((connection) => connection.write(new Uint8Array(MiB)))
      const pages = [yield* page(under, far.endpoint), yield* page(under, far.endpoint)]
      const length = (): number => pages.reduce((sum, near) => sum + near.length, 0)
      yield* under.signal.until(() => length() >= 100_000)
      yield* TestClock.adjust("2 seconds")
      yield* under.signal.until(() => length() >= 200_000)
      expect(length()).toBeLessThan(300_000 + 4 * 65_536)
    }).pipe(onEdges, Effect.scoped)
  )

  it.live("carries so many bytes for one connection and then closes it", () =>
    Effect.gen(function* () {
      const under = yield* bridged({ rules: { maxBytes: 500_000 } })
      const far = yield* node((connection) => connection.write(new Uint8Array(MiB)))
      const near = yield* page(under, far.endpoint)
      yield* under.signal.until(() => near.closedBy() !== undefined)
      expect(near.reason()).toMatchObject({ _tag: "Failed", code: "4413" })
      expect(near.length).toBeGreaterThanOrEqual(500_000)
      expect(near.length).toBeLessThan(500_000 + 2 * 65_536)
      yield* under.empty
    }).pipe(onEdges, Effect.scoped)
  )
})
