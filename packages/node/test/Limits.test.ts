import { ListenError } from "@satwire/transport"
import { FRAMES_PER_TURN, MAX_SEND_BUFFER_BYTES } from "@satwire/peer"
import { HEADER_SIZE, ZERO_HASH, mainnet, regtest } from "@satwire/primitives"
import { MAX_HEADERS_RESULTS, PROTOCOL_VERSION } from "@satwire/wire"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { HANDSHAKE, frame, framed, rawPeer } from "./RawPeer.ts"
import { lastOf, regtestChain } from "@satwire/testkit"
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
        assert.deepStrictEqual([refused.address, refused.because], [third.address, "full"])
        assert.strictEqual(node.all("PeerConnected").length, 2)
        first.end()
        yield* node.until("PeerDisconnecting", ({ address }) => address === first.address)
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
        yield* Effect.repeat(Effect.yieldNow, { times: 200 })
        const held = yield* sent
        yield* Effect.repeat(Effect.yieldNow, { times: 100 })
        assert.strictEqual(yield* sent, held)
        // What the kernel takes for the two sockets is not ours.
        assert.isBelow(held, answers / 8)
        raw.read()
        yield* Effect.repeat(Effect.yieldNow, { until: () => raw.received > answers })
        assert.strictEqual((yield* node.peers).length, 2)
      })
    )
  )
})

describe("a peer whose connection was ended", () => {
  const NOT_OURS = frame("ping", new Uint8Array(8), { magic: mainnet.magic })

  it.live("is cut off when it goes on sending", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const node = yield* startNode()
        const raw = yield* rawPeer(node.endpoint, { allowHalfOpen: true })
        raw.write(new Uint8Array([...HANDSHAKE, ...NOT_OURS]))
        const total = 300_000_000
        // Next to what is read there is what the kernel takes for the two sockets.
        assert.isBelow(yield* raw.flood(total), total / 10)
        assert.strictEqual((yield* node.until("PeerDisconnecting")).reason._tag, "WrongMagic")
      })
    )
  )

  it.live("makes room at once when it leaves, also if it was not being read", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const node = yield* startNode({ maxInbound: 1 })
        const raw = yield* rawPeer(node.endpoint)
        raw.read()
        const pings = Array.from({ length: 10 * FRAMES_PER_TURN }, () => ({ _tag: "ping", nonce: 1n }) as const)
        raw.write(new Uint8Array([...HANDSHAKE, ...framed(...pings), ...NOT_OURS]))
        raw.write(new Uint8Array(200_000))
        yield* node.until("PeerDisconnecting")
        yield* raw.closed
        const next = Effect.scoped(
          Effect.flatMap(rawPeer(node.endpoint), (peer) =>
            Effect.gen(function* () {
              peer.shakeHands()
              yield* Effect.repeat(Effect.yieldNow, {
                until: () => peer.isClosed || node.all("PeerReady").length === 2
              })
            })
          )
        )
        // Well before what a connection has to close its side.
        yield* Effect.repeat(next, { until: () => node.all("PeerReady").length === 2 }).pipe(
          Effect.timeout("5 seconds")
        )
      })
    )
  )
})
