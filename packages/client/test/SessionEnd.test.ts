import { type PeerSession, SessionEnded, connect, overConnection } from "@satwire/client"
import { portableSha256 } from "@satwire/crypto"
import { V1Framing } from "@satwire/framing"
import { DEFAULT_PEER_CONNECT_TIMEOUT_MS } from "@satwire/peer"
import { regtest } from "@satwire/primitives"
import { DialError, Dialer, Listener, MemoryNetwork, layerMemory } from "@satwire/transport"
import { Observed, Signal } from "@satwire/transport/compliance"
import { MIN_PEER_PROTO_VERSION, NO_ADDRESS, PROTOCOL_VERSION, type Version } from "@satwire/wire"
import { framed } from "@satwire/testkit"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Exit from "effect/Exit"
import { TestClock } from "effect/testing"
import { type FarOptions, farPeers } from "./FarPeer.ts"
import { numberOf, numbered } from "./Numbered.ts"
import { eventually, leavingNothing, overEachTransport } from "./Transports.ts"

const options = { params: regtest }

const VERSION: Version = {
  _tag: "version",
  protocolVersion: PROTOCOL_VERSION,
  services: 0n,
  time: 0n,
  receiver: NO_ADDRESS,
  sender: NO_ADDRESS,
  nonce: 1n,
  userAgent: "/stops:1/",
  startHeight: 0,
  relay: false
}

/** How connecting to such a peer ends. */
const refusal = Effect.fnUntraced(function* (far: FarOptions) {
  const { endpoint } = yield* farPeers(far)
  return yield* Effect.flip(connect(endpoint, options))
})

overEachTransport("a session's end", (session) => {
  session(
    "is the peer's fault when its first four bytes are another network's",
    Effect.gen(function* () {
      const { endpoint } = yield* strangers(Uint8Array.of(0xf9, 0xbe, 0xb4, 0xd9))
      const error = yield* Effect.flip(connect(endpoint, { ...options, v2transport: "never" }))
      expect(error).toBeInstanceOf(SessionEnded)
      expect(error).toMatchObject({ by: "peer", reason: { _tag: "PeerFault", reason: { _tag: "WrongMagic" } } })
      expect(error.message).toBe(
        `127.0.0.1:${endpoint.port}: a frame began with f9beb4d9, which is not this network's magic`
      )
    })
  )

  session(
    "is the peer's fault when its version is older than any that Core speaks to",
    Effect.gen(function* () {
      const error = yield* refusal({ protocolVersion: MIN_PEER_PROTO_VERSION - 1 })
      expect(error).toMatchObject({ by: "peer", reason: { _tag: "PeerFault", reason: { _tag: "ObsoleteVersion" } } })
      expect(error.message).toContain("MIN_PEER_PROTO_VERSION (31800)")
    })
  )

  session(
    "is the peer's fault when it breaks the protocol later, and messages that came before are still handed out",
    Effect.gen(function* () {
      const far = yield* farPeers()
      const near = yield* connect(far.endpoint, { ...options, v2transport: "never" })
      const peer = yield* far.peer(0)
      yield* peer.untilReady
      peer.send(numbered(1), numbered(2))
      peer.connection.write(framed({ _tag: "wtxidrelay" }))
      const error = yield* Effect.flip(near.ended)
      expect(error).toMatchObject({ by: "peer", reason: { _tag: "PeerFault", reason: { _tag: "AfterVerack" } } })
      expect([numberOf(yield* near.receive), numberOf(yield* near.receive)]).toEqual([1, 2])
      expect(yield* Effect.flip(near.receive)).toBe(error)
      yield* peer.untilClosed
    })
  )

  session(
    "is the peer's doing when it leaves, and what it said before is still handed out",
    Effect.gen(function* () {
      const far = yield* farPeers()
      const near = yield* connect(far.endpoint, options)
      const peer = yield* far.peer(0)
      yield* peer.untilReady
      peer.send(...Array.from({ length: 2000 }, (_, i) => numbered(i)))
      peer.connection.end()
      for (let i = 0; i < 2000; i++) expect(numberOf(yield* near.receive)).toBe(i)
      const error = yield* Effect.flip(near.receive)
      expect(error).toMatchObject({ by: "peer", reason: { _tag: "ConnectionClosed", reason: { _tag: "Ended" } } })
    })
  )
})

