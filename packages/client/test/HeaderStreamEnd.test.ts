/** Peers that do not serve: none of them may make the stream stand still without a word. */
import {
  HeadersRefused,
  HeaderUnknown,
  HEADERS_UNTOLD,
  HEADER_BYTES_UNSTORED,
  type HeaderStream,
  NoPeerServes,
  type TipChange
} from "@satwire/client/headers"
import { HEADERS_RESPONSE_TIME_MS } from "@satwire/header-sync"
import { HEADER_SIZE, mainnet, regtest } from "@satwire/primitives"
import { DiskFull, HeaderStore } from "@satwire/store"
import { type Connection, Dialer, type Endpoint, Listener, layerMemory } from "@satwire/transport"
import { MAX_HEADERS_RESULTS, headersMessage } from "@satwire/wire"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import {
  answerOf,
  applied,
  changesUpTo,
  follow,
  hashAt,
  hashesOf,
  headerAt,
  regtestChain,
  scripted,
  serverOf,
  storedCount,
  treeOf,
  withStore
} from "./HeaderChains.ts"
import { leavingNothing, overEachTransport } from "./Transports.ts"

const LONG = regtestChain(5000)
/** Longer than a reader may be behind. */
const LONGER = regtestChain(2 * HEADERS_UNTOLD)

const endOf = (stream: HeaderStream) =>
  Effect.flatMap(Effect.flip(Stream.runDrain(stream.changes)), (error) =>
    error instanceof NoPeerServes ? Effect.succeed(error) : Effect.die(error)
  )

/** Lets the time pass in which an effect is done. */
const inTime = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    while (fiber.pollUnsafe() === undefined) {
      yield* Effect.repeat(Effect.yieldNow, { times: 50 })
      yield* TestClock.adjust("10 seconds")
    }
    return yield* Fiber.join(fiber)
  })

/** A port on which nobody listens. */
const nobody = Effect.scoped(
  Effect.gen(function* () {
    const { listen } = yield* Listener
    return (yield* listen({ host: "127.0.0.1", port: 0 }, () => {})).endpoint
  })
)

/** Whoever takes connections and does this with them. */
const stranger = (meet: (connection: Connection) => void) =>
  Effect.gen(function* () {
    const { listen } = yield* Listener
    const listening = yield* listen({ host: "127.0.0.1", port: 0 }, (connection) => {
      connection.start({ onBytes: () => {}, onDrain: () => {}, onClose: () => {} })
      meet(connection)
    })
    return listening.endpoint
  })

overEachTransport("a header stream", (session) => {
  session(
    "fails at once, each peer named, when none can be reached",
    Effect.gen(function* () {
      const peers = [yield* nobody, yield* nobody]
      const error = yield* endOf(yield* follow(peers, { tries: 1 }))
      expect(error.peers).toMatchObject(
        peers.map((endpoint) => ({ endpoint, tries: 1, by: "network", fault: { _tag: "NotReached" } }))
      )
      for (const { port } of peers) expect(error.message).toContain(`127.0.0.1:${port}`)
    }).pipe(withStore)
  )

  session(
    "fails when it is given no peers",
    Effect.gen(function* () {
      const error = yield* endOf(yield* follow([]))
      expect(error).toMatchObject({ peers: [], message: "no peers were given" })
    }).pipe(withStore)
  )
})

