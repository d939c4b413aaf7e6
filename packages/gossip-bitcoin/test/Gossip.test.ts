/** Blocks and transactions over real nodes on loopback. */
import { assert, describe, it } from "@effect/vitest"
import { BlockContexts } from "@satwire/consensus"
import { portableSha256 } from "@satwire/crypto"
import { type GossipFact, type GossipShape, makeGossipNode } from "@satwire/gossip"
import { BlockView, Satoshis, type Transaction, TransactionView, Txid, regtest, toHex } from "@satwire/primitives"
import { MinedChain } from "@satwire/testkit"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { type BlockPlace, FeeQueue, blockTopic, transactionTopic } from "../src/index.ts"

const node = makeGossipNode({
  listen: ["/ip4/127.0.0.1/tcp/0"],
  security: ["noise"],
  limits: { maxPerHostASecond: 10_000 }
})

const eventually = (holds: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => (holds() ? Effect.void : Effect.andThen(Effect.yieldNow, eventually(holds))))

interface Meshed {
  readonly mesh: () => ReadonlyArray<string>
}

const meshed = (here: readonly [GossipShape, Meshed], there: readonly [GossipShape, Meshed]) =>
  Effect.gen(function* () {
    yield* here[0].node.connect(there[0].node.addresses()[0] ?? "")
    yield* eventually(
      () => here[1].mesh().includes(there[0].node.peerId) && there[1].mesh().includes(here[0].node.peerId)
    )
  })

const factsOf = ({ facts }: GossipShape) =>
  Effect.gen(function* () {
    const all: Array<GossipFact> = []
    yield* Effect.forkScoped(
      Stream.runForEach(facts, (fact) => Effect.sync(() => all.push(fact))),
      {
        startImmediately: true
      }
    )
    return all
  })

const detailsOf = (facts: ReadonlyArray<GossipFact>): ReadonlyArray<string> =>
  facts.flatMap((fact) => (fact._tag === "Rejected" ? [fact.detail] : []))

const pay = (seed: number, outputs = 1): TransactionView => {
  const transaction: Transaction = {
    version: 2,
    inputs: [
      {
        previousOutput: { txid: Txid(new Uint8Array(32).fill(seed)), index: 0 },
        scriptSig: new Uint8Array(0),
        sequence: 0,
        witness: []
      }
    ],
    outputs: Array.from({ length: outputs }, () => ({ amount: Satoshis(1000n), scriptPubKey: Uint8Array.of(0x51) })),
    lockTime: 0
  }
  return TransactionView.of(transaction)
}

/** The fee is the first byte of what it spends. */
const feeOf = ({ bytes }: TransactionView): number | "unknown" | "invalid" => {
  const seed = bytes[5] ?? 0
  return seed === 255 ? "invalid" : seed === 254 ? "unknown" : seed * 10
}

describe("blocks", () => {
  it.live("go on where header and body hold, and are asked of the next peer where a body was changed", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const chain = new MinedChain(regtest)
        const contexts = new BlockContexts(regtest, chain)
        const [one, two] = [chain.mine(), chain.mine()]
        const placeOf = (header: typeof one.header): BlockPlace => {
          for (const [parent, block] of [one, two].entries()) {
            if (header.nonce === block.header.nonce && header.time === block.header.time)
              return contexts.after(parent, header.time)
          }
          return "orphan"
        }
        const open = Effect.gen(function* () {
          const gossip = yield* node
          return [gossip, yield* blockTopic(gossip, "blocks", { params: regtest, placeOf })] as const
        })
        const [first, middle, last] = [yield* open, yield* open, yield* open]
        yield* meshed(first, middle)
        yield* meshed(middle, last)
        const facts = yield* factsOf(middle[0])
        const heard = yield* Effect.forkChild(Stream.runCollect(Stream.take(last[1].blocks, 2)))

        yield* first[1].publish(BlockView.of(one))
        // A coinbase that pays more is no part of this header's tree; its hash is that of the true block.
        const [coinbase] = two.transactions
        assert(coinbase !== undefined)
        const outputs = coinbase.outputs.map((output) => ({ ...output, amount: Satoshis(1n) }))
        yield* first[1].publish(BlockView.of({ ...two, transactions: [{ ...coinbase, outputs }] }))
        yield* eventually(() => detailsOf(facts).includes("bad-txnmrklroot"))
        const honest = yield* open
        yield* meshed(honest, middle)
        yield* honest[1].publish(BlockView.of(two))

        const blocks = yield* Fiber.join(heard)
        assert.deepStrictEqual(
          blocks.map(({ hash }) => toHex(hash)),
          [one, two].map((block) => toHex(BlockView.of(block).hash(portableSha256)))
        )

        // Not enough work for its claim: nobody fetches it.
        const weak = { ...one.header, bits: 0x1d00ffff }
        yield* first[1].publish(BlockView.of({ ...one, header: weak }))
        yield* eventually(() => detailsOf(facts).includes("high-hash"))
      })
    )
  )
})