overEachTransport("a session that does not come about", (session) => {
  session(
    "is a DialError when nobody listens",
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { endpoint } = yield* farPeers().pipe(Scope.provide(scope))
      yield* Scope.close(scope, Exit.void)
      const error = yield* Effect.flip(connect(endpoint, options))
      expect(error).toBeInstanceOf(DialError)
      expect(error).toMatchObject({ reason: "Refused", endpoint })
    })
  )

  session(
    "ends at once over a connection that is closed already",
    Effect.gen(function* () {
      const far = yield* farPeers()
      const { dial } = yield* Dialer
      const connection = yield* dial(far.endpoint)
      connection.destroy()
      const error = yield* Effect.flip(overConnection(connection, options))
      expect(error).toMatchObject({ by: "us", reason: { _tag: "ConnectionClosed", reason: { _tag: "Destroyed" } } })
    })
  )
})

overEachTransport("a session that is interrupted", (session) => {
  session(
    "leaves no connection, in whatever phase it was, in a scope that lives on",
    Effect.gen(function* () {
      const far = yield* farPeers()
      const dialer = yield* Dialer
      for (let steps = 0; ; steps += 1 + (steps >> 3)) {
        const fiber = yield* Effect.forkChild(connect(far.endpoint, options), { startImmediately: true })
        for (let i = 0; i < steps; i++) yield* Effect.yieldNow
        yield* Fiber.interrupt(fiber)
        const exit = yield* Fiber.await(fiber)
        if (Exit.isSuccess(exit)) return expect(steps, "interrupts before the handshake was done").toBeGreaterThan(0)
        yield* eventually(() => dialer.connections() === 0)
      }
    })
  )

  session(
    "leaves none while the peer says nothing",
    Effect.gen(function* () {
      const far = yield* farPeers({ mute: true })
      const dialer = yield* Dialer
      const fiber = yield* Effect.forkChild(connect(far.endpoint, options))
      const peer = yield* far.peer(0)
      yield* eventually(() => dialer.connections() === 1)
      yield* Fiber.interrupt(fiber)
      yield* eventually(() => dialer.connections() === 0)
      yield* peer.untilClosed
    })
  )

  session(
    "leaves none of ten that their scope held",
    Effect.gen(function* () {
      const far = yield* farPeers()
      const dialer = yield* Dialer
      const fiber = yield* Effect.scoped(
        Effect.andThen(
          Effect.forEach(Array.from({ length: 10 }), () => connect(far.endpoint, options), { concurrency: 10 }),
          Effect.never
        )
      ).pipe(Effect.forkChild)
      yield* far.signal.until(() => far.peers.length === 10 && far.peers.every(({ info }) => info !== undefined))
      expect(dialer.connections()).toBe(10)
      yield* Fiber.interrupt(fiber)
      expect(dialer.connections()).toBe(0)
    })
  )
})

/** Something that says these bytes to everybody. */
const strangers = Effect.fnUntraced(function* (bytes: Uint8Array) {
  const { listen } = yield* Listener
  const signal = new Signal()
  return yield* listen({ host: "127.0.0.1", port: 0 }, (connection) => {
    connection.write(new Uint8Array(bytes))
    void new Observed(connection, signal)
  })
})

