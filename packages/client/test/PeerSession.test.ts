import { readFileSync } from "node:fs"
import { DEFAULT_USER_AGENT, connect, overConnection } from "@satwire/client"
import { regtest } from "@satwire/primitives"
import { MachineFailed } from "@satwire/runtime"
import { type Connection, Listener } from "@satwire/transport"
import { GETADDR, MEMPOOL, type Message } from "@satwire/wire"
import { expect, test } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { farPeers } from "./FarPeer.ts"
import { numberOf, numbered } from "./Numbered.ts"
import { overEachTransport } from "./Transports.ts"

const options = { params: regtest }

overEachTransport("a session", (session) => {
  session(
    "shakes hands with a peer that it dials",
    Effect.gen(function* () {
      const far = yield* farPeers({ userAgent: "/far:9/" })
      const near = yield* connect(far.endpoint, { ...options, userAgent: "/near:1/", services: 5n, startHeight: 42 })
      expect(near.remote).toEqual(far.endpoint)
      expect(near.info).toMatchObject({
        direction: "outbound",
        userAgent: "/far:9/",
        services: 9n,
        startHeight: 100,
        relay: true,
        wtxidRelay: true,
        addrV2: true
      })
      const peer = yield* far.peer(0)
      yield* peer.untilReady
      expect(peer.info).toMatchObject({ userAgent: "/near:1/", services: 5n, startHeight: 42, relay: false })
    })
  )

  session(
    "shakes hands over a connection that the other end opened",
    Effect.gen(function* () {
      const accepted = yield* Deferred.make<Connection>()
      const { listen } = yield* Listener
      const { endpoint } = yield* listen({ host: "127.0.0.1", port: 0 }, (connection) => {
        Deferred.doneUnsafe(accepted, Exit.succeed(connection))
      })
      const [outbound, inbound] = yield* Effect.all(
        [
          connect(endpoint, { ...options, userAgent: "/dialled:1/" }),
          Effect.flatMap(Deferred.await(accepted), (connection) => overConnection(connection, options))
        ],
        { concurrency: 2 }
      )
      expect(inbound.info).toMatchObject({ direction: "inbound", userAgent: "/dialled:1/" })
      expect(outbound.info).toMatchObject({ direction: "outbound", userAgent: DEFAULT_USER_AGENT })
      yield* inbound.send(MEMPOOL)
      expect(yield* outbound.receive).toEqual(MEMPOOL)
    })
  )
})

overEachTransport("a session that talks", (session) => {
  session(
    "carries messages both ways in order, the large ones too",
    Effect.gen(function* () {
      const far = yield* farPeers()
      const near = yield* connect(far.endpoint, options)
      const peer = yield* far.peer(0)
      yield* peer.untilReady
      const sizes = [1, 50_000, 2, 40_000, 3]
      for (const [i, entries] of sizes.entries()) yield* near.send(numbered(i, entries))
      yield* peer.until(({ received }) => received.length === sizes.length)
      expect(peer.received.map(numberOf)).toEqual([0, 1, 2, 3, 4])
      peer.send(...peer.received)
      const back = yield* Stream.runCollect(Stream.take(near.messages, sizes.length))
      expect(back.map(numberOf)).toEqual([0, 1, 2, 3, 4])
      expect(back.map((message) => (message._tag === "inv" ? message.inventory.count : 0))).toEqual(sizes)
    })
  )

  session(
    "times a ping, and a second one anew",
    Effect.gen(function* () {
      const far = yield* farPeers()
      const near = yield* connect(far.endpoint, options)
      const [first, second] = [yield* near.ping, yield* near.ping]
      expect(first).toBeGreaterThan(0)
      const snapshot = yield* near.snapshot
      expect(snapshot).toMatchObject({ state: "ready", pingMs: second, minPingMs: Math.min(first, second) })
      expect(snapshot.sent.get("ping")?.messages).toBe(2)
    })
  )

  session(
    "talks with two peers at once, each in its own session",
    Effect.gen(function* () {
      const far = yield* farPeers()
      const [one, two] = [yield* connect(far.endpoint, options), yield* connect(far.endpoint, options)]
      yield* one.send(GETADDR)
      yield* two.send(MEMPOOL)
      const [first, second] = [yield* far.peer(0), yield* far.peer(1)]
      yield* first.until(({ received }) => received.length === 1)
      yield* second.until(({ received }) => received.length === 1)
      expect([first.received, second.received]).toEqual([[GETADDR], [MEMPOOL]])
      second.connection.destroy()
      const ended = yield* Effect.flip(two.ended)
      expect(ended.peer).toBe(`127.0.0.1:${far.endpoint.port}`)
      expect(yield* one.ping).toBeGreaterThan(0)
    })
  )
})

overEachTransport("a session that is closed", (session) => {
  session(
    "lets what was sent arrive when its scope closes with nothing gone wrong",
    Effect.gen(function* () {
      const far = yield* farPeers()
      yield* Effect.scoped(
        Effect.gen(function* () {
          const near = yield* connect(far.endpoint, options)
          for (let i = 0; i < 20; i++) yield* near.send(numbered(i, 1000))
        })
      )
      const peer = yield* far.peer(0)
      yield* peer.untilClosed
      expect(peer.closedBy).toBe("Ended")
      expect(peer.received.map(numberOf)).toEqual(Array.from({ length: 20 }, (_, i) => i))
    })
  )

  session(
    "fails for everybody who waits when its scope closes, by our own doing",
    Effect.gen(function* () {
      const far = yield* farPeers()
      const scope = yield* Scope.make()
      const near = yield* connect(far.endpoint, options).pipe(Scope.provide(scope))
      const waiting = yield* Effect.forkChild(
        Effect.all([Effect.flip(near.receive), Effect.flip(near.ended)], { concurrency: "unbounded" }),
        { startImmediately: true }
      )
      yield* Scope.close(scope, Exit.void)
      const errors = [
        ...(yield* Fiber.join(waiting)),
        yield* Effect.flip(near.send(GETADDR)),
        yield* Effect.flip(near.ping),
        yield* Effect.flip(Stream.runDrain(near.messages))
      ]
      expect(errors).toHaveLength(5)
      for (const error of errors) expect(error).toMatchObject({ by: "us", reason: { _tag: "ClosedHere" } })
    })
  )

  session(
    "dies of a message that cannot be encoded, and whoever waits with it",
    Effect.gen(function* () {
      const far = yield* farPeers()
      const near = yield* connect(far.endpoint, options)
      const waiting = yield* Effect.forkChild(near.receive, { startImmediately: true })
      yield* Effect.exit(near.send({ _tag: "feefilter" } as unknown as Message))
      for (const exit of [yield* Fiber.await(waiting), yield* Effect.exit(near.ended)]) {
        expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toBeInstanceOf(MachineFailed)
      }
      yield* (yield* far.peer(0)).untilClosed
    })
  )
})

test("a session calls itself by the version of this package", () => {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string
  }
  expect(DEFAULT_USER_AGENT).toBe(`/satwire-client:${version.split(".").slice(0, 2).join(".")}/`)
})