describe("transactions", () => {
  it.live("wait by fee rate, cost who sends bad ones, and are told to who asks what else there is", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const open = (burst: number) =>
          Effect.gen(function* () {
            const gossip = yield* node
            return [
              gossip,
              yield* transactionTopic(gossip, "transactions", { feeOf, perPeer: { perSecond: 0, burst } })
            ] as const
          })
        const [here, there] = [yield* open(100), yield* open(5)]
        yield* meshed(here, there)
        const facts = yield* factsOf(there[0])
        for (const seed of [3, 9, 6]) yield* here[1].publish(pay(seed))
        yield* eventually(() => there[1].queue.size === 3)
        assert.strictEqual((yield* there[1].take).fee, 90)
        assert.strictEqual((yield* there[1].take).fee, 60)
        yield* here[1].publish(pay(254))
        yield* here[1].publish(pay(255))
        yield* eventually(() => detailsOf(facts).length === 1)
        assert.deepStrictEqual(detailsOf(facts), ["it spends what it may not"])
        // Five have come, and that is all that is taken of one.
        yield* here[1].publish(pay(20))
        const other = yield* open(100)
        yield* meshed(other, there)
        yield* other[1].publish(pay(21))
        yield* eventually(() => there[1].queue.size === 2)
        assert.isFalse(there[1].queue.has(pay(20).wtxid(portableSha256)))

        const late = yield* open(100)
        yield* late[0].node.connect(there[0].node.addresses()[0] ?? "")
        const told = yield* late[1].synchronize(there[0].node.peerId)
        assert.deepStrictEqual(told, { known: 2, asked: 2, taken: 2 })
        assert.deepStrictEqual(yield* late[1].synchronize(there[0].node.peerId), { known: 2, asked: 0, taken: 0 })
        assert.strictEqual((yield* late[1].take).fee, 210)
      })
    )
  )

  it("leave the queue where their bytes are too many, those that pay least first", () => {
    const queue = new FeeQueue(pay(1).bytes.length * 2)
    const add = (seed: number, feeRateSatPerKvb: number) =>
      queue.add({
        transaction: pay(seed),
        wtxid: pay(seed).wtxid(portableSha256),
        fee: seed,
        feeRateSatPerKvb,
        from: ""
      })
    assert.deepStrictEqual(add(1, 5), [])
    assert.deepStrictEqual(add(2, 5), [])
    assert.deepStrictEqual(
      add(3, 9).map(({ fee }) => fee),
      [2]
    )
    assert.deepStrictEqual(
      add(4, 1).map(({ fee }) => fee),
      [4]
    )
    assert.strictEqual(queue.bytes, pay(1).bytes.length * 2)
    assert.deepStrictEqual([queue.take()?.fee, queue.take()?.fee, queue.take()], [3, 1, undefined])
    assert.strictEqual(queue.bytes, 0)
  })
})