describe("a session's end", () => {
  /** Connected to a far peer over a network whose connections can be cut. */
  const cuttable = Effect.fnUntraced(function* () {
    const far = yield* farPeers()
    const near = yield* connect(far.endpoint, options)
    const peer = yield* far.peer(0)
    yield* peer.untilReady
    return { near, peer, network: yield* MemoryNetwork }
  })

  const waitFor = (near: PeerSession): ReadonlyArray<Effect.Effect<SessionEnded, unknown>> => [
    Effect.flip(near.ended),
    Effect.flip(near.receive),
    Effect.flip(Effect.andThen(near.ping, near.ping)),
    Effect.flip(Effect.forever(near.send(numbered(1, 50_000)))) as Effect.Effect<SessionEnded, unknown>
  ]

  it.live("fails with one and the same error for all who wait when the network loses the connection", () =>
    Effect.gen(function* () {
      const { near, peer, network } = yield* cuttable()
      peer.connection.pause()
      const waiting = yield* Effect.forkChild(Effect.all(waitFor(near), { concurrency: "unbounded" }))
      yield* eventually(() => peer.connection.bufferedBytes === 0)
      yield* Effect.repeat(Effect.yieldNow, { times: 20 })
      network.cut(peer.connection)
      const [first, ...others] = yield* Fiber.join(waiting)
      expect(first).toMatchObject({
        by: "network",
        reason: { _tag: "ConnectionClosed", reason: { _tag: "Reset" } },
        message: expect.stringMatching(/^127\.0\.0\.1:\d+: The other end dropped the connection\.$/)
      })
      for (const other of others) expect(other).toBe(first)
    }).pipe(leavingNothing, Effect.provide(layerMemory(), { local: true }))
  )

  it.effect("gives a peer that shakes no hands sixty seconds", () =>
    Effect.gen(function* () {
      const far = yield* farPeers({ mute: true })
      const connecting = yield* Effect.forkChild(
        Effect.flip(connect(far.endpoint, { ...options, v2transport: "never" }))
      )
      yield* far.peer(0)
      yield* TestClock.adjust(DEFAULT_PEER_CONNECT_TIMEOUT_MS - 1)
      expect(connecting.pollUnsafe()).toBe(undefined)
      yield* TestClock.adjust(1)
      const error = yield* Fiber.join(connecting)
      expect(error).toMatchObject({
        by: "peer",
        reason: { _tag: "PeerFault", reason: { _tag: "HandshakeTimeout", heard: false } }
      })
    }).pipe(leavingNothing, Effect.provide(layerMemory(), { local: true }))
  )

  it.effect("gives a peer that stops after its version as long, and says that it was heard", () =>
    Effect.gen(function* () {
      const framing = new V1Framing({ magic: regtest.magic, sha256: portableSha256 })
      framing.send(VERSION)
      const { endpoint } = yield* strangers(framing.takeOutput() as Uint8Array)
      const connecting = yield* Effect.forkChild(Effect.flip(connect(endpoint, options)))
      yield* TestClock.adjust(DEFAULT_PEER_CONNECT_TIMEOUT_MS)
      expect(yield* Fiber.join(connecting)).toMatchObject({ reason: { reason: { heard: true } } })
    }).pipe(leavingNothing, Effect.provide(layerMemory(), { local: true }))
  )

  it.effect("leaves no connection when it is interrupted at any moment of a slow handshake", () =>
    Effect.gen(function* () {
      const far = yield* farPeers()
      const dialer = yield* Dialer
      for (let ms = 0; ms < 200; ms += 5) {
        const connecting = yield* Effect.forkChild(connect(far.endpoint, options))
        yield* TestClock.adjust(ms)
        yield* Fiber.interrupt(connecting)
        // A dial that is given up half-way is taken back over the same slow network.
        if (ms <= 100) yield* TestClock.adjust(100)
        expect([ms, dialer.connections()]).toEqual([ms, 0])
      }
      yield* TestClock.adjust("1 second")
      expect(far.peers.length).toBeGreaterThan(5)
      for (const { closedBy } of far.peers) expect(closedBy).toBe("Reset")
    }).pipe(leavingNothing, Effect.provide(layerMemory({ latencyMs: 50 }), { local: true }))
  )

  it.effect("measures a ping as the round trip that it was", () =>
    Effect.gen(function* () {
      const far = yield* farPeers()
      const connecting = yield* Effect.forkChild(connect(far.endpoint, options))
      yield* TestClock.adjust("1 second")
      const near = yield* Fiber.join(connecting)
      const pinging = yield* Effect.forkChild(near.ping)
      yield* TestClock.adjust("249 millis")
      expect(pinging.pollUnsafe()).toBe(undefined)
      yield* TestClock.adjust("1 millis")
      expect(yield* Fiber.join(pinging)).toBe(250)
    }).pipe(Effect.scoped, Effect.provide(layerMemory({ latencyMs: 125 }), { local: true }))
  )

  it.effect("counts a ping from when it was sent, and shares one that is out", () =>
    Effect.gen(function* () {
      const far = yield* farPeers()
      const connecting = yield* Effect.forkChild(connect(far.endpoint, options))
      yield* TestClock.adjust("1 second")
      const near = yield* Fiber.join(connecting)
      const first = yield* Effect.forkChild(near.ping)
      yield* TestClock.adjust("100 millis")
      const second = yield* Effect.forkChild(near.ping)
      yield* TestClock.adjust("100 millis")
      expect([yield* Fiber.join(first), yield* Fiber.join(second)]).toEqual([200, 200])
      const sent = (yield* near.snapshot).sent.get("ping")
      expect(sent?.messages).toBe(2)
    }).pipe(Effect.scoped, Effect.provide(layerMemory({ latencyMs: 100 }), { local: true }))
  )
})
