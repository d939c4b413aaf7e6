/**
 * Blocks with transactions between a node and bcoin, in short (BIP-0152, version 2), both ways.
 *
 * What bcoin 1.0.2 cannot: it looks at the first `sendcmpct` of a peer alone, and ours asks for low bandwidth, as Core's does. So it never sends
 * a `cmpctblock` unasked, however often it delivered first; it announces by `headers`, and gives the block in short when asked for it so. The other
 * way it takes both, but asks for high bandwidth only where it is told to (`startBcoin`). It sends whole no more than the coinbase.
 */
import { describe, expect, it } from "@effect/vitest"
import { toHex } from "@satwire/bytes"
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import { ANYONE_CAN_SPEND_P2WSH, type SpendOptions, Spender } from "@satwire/mining"
import { type NodeFact, type NodeShape, makeNode } from "@satwire/node"
import type { TrafficLabel } from "@satwire/peer"
import {
  type Transaction,
  TransactionView,
  blockHashFromHex,
  encodeAddress,
  toHex as hashToHex
} from "@satwire/primitives"
import { HeaderStore } from "@satwire/store"
import { layerTcp } from "@satwire/transport-tcp"
import { NODE_NETWORK, NODE_WITNESS } from "@satwire/wire"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { type BcoinShape, startBcoin } from "../Bcoin.ts"
import { FIRST_SEGWIT_HEIGHT, bcoinRegtest } from "../BcoinRegtest.ts"
import { besideBcoin } from "../BesideBcoin.ts"

/** More than bcoin's least of 1,000, and less, of which our pool takes what pays 100. */
const DEAR: SpendOptions = { feeRateSatPerKvb: 20_000, fromUnconfirmed: false }
const CHEAP: SpendOptions = { feeRateSatPerKvb: 200, fromUnconfirmed: false }
const OUTPUTS = 60

/** Until it is so, or half a minute has passed. */
const until = <A, E>(asked: Effect.Effect<A, E>, isSo: (answer: A) => boolean): Effect.Effect<A, E> =>
  Effect.repeat(asked, { until: isSo, schedule: Schedule.upTo(Schedule.spaced("50 millis"), { times: 600 }) })

/** A node of ours that has a bcoin for its only peer. What may be spent is known to the test's `spender`, and to its pool by it. */
class Beside {
  readonly node: NodeShape
  readonly bcoin: BcoinShape
  readonly spender: Spender
  readonly #facts: Array<NodeFact> = []
  #height = 0

  private constructor(node: NodeShape, bcoin: BcoinShape, spender: Spender) {
    this.node = node
    this.bcoin = bcoin
    this.spender = spender
  }

