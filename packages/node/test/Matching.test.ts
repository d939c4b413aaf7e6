import { assert, describe, it } from "@effect/vitest"
import type { BlockStep } from "@satwire/node"
import { HeaderStore, Snapshots } from "@satwire/store"
import { BlockStore } from "@satwire/block-store"
import { layerTcp } from "@satwire/transport-tcp"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { PayingChain, filterServer, paidAt } from "./FilterServer.ts"
import { startOn } from "./TestNode.ts"

const chain = new PayingChain(12)

const connectedAt = (steps: ReadonlyArray<BlockStep>): ReadonlyArray<number> => steps.map(({ height }) => height)

describe("a node that fetches only blocks that matter", () => {
  it.live("finds them by the filters of its peers, lets go who lies about them, and goes on after a restart", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const servers = [yield* filterServer(chain), yield* filterServer(chain), yield* filterServer(chain, 9)]
        // One store for both lives of the node.
        const stores = yield* Layer.build(
          Layer.mergeAll(HeaderStore.layerMemory, Snapshots.layerMemory, BlockStore.layerMemory)
        )
        const edges = Layer.fresh(Layer.merge(layerTcp, Layer.succeedContext(stores)))
        const live = (scripts: ReadonlyArray<Uint8Array>) =>
          startOn(edges, {
            listen: undefined,
            connect: servers.map(({ endpoint }) => endpoint),
            blocks: { serve: false, matching: { scripts, leastPeers: servers.length } }
          })
        const scripts = [paidAt(4), paidAt(9)]
        yield* Effect.scoped(
          Effect.gen(function* () {
            const node = yield* live(scripts)
            const steps = yield* Stream.runCollect(Stream.take(node.service.blocks(), 2))
            assert.deepStrictEqual(connectedAt(steps), [4, 9])
            yield* node.until("BlockTipChanged", ({ tip }) => tip.height === 12)
            const { kept } = (yield* node.service.query("blocks")) ?? { kept: -1 }
            assert.strictEqual(kept, 2)
            assert.strictEqual(node.all("FiltersDisputed").length, 1)
            const ends = node.all("PeerDisconnecting").map(({ cost, reason }) => [reason._tag, cost])
            assert.deepStrictEqual(ends, [["BadFilter", "discourage"]])
          })
        )
        const asked = (): number =>
          servers.flatMap(({ heard }) => heard).filter((tag) => tag === "getcfilters" || tag === "getdata").length
        const before = asked()
        yield* Effect.scoped(
          Effect.gen(function* () {
            const node = yield* live(scripts)
            const { count, height } = yield* node.until("BlocksLoaded")
            assert.deepStrictEqual([count, height], [2, 12])
            const steps = yield* Stream.runCollect(Stream.take(node.service.blocks(), 2))
            assert.deepStrictEqual(connectedAt(steps), [4, 9])
          })
        )
        assert.strictEqual(asked(), before)
        // Something else is looked for: all is looked through again.
        yield* Effect.scoped(
          Effect.gen(function* () {
            const node = yield* startOn(edges, {
              listen: undefined,
              connect: servers.slice(0, 2).map(({ endpoint }) => endpoint),
              blocks: { serve: false, matching: { scripts: [...scripts, paidAt(6)] } }
            })
            const steps = yield* Stream.runCollect(Stream.take(node.service.blocks(), 3))
            assert.deepStrictEqual(connectedAt(steps), [4, 6, 9])
          })
        )
      })
    )
  )
})
