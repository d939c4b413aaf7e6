import { assert, describe, it } from "@effect/vitest"
import type { BlockPlace } from "@satwire/block-stream"
import { equals } from "@satwire/bytes"
import { type NodeOptions, layerOnDisk } from "@satwire/node"
import { BlockView, type ChainParams, HEADER_SIZE, mainnet, regtest, testnet3, toHex } from "@satwire/primitives"
import { portableSha256 } from "@satwire/crypto"
import { type HeaderSegment, type RealData, blockFile, describeWithData } from "@satwire/testkit"
import { layerTcp } from "@satwire/transport-tcp"
import { NODE_NETWORK, NODE_WITNESS } from "@satwire/wire"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { withoutMinimum } from "./RealChain.ts"
import { temporaryDirectory } from "./TemporaryDirectory.ts"
import { type TestNode, startNode, startOn } from "./TestNode.ts"

const follow = { headers: { serve: true, announce: true }, mining: undefined }

const onDisk = (params: ChainParams, changes: Partial<NodeOptions>): Effect.Effect<TestNode, unknown, Scope.Scope> =>
  Effect.flatMap(temporaryDirectory, (directory) =>
    startOn(Layer.fresh(Layer.merge(layerTcp, layerOnDisk(directory, params))), {
      params,
      roles: follow,
      blocks: { serve: true },
      services: NODE_NETWORK | NODE_WITNESS,
      ...changes
    })
  )

/** A block of its own memory, as a node takes it. */
const viewOf = (bytes: Uint8Array): BlockView => Result.getOrThrow(BlockView.decode(bytes.slice())).value

/** Gives the blocks to one node, fetches them with another, and reads all of that one's chain. */
const throughEverything = (
  params: ChainParams,
  blocks: ReadonlyArray<Uint8Array>,
  base: NodeOptions["base"]
): Effect.Effect<void, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const first = (base?.height ?? 0) + 1
    const last = first + blocks.length - 1
    const server = yield* onDisk(params, { base })
    for (const bytes of blocks) yield* server.service.submitBlock(viewOf(bytes))
    yield* server.until("BlockTipChanged", ({ tip }) => tip.height === last)
    const follower = yield* onDisk(params, { base, connect: [server.endpoint] })
    yield* follower.until("BlockTipChanged", ({ tip }) => tip.height === last)
    const steps = yield* Stream.runCollect(Stream.take(follower.service.blocks(), blocks.length))
    steps.forEach((step, i) => {
      const bytes = blocks[i] as Uint8Array
      assert.strictEqual(step.height, first + i)
      assert(step.block !== undefined && equals(step.block.bytes, bytes), `block ${step.height} is another`)
      assert.strictEqual(toHex(step.hash), toHex(viewOf(bytes).hash(portableSha256)))
    })
    assert.deepStrictEqual(follower.all("BlockInvalid"), [])
    assert.deepStrictEqual(follower.all("PeerDisconnecting"), [])
  })

/** Six of mainnet in a row, of 11 MB and 16,433 transactions, and what is known of the parent of the first. */
const LINKED = 831_328
const RUN = `blocks/mainnet/run_${LINKED}-831333`
const linkedBlocks = (data: RealData) => {
  const blocks = data.list(RUN).map((name) => data.bytes(`${RUN}/${name}`))
  const header = (blocks[0] as Uint8Array).slice(0, HEADER_SIZE)
  const segment = { firstHeight: LINKED, lastHeight: LINKED, read: () => header } as HeaderSegment
  return { blocks, base: data.headerBase(segment) }
}

describeWithData(describe, "real blocks through two nodes, a socket and two disks, byte for byte", (data) => {
  it.live("the first 600 of mainnet", () =>
    Effect.scoped(
      Effect.suspend(() => {
        const [, ...blocks] = blockFile(data.bytes("blocks/mainnet/blocks_000000-000599.blk"), mainnet.magic)
        return throughEverything(withoutMinimum(mainnet), blocks, undefined)
      })
    )
  )

  it.live("the first 4,000 of testnet3", () =>
    Effect.scoped(
      Effect.suspend(() => {
        const blocks = [...blockFile(data.bytes("blocks/testnet3/blocks_000001-004000.blk"), testnet3.magic)]
        return throughEverything(withoutMinimum(testnet3), blocks, undefined)
      })
    )
  )

  it.live("206 of regtest, with segwit and taproot spends", () =>
    Effect.scoped(
      Effect.suspend(() => {
        const blocks = [...blockFile(data.bytes("blocks/regtest/blocks_000001-000206.blk"), regtest.magic)]
        return throughEverything(regtest, blocks, undefined)
      })
    )
  )

  it.live("six linked ones of 2024, of 11 MB", () =>
    Effect.scoped(
      Effect.suspend(() => {
        const { base, blocks } = linkedBlocks(data)
        return throughEverything(withoutMinimum(mainnet), blocks, base)
      })
    )
  )
})

