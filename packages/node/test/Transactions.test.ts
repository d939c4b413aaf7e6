import { assert, describe, it } from "@effect/vitest"
import type { NodeOptions } from "@satwire/node"
import { ANYONE_CAN_SPEND } from "@satwire/mining"
import { NODE_NETWORK, NODE_WITNESS } from "@satwire/wire"
import { subnetOf } from "@satwire/connections"
import { toHex } from "@satwire/primitives"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { type TestNode, startNode } from "./TestNode.ts"

const LOOPBACK = subnetOf({ network: "ipv4", address: Uint8Array.of(127, 0, 0, 1) })
/** Whom nothing bars is told at once; others after a while that chance says, which may be a minute. */
const TOLD_AT_ONCE = [{ subnet: LOOPBACK, permissions: new Set(["noban"] as const) }]

const withPool = (changes: Partial<NodeOptions> = {}) =>
  startNode({
    blocks: { serve: true },
    services: NODE_NETWORK | NODE_WITNESS,
    roles: {
      headers: { serve: true, announce: true },
      mining: { payTo: ANYONE_CAN_SPEND },
      transactions: { relays: true, makes: true }
    },
    ...changes
  })

const mine = (node: TestNode, count: number): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { tip } = (yield* node.service.query("blocks")) ?? { tip: { height: 0 } }
    for (let i = 0; i < count; i++) yield* node.service.makeBlock
    yield* node.until("BlockTipChanged", (fact) => fact.tip.height >= tip.height + count)
  })

const accepted = (node: TestNode): ReadonlyArray<string> =>
  node.all("TransactionAccepted").map(({ wtxid }) => toHex(wtxid))

const poolSize = (node: TestNode): Effect.Effect<number> =>
  Effect.map(node.service.query("pool"), (pool) => pool?.count ?? -1)

describe("nodes that have transactions", () => {
  it.live("pass them on, mine them, and let go of those that a block has", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const began = performance.now()
        const one = yield* withPool({ permissions: TOLD_AT_ONCE })
        yield* mine(one, 101)
        const two = yield* withPool({ connect: [one.endpoint] })
        yield* two.until("BlockTipChanged", ({ tip }) => tip.height === 101)
        yield* mine(one, 1)
        yield* two.until("BlockTipChanged", ({ tip }) => tip.height === 102)
        yield* one.service.makeTransactions(2)
        assert.strictEqual(yield* poolSize(one), 2)
        yield* two.until("TransactionAccepted", () => accepted(two).length === 2)
        assert.deepStrictEqual(accepted(two).toSorted(), accepted(one).toSorted())
        const [peer] = yield* two.service.query("peerDetails")
        assert.isTrue(peer?.info?.relay)
        // It is known for the transactions that it brought; whom we brought them is not.
        assert.isDefined(peer?.lastTransactionAt)
        assert.isTrue(peer?.transactions?.isTold)
        assert.isUndefined((yield* one.service.query("peerDetails"))[0]?.lastTransactionAt)
        yield* mine(two, 1)
        yield* one.until("BlockTipChanged", ({ tip }) => tip.height === 103)
        assert.deepStrictEqual([yield* poolSize(one), yield* poolSize(two)], [0, 0])
        const [last] = yield* Stream.runCollect(one.service.blocks().pipe(Stream.drop(102), Stream.take(1)))
        assert.strictEqual(last?.block?.transactionCount, 3)
        // It came in short, and nothing of it had to be asked for: both had all of it.
        const [short] = one.all("CompactReconstructed").slice(-1)
        assert.deepInclude(short?.stats, { transactions: 3, prefilled: 1, fetched: 0 })
        assert.isBelow(short?.stats.messageBytes ?? Infinity, last?.block?.bytes.length ?? 0)
        // It took some time, and no more than has passed since the node began.
        assert.isAbove(short?.tookMs ?? 0, 0)
        assert.isBelow(short?.tookMs ?? Infinity, performance.now() - began)
        // Who delivered it is asked to send the next ones so at once.
        yield* Effect.repeat(two.service.query("compact"), {
          until: (compact) => compact?.highBandwidthFrom.length === 1,
          schedule: Schedule.spaced(5)
        })
        yield* mine(two, 1)
        yield* one.until("BlockTipChanged", ({ tip }) => tip.height === 104)
        assert.deepStrictEqual(one.all("CompactReconstructed").slice(-1)[0]?.roundTrips, 0)
        assert.lengthOf((yield* one.service.query("compact"))?.highBandwidthTo ?? [], 1)
      })
    )
  )

  it.live("have them again when the block that held them is followed no more", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const one = yield* withPool()
        yield* mine(one, 102)
        yield* one.service.makeTransactions(2)
        yield* mine(one, 1)
        assert.strictEqual(yield* poolSize(one), 0)
        const two = yield* withPool({ connect: [one.endpoint] })
        const { tip } = yield* two.until("BlockTipChanged", (fact) => fact.tip.height === 103)
        yield* one.service.invalidateHeader(tip.hash)
        yield* one.until("BlockTipChanged", (fact) => fact.removed === 1)
        assert.strictEqual(yield* poolSize(one), 2)
      })
    )
  )

  it.live("say why they do not take one of our own, and tell nobody of it", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const node = yield* withPool()
        yield* mine(node, 101)
        yield* node.service.makeTransactions(1)
        const { wtxid } = yield* node.until("TransactionAccepted")
        const [block] = yield* Stream.runCollect(Stream.take(node.service.blocks(), 1))
        const coinbase = block?.block?.transaction(0)
        assert.isDefined(coinbase)
        if (coinbase !== undefined) assert.strictEqual(yield* node.service.submitTransaction(coinbase), "coinbase")
        assert.deepStrictEqual(accepted(node), [toHex(wtxid)])
        const headersOnly = yield* startNode()
        if (coinbase !== undefined) {
          assert.strictEqual(yield* headersOnly.service.submitTransaction(coinbase), "no-mempool")
        }
      })
    )
  )
})
