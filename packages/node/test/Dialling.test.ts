import { FIRST_RETRY_MS, LAST_RETRY_MS } from "@satwire/connections"
import { describeDisconnect } from "@satwire/node-core"
import { DEFAULT_PEER_CONNECT_TIMEOUT_MS } from "@satwire/peer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { HANDSHAKE, rawPeer, rawServer } from "./RawPeer.ts"
import { type TestNode, startNode } from "./TestNode.ts"

/** Lets the sockets have their say while the clock stands still. */
const until = (done: () => boolean): Effect.Effect<void> =>
  Effect.asVoid(Effect.repeat(Effect.yieldNow, { until: done }))

const dials = (node: TestNode): number =>
  node.all("DialFailed").length + node.all("PeerConnected").filter(({ direction }) => direction === "outbound").length

describe("an address that nobody answers at", () => {
  it.effect("is dialled again after one second, two, four, and so on up to a minute", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const free = (yield* Effect.scoped(startNode())).endpoint
        const node = yield* startNode({ listen: undefined, connect: [free] })
        for (let tries = 1, delayMs = FIRST_RETRY_MS; tries < 10; tries++) {
          yield* until(() => dials(node) === tries)
          const failed = node.all("DialFailed").at(-1)
          assert.deepStrictEqual([failed?.retryInMs, failed?.error.reason], [delayMs, "Refused"])
          assert.deepStrictEqual(failed?.endpoint, free)
          yield* TestClock.adjust(delayMs - 1)
          assert.strictEqual(dials(node), tries)
          yield* TestClock.adjust(1)
          delayMs = Math.min(2 * delayMs, LAST_RETRY_MS)
        }
      })
    )
  )

  it.effect("is dialled once, however often it is asked for", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* rawServer
        const node = yield* startNode({
          listen: undefined,
          connect: [server.endpoint, server.endpoint],
          v2transport: false
        })
        yield* node.service.connect(server.endpoint)
        yield* until(() => dials(node) === 1)
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual(dials(node), 1)
      })
    )
  )
})

describe("a peer that leaves at once", () => {
  it.effect("is dialled again with growing delays", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* rawServer
        const node = yield* startNode({ listen: undefined, connect: [server.endpoint], v2transport: false })
        for (let tries = 1, delayMs = FIRST_RETRY_MS; tries < 8; tries++) {
          yield* until(() => server.peers.length === tries)
          server.peers.at(-1)?.end()
          yield* until(() => node.all("PeerDisconnecting").length === tries)
          yield* TestClock.adjust(delayMs - 1)
          assert.strictEqual(dials(node), tries)
          yield* TestClock.adjust(1)
          delayMs = Math.min(2 * delayMs, LAST_RETRY_MS)
        }
      })
    )
  )

  it.effect("is dialled after a second again when it stayed for more than a minute", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* rawServer
        const node = yield* startNode({ listen: undefined, connect: [server.endpoint], v2transport: false })
        for (let tries = 1; tries < 3; tries++) {
          yield* until(() => server.peers.length === tries)
          server.peers.at(-1)?.shakeHands()
          yield* until(() => node.all("PeerReady").length === tries)
          yield* TestClock.adjust(LAST_RETRY_MS + 1)
          server.peers.at(-1)?.end()
          yield* until(() => node.all("PeerDisconnecting").length === tries)
          yield* TestClock.adjust(FIRST_RETRY_MS)
        }
        yield* until(() => dials(node) === 3)
      })
    )
  )
})

describe("a handshake that never comes", () => {
  it.effect("costs who dialled us the connection after a minute", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const node = yield* startNode()
        const raw = yield* rawPeer(node.endpoint)
        yield* until(() => node.all("PeerConnected").length === 1)
        yield* TestClock.adjust(DEFAULT_PEER_CONNECT_TIMEOUT_MS - 1)
        assert.deepStrictEqual(node.all("PeerDisconnecting"), [])
        yield* TestClock.adjust(1)
        const [fact] = node.all("PeerDisconnecting")
        assert.deepStrictEqual(fact?.reason, { _tag: "HandshakeTimeout", heard: false })
        assert.strictEqual(fact?.cost, "disconnect")
        yield* raw.closed
      })
    )
  )

  it.effect("is not saved by a byte now and then", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const node = yield* startNode()
        const raw = yield* rawPeer(node.endpoint)
        yield* until(() => node.all("PeerConnected").length === 1)
        for (let second = 0; second < DEFAULT_PEER_CONNECT_TIMEOUT_MS / 1000; second++) {
          raw.write(HANDSHAKE.subarray(second, second + 1))
          const bytes = (): Effect.Effect<number> => Effect.map(node.peers, ([peer]) => peer?.bytesReceived ?? 0)
          yield* Effect.repeat(Effect.andThen(Effect.yieldNow, Effect.suspend(bytes)), {
            until: (count) => count === second + 1
          })
          assert.deepStrictEqual(node.all("PeerDisconnecting"), [])
          yield* TestClock.adjust("1 second")
        }
        const [fact] = node.all("PeerDisconnecting")
        assert.deepStrictEqual(fact?.reason, { _tag: "HandshakeTimeout", heard: true })
      })
    )
  )

  it.effect("costs whom we dialled the connection after a minute, and it is dialled again", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* rawServer
        const node = yield* startNode({ listen: undefined, connect: [server.endpoint], v2transport: false })
        yield* until(() => server.peers.length === 1)
        server.peers.at(-1)?.read()
        yield* until(() => dials(node) === 1)
        yield* TestClock.adjust(DEFAULT_PEER_CONNECT_TIMEOUT_MS)
        yield* until(() => node.all("PeerDisconnecting").length === 1)
        const [fact] = node.all("PeerDisconnecting")
        assert.include(fact && describeDisconnect(fact.reason), "nothing was received")
        // Only when the last of the connection is gone does the delay begin.
        yield* Effect.andThen(Effect.yieldNow, TestClock.adjust("1 second")).pipe(
          Effect.repeat({ until: () => dials(node) === 2 })
        )
      })
    )
  )
})

describe("a node that dials its own address", () => {
  it.effect("finds out, says so once, and dials it no more", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const node = yield* startNode()
        yield* node.service.connect(node.endpoint)
        yield* until(() => node.all("PeerGivenUp").length === 1)
        assert.deepStrictEqual(node.all("PeerGivenUp"), [
          { _tag: "PeerGivenUp", endpoint: node.endpoint, because: "OurOwnAddress" }
        ])
        yield* TestClock.adjust("1 day")
        assert.strictEqual(dials(node), 1)
        const reasons = node.all("PeerDisconnecting").map(({ reason }) => reason._tag)
        assert.deepStrictEqual(reasons, ["SelfConnection", "ClosedByPeer"])
        assert.deepStrictEqual(yield* node.peers, [])
        assert.isBelow(node.facts.length, 14)
      })
    )
  )
})