  static start(bcoin: BcoinShape, spender: Spender) {
    return Effect.gen(function* () {
      const stores = yield* Layer.build(Layer.fresh(Layer.merge(layerTcp, HeaderStore.layerMemory)))
      const node = yield* makeNode(
        besideBcoin({
          connect: [bcoin.p2p],
          roles: {
            headers: { serve: true, announce: true },
            mining: { payTo: ANYONE_CAN_SPEND_P2WSH },
            transactions: { relays: true, coins: spender }
          },
          blocks: { serve: true },
          services: NODE_NETWORK | NODE_WITNESS
        })
      ).pipe(Effect.provide(stores))
      const beside = new Beside(node, bcoin, spender)
      yield* Effect.forkScoped(Stream.runForEach(node.facts, (fact) => Effect.sync(() => beside.#facts.push(fact))))
      return beside
    })
  }

  /** Waits until both have this many blocks, and the same ones. */
  agree(height: number) {
    return Effect.gen({ self: this }, function* () {
      const { bcoin, node } = this
      yield* until(node.query("blocks"), (blocks) => blocks?.tip.height === height)
      yield* until(bcoin.height, (theirs) => theirs === height)
      const best = yield* bcoin.rpc("getbestblockhash")
      expect(best).toBe(hashToHex((yield* node.query("blocks"))?.tip.hash ?? blockHashFromHex("00".repeat(32))))
    })
  }

  /** Has the spender look at the blocks that are new. */
  learn() {
    return Effect.gen({ self: this }, function* () {
      const height = (yield* this.node.query("blocks"))?.tip.height ?? 0
      const fresh = this.node.blocks().pipe(Stream.drop(this.#height), Stream.take(height - this.#height))
      yield* Stream.runForEach(fresh, ({ block, height }) =>
        Effect.sync(() => {
          if (block !== undefined) this.spender.connected(block, height)
        })
      )
      this.#height = height
    })
  }

  /** Takes transactions into our pool. */
  submit(transactions: ReadonlyArray<Transaction>) {
    return Effect.forEach(transactions, (tx) =>
      Effect.map(this.node.submitTransaction(TransactionView.of(tx)), (rule) => expect(rule).toBeUndefined())
    )
  }

  /** Takes transactions into bcoin's pool. */
  submitThere(transactions: ReadonlyArray<Transaction>) {
    return Effect.forEach(transactions, (tx) =>
      this.bcoin.rpc("sendrawtransaction", [toHex(TransactionView.of(tx).bytes)])
    )
  }

  /** Waits until our pool has so many. */
  has(count: number) {
    return until(this.node.query("pool"), (pool) => pool?.count === count)
  }

  /** Waits until bcoin's pool has so many. */
  hasThere(count: number) {
    return until(this.bcoin.rpc("getrawmempool"), (ids) => Array.isArray(ids) && ids.length === count)
  }

  /** How many messages of some commands passed while something was done. */
  counted<A, E, R>(done: Effect.Effect<A, E, R>) {
    const traffic = Effect.map(this.node.query("peers"), ([peer]) => peer)
    return Effect.gen(function* () {
      const before = yield* traffic
      yield* done
      const after = yield* traffic
      const passed = (side: "sent" | "received") => (label: TrafficLabel) =>
        (after?.[side].get(label)?.messages ?? 0) - (before?.[side].get(label)?.messages ?? 0)
      const counts = (side: "sent" | "received") => {
        const of = passed(side)
        return [of("cmpctblock"), of("getblocktxn"), of("blocktxn"), of("block")]
      }
      return { sent: counts("sent"), received: counts("received") }
    })
  }

  /** How the last block was put together that came in short. */
  get rebuilt() {
    const last = this.#facts.findLast((fact) => fact._tag === "CompactReconstructed")
    return last?._tag === "CompactReconstructed" ? { ...last.stats, roundTrips: last.roundTrips } : undefined
  }
}

/** Both have segwit, and many coins of one transaction that may be spent. */
const begun = (highBandwidth: boolean) =>
  Effect.gen(function* () {
    const bcoin = yield* startBcoin(undefined, { highBandwidth })
    const address = encodeAddress(ANYONE_CAN_SPEND_P2WSH, bcoinRegtest)
    yield* bcoin.rpc("generatetoaddress", [1, address])
    yield* bcoin.mine(FIRST_SEGWIT_HEIGHT)
    const spender = new Spender({ sha256: portableSha256, random: ChaChaRandom.fromNumber(1) })
    const beside = yield* Beside.start(bcoin, spender)
    yield* beside.agree(FIRST_SEGWIT_HEIGHT + 1)
    yield* beside.learn()
    yield* beside.submit(spender.spendMany(1, { ...DEAR, outputs: OUTPUTS }))
    yield* beside.hasThere(1)
    yield* beside.node.makeBlock
    yield* beside.agree(FIRST_SEGWIT_HEIGHT + 2)
    yield* beside.learn()
    expect(spender.spendable).toBe(OUTPUTS)
    return beside
  })

const NONE = [0, 0, 0, 0]

/** Mines here, twice: what bcoin has all of, and what it has all of but two. */
const mineHere = (beside: Beside) =>
  Effect.gen(function* () {
    const { node, spender } = beside
    yield* beside.submit(spender.spendMany(20, DEAR))
    yield* beside.hasThere(20)
    const known = yield* beside.counted(Effect.andThen(node.makeBlock, beside.agree(FIRST_SEGWIT_HEIGHT + 3)))
    expect(known).toEqual({ sent: [1, 0, 0, 0], received: NONE })
    expect(yield* beside.bcoin.rpc("getrawmempool")).toEqual([])
    yield* beside.learn()

    yield* beside.submit([...spender.spendMany(10, DEAR), ...spender.spendMany(2, CHEAP)])
    yield* beside.hasThere(10)
    yield* beside.has(12)
    const lacking = yield* beside.counted(Effect.andThen(node.makeBlock, beside.agree(FIRST_SEGWIT_HEIGHT + 4)))
    expect(lacking).toEqual({ sent: [1, 0, 1, 0], received: [0, 1, 0, 0] })
    yield* beside.learn()
  })

/** Has bcoin mine, twice: what our node has all of, and what another node of ours, that came late, lacks two of. */
const mineThere = (beside: Beside) =>
  Effect.gen(function* () {
    const { bcoin, spender } = beside
    yield* beside.submit(spender.spendMany(15, DEAR))
    yield* beside.submitThere(spender.spendMany(5, DEAR))
    yield* beside.hasThere(20)
    yield* beside.has(20)
    const known = yield* beside.counted(Effect.andThen(bcoin.mine(1), beside.agree(FIRST_SEGWIT_HEIGHT + 3)))
    expect(known).toEqual({ sent: NONE, received: [1, 0, 0, 0] })
    expect(beside.rebuilt).toMatchObject({ transactions: 21, fromPools: [20, 0], fetched: 0, roundTrips: 1 })
    expect((yield* beside.node.query("pool"))?.count).toBe(0)
    yield* beside.learn()

    // It tells who connects later of nothing that it has already.
    yield* beside.submit(spender.spendMany(2, DEAR))
    yield* beside.hasThere(2)
    const late = yield* Beside.start(bcoin, spender)
    yield* late.agree(FIRST_SEGWIT_HEIGHT + 3)
    yield* beside.submit(spender.spendMany(10, DEAR))
    yield* beside.hasThere(12)
    yield* late.has(10)
    const lacking = yield* late.counted(Effect.andThen(bcoin.mine(1), late.agree(FIRST_SEGWIT_HEIGHT + 4)))
    expect(lacking).toEqual({ sent: [0, 1, 0, 0], received: [1, 0, 1, 0] })
    expect(late.rebuilt).toMatchObject({ transactions: 13, fromPools: [10, 0], fetched: 2, roundTrips: 2 })
    yield* beside.agree(FIRST_SEGWIT_HEIGHT + 4)
    yield* beside.learn()

    // And the other way where it does not want it at once: announced, and asked for in short.
    yield* beside.submit(spender.spendMany(5, DEAR))
    yield* beside.hasThere(5)
    const asked = yield* beside.counted(Effect.andThen(beside.node.makeBlock, beside.agree(FIRST_SEGWIT_HEIGHT + 5)))
    expect(asked).toEqual({ sent: [1, 0, 0, 0], received: NONE })
  })

describe.concurrent("a block with transactions, in short,", () => {
  it.live("goes to bcoin at once, where it wants that, and what it lacks of the block when it asks for it", () =>
    Effect.scoped(Effect.flatMap(begun(true), mineHere))
  )

  it.live("comes from bcoin when it is asked for, and what we lack of the block, and goes to it when it asks", () =>
    Effect.scoped(Effect.flatMap(begun(false), mineThere))
  )
})
