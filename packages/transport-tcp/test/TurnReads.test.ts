import { it } from "@effect/vitest"
import { type Connection, Dialer, Listener } from "@satwire/transport"
import { MiB, Observed, Signal, pattern } from "@satwire/transport/compliance"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { once } from "node:events"
import * as Net from "node:net"
import { setImmediate } from "node:timers"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { layerTcp } from "../src/index.ts"
import {
  HELD_TURNS,
  READERS,
  READING_MS,
  READ_BYTES,
  beginFullRead,
  holdForTurns,
  isTurnLong
} from "../src/TurnReads.ts"

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A clock that only goes on where a test says so. */
let now = 0
/** By so much each time that it is read. */
let step = 0

beforeEach(() => {
  now = 0
  step = 0
  vi.spyOn(performance, "now").mockImplementation(() => (now += step))
})

afterEach(async () => {
  // What is followed of a turn is forgotten after one without a read.
  for (let turn = 0; turn < 4 * HELD_TURNS; turn++) await nextTurn()
  vi.restoreAllMocks()
})

describe("a turn", () => {
  test("is long once it has lasted a millisecond, and the next one is not", async () => {
    beginFullRead()
    expect(isTurnLong()).toBe(false)
    now += READING_MS
    expect(isTurnLong()).toBe(true)
    await nextTurn()
    expect(isTurnLong()).toBe(false)
    // What happens before the first read counts too.
    now += READING_MS
    beginFullRead()
    expect(isTurnLong()).toBe(true)
  })

  test("goes to others four times, and then to so many of those who wait, the first first", async () => {
    const read: Array<number> = []
    const hold = (socket: number): void => holdForTurns({ readOn: () => read.push(socket) })
    beginFullRead()
    const sockets = Array.from({ length: READERS + 2 }, (_, i) => i)
    for (const socket of sockets) hold(socket)
    for (let turn = 1; turn < HELD_TURNS; turn++) await nextTurn()
    expect(read).toEqual([])
    await nextTurn()
    expect(read).toEqual(sockets.slice(0, READERS))
    for (let turn = 1; turn < HELD_TURNS; turn++) await nextTurn()
    expect(read).toEqual(sockets.slice(0, READERS))
    await nextTurn()
    expect(read).toEqual(sockets)
  })

  test("goes to others once where that takes long", async () => {
    let reads = 0
    beginFullRead()
    holdForTurns({ readOn: () => reads++ })
    now += 100
    await nextTurn()
    expect(reads).toBe(1)
  })
})

/** A connection of ours to a plain socket at the other end, for each way there is one. */
const WAYS = {
  dialled: Effect.gen(function* () {
    const server = Net.createServer().listen(0, "127.0.0.1")
    yield* Effect.addFinalizer(() => Effect.sync(() => server.close()))
    yield* Effect.promise(() => once(server, "listening"))
    const accepted = once(server, "connection") as Promise<[Net.Socket]>
    const { port } = server.address() as Net.AddressInfo
    const connection = yield* (yield* Dialer).dial({ host: "127.0.0.1", port })
    return { connection, far: (yield* Effect.promise(() => accepted))[0] }
  }),
  accepted: Effect.gen(function* () {
    const met = Promise.withResolvers<Connection>()
    const { endpoint } = yield* (yield* Listener).listen({ host: "127.0.0.1", port: 0 }, met.resolve)
    const far = Net.connect(endpoint)
    return { connection: yield* Effect.promise(() => met.promise), far }
  })
}

/** Such a connection whose other end has said all this already, as far as the kernel takes it. */
const waiting = (way: keyof typeof WAYS, bytes: Uint8Array) =>
  Effect.gen(function* () {
    const { connection, far } = yield* WAYS[way]
    yield* Effect.addFinalizer(() => Effect.sync(() => far.destroy()))
    far.on("error", () => undefined).resume()
    far.end(bytes)
    for (let turn = 0; turn < 20; turn++) yield* Effect.promise(nextTurn)
    return connection
  })

