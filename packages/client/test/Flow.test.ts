import { MESSAGES_WAITING, MESSAGE_BYTES_WAITING, type PeerSession, connect } from "@satwire/client"
import { FRAMES_PER_TURN, MAX_SEND_BUFFER_BYTES } from "@satwire/peer"
import { regtest } from "@satwire/primitives"
import { layerMemory } from "@satwire/transport"
import type { Message } from "@satwire/wire"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { type FarPeer, farPeers } from "./FarPeer.ts"
import { numberOf, numbered } from "./Numbered.ts"
import { leavingNothing, overEachTransport } from "./Transports.ts"

const FLOOD = 100_000

/** A session and the other end of it. */
const pair = Effect.fnUntraced(function* () {
  const { endpoint, peer } = yield* farPeers()
  const near = yield* connect(endpoint, { params: regtest })
  const far = yield* peer(0)
  yield* far.untilReady
  return { near, far }
})

/** So many messages, a thousand in each write. */
const flood = (far: FarPeer, count: number, message: (number: number) => Message = numbered): void => {
  for (let from = 0; from < count; from += 1000) {
    far.send(...Array.from({ length: Math.min(1000, count - from) }, (_, i) => message(from + i)))
  }
}

const receivedBy = (near: PeerSession): Effect.Effect<number> =>
  Effect.map(near.snapshot, ({ received }) => received.get("inv")?.messages ?? 0)

/** Waits until so many were received, and then lets everything go on that still can; gives how many they are at last. */
const heldAt = (near: PeerSession, count: number): Effect.Effect<number> =>
  Effect.andThen(Effect.yieldNow, receivedBy(near)).pipe(
    Effect.repeat({ until: (received) => received >= count }),
    Effect.andThen(Effect.repeat(Effect.yieldNow, { times: 100 })),
    Effect.andThen(receivedBy(near))
  )

overEachTransport("a flood of messages", (session) => {
  session(
    "waits at the peer while nobody takes them, and none is lost when somebody does",
    Effect.gen(function* () {
      const { near, far } = yield* pair()
      flood(far, FLOOD)
      expect(yield* heldAt(near, MESSAGES_WAITING)).toBeLessThan(MESSAGES_WAITING + FRAMES_PER_TURN)
      let next = 0
      let most = 0
      yield* near.messages.pipe(
        Stream.take(FLOOD),
        Stream.runForEachArray((chunk) =>
          Effect.gen(function* () {
            for (const message of chunk) if (numberOf(message) === next) next += 1
            most = Math.max(most, (yield* receivedBy(near)) - next)
            // A reader that is slower than the peer.
            yield* Effect.yieldNow
          })
        )
      )
      expect(next).toBe(FLOOD)
      expect(most).toBeLessThan(MESSAGES_WAITING + FRAMES_PER_TURN)
    })
  )

  session(
    "comes one by one as well",
    Effect.gen(function* () {
      const { near, far } = yield* pair()
      flood(far, 10_000)
      for (let i = 0; i < 10_000; i++) expect(numberOf(yield* near.receive)).toBe(i)
    })
  )
})

describe("a session", () => {
  it.live("lets few messages wait when they are large", () =>
    Effect.gen(function* () {
      const { near, far } = yield* pair()
      const entries = 50_000
      const bytes = 36 * entries
      flood(far, 20, (i) => numbered(i, entries))
      const most = Math.ceil(MESSAGE_BYTES_WAITING / bytes)
      expect(yield* heldAt(near, most)).toBe(most)
      const numbers = yield* near.messages.pipe(Stream.take(20), Stream.map(numberOf), Stream.runCollect)
      expect(numbers).toEqual(Array.from({ length: 20 }, (_, i) => i))
    }).pipe(leavingNothing, Effect.provide(layerMemory(), { local: true }))
  )

  it.live("answers no more pings than their peer takes the answers of", () =>
    Effect.gen(function* () {
      const { near, far } = yield* pair()
      far.connection.pause()
      flood(far, FLOOD, (i) => ({ _tag: "ping", nonce: BigInt(i + 1) }))
      yield* Effect.repeat(Effect.yieldNow, { times: 2000 })
      const { bytesSent, sent } = yield* near.snapshot
      expect(bytesSent).toBeGreaterThan(MAX_SEND_BUFFER_BYTES)
      expect(bytesSent).toBeLessThan(MAX_SEND_BUFFER_BYTES + 32 * (FRAMES_PER_TURN + 10))
      expect(sent.get("pong")?.messages).toBeLessThan(FLOOD / 2)
      far.connection.resume()
      // The first of them answered the far peer's own ping of the handshake.
      yield* Effect.repeat(Effect.andThen(Effect.yieldNow, near.snapshot), {
        until: ({ sent }) => sent.get("pong")?.messages === FLOOD + 1
      })
    }).pipe(leavingNothing, Effect.provide(layerMemory(), { local: true }))
  )

  it.live("lets whoever sends wait until the peer has taken what was sent before", () =>
    Effect.gen(function* () {
      const { near, far } = yield* pair()
      far.connection.pause()
      let sent = 0
      const sending = yield* Effect.forkChild(
        Effect.forEach(
          Array.from({ length: 100 }),
          (_, i) => Effect.tap(near.send(numbered(i, 1000)), () => Effect.sync(() => (sent += 1))),
          { discard: true }
        )
      )
      yield* Effect.repeat(Effect.yieldNow, { times: 200 })
      expect(sent).toBe(Math.ceil(MAX_SEND_BUFFER_BYTES / (24 + 3 + 36_000)))
      far.connection.resume()
      yield* Fiber.join(sending)
      yield* far.until(({ received }) => received.length === 100)
      expect(far.received.map(numberOf)).toEqual(Array.from({ length: 100 }, (_, i) => i))
    }).pipe(leavingNothing, Effect.provide(layerMemory(), { local: true }))
  )

  it.live("hears the pong of a ping that was asked for while nobody took its messages", () =>
    Effect.gen(function* () {
      const { near, far } = yield* pair()
      flood(far, 5000)
      yield* heldAt(near, MESSAGES_WAITING)
      const pinging = yield* Effect.forkChild(near.ping)
      yield* Effect.repeat(Effect.yieldNow, { times: 100 })
      expect(pinging.pollUnsafe()).toBe(undefined)
      yield* Stream.runDrain(Stream.take(near.messages, 5000))
      expect(yield* Fiber.join(pinging)).toBeGreaterThanOrEqual(0)
    }).pipe(leavingNothing, Effect.provide(layerMemory(), { local: true }))
  )

  it.live("goes on after a reader was interrupted, and the next one takes over", () =>
    Effect.gen(function* () {
      const { near, far } = yield* pair()
      for (let round = 0; round < 50; round++) {
        const reader = yield* Effect.forkChild(near.receive)
        yield* Effect.repeat(Effect.yieldNow, { times: round % 4 })
        yield* Fiber.interrupt(reader)
      }
      flood(far, 3000)
      expect(numberOf(yield* near.receive)).toBe(0)
      const rest = yield* Stream.runCollect(Stream.take(near.messages, 2999))
      expect(rest.map(numberOf)).toEqual(Array.from({ length: 2999 }, (_, i) => i + 1))
    }).pipe(leavingNothing, Effect.provide(layerMemory(), { local: true }))
  )
})