/** Whether transaction `i` of all is in a pool that has so many in a hundred. */
const isPooled = (i: number, percent: number): boolean => Math.imul(i, 0x9e3779b1) >>> 0 < (percent / 100) * 2 ** 32

/** Gives a node's pool what it is to have of a block, and gives how many of it the pool did not take. */
const fill = (node: TestNode, block: BlockView, before: number, percent: number): Effect.Effect<number> => {
  const numbers = Array.from({ length: block.transactionCount }, (_, i) => i)
  const pooled = numbers.filter((i) => i > 0 && isPooled(before + i, percent))
  const rules = Effect.forEach(pooled, (i) => node.service.submitTransaction(block.transaction(i)))
  return Effect.map(rules, (all) => all.filter((rule) => rule !== undefined).length)
}

/** All bytes that passed between a node and its only peer so far, whatever they were, and how many messages of a command. */
const passed = (node: TestNode) =>
  Effect.map(node.peers, ([peer]) => ({
    bytes: (peer?.bytesReceived ?? 0) + (peer?.bytesSent ?? 0),
    whole: peer?.received.get("block")?.messages ?? 0,
    short: peer?.received.get("cmpctblock")?.messages ?? 0
  }))

/**
 * Two nodes at the time of the blocks, of which one is given them and the other fetches them in short. Its pool knows no coins, as on any public
 * network, and refuses a handful whose kin are more than 25; what the pool of the first has makes no difference to what it sends.
 */
const inShort = (
  { base, blocks }: ReturnType<typeof linkedBlocks>,
  percent: number
): Effect.Effect<{ readonly saved: number; readonly refused: number }, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const options: Partial<NodeOptions> = {
      params: withoutMinimum(mainnet),
      base,
      roles: { ...follow, transactions: { relays: false } },
      blocks: { serve: true },
      services: NODE_NETWORK | NODE_WITNESS
    }
    const giver = yield* startNode(options)
    const taker = yield* startNode({ ...options, connect: [giver.endpoint] })
    yield* Effect.all([giver.until("PeerReady"), taker.until("PeerReady")])
    const before = yield* passed(taker)
    let [refused, transactions, blockBytes] = [0, 0, 0]
    let last: BlockPlace | undefined
    for (const bytes of blocks) {
      const block = viewOf(bytes)
      refused += yield* fill(taker, block, transactions, percent)
      yield* giver.service.submitBlock(viewOf(bytes))
      const [step] = yield* Stream.runCollect(Stream.take(taker.service.blocks(last), 1))
      assert.isTrue(equals(step?.block?.bytes ?? new Uint8Array(0), bytes))
      last = step
      transactions += block.transactionCount
      blockBytes += bytes.length
    }
    const after = yield* passed(taker)
    assert.deepInclude(after, { whole: 0, short: blocks.length })
    assert.strictEqual(transactions, 16_433)
    assert.lengthOf(taker.all("CompactReconstructed"), blocks.length)
    return { saved: 100 * (1 - (after.bytes - before.bytes) / blockBytes), refused }
  })

/** A clock that goes as the real one does, from this time on. */
const startingAt = (unix: number): Effect.Effect<Clock.Clock> =>
  Clock.clockWith((clock) => {
    const ahead = unix * 1000 - clock.currentTimeMillisUnsafe()
    const millis = (): number => clock.currentTimeMillisUnsafe() + ahead
    const nanos = (): bigint => clock.currentTimeNanosUnsafe() + BigInt(Math.round(ahead)) * 1_000_000n
    return Effect.succeed({
      currentTimeMillisUnsafe: millis,
      currentTimeMillis: Effect.sync(millis),
      currentTimeNanosUnsafe: nanos,
      currentTimeNanos: Effect.sync(nanos),
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: clock.monotonicTimeNanos,
      sleep: (duration) => clock.sleep(duration)
    })
  })

describeWithData(describe, "six linked blocks of 2024, in short, from one node to another over a socket", (data) => {
  it.live.each([
    { percent: 100, least: 99 },
    { percent: 99, least: 97 },
    { percent: 90, least: 85 }
  ])(
    "save more than $least of a hundred bytes where the pool has $percent of a hundred transactions",
    ({ least, percent }) =>
      Effect.gen(function* () {
        const linked = linkedBlocks(data)
        const clock = yield* startingAt(viewOf(linked.blocks.at(-1) as Uint8Array).header.time)
        const { refused, saved } = yield* Effect.scoped(
          Effect.provideService(inShort(linked, percent), Clock.Clock, clock)
        )
        process.stdout.write(`a pool with ${percent} in a hundred saves ${saved.toFixed(2)} % of the bytes\n`)
        assert.isAbove(saved, least)
        assert.isBelow(refused, 20)
      })
  )
})
