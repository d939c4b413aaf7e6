/** The encrypted transport between nodes, and with those who do not know it (BIP-0324). */
import { NODE_P2P_V2 } from "@satwire/wire"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { HANDSHAKE, rawPeer, rawServer } from "./RawPeer.ts"
import { startNode, tipOf } from "./TestNode.ts"

const transports = (node: { readonly all: (tag: "PeerReady") => ReadonlyArray<{ info: { transport: string } }> }) =>
  node.all("PeerReady").map(({ info }) => info.transport)

describe("two nodes", () => {
  it.live("speak the encrypted transport of themselves, offer it, and sync over it", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const miner = yield* startNode()
        const follower = yield* startNode({ connect: [miner.endpoint] })
        const { info } = yield* follower.until("PeerReady")
        assert.strictEqual(info.transport, "v2")
        assert.strictEqual(info.services & NODE_P2P_V2, NODE_P2P_V2)
        const theirs = (yield* miner.until("PeerReady")).info
        assert.deepStrictEqual(theirs.sessionId, info.sessionId)
        yield* miner.service.makeBlock
        yield* follower.until("TipChanged", ({ tip }) => tip.height === 1)
        assert.deepStrictEqual(yield* tipOf(follower), yield* tipOf(miner))
      })
    )
  )

  it.live("speak v1 where one of them knows nothing else, whoever dials, at the second try and at once", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const plain = yield* startNode({ v2transport: false })
        const other = yield* startNode({ connect: [plain.endpoint] })
        yield* other.until("PeerReady")
        assert.deepStrictEqual(transports(other), ["v1"])
        assert.strictEqual(other.all("PeerConnecting").length, 2)
        assert.strictEqual(other.all("PeerDisconnecting")[0]?.retryAsV1, true)
        const third = yield* startNode({ v2transport: false, connect: [other.endpoint] })
        yield* third.until("PeerReady")
        assert.deepStrictEqual(transports(third), ["v1"])
        assert.strictEqual(third.all("PeerConnecting").length, 1)
        assert.strictEqual((yield* third.until("PeerReady")).info.services & NODE_P2P_V2, NODE_P2P_V2)
      })
    )
  )
})

it.live("a server that hangs up on what it does not know is spoken to in v1", () =>
  Effect.scoped(
    Effect.gen(function* () {
      const server = yield* rawServer
      const node = yield* startNode({ listen: undefined, connect: [server.endpoint] })
      yield* node.until("PeerConnected")
      server.peers.at(-1)?.end()
      yield* node.until("PeerConnected", () => node.all("PeerConnected").length === 2)
      server.peers.at(-1)?.shakeHands()
      yield* node.until("PeerReady")
      assert.deepStrictEqual(transports(node), ["v1"])
    })
  )
)

it.live("tells the states of a peer in their order", () =>
  Effect.scoped(
    Effect.gen(function* () {
      const node = yield* startNode()
      const other = yield* startNode({ connect: [node.endpoint], v2transport: false })
      yield* other.until("PeerReady")
      const raw = yield* rawPeer(node.endpoint)
      raw.write(HANDSHAKE)
      yield* node.until("PeerReady", ({ address }) => address === raw.address)
      raw.write(new Uint8Array(24))
      yield* raw.closed
      yield* node.until("PeerDisconnected", ({ address }) => address === raw.address)
      const peer = node.all("PeerDisconnected")[0]?.peer
      const states = node.facts.flatMap((fact) => ("peer" in fact && fact.peer === peer ? [fact._tag] : []))
      assert.deepStrictEqual(
        states.filter((tag) => tag.startsWith("Peer")),
        ["PeerConnected", "PeerIntroduced", "PeerReady", "PeerDisconnecting", "PeerDisconnected"]
      )
      assert.strictEqual(other.all("PeerConnecting").length, 1)
    })
  )
)
