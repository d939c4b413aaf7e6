import { assert, describe, it } from "@effect/vitest"
import { type BlockStep, type NodeOptions, UnknownPlace } from "@satwire/node"
import { regtest, toHex } from "@satwire/primitives"
import { connect } from "@satwire/client"
import { portableSha256 } from "@satwire/crypto"
import { layerTcp } from "@satwire/transport-tcp"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Inventory, MSG_WITNESS_BLOCK, NODE_NETWORK, NODE_WITNESS } from "@satwire/wire"
import { type TestNode, startNode } from "./TestNode.ts"

const withBlocks = (changes: Partial<NodeOptions> = {}) =>
  startNode({ blocks: { serve: true }, services: NODE_NETWORK | NODE_WITNESS, ...changes })

const mine = (node: TestNode, count: number): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { tip } = (yield* node.service.query("blocks")) ?? { tip: { height: 0 } }
    for (let i = 0; i < count; i++) yield* node.service.makeBlock
    yield* node.until("BlockTipChanged", (fact) => fact.tip.height >= tip.height + count)
  })

const has = (node: TestNode, height: number): Effect.Effect<unknown> =>
  node.until("BlockTipChanged", ({ tip }) => tip.height === height)

const told = (step: BlockStep): string => `${step._tag === "Connected" ? "+" : "-"}${step.height}`

/** A reader of a node's chain that takes steps down. */
const reader = (node: TestNode, after?: { readonly height: number; readonly hash: BlockStep["hash"] }) =>
  Effect.gen(function* () {
    const steps: Array<BlockStep> = []
    const fiber = yield* Effect.forkScoped(
      Stream.runForEach(node.service.blocks(after), (step) => Effect.sync(() => void steps.push(step)))
    )
    return { steps, fiber }
  })

const scoped = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>): Effect.Effect<A, E> => Effect.scoped(effect)

describe("a node that has blocks", () => {
  it.live("fetches what another one mined before and mines after, and has the same bytes", () =>
    scoped(
      Effect.gen(function* () {
        const miner = yield* withBlocks()
        yield* mine(miner, 5)
        const follower = yield* withBlocks({ connect: [miner.endpoint] })
        yield* has(follower, 5)
        yield* mine(miner, 1)
        const { tip } = yield* has(follower, 6) as Effect.Effect<{ tip: { hash: BlockStep["hash"] } }>
        const [ours, theirs] = [yield* follower.service.readBlock(tip.hash), yield* miner.service.readBlock(tip.hash)]
        assert.isDefined(ours)
        assert.deepStrictEqual(ours?.bytes, theirs?.bytes)
        const snapshot = yield* follower.service.query("blocks")
        assert.deepStrictEqual([snapshot?.kept, snapshot?.inFlight, snapshot?.waiting], [6, 0, 0])
      })
    )
  )

  it.live("gives its chain as a stream, from any place on, and takes back what a reorganisation leaves behind", () =>
    scoped(
      Effect.gen(function* () {
        const [one, two] = [yield* withBlocks(), yield* withBlocks()]
        yield* mine(one, 2)
        const { fiber, steps } = yield* reader(one)
        yield* mine(two, 4)
        yield* one.service.connect(two.endpoint)
        yield* has(one, 4)
        yield* mine(one, 1)
        yield* Effect.repeat(Effect.sleep(5), { until: () => steps.length >= 9 })
        assert.deepStrictEqual(steps.map(told), ["+1", "+2", "-2", "-1", "+1", "+2", "+3", "+4", "+5"])
        const again = yield* reader(one, steps[6])
        yield* Effect.repeat(Effect.sleep(5), { until: () => again.steps.length >= 2 })
        assert.deepStrictEqual(again.steps.map(told), ["+4", "+5"])
        assert.deepStrictEqual(
          toHex(again.steps[1]?.hash ?? regtest.genesisHash),
          toHex(steps[8]?.hash ?? regtest.genesisHash)
        )
        yield* Fiber.interrupt(fiber)
        const nowhere = { height: 7, hash: regtest.genesisHash }
        const failure = yield* Effect.flip(Stream.runDrain(one.service.blocks(nowhere)))
        assert.instanceOf(failure, UnknownPlace)
      })
    )
  )

  it.live(
    "gives a peer all that it asks for, in the order in which it asks, however much it asks before it is answered",
    () =>
      scoped(
        Effect.gen(function* () {
          const node = yield* withBlocks()
          yield* mine(node, 12)
          const steps = yield* Stream.runCollect(Stream.take(node.service.blocks(), 12))
          const options = { params: regtest, userAgent: "/asker:1.0/", services: 0n, v2transport: "never" } as const
          const session = yield* Effect.provide(connect(node.endpoint, options), yield* Layer.build(layerTcp))
          const hashes = steps.map(({ hash }) => hash)
          const ask = (from: number, to: number) =>
            session.send({ _tag: "getdata", inventory: Inventory.ofType(MSG_WITNESS_BLOCK, hashes.slice(from, to)) })
          for (let round = 0; round < 20; round++) {
            yield* Effect.all([ask(0, 4), ask(4, 4), ask(4, 6), ask(6, 12), session.send({ _tag: "getaddr" })])
            const given = yield* session.messages.pipe(
              Stream.filter(({ _tag }) => _tag === "block"),
              Stream.take(12),
              Stream.runCollect
            )
            assert.deepStrictEqual(
              given.map((message) => (message._tag === "block" ? toHex(message.block.hash(portableSha256)) : "")),
              hashes.map(toHex)
            )
          }
        })
      )
  )
})
