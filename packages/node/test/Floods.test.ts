/** Strangers that cost something before they are anybody, in the encrypted transport, on real sockets: others must not notice. */
import { ChaChaRandom, portableAead, portableCurve } from "@satwire/crypto"
import { V2Framing } from "@satwire/framing"
import { MAX_EXCHANGES_WAITING } from "@satwire/node-core"
import { regtest } from "@satwire/primitives"
import { VERACK, type Version } from "@satwire/wire"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type RawPeer, rawPeer, versionOf } from "./RawPeer.ts"
import { type TestNode, startNode, tipOf } from "./TestNode.ts"

const VERSION: Version = versionOf({ nonce: 77n })

/** A dialler that speaks v2 by hand, with so much garbage. */
const dialler = (seed: number, garbageBytes = 0): V2Framing =>
  new V2Framing({
    magic: regtest.magic,
    initiating: true,
    aead: portableAead,
    curve: portableCurve,
    random: ChaChaRandom.fromNumber(seed),
    garbage: new Uint8Array(garbageBytes).fill(5)
  })

const bytesOf = (framing: V2Framing): Uint8Array => framing.takeOutput() ?? new Uint8Array(0)

/** A node with a follower over v2 that must not notice what `test` does to it, and of which nothing is left when it is over. */
const unharmed = (test: (node: TestNode) => Effect.Effect<void, unknown, Scope.Scope>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const node = yield* startNode({ maxInbound: 1000 })
      const other = yield* startNode({ connect: [node.endpoint] })
      assert.strictEqual((yield* other.until("PeerReady")).info.transport, "v2")
      yield* Effect.scoped(test(node))
      yield* node.service.makeBlock
      yield* other.until("TipChanged", ({ tip }) => tip.height === 1)
      assert.deepStrictEqual(yield* tipOf(other), yield* tipOf(node))
      assert.deepStrictEqual(other.all("PeerDisconnecting"), [])
      yield* Effect.repeat(Effect.andThen(Effect.yieldNow, node.peers), { until: (peers) => peers.length === 1 })
    })
  )

/** Bytes that the node holds of messages which are not whole. */
const held = (node: TestNode): Effect.Effect<number> =>
  Effect.map(node.peers, (peers) => peers.reduce((sum, { receivedBytesWaiting }) => sum + receivedBytesWaiting, 0))

const answered = (raw: RawPeer, bytes: number): Effect.Effect<void> =>
  Effect.asVoid(Effect.repeat(Effect.yieldNow, { until: () => raw.received >= bytes }))

describe("a flood of strangers in v2", () => {
  it.live("that buy an exchange each is served one a turn, and the oldest make room", () =>
    unharmed((node) =>
      Effect.gen(function* () {
        const before = node.all("PeerConnected").length
        const strangers = yield* Effect.forEach(
          Array.from({ length: 3 * MAX_EXCHANGES_WAITING }),
          () => rawPeer(node.endpoint),
          { concurrency: 20 }
        )
        for (const [i, raw] of strangers.entries()) {
          raw.read()
          raw.write(ChaChaRandom.fromNumber(i).bytes(64))
        }
        yield* node.until("PeerConnected", () => node.all("PeerConnected").length >= before + strangers.length)
        const settled = (): boolean => strangers.every((raw) => raw.isClosed || raw.received > 0)
        yield* Effect.repeat(Effect.yieldNow, { until: settled })
        for (const { reason } of node.all("PeerDisconnecting")) assert.strictEqual(reason._tag, "ExchangeCrowdedOut")
        assert.isBelow(yield* held(node), 64 * strangers.length + 1)
      })
    )
  )

  it.live("that stop halfway, in the key, in the garbage or behind it, hold next to nothing", () =>
    unharmed((node) =>
      Effect.gen(function* () {
        const whole = bytesOf(dialler(1, 4095))
        const peers = yield* Effect.forEach([1, 15, 16, 63, 64, 65, 2000, whole.length], (length) =>
          Effect.tap(rawPeer(node.endpoint), (raw) => Effect.sync(() => raw.write(whole.subarray(0, length))))
        )
        yield* Effect.repeat(Effect.andThen(Effect.yieldNow, node.peers), {
          until: (all) => all.reduce((sum, peer) => sum + peer.bytesReceived, 0) > whole.length + 2000
        })
        assert.isBelow(yield* held(node), 5 * 4200)
        for (const raw of peers) assert.isFalse(raw.isClosed)
      })
    )
  )
})

describe("one peer in v2", () => {
  it.live("that is reset after any number of its handshake's bytes leaves nothing", () =>
    unharmed((node) =>
      Effect.gen(function* () {
        const framing = dialler(9, 7)
        framing.send(VERSION)
        const whole = bytesOf(framing)
        for (let length = 0; length <= whole.length; length++) {
          const raw = yield* rawPeer(node.endpoint)
          raw.write(whole.subarray(0, length))
          yield* Effect.yieldNow
          raw.reset()
        }
      })
    )
  )

  it.live("that says its handshake a byte at a time is answered", () =>
    unharmed((node) =>
      Effect.gen(function* () {
        const raw = yield* rawPeer(node.endpoint)
        raw.read()
        yield* raw.trickle(bytesOf(dialler(3, 100)))
        yield* answered(raw, 64 + 16)
      })
    )
  )

  it.live("that floods with decoys is read in bounded memory, and its pings are still answered", () =>
    unharmed((node) =>
      Effect.gen(function* () {
        const framing = dialler(4)
        const raw = yield* rawPeer(node.endpoint)
        const events: Array<string> = []
        raw.onData((chunk) => {
          framing.receive(chunk)
          for (let event = framing.next(); event !== undefined; event = framing.next()) {
            events.push(event._tag === "Message" ? event.message._tag : event._tag)
          }
          framing.release()
        })
        raw.write(bytesOf(framing))
        yield* Effect.repeat(Effect.yieldNow, { until: () => framing.attempt === "ready" })
        framing.send(VERSION)
        framing.send(VERACK)
        raw.write(bytesOf(framing))
        for (let i = 0; i < 40; i++) {
          for (let k = 0; k < 4; k++) framing.sendDecoy(16_384)
          raw.write(bytesOf(framing))
        }
        framing.send({ _tag: "ping", nonce: 5n })
        raw.write(bytesOf(framing))
        yield* Effect.repeat(Effect.andThen(Effect.yieldNow, held(node)), {
          while: (bytes) => {
            assert.isBelow(bytes, 1_000_000)
            return !events.includes("pong")
          }
        })
      })
    )
  )
})
