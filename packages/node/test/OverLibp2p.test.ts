/** Bitcoin's sessions over streams of libp2p: neither end of a session nor a node knows the difference. */
import { connect } from "@satwire/client"
import { platformAead, platformSha256 } from "@satwire/crypto/node"
import { regtest } from "@satwire/primitives"
import { HeaderStore } from "@satwire/store"
import { LIBP2P_HOST, Libp2pNode, layerLibp2p } from "@satwire/transport-libp2p"
import { assert, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { type TestNode, startOn } from "./TestNode.ts"

const limits = { maxPerHostASecond: 100 }

/** A node of Bitcoin that is reached over libp2p alone, and the way to it. */
const reached: Effect.Effect<
  { readonly node: TestNode; readonly addresses: ReadonlyArray<string> },
  unknown,
  Scope.Scope
> = Effect.gen(function* () {
  const libp2p = Layer.fresh(Libp2pNode.layer({ listen: ["/ip4/127.0.0.1/tcp/0"], limits }))
  const context = yield* Layer.build(Layer.provideMerge(layerLibp2p(), libp2p))
  const edges = Layer.merge(Layer.succeedContext(context), Layer.fresh(HeaderStore.layerMemory))
  const node = yield* startOn(edges, { listen: { host: LIBP2P_HOST, port: 0 } })
  return { node, addresses: Context.get(context, Libp2pNode).addresses() }
})

for (const v2transport of ["never", "only"] as const) {
  it.live(`a session in ${v2transport === "never" ? "v1" : "v2"} runs over a stream of libp2p`, () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { node, addresses } = yield* reached
        yield* node.service.makeBlock
        const way = yield* Layer.build(Layer.provideMerge(layerLibp2p(), Layer.fresh(Libp2pNode.layer())))
        yield* Context.get(way, Libp2pNode).learn(addresses)
        const options = { params: regtest, sha256: platformSha256, aead: platformAead, v2transport }
        const session = yield* Effect.provideContext(connect(node.endpoint, options), way)
        assert.strictEqual(session.info.transport, v2transport === "never" ? "v1" : "v2")
        const headers = yield* session.headers([regtest.genesisHash], undefined)
        assert.strictEqual(headers.count, 1)
        // Bans and groups of networks go by where the bytes come from, and not by keys that cost nothing.
        const { address } = yield* node.until("PeerConnected")
        assert.match(address, /^127\.0\.0\.1:\d+$/)
      })
    )
  )
}

it.live("a node follows another one over libp2p by its peer id", () =>
  Effect.scoped(
    Effect.gen(function* () {
      const { node, addresses } = yield* reached
      const way = yield* Layer.build(Layer.provideMerge(layerLibp2p(), Layer.fresh(Libp2pNode.layer({ limits }))))
      yield* Context.get(way, Libp2pNode).learn(addresses)
      const edges = Layer.merge(Layer.succeedContext(way), Layer.fresh(HeaderStore.layerMemory))
      const follower = yield* startOn(edges, { connect: [node.endpoint], listen: undefined })
      yield* node.until("PeerReady")
      yield* node.service.makeBlock
      yield* follower.until("TipChanged")
    })
  )
)
