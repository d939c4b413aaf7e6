import { expect, layer } from "@effect/vitest"
import { fromHex } from "@satwire/bytes"
import { ANYONE_CAN_SPEND } from "@satwire/mining"
import { type NodeFact, type NodeOptions, type NodeShape, makeNode } from "@satwire/node"
import { blockHashFromHex, toHex } from "@satwire/primitives"
import { HeaderStore } from "@satwire/store"
import type { Endpoint } from "@satwire/transport"
import { layerTcp } from "@satwire/transport-tcp"
import { NODE_NETWORK, NODE_WITNESS } from "@satwire/wire"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Bcoin } from "../Bcoin.ts"
import { besideBcoin } from "../BesideBcoin.ts"

const BLOCKS = 500

const withBlocks = (connect: ReadonlyArray<Endpoint>): NodeOptions =>
  besideBcoin({
    connect,
    roles: { headers: { serve: true, announce: true }, mining: { payTo: ANYONE_CAN_SPEND } },
    blocks: { serve: true },
    services: NODE_NETWORK | NODE_WITNESS
  })

/** Waits until the node has all blocks up to this height. */
const reaches = (node: NodeShape, height: number) =>
  node.facts.pipe(
    Stream.filter((fact: NodeFact) => fact._tag === "BlockTipChanged" && fact.tip.height >= height),
    Stream.runHead,
    Effect.timeout("30 seconds")
  )

layer(Layer.mergeAll(Bcoin.layer, layerTcp, HeaderStore.layerMemory), { excludeTestServices: true })(
  "blocks between a node and bcoin, over TCP",
  (it) => {
    it.effect(
      "come from bcoin byte for byte, also across the height at which segwit becomes active, and go to it",
      () =>
        Effect.scoped(
          Effect.gen(function* () {
            const bcoin = yield* Bcoin
            const hashes = yield* bcoin.mine(BLOCKS)
            const node = yield* makeNode(withBlocks([bcoin.p2p]))
            yield* reaches(node, BLOCKS)
            for (const at of [0, 143, 431, BLOCKS - 1]) {
              const hash = hashes[at] ?? ""
              const theirs = yield* Schema.decodeUnknownEffect(Schema.String)(
                yield* bcoin.rpc("getblock", [hash, false])
              )
              const ours = yield* node.readBlock(blockHashFromHex(hash))
              expect(ours?.bytes).toEqual(fromHex(theirs))
            }
            yield* bcoin.mine(3)
            yield* reaches(node, BLOCKS + 3)
            for (let i = 0; i < 5; i++) yield* node.makeBlock
            yield* reaches(node, BLOCKS + 8)
            const followed = yield* Effect.repeat(bcoin.height, {
              until: (height) => height === BLOCKS + 8,
              schedule: Schedule.upTo(Schedule.spaced("100 millis"), { times: 200 })
            })
            expect(followed).toBe(BLOCKS + 8)
            const blocks = yield* node.query("blocks")
            expect(blocks === undefined ? "" : toHex(blocks.tip.hash)).toBe(yield* bcoin.rpc("getbestblockhash"))
          })
        )
    )
  }
)