const live = (name: string, body: Effect.Effect<void, unknown, Dialer | Listener | Scope.Scope>): void =>
  it.live(name, () => body.pipe(Effect.provide(layerTcp, { local: true }), Effect.scoped))

describe.each(["dialled", "accepted"] as const)("a connection that was %s", (way) => {
  beforeEach(() => {
    // Whatever is done takes its share.
    step = READING_MS
  })

  live(
    "is read once in a turn where that takes long, and nothing of it is lost, nor its end",
    Effect.gen(function* () {
      const sent = pattern(8 * MiB, 1)
      const connection = yield* waiting(way, sent)
      const signal = new Signal()
      const near = new Observed(connection, signal)
      let most = 0
      let isOver = false
      let before = 0
      const look = (): void => {
        most = Math.max(most, near.length - before)
        before = near.length
        if (!isOver) setImmediate(look)
      }
      look()
      yield* signal.until(() => near.closedBy() !== undefined)
      isOver = true
      expect(near.closedBy()).toBe("Ended")
      expect(near.received(sent)).toBe(true)
      // With the rest of a read that was not full.
      expect(most).toBeLessThan(2 * READ_BYTES)
    })
  )

  live(
    "lets another in between",
    Effect.gen(function* () {
      const order: Array<number> = []
      const signal = new Signal()
      const left = [4 * MiB, 4 * MiB]
      const connections = [yield* waiting(way, new Uint8Array(4 * MiB)), yield* waiting(way, new Uint8Array(4 * MiB))]
      for (const [socket, connection] of connections.entries()) {
        connection.start({
          onBytes({ length }) {
            order.push(socket)
            left[socket] = (left[socket] as number) - length
            signal.changed()
          },
          onDrain: () => undefined,
          onClose: () => undefined
        })
      }
      yield* signal.until(() => left.every((bytes) => bytes === 0))
      // Where both are read, of which Deno begins with one a little later: each is read at most twice while the other waits.
      const both = order
        .slice(Math.max(order.indexOf(0), order.indexOf(1)), Math.min(order.lastIndexOf(0), order.lastIndexOf(1)) + 1)
        .join("")
      expect(both.length).toBeGreaterThan(32)
      expect(both).not.toMatch(/000|111/)
    })
  )

  live(
    "stays paused when others have had their turn, and does not read on before that when resumed",
    Effect.gen(function* () {
      const connection = yield* waiting(way, new Uint8Array(2 * MiB))
      const signal = new Signal()
      const near = new Observed(connection, signal)
      yield* signal.until(() => near.length > 0)
      // It is held now.
      connection.pause()
      const { length } = near
      for (let turn = 0; turn < 10 * HELD_TURNS; turn++) yield* Effect.promise(nextTurn)
      expect(near.length).toBe(length)
      connection.resume()
      yield* signal.until(() => near.length > length)
      // And now it is held again.
      yield* Effect.promise(nextTurn)
      const then = near.length
      connection.pause()
      connection.resume()
      yield* Effect.promise(nextTurn)
      expect(near.length).toBe(then)
      yield* signal.until(() => near.closedBy() !== undefined)
      expect(near.length).toBe(2 * MiB)
    })
  )

  live(
    "that is destroyed while others have their turn reads nothing more",
    Effect.gen(function* () {
      const connection = yield* waiting(way, new Uint8Array(2 * MiB))
      const signal = new Signal()
      const near = new Observed(connection, signal)
      yield* signal.until(() => near.length > 0)
      const { length } = near
      connection.destroy()
      yield* signal.until(() => near.closedBy() !== undefined)
      for (let turn = 0; turn < 2 * HELD_TURNS; turn++) yield* Effect.promise(nextTurn)
      expect([near.length, near.late]).toEqual([length, 0])
    })
  )
})
