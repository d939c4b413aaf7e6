import { FACTS_KEPT, FACTS_REPLAYED, HEADER_BYTES_WAITING, type NodeFact } from "@satwire/node"
import { HEADER_SIZE, regtest } from "@satwire/primitives"
import { HeaderStore } from "@satwire/store"
import { layerTcp } from "@satwire/transport-tcp"
import { MAX_HEADERS_RESULTS } from "@satwire/wire"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { ServedHeaders, headerServer } from "./HeaderServer.ts"
import { rawPeer } from "./RawPeer.ts"
import { lastOf, regtestChain } from "@satwire/testkit"
import { type TestNode, startNode, startOn } from "./TestNode.ts"

/** A store that writes nothing while the latch is closed. */
const behind = (latch: Latch.Latch) =>
  Layer.effect(
    HeaderStore,
    Effect.map(HeaderStore, (store) =>
      HeaderStore.of({ load: store.load, append: (headers, count) => latch.whenOpen(store.append(headers, count)) })
    )
  ).pipe(Layer.provide(HeaderStore.layerMemory))

const accepted = (node: TestNode): number => node.all("HeadersAccepted").reduce((sum, { count }) => sum + count, 0)

describe("a disk that is slower than the network", () => {
  it.live("holds the peers back until it has caught up, and everything is taken in and kept", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const most = HEADER_BYTES_WAITING / HEADER_SIZE
        const chain = regtestChain(most + 10_000)
        const server = yield* headerServer(regtest, ServedHeaders.of(chain))
        const disk = yield* Latch.make(false)
        const node = yield* startOn(Layer.fresh(Layer.mergeAll(layerTcp, behind(disk))), {
          connect: [server],
          v2transport: false
        })
        // Whatever becomes of this test: a node that is closed waits for the disk.
        yield* Effect.addFinalizer(() => disk.open)
        yield* node.until("StoreBehind")
        const before = accepted(node)
        // Somebody who connects now is not read either, and not blamed.
        const raw = yield* rawPeer(node.endpoint)
        raw.shakeHands()
        yield* node.until("PeerConnected", ({ address }) => address === raw.address)
        yield* Effect.repeat(Effect.yieldNow, { times: 100 })
        assert.isAtLeast(before, most)
        assert.isAtMost(accepted(node), before + MAX_HEADERS_RESULTS)
        assert.isEmpty(node.all("HeadersStored"))
        assert.isFalse(node.all("PeerReady").some(({ address }) => address === raw.address))
        yield* disk.open
        yield* node.followed(lastOf(chain, 1))
        yield* node.until("PeerReady", ({ address }) => address === raw.address)
        const stored = (): number => node.all("HeadersStored").reduce((sum, { count }) => sum + count, 0)
        yield* node.until("HeadersStored", () => stored() === chain.length / HEADER_SIZE)
        assert.deepStrictEqual(
          node.all("StoreBehind").map(({ isBehind }) => isBehind),
          [true, false]
        )
        assert.deepStrictEqual(node.all("PeerDisconnecting"), [])
      })
    )
  )
})

describe("a node that is closed while the disk is slow", () => {
  it.live("has closed only when all that it took in is kept", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const disk = yield* Latch.make(false)
        const store = Layer.succeedContext(yield* Layer.build(behind(disk)))
        const scope = yield* Scope.make()
        const node = yield* Scope.provide(startOn(Layer.merge(Layer.fresh(layerTcp), store)), scope)
        yield* Effect.addFinalizer(() => disk.open)
        for (let from = 0; from < 3; from++) {
          yield* node.service.submitHeaders(regtestChain(100, { salt: from }), 100)
        }
        const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
        yield* Effect.repeat(Effect.yieldNow, { times: 100 })
        assert.isUndefined(closing.pollUnsafe())
        yield* disk.open
        yield* Fiber.join(closing)
        const { count } = yield* Effect.provide(
          Effect.flatMap(HeaderStore, ({ load }) => load(() => {})),
          store
        )
        assert.strictEqual(count, 300)
      })
    )
  )
})

describe("who reads facts more slowly than they come", () => {
  it.live("loses the oldest and gets the newest", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const node = yield* startNode()
        const pull = yield* Stream.toPull(node.service.facts)
        const first = yield* pull
        assert.isAtMost(first.length, FACTS_REPLAYED)
        const count = FACTS_KEPT
        const chain = regtestChain(count)
        for (let i = 0; i < count; i++) {
          yield* node.service.submitHeaders(chain.subarray(i * HEADER_SIZE, (i + 1) * HEADER_SIZE), 1)
        }
        const told: Array<NodeFact> = []
        const heights: Array<number> = []
        while (heights.at(-1) !== count) {
          const facts = yield* pull
          told.push(...facts)
          heights.push(...facts.flatMap((fact) => (fact._tag === "TipChanged" ? [fact.tip.height] : [])))
        }
        assert.isAtMost(told.length, FACTS_KEPT + FACTS_REPLAYED)
        // Every header told two facts: half of the headers are lost, and none of the others.
        assert.strictEqual(heights.length, FACTS_KEPT / 2)
        assert.strictEqual(heights[0], count - heights.length + 1)
      })
    )
  )

  it.live("begins with the last few when it comes late, and is told when the node has ended", () =>
    Effect.gen(function* () {
      const node = yield* Effect.scoped(
        Effect.tap(startNode(), (node) => Effect.repeat(node.service.makeBlock, { times: 20 }))
      )
      const last = yield* Stream.runCollect(node.service.facts)
      assert.deepStrictEqual(last, node.facts.slice(-FACTS_REPLAYED))
    })
  )
})
