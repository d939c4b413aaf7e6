import { assert, describe, it } from "@effect/vitest"
import { type NodeOptions, layerOnDisk } from "@satwire/node"
import { BlockView, type ChainParams, mainnet, regtest, testnet3, toHex } from "@satwire/primitives"
import { portableSha256 } from "@satwire/crypto"
import { type HeaderSegment, type RealData, blockFile, describeWithData } from "@satwire/testkit"
import { layerTcp } from "@satwire/transport-tcp"
import { NODE_NETWORK, NODE_WITNESS } from "@satwire/wire"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { withoutMinimum } from "./RealChain.ts"
import { temporaryDirectory } from "./TemporaryDirectory.ts"
import { type TestNode, startOn } from "./TestNode.ts"

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
      assert.deepStrictEqual(step.block?.bytes, bytes)
      assert.strictEqual(toHex(step.hash), toHex(viewOf(bytes).hash(portableSha256)))
    })
    assert.deepStrictEqual(follower.all("BlockInvalid"), [])
    assert.deepStrictEqual(follower.all("PeerDisconnecting"), [])
  })

const linkedBlocks = (data: RealData): ReadonlyArray<Uint8Array> =>
  data.list("blocks/mainnet/run_831328-831333").map((name) => data.bytes(`blocks/mainnet/run_831328-831333/${name}`))

/** What is known of the parent of the first of them. */
const baseOf = (data: RealData, firstHeight: number, header: Uint8Array): NodeOptions["base"] => {
  const segment: HeaderSegment = { firstHeight, lastHeight: firstHeight, read: () => header } as HeaderSegment
  return data.headerBase(segment)
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
        const blocks = linkedBlocks(data)
        const [first = new Uint8Array(0)] = blocks
        return throughEverything(withoutMinimum(mainnet), blocks, baseOf(data, 831_328, first.subarray(0, 80)))
      })
    )
  )
})
