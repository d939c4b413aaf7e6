import { expect, layer } from "@effect/vitest"
import { type NodeFact, type NodeShape, makeNode } from "@satwire/node"
import { toHex } from "@satwire/primitives"
import { HeaderStore } from "@satwire/store"
import { layerTcp } from "@satwire/transport-tcp"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { Bcoin } from "../Bcoin.ts"
import { besideBcoin } from "../BesideBcoin.ts"

const HEADERS = 500

/** Waits until the node's tip has this height. */
const reaches = (node: NodeShape, height: number) =>
  node.facts.pipe(
    Stream.filter((fact: NodeFact) => fact._tag === "TipChanged" && fact.tip.height === height),
    Stream.runHead,
    Effect.timeout("30 seconds")
  )

layer(Layer.mergeAll(Bcoin.layer, layerTcp, HeaderStore.layerMemory), { excludeTestServices: true })(
  "a node beside bcoin, over TCP",
  (it) => {
    it.effect("follows 500 headers that bcoin mined, and the next ones as they come", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const bcoin = yield* Bcoin
          yield* bcoin.mine(HEADERS)
          const node = yield* makeNode(besideBcoin({ connect: [bcoin.p2p] }))
          yield* reaches(node, HEADERS)
          yield* bcoin.mine(3)
          yield* reaches(node, HEADERS + 3)
          const headers = yield* node.query("headers")
          expect(headers === undefined ? "" : toHex(headers.tip.hash)).toBe(yield* bcoin.rpc("getbestblockhash"))
          const [peer] = yield* node.query("peers")
          expect(peer?.info?.userAgent).toContain("bcoin")
        })
      )
    )
  }
)
