import type { DisconnectReason } from "@satwire/node-core"
import { describeDisconnect } from "@satwire/node-core"
import { MAX_PROTOCOL_MESSAGE_LENGTH, VERACK, encodePayload } from "@satwire/wire"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { HANDSHAKE, type RawPeer, frame, framed, rawPeer, versionOf } from "./RawPeer.ts"
import { type TestNode, startNode, tipOf } from "./TestNode.ts"

/** A node with a follower that must not notice what `test` does to it. */
const unharmed = (test: (node: TestNode) => Effect.Effect<void, unknown, Scope.Scope>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const node = yield* startNode()
      const other = yield* startNode({ connect: [node.endpoint] })
      yield* other.until("PeerReady")
      yield* Effect.scoped(test(node))
      yield* node.service.makeBlock
      yield* other.until("TipChanged", ({ tip }) => tip.height === 1)
      assert.deepStrictEqual(yield* tipOf(other), yield* tipOf(node))
      assert.deepStrictEqual(other.all("PeerDisconnecting"), [])
      const others = node.all("PeerConnected").slice(0, 1)
      assert.deepStrictEqual(
        (yield* node.peers).map(({ address }) => address),
        others.map(({ address }) => address)
      )
    })
  )

/** Sends these bytes to the node and gives why it disconnected whoever sent them. */
const reasonFor = (node: TestNode, ...chunks: ReadonlyArray<Uint8Array>): Effect.Effect<DisconnectReason> =>
  Effect.scoped(
    Effect.gen(function* () {
      const raw = yield* rawPeer(node.endpoint)
      for (const chunk of chunks) raw.write(chunk)
      yield* raw.closed
      const fact = yield* node.until("PeerDisconnecting", ({ address }) => address === raw.address)
      assert.strictEqual(fact.cost, "disconnect")
      return fact.reason
    })
  )

/** A peer that has shaken hands with the node. */
const readyPeer = (node: TestNode): Effect.Effect<RawPeer, never, Scope.Scope> =>
  Effect.gen(function* () {
    const raw = yield* rawPeer(node.endpoint)
    raw.write(HANDSHAKE)
    yield* node.until("PeerReady", ({ address }) => address === raw.address)
    return raw
  })

/** Whether the node still answers this peer: it does once it has read all that came before. */
const answers = (node: TestNode, raw: RawPeer): Effect.Effect<void> =>
  Effect.gen(function* () {
    raw.read()
    raw.write(framed({ _tag: "ping", nonce: 7n }))
    yield* Effect.andThen(Effect.yieldNow, node.peers).pipe(
      Effect.repeat({
        until: (peers) =>
          peers.some((peer) => peer.address === raw.address && (peer.sent.get("pong")?.messages ?? 0) > 0)
      })
    )
  })

const NOTHING = new Uint8Array(0)

