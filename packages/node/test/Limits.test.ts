import { ListenError } from "@satwire/transport"
import { MAX_SEND_BUFFER_BYTES } from "@satwire/peer"
import { HEADER_SIZE, ZERO_HASH, regtest } from "@satwire/primitives"
import { MAX_HEADERS_RESULTS, PROTOCOL_VERSION } from "@satwire/wire"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { lastOf } from "./RealChain.ts"
import { HANDSHAKE, framed, rawPeer } from "./RawPeer.ts"
import { regtestChain } from "./RegtestChain.ts"
import { type TestNode, startNode } from "./TestNode.ts"

const bytesSentTo = (node: TestNode, address: string): Effect.Effect<number> =>
  Effect.map(node.peers, (peers) => peers.find((peer) => peer.address === address)?.bytesSent ?? 0)

describe("a node that is full", () => {
  it.live("cuts off who comes last, says so, and takes others again when somebody leaves", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const node = yield* startNode({ maxInbound: 2 })
        const [first] = [yield* rawPeer(node.endpoint), yield* rawPeer(node.endpoint)]
        yield* node.until("PeerConnected", () => node.all("PeerConnected").length === 2)
        const third = yield* rawPeer(node.endpoint)
        yield* third.closed
        const refused = yield* node.until("InboundRefused")
        assert.strictEqual(`${refused.endpoint.host}:${refused.endpoint.port}`, third.address)
        assert.strictEqual(node.all("PeerConnected").length, 2)
        first.end()
        yield* node.until("PeerDisconnected", ({ address }) => address === first.address)
        yield* first.closed
        const fourth = yield* rawPeer(node.endpoint)
        fourth.write(HANDSHAKE)
        yield* node.until("PeerReady", ({ address }) => address === fourth.address)
      })
    )
  )
})

describe("a port that is taken", () => {
  it.live("keeps the node from starting with one sentence, and leaves what was there alone", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const node = yield* startNode()
        const error = yield* Effect.flip(startNode({ listen: node.endpoint }))
        assert.instanceOf(error, ListenError)
        assert.strictEqual(error.reason, "AddressInUse")
        assert.include(error.message, `127.0.0.1:${node.endpoint.port}`)
        assert.notInclude(error.message, "\n")
        const raw = yield* rawPeer(node.endpoint)
        raw.write(HANDSHAKE)
        yield* node.until("PeerReady")
      })
    )
  )
})

describe("a peer that asks and never reads", () => {
  it.live("is answered until its buffers are full, then waits, and holds nobody else up", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const node = yield* startNode()
        const headers = regtestChain(MAX_HEADERS_RESULTS)
        yield* node.service.submitHeaders(headers, MAX_HEADERS_RESULTS)
        const raw = yield* rawPeer(node.endpoint)
        raw.write(HANDSHAKE)
        yield* node.until("PeerReady")
        const question = framed({
          _tag: "getheaders",
          protocolVersion: PROTOCOL_VERSION,
          locator: [regtest.genesisHash],
          stopHash: ZERO_HASH
        })
        const questions = 1000
        const answers = questions * MAX_HEADERS_RESULTS * HEADER_SIZE
        for (let i = 0; i < questions; i++) raw.write(question)
        const sent = bytesSentTo(node, raw.address)
        yield* Effect.repeat(Effect.andThen(Effect.yieldNow, sent), { until: (bytes) => bytes > MAX_SEND_BUFFER_BYTES })
        const other = yield* startNode({ connect: [node.endpoint] })
        yield* other.followed(lastOf(headers, 1))
        // What the kernel takes for the two sockets is not ours.
        const [held] = [yield* sent]
        assert.isBelow(held, answers / 8)
        assert.strictEqual(yield* sent, held)
        raw.read()
        yield* Effect.repeat(Effect.yieldNow, { until: () => raw.received > answers })
        assert.strictEqual((yield* node.peers).length, 2)
      })
    )
  )
})
