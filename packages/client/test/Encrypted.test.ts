/** Sessions over both transports of BIP-0324: which one they come to, and over what. */
import { type ConnectOptions, type PeerSession, type SessionState, connect, listen, overDuplex } from "@satwire/client"
import { overStreams } from "@satwire/client/promise"
import { ChaChaRandom } from "@satwire/crypto"
import { platformAead, platformSha256 } from "@satwire/crypto/node"
import { regtest } from "@satwire/primitives"
import { Listener, layerMemory } from "@satwire/transport"
import { MEMPOOL } from "@satwire/wire"
import { expect, it } from "@effect/vitest"
import { describe, test } from "vitest"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { eventually, leavingNothing, overEachTransport } from "./Transports.ts"

const options: ConnectOptions = { params: regtest, sha256: platformSha256, aead: platformAead }
const LOOPBACK = { host: "127.0.0.1", port: 0 }
const echo = (session: PeerSession) => Stream.runForEach(session.messages, session.send)

overEachTransport("two sessions", (session) => {
  session(
    "speak the encrypted transport where both know it, and have one session id",
    Effect.gen(function* () {
      const theirs = yield* Queue.unbounded<PeerSession>()
      const { endpoint } = yield* listen(LOOPBACK, options, (far) =>
        Effect.andThen(Queue.offer(theirs, far), echo(far))
      )
      const near = yield* connect(endpoint, options)
      const far = yield* Queue.take(theirs)
      expect([near.info.transport, far.info.transport]).toEqual(["v2", "v2"])
      expect(near.info.sessionId).toHaveLength(32)
      expect(far.info.sessionId).toEqual(near.info.sessionId)
      yield* near.send(MEMPOOL)
      expect(yield* near.receive).toEqual(MEMPOOL)
    })
  )

  session(
    "come to v1 at the second try where the other knows nothing else, and tell each state",
    Effect.gen(function* () {
      const states: Array<SessionState> = []
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { endpoint } = yield* listen(LOOPBACK, { ...options, v2transport: "never" }, echo)
          const near = yield* connect(endpoint, { ...options, onState: (state) => states.push(state) })
          expect(near.info.transport).toBe("v1")
          expect(states).toEqual([
            ...["connecting", "handshaking", "disconnecting", "disconnected"],
            ...["connecting", "handshaking", "ready"]
          ])
        })
      )
      expect(states.slice(-2)).toEqual(["disconnecting", "disconnected"])
    })
  )

  session(
    "come to nothing where one speaks v2 alone and the other v1 alone, and the error says so",
    Effect.gen(function* () {
      const { endpoint } = yield* listen(LOOPBACK, { ...options, v2transport: "never" }, echo)
      const error = yield* Effect.flip(connect(endpoint, { ...options, v2transport: "only" }))
      expect(error).toMatchObject({ _tag: "SessionEnded", mayBeV1: true })
      expect(error.message).toContain("(it may know v1 alone)")
      const strict = yield* listen(LOOPBACK, { ...options, v2transport: "only" }, echo)
      const refused = yield* Effect.flip(connect(strict.endpoint, { ...options, v2transport: "never" }))
      expect(refused).toMatchObject({ _tag: "SessionEnded", mayBeV1: false })
    })
  )
})

it.live("a session survives any chunking of the encrypted transport, and garbage of any length", () =>
  Effect.forEach([1, 2, 3, 4, 5, 6], (seed) =>
    leavingNothing(
      Effect.gen(function* () {
        const { endpoint } = yield* listen(LOOPBACK, options, echo)
        const near = yield* connect(endpoint, options)
        for (let i = 0; i < 20; i++) yield* near.send({ _tag: "ping", nonce: BigInt(i) })
        yield* near.send(MEMPOOL)
        expect(yield* near.receive).toEqual(MEMPOOL)
      })
    ).pipe(
      Effect.provide(layerMemory({ random: ChaChaRandom.fromNumber(seed), maxChunkBytes: 1 + seed * seed }), {
        local: true
      })
    )
  )
)

it.live("five hundred sessions come and vanish at every moment, and leave nothing", () =>
  leavingNothing(
    Effect.gen(function* () {
      let served = 0
      const { endpoint } = yield* listen(LOOPBACK, { ...options, maxSessions: 500 }, (far) =>
        Effect.andThen(
          Effect.sync(() => (served += 1)),
          echo(far)
        )
      )
      const vanish = (i: number) =>
        Effect.scoped(Effect.andThen(connect(endpoint, options), Effect.sleep(i % 3))).pipe(
          Effect.timeoutOption(i % 40),
          Effect.ignore
        )
      yield* Effect.forEach(Array.from({ length: 500 }), (_, i) => vanish(i), { concurrency: 50, discard: true })
      yield* Effect.sleep(0)
      expect(served).toBeLessThanOrEqual(500)
      const listener = yield* Listener
      yield* eventually(() => listener.connections() === 0)
    })
  ).pipe(Effect.provide(layerMemory(), { local: true }))
)

describe("a session over what somebody else opened", () => {
  it.live("stands on a pair of a stream and a write", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const pipe = () => Queue.unbounded<Uint8Array>()
        const [there, back] = [yield* pipe(), yield* pipe()]
        const end = (from: Queue.Queue<Uint8Array>, to: Queue.Queue<Uint8Array>) => ({
          readable: Stream.fromQueue(from),
          write: (bytes: Uint8Array) => Effect.asVoid(Queue.offer(to, bytes.slice()))
        })
        const [near, far] = yield* Effect.all(
          [
            overDuplex(end(back, there), { ...options, direction: "outbound" }),
            overDuplex(end(there, back), { ...options, direction: "inbound", remote: { host: "pipe", port: 1 } })
          ],
          { concurrency: 2 }
        )
        expect([near.info.transport, far.remote.host]).toEqual(["v2", "pipe"])
        yield* far.send(MEMPOOL)
        expect(yield* near.receive).toEqual(MEMPOOL)
      })
    )
  )

  test("stands on a pair of web streams, and closes them", async () => {
    const there = new TransformStream<Uint8Array, Uint8Array>()
    const back = new TransformStream<Uint8Array, Uint8Array>()
    const [near, far] = await Promise.all([
      overStreams({ readable: back.readable, writable: there.writable }, { network: "regtest", direction: "outbound" }),
      overStreams({ readable: there.readable, writable: back.writable }, { network: "regtest", direction: "inbound" })
    ])
    expect(near.info.transport).toBe("v2")
    await far.send(MEMPOOL)
    expect(await near.receive()).toEqual(MEMPOOL)
    await near.close()
    await expect(far.receive()).rejects.toMatchObject({ _tag: "SessionEnded" })
    await far.close()
  })
})