overEachTransport("a header stream with bad peers", (session) => {
  session(
    "goes on with another when a peer vanishes in the middle",
    Effect.gen(function* () {
      const tree = treeOf(LONG)
      let gone = 0
      const vanishing = yield* scripted((message, session, question) => {
        if (question === 0) return session.send(answerOf(tree, message))
        gone += 1
        // What was sent is on its way, and nothing more comes.
        return Effect.andThen(session.send({ _tag: "mempool" }), Effect.fail("gone"))
      })
      const honest = yield* serverOf(tree)
      const both = yield* follow([vanishing.endpoint, honest.endpoint], { sessionsAtOnce: 1 })
      expect(applied(yield* changesUpTo(both, 5000))).toEqual(hashesOf(LONG))
      expect(gone).toBeGreaterThan(0)
      expect(honest.questions).toBeGreaterThan(0)
    }).pipe(withStore)
  )

  session(
    "names a header that breaks a rule, and does not ask its sender again",
    Effect.gen(function* () {
      const bad = regtestChain(20)
      bad.fill(0, 10 * HEADER_SIZE + 72, 10 * HEADER_SIZE + 76)
      const liar = yield* scripted((_, session) => session.send(headersMessage(bad)))
      const error = yield* endOf(yield* follow([liar.endpoint]))
      expect(error.peers).toMatchObject([
        { endpoint: liar.endpoint, tries: 1, by: "peer", fault: { _tag: "InvalidHeader", rule: "high-hash" } }
      ])
      expect(error.message).toContain("high-hash")
      expect(liar.sessions.length).toBe(1)
    }).pipe(withStore)
  )

  session(
    "names a peer that sends nothing but garbage",
    Effect.gen(function* () {
      const garbage = yield* stranger((connection) => connection.write(new Uint8Array(5000).fill(0x5a)))
      const error = yield* endOf(yield* follow([garbage], { tries: 1, v2transport: "never" }))
      expect(error.peers).toMatchObject([{ endpoint: garbage, by: "peer", fault: { _tag: "SessionOver" } }])
    }).pipe(withStore)
  )
})

overEachTransport("a header stream and its bounds", (session) => {
  session(
    "reads its peers no further than a slow reader allows, and tells it all in the end",
    Effect.gen(function* () {
      const { endpoint } = yield* serverOf(treeOf(LONGER))
      const stream = yield* follow([endpoint])
      const changes: Array<TipChange> = []
      const most: Array<number> = []
      yield* stream.changes.pipe(
        Stream.takeUntil(({ tip }) => tip.height === LONGER.length / HEADER_SIZE),
        Stream.runForEach((change) =>
          Effect.gen(function* () {
            changes.push(change)
            // Everything else goes on as far as it may.
            yield* Effect.repeat(Effect.yieldNow, { times: 300 })
            most.push((yield* storedCount) - change.tip.height)
          })
        )
      )
      expect(Math.max(...most)).toBeGreaterThan(MAX_HEADERS_RESULTS)
      expect(Math.max(...most)).toBeLessThanOrEqual(HEADERS_UNTOLD + 2 * MAX_HEADERS_RESULTS)
      expect(applied(changes)).toEqual(hashesOf(LONGER))
    }).pipe(withStore)
  )

  session(
    "has no more sessions at once than it may, and asks them all in turn",
    Effect.gen(function* () {
      const dialer = yield* Dialer
      let most = 0
      const peers: Array<Endpoint> = []
      for (let i = 0; i < 6; i++) {
        const wrong = headersMessage(regtestChain(1, i).fill(0, 72, 76))
        const peer = yield* scripted((_, session) => {
          most = Math.max(most, dialer.connections())
          return session.send(wrong)
        })
        peers.push(peer.endpoint)
      }
      const error = yield* endOf(yield* follow(peers, { sessionsAtOnce: 2 }))
      expect(error.peers.map(({ fault }) => fault._tag)).toEqual(peers.map(() => "InvalidHeader"))
      expect(most).toBeLessThanOrEqual(2)
    }).pipe(withStore)
  )
})

/** Under a clock that the test moves, over the memory network. */
const timed = (name: string, body: Effect.Effect<void, unknown, Dialer | Listener | HeaderStore | Scope.Scope>) =>
  it.effect(name, () =>
    // Later than any header of these chains.
    Effect.andThen(TestClock.setTime(Date.UTC(2026, 0)), body).pipe(
      withStore,
      leavingNothing,
      Effect.provide(layerMemory(), { local: true })
    )
  )

