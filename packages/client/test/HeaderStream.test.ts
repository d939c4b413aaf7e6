/** Following the best chain of peers that serve it well, over both transports. */
import { HeaderUnknown, MAX_CHANGE_HEADERS, type TipChange } from "@satwire/client/headers"
import { HEADER_SIZE, regtest } from "@satwire/primitives"
import { Dialer, Listener } from "@satwire/transport"
import { headersMessage } from "@satwire/wire"
import { expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import {
  addTo,
  applied,
  changesUpTo,
  follow,
  hashAt,
  hashesOf,
  headerAt,
  regtestChain,
  serverOf,
  storedCount,
  treeOf,
  withStore
} from "./HeaderChains.ts"
import { eventually, overEachTransport } from "./Transports.ts"

const LONG = regtestChain(6500)

overEachTransport("a header stream", (session) => {
  session(
    "tells a chain from genesis in bounded steps, and only what is stored",
    Effect.gen(function* () {
      const { endpoint } = yield* serverOf(treeOf(LONG))
      const stream = yield* follow([endpoint])
      const changes: Array<TipChange> = []
      yield* stream.changes.pipe(
        Stream.takeUntil(({ tip }) => tip.height === 6500),
        Stream.runForEach((change) =>
          Effect.gen(function* () {
            changes.push(change)
            expect(change.added.count).toBeLessThanOrEqual(MAX_CHANGE_HEADERS)
            expect(change.added.headers.length).toBe(change.added.count * HEADER_SIZE)
            expect(change.removed.count).toBe(0)
            expect(yield* storedCount).toBeGreaterThanOrEqual(change.tip.height)
          })
        )
      )
      expect(applied(changes)).toEqual(hashesOf(LONG))
      expect((yield* stream.tip).height).toBe(6500)
      const { isCaughtUp, peers } = yield* stream.snapshot
      expect(isCaughtUp).toBe(true)
      expect(peers).toMatchObject([{ endpoint, state: "connected", failures: 0, fault: undefined }])
    }).pipe(withStore)
  )

  session(
    "tells of a reorganisation what left, what joined and where they part",
    Effect.gen(function* () {
      const trunk = regtestChain(10)
      const [old, longer] = [regtestChain(3, 1, hashAt(trunk, 9), 10), regtestChain(5, 2, hashAt(trunk, 9), 10)]
      const tree = treeOf(trunk, old)
      const server = yield* serverOf(tree)
      const stream = yield* follow([server.endpoint])
      const first = yield* changesUpTo(stream, 13)
      addTo(tree, longer)
      yield* (server.sessions[0] as (typeof server.sessions)[0]).send(headersMessage(longer))
      const [reorganised] = yield* Stream.runCollect(Stream.take(stream.changesSince(hashAt(old, 2)), 1))
      expect(reorganised).toEqual({
        fork: { height: 10, hash: hashAt(trunk, 9) },
        removed: { firstHeight: 11, count: 3, headers: old },
        added: { firstHeight: 11, count: 5, headers: longer },
        tip: { height: 15, hash: hashAt(longer, 4) },
        hasMore: false
      })
      expect(applied([...first, reorganised as TipChange])).toEqual([...hashesOf(trunk), ...hashesOf(longer)])
    }).pipe(withStore)
  )
})

overEachTransport("a header stream and its store", (session) => {
  session(
    "goes on after a restart from the same store, and tells who knows where it was what is new since",
    Effect.gen(function* () {
      const tree = treeOf(LONG.subarray(0, 3000 * HEADER_SIZE))
      const { endpoint } = yield* serverOf(tree)
      yield* Effect.scoped(Effect.flatMap(follow([endpoint]), (stream) => changesUpTo(stream, 3000)))
      addTo(tree, LONG.subarray(3000 * HEADER_SIZE, 4000 * HEADER_SIZE))
      const stream = yield* follow([endpoint])
      expect((yield* stream.tip).height).toBe(3000)
      const [change] = yield* changesUpTo(stream, 4000)
      expect(change).toMatchObject({ fork: { height: 3000 }, added: { firstHeight: 3001, count: 1000 } })
      const since = yield* stream.changesSince(hashAt(LONG, 499)).pipe(
        Stream.takeUntil(({ hasMore }) => !hasMore),
        Stream.runCollect
      )
      expect(since.map(({ added }) => [added.firstHeight, added.count])).toEqual([
        [501, 2000],
        [2501, 1500]
      ])
      const unknown = yield* Effect.flip(Stream.runDrain(stream.changesSince(hashAt(LONG, 6000))))
      expect(unknown).toBeInstanceOf(HeaderUnknown)
    }).pipe(withStore)
  )
})

overEachTransport("a header stream that somebody reads", (session) => {
  session(
    "is told to each reader from the start on, and ends with its scope",
    Effect.gen(function* () {
      const chain = regtestChain(5)
      const { endpoint } = yield* serverOf(treeOf(chain))
      const readers = yield* Effect.scoped(
        Effect.gen(function* () {
          const stream = yield* follow([endpoint])
          const readers = [
            yield* Effect.forkChild(Stream.runCollect(stream.changes)),
            yield* Effect.forkChild(Stream.runCollect(stream.changesSince(regtest.genesisHash)))
          ]
          expect(applied(yield* changesUpTo(stream, 5))).toEqual(hashesOf(chain))
          return readers
        })
      )
      for (const reader of readers) expect(applied(yield* Fiber.join(reader))).toEqual(hashesOf(chain))
    }).pipe(withStore)
  )

  session(
    "closes every socket when it is interrupted, whatever it is doing",
    Effect.gen(function* () {
      const { endpoint, sessions } = yield* serverOf(treeOf(LONG))
      const others = [yield* serverOf(treeOf()), yield* serverOf(treeOf(headerAt(LONG, 0)))]
      const [dialer, listener] = [yield* Dialer, yield* Listener]
      const peers = [endpoint, ...others.map((other) => other.endpoint)]
      for (let turns = 0; turns < 60; turns += 3) {
        const reading = Effect.flatMap(follow(peers), (stream) => Stream.runDrain(stream.changes))
        const fiber = yield* Effect.forkChild(Effect.scoped(reading).pipe(withStore))
        yield* Effect.repeat(Effect.yieldNow, { times: turns })
        yield* Fiber.interrupt(fiber)
        expect(dialer.connections()).toBe(0)
      }
      // However long it takes here: once more when there is a session.
      const reading = Effect.flatMap(follow(peers), (stream) => Stream.runDrain(stream.changes))
      const fiber = yield* Effect.forkChild(Effect.scoped(reading).pipe(withStore))
      yield* eventually(() => sessions.length > 0)
      yield* Fiber.interrupt(fiber)
      expect(dialer.connections()).toBe(0)
      yield* eventually(() => listener.connections() === 0)
    })
  )
})
