/** Nodes that reach others through a proxy alone: what is tried again in v1 is tried through it, too (Bitcoin Core 35319). */
import { connect } from "@satwire/client"
import { platformAead, platformSha256 } from "@satwire/crypto/node"
import { regtest } from "@satwire/primitives"
import { HeaderStore } from "@satwire/store"
import { socksServer } from "@satwire/testkit"
import type { Endpoint } from "@satwire/transport"
import { layerSocks5 } from "@satwire/transport-socks5"
import { layerTcp } from "@satwire/transport-tcp"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { startNode, startOn } from "./TestNode.ts"

const ONION: Endpoint = { host: `${"satwire".repeat(8)}.onion`, port: 8333 }

/** A node that speaks v1 alone, and a proxy that leads to it by a name that nobody else knows. */
const hidden = Effect.gen(function* () {
  const node = yield* startNode({ v2transport: false })
  const { proxy, asked } = yield* socksServer({ names: { [ONION.host]: node.endpoint } })
  return { layer: layerSocks5({ proxy }), asked, node }
})
const inV1 = { host: ONION.host, port: ONION.port, addressType: 3 }

it.live("a node speaks v1 at the second try, through the same proxy, by another circuit", () =>
  Effect.scoped(
    Effect.gen(function* () {
      const { layer, asked } = yield* hidden
      // Its listener is TCP's, as an onion service's is; what it dials goes through the proxy.
      const edges = Layer.mergeAll(layerTcp, HeaderStore.layerMemory, layer)
      const node = yield* startOn(Layer.fresh(edges), { connect: [ONION] })
      const { info } = yield* node.until("PeerReady")
      assert.strictEqual(info.transport, "v1")
      assert.strictEqual(asked.length, 2)
      for (const request of asked) assert.deepInclude(request, inV1)
      assert.strictEqual(new Set(asked.map(({ username, password }) => `${username}:${password}`)).size, 2)
    })
  )
)

it.live("a session speaks v1 at the second try, through the same proxy", () =>
  Effect.scoped(
    Effect.gen(function* () {
      const { layer, asked, node } = yield* hidden
      const options = { params: regtest, sha256: platformSha256, aead: platformAead }
      const session = yield* Effect.provide(connect(ONION, options), layer)
      assert.strictEqual(session.info.transport, "v1")
      yield* node.until("PeerReady")
      assert.strictEqual(asked.length, 2)
      for (const request of asked) assert.deepInclude(request, inV1)
    })
  )
)