describe("a header stream, as time passes", () => {
  timed(
    "fails when its peers shake hands and serve nothing, after all their tries",
    Effect.gen(function* () {
      const silent = [yield* scripted(() => Effect.void), yield* scripted(() => Effect.void)]
      const stream = yield* follow(
        silent.map(({ endpoint }) => endpoint),
        { tries: 3 }
      )
      const error = yield* inTime(endOf(stream))
      expect(error.peers).toMatchObject(
        silent.map(({ endpoint }) => ({ endpoint, tries: 3, by: "peer", fault: { _tag: "NotServing" } }))
      )
      expect(silent.map(({ sessions }) => sessions.length)).toEqual([3, 3])
      expect(yield* Effect.flip(stream.failure)).toBe(error)
      expect((yield* stream.snapshot).peers.map(({ state }) => state)).toEqual(["spent", "spent"])
    })
  )

  timed(
    "fails when a peer is dialled and says nothing at all",
    Effect.gen(function* () {
      const mute = yield* stranger(() => {})
      const error = yield* inTime(endOf(yield* follow([mute], { tries: 2 })))
      expect(error.peers).toMatchObject([
        { tries: 2, by: "peer", fault: { error: { reason: { reason: { _tag: "HandshakeTimeout" } } } } }
      ])
    })
  )

  timed(
    "lets a silent peer go within two minutes of the question, and finds the one that serves",
    Effect.gen(function* () {
      const silent = yield* scripted(() => Effect.void)
      const stream = yield* follow([silent.endpoint], { tries: 1 })
      const reading = yield* Effect.forkChild(endOf(stream))
      yield* Effect.repeat(Effect.yieldNow, { until: () => silent.questions === 1 })
      yield* TestClock.adjust(HEADERS_RESPONSE_TIME_MS - 1)
      yield* Effect.repeat(Effect.yieldNow, { times: 100 })
      expect(reading.pollUnsafe()).toBe(undefined)
      yield* TestClock.adjust(1)
      expect((yield* Fiber.join(reading)).peers).toMatchObject([{ fault: { _tag: "NotServing" } }])

      const honest = yield* serverOf(treeOf(LONG))
      const both = yield* follow([silent.endpoint, honest.endpoint])
      expect(applied(yield* inTime(changesUpTo(both, 5000)))).toEqual(hashesOf(LONG))
    })
  )

  timed(
    "takes no answer for service that brings nothing new",
    Effect.gen(function* () {
      const tree = treeOf(LONG)
      const far = headersMessage(LONG.slice(3000 * HEADER_SIZE, 3010 * HEADER_SIZE))
      const unconnected = yield* scripted((_, session) => session.send(far))
      const again = yield* scripted((message, session) =>
        Effect.delay(session.send(answerOf(tree, { ...message, locator: [regtest.genesisHash] })), "5 seconds")
      )
      const stream = yield* follow([unconnected.endpoint, again.endpoint], { tries: 1 })
      const error = yield* inTime(endOf(stream))
      expect(error.peers.map(({ fault }) => fault._tag)).toEqual(["NotServing", "NotServing"])
      expect((yield* stream.tip).height).toBe(MAX_HEADERS_RESULTS)
    })
  )

  timed(
    "stays with a peer that has no more, however long nothing is new, and fails when that leaves for good",
    Effect.gen(function* () {
      const serving = yield* Scope.fork(yield* Effect.scope)
      const { endpoint } = yield* Scope.provide(serverOf(treeOf(headerAt(LONG, 0))), serving)
      const stream = yield* follow([endpoint])
      yield* changesUpTo(stream, 1)
      const ending = yield* Effect.forkChild(Effect.flip(stream.failure))
      for (let minutes = 0; minutes < 60; minutes++) {
        yield* Effect.repeat(Effect.yieldNow, { times: 50 })
        yield* TestClock.adjust("1 minute")
      }
      expect(yield* stream.snapshot).toMatchObject({ isCaughtUp: true, peers: [{ state: "connected", failures: 0 }] })
      yield* Scope.close(serving, Exit.void)
      expect(yield* inTime(Fiber.join(ending))).toMatchObject({ peers: [{ tries: 5, fault: { _tag: "NotReached" } }] })
    })
  )

  timed(
    "counts the tries of a peer anew once it has served",
    Effect.gen(function* () {
      const tree = treeOf(LONG)
      // One run for each session.
      const flaky = yield* scripted((message, session) =>
        Effect.andThen(session.send(answerOf(tree, message)), Effect.andThen(session.receive, Effect.fail("enough")))
      )
      const stream = yield* follow([flaky.endpoint], { tries: 2 })
      expect(applied(yield* inTime(changesUpTo(stream, 5000)))).toEqual(hashesOf(LONG))
    })
  )
})