describe("a peer that ends with its connection, and nobody else's", () => {
  it.live("speaks another network's magic", () =>
    unharmed((node) =>
      Effect.gen(function* () {
        const reason = yield* reasonFor(node, frame("version", encodePayload(versionOf()), { magic: 0xd9b4bef9 }))
        assert.deepStrictEqual(reason, { _tag: "WrongMagic", magic: 0xd9b4bef9 })
        assert.include(describeDisconnect(reason), "f9beb4d9")
      })
    )
  )

  it.live("announces more than a message may have, and is not waited for", () =>
    unharmed((node) =>
      Effect.gen(function* () {
        const length = MAX_PROTOCOL_MESSAGE_LENGTH + 1
        const reason = yield* reasonFor(node, HANDSHAKE, frame("headers", NOTHING, { length }))
        assert.deepStrictEqual(reason, { _tag: "Oversized", command: "headers", sizeBytes: length })
      })
    )
  )

  it.live("is older than anybody speaks to", () =>
    unharmed((node) =>
      Effect.gen(function* () {
        const reason = yield* reasonFor(node, framed(versionOf({ protocolVersion: 31_799 }), VERACK))
        assert.deepStrictEqual(reason, { _tag: "ObsoleteVersion", protocolVersion: 31_799 })
      })
    )
  )

  it.live("leaves in the middle of a frame", () =>
    unharmed((node) =>
      Effect.gen(function* () {
        const raw = yield* readyPeer(node)
        raw.write(frame("headers", new Uint8Array(1000)).subarray(0, 500))
        raw.end()
        yield* raw.closed
        const fact = yield* node.until("PeerDisconnecting", ({ address }) => address === raw.address)
        assert.strictEqual(fact.reason._tag, "ClosedByPeer")
        assert.strictEqual(describeDisconnect(fact.reason), "the connection was closed by the other side (orderly)")
      })
    )
  )

  it.live("sends a message that only makes sense before the handshake's end", () =>
    unharmed((node) =>
      Effect.gen(function* () {
        const reason = yield* reasonFor(node, HANDSHAKE, frame("sendaddrv2", NOTHING))
        assert.deepStrictEqual(reason, { _tag: "AfterVerack", command: "sendaddrv2" })
      })
    )
  )

  it.live("is reset after any number of the handshake's bytes", () =>
    unharmed((node) =>
      Effect.gen(function* () {
        const offsets = Array.from({ length: HANDSHAKE.length + 1 }, (_, i) => i).filter((i) => i % 7 === 0 || i < 30)
        for (const offset of offsets) {
          const raw = yield* rawPeer(node.endpoint)
          raw.write(HANDSHAKE.subarray(0, offset))
          yield* node.until("PeerConnected", ({ address }) => address === raw.address)
          raw.reset()
          const fact = yield* node.until("PeerDisconnecting", ({ address }) => address === raw.address)
          assert.strictEqual(fact.reason._tag, "ClosedByPeer")
        }
      })
    )
  )
})

describe("a peer that stays", () => {
  it.live("sends a frame with a bad checksum: that message is dropped", () =>
    unharmed((node) =>
      Effect.gen(function* () {
        const raw = yield* readyPeer(node)
        raw.write(frame("getheaders", new Uint8Array(37), { spoil: 1 }))
        const fact = yield* node.until("MessageDropped")
        assert.strictEqual(fact.command, "getheaders")
        assert.include(fact.why, "checksum")
        yield* answers(node, raw)
      })
    )
  )

  it.live("has bytes behind its messages that nobody knows", () =>
    unharmed((node) =>
      Effect.gen(function* () {
        const raw = yield* rawPeer(node.endpoint)
        const version = encodePayload(versionOf())
        raw.write(frame("version", new Uint8Array([...version, 1, 2, 3])))
        raw.write(frame("verack", Uint8Array.of(9)))
        yield* node.until("PeerReady", ({ address }) => address === raw.address)
        raw.write(frame("sendheaders", new Uint8Array(100)))
        yield* answers(node, raw)
      })
    )
  )

  it.live("sends its version twice: the first counts", () =>
    unharmed((node) =>
      Effect.gen(function* () {
        const raw = yield* rawPeer(node.endpoint)
        raw.write(framed(versionOf(), versionOf({ startHeight: 9 }), VERACK, versionOf({ startHeight: 11 })))
        const { info } = yield* node.until("PeerReady", ({ address }) => address === raw.address)
        assert.strictEqual(info.startHeight, 7)
        yield* answers(node, raw)
      })
    )
  )

  it.live("sends a byte at a time", () =>
    unharmed((node) =>
      Effect.gen(function* () {
        const raw = yield* rawPeer(node.endpoint)
        yield* raw.trickle(HANDSHAKE)
        yield* node.until("PeerReady", ({ address }) => address === raw.address)
        yield* raw.trickle(framed({ _tag: "ping", nonce: 1n }))
        yield* answers(node, raw)
      })
    )
  )
})