describe("the store of a header stream", () => {
  const failing = Layer.effect(
    HeaderStore,
    Effect.gen(function* () {
      const store = yield* HeaderStore
      let appends = 0
      return HeaderStore.of({
        ...store,
        append: (headers, count) =>
          appends++ < 1 ? store.append(headers, count) : Effect.fail(new DiskFull({ path: "/data", code: "ENOSPC" }))
      })
    })
  ).pipe(Layer.provide(HeaderStore.layerMemory))

  it.live("ends it with its error when it fails, and nothing is told that is not stored", () =>
    Effect.gen(function* () {
      const { endpoint } = yield* serverOf(treeOf(LONG))
      const stream = yield* follow([endpoint])
      const changes: Array<TipChange> = []
      const read = Stream.runForEach(stream.changes, (change) => Effect.sync(() => changes.push(change)))
      expect(yield* Effect.flip(read)).toBeInstanceOf(DiskFull)
      expect(yield* Effect.flip(stream.failure)).toBeInstanceOf(DiskFull)
      expect((yield* Dialer).connections()).toBe(0)
      let stored = 0
      yield* (yield* HeaderStore).load((_, count) => (stored += count))
      expect(applied(changes).length).toBe(stored)
    }).pipe(Effect.provide(failing, { local: true }), leavingNothing, Effect.provide(layerMemory(), { local: true }))
  )

  it.live("holds the peers while it is far behind, and gets it all", () => {
    const most = HEADER_BYTES_UNSTORED / HEADER_SIZE
    const chain = regtestChain(most + 10_000)
    const gate = Latch.makeUnsafe(false)
    const gated = Layer.effect(
      HeaderStore,
      Effect.map(HeaderStore, (store) =>
        HeaderStore.of({
          ...store,
          append: (headers, count) => Effect.andThen(gate.await, store.append(headers, count))
        })
      )
    ).pipe(Layer.provide(HeaderStore.layerMemory))
    return Effect.gen(function* () {
      const server = yield* serverOf(treeOf(chain))
      const stream = yield* follow([server.endpoint])
      const isQuiet = Effect.suspend(() => {
        const before = server.questions
        return Effect.map(Effect.repeat(Effect.yieldNow, { times: 500 }), () => server.questions === before)
      })
      yield* Effect.repeat(isQuiet, { until: (quiet) => quiet && server.questions > 1 })
      expect(server.questions).toBeGreaterThan(most / MAX_HEADERS_RESULTS - 2)
      expect(server.questions).toBeLessThan(most / MAX_HEADERS_RESULTS + 4)
      expect((yield* stream.tip).height).toBe(0)
      yield* gate.open
      expect(applied(yield* changesUpTo(stream, most + 10_000))).toHaveLength(most + 10_000)
    }).pipe(Effect.provide(gated, { local: true }), leavingNothing, Effect.provide(layerMemory(), { local: true }))
  })

  it.live("is refused when its headers are of another chain", () =>
    Effect.gen(function* () {
      const store = yield* HeaderStore
      yield* store.append(LONG.slice(0, 800), 10)
      const refused = yield* Effect.flip(follow([], { params: mainnet }))
      expect(refused).toBeInstanceOf(HeadersRefused)
      expect((yield* Effect.scoped(follow([]))).tip).toBeDefined()
    }).pipe(withStore, leavingNothing, Effect.provide(layerMemory(), { local: true }))
  )
})

describe("a skeleton", () => {
  it.live("has headers fetched from several peers at once", () =>
    Effect.gen(function* () {
      const tree = treeOf(LONGER)
      const servers = [yield* serverOf(tree), yield* serverOf(tree), yield* serverOf(tree)]
      const skeleton = [5000, 10_000, 15_000].map((height) => ({ height, hash: hashAt(LONGER, height - 1) }))
      const peers = servers.map(({ endpoint }) => endpoint)
      const stream = yield* follow(peers, { skeleton })
      expect(applied(yield* changesUpTo(stream, 2 * HEADERS_UNTOLD))).toEqual(hashesOf(LONGER))
      expect(servers.filter(({ questions }) => questions > 0).length).toBeGreaterThan(1)
      expect(
        yield* Effect.flip(Stream.runDrain(stream.changesSince(regtest.genesisHash.map((b) => b ^ 1) as never)))
      ).toBeInstanceOf(HeaderUnknown)
    }).pipe(withStore, leavingNothing, Effect.provide(layerMemory(), { local: true }))
  )
})
