import { platformSha256 } from "@satwire/crypto/node"
import { PeerId } from "@satwire/machine"
import { CMPCTBLOCKS_VERSION, PROTOCOL_VERSION } from "@satwire/wire"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Layer from "effect/Layer"
import * as Context from "effect/Context"
import { describe, expect, it } from "vitest"
import { CompactBlocksService, type Rebuilt, rebuild } from "../src/effect.ts"
import type { CompactOutput } from "../src/index.ts"
import { compact, madeBlock, transactionsOf } from "./Blocks.ts"
import { TestChain } from "./TestChain.ts"
import { TestPool } from "./TestPool.ts"

const block = madeBlock(5)
const transactions = transactionsOf(block)
/** A pool that lacks the second and the fourth. */
const pools = [new TestPool([1, 3, 5].map((i) => transactions[i] as (typeof transactions)[number]))]

describe("a block that came in short", () => {
  const given = { message: compact(block), pools, hasWitness: true }

  it("is put together of a pool and of what is fetched", async () => {
    const asked: Array<ReadonlyArray<number>> = []
    const whole: Rebuilt = await Effect.runPromise(
      rebuild({
        ...given,
        fetch: (missing) => {
          asked.push(missing)
          return Effect.succeed(missing.map((i) => block.transaction(i)))
        }
      })
    )
    expect(asked).toEqual([[2, 4]])
    expect(whole.block.bytes).toEqual(block.bytes)
    expect(whole.stats).toMatchObject({ fromPools: [3], fetched: 2 })
  })

  it("asks for nothing where nothing is missing", async () => {
    const options = { ...given, pools: [new TestPool(transactions.slice(1))] }
    const whole = await Effect.runPromise(rebuild({ ...options, fetch: () => Effect.die("it was asked for") }))
    expect(whole.block.bytes).toEqual(block.bytes)
  })

  it.each([
    ["wrong-count", [block.transaction(2)]],
    ["mutated", [block.transaction(4), block.transaction(2)]]
  ])("is told as %s where what is fetched is not what it lacks", async (because, fetched) => {
    const failed = await Effect.runPromise(Effect.flip(rebuild({ ...given, fetch: () => Effect.succeed(fetched) })))
    expect(failed).toMatchObject({ _tag: "NotRebuilt", because })
  })

  it("fails as what fetches fails", async () => {
    const failed = await Effect.runPromise(
      Effect.flip(rebuild({ ...given, fetch: () => Effect.fail("nobody has it") }))
    )
    expect(failed).toBe("nobody has it")
  })

  it("is told as invalid where its transactions have no place in it", async () => {
    const prefilled = [{ index: 9, tx: block.transaction(0) }]
    const message = { ...given.message, prefilled }
    const failed = await Effect.runPromise(Effect.flip(rebuild({ ...given, message, fetch: () => Effect.succeed([]) })))
    expect(failed).toMatchObject({ because: "invalid" })
  })
})

describe("the machine as a service", () => {
  it("takes its turns while its scope is open, and none after", async () => {
    const chain = new TestChain()
    const performed: Array<CompactOutput["_tag"]> = []
    const layer = CompactBlocksService.layer({
      pools,
      headers: chain,
      requests: { tip: 10, isHere: () => true, askedOf: () => [] },
      hasHeader: () => true,
      hasWitness: () => true,
      canDirectFetch: () => true,
      serves: true,
      announces: true,
      isBlocksOnly: false,
      sha256: platformSha256,
      perform: ({ _tag }) => void performed.push(_tag)
    })
    const scope = Scope.makeUnsafe()
    const service = Context.get(await Effect.runPromise(Layer.buildWithScope(layer, scope)), CompactBlocksService)
    const peer = PeerId(1)
    const message = { _tag: "sendcmpct", highBandwidth: true, version: CMPCTBLOCKS_VERSION } as const
    service.submit({ _tag: "PeerReady", peer, outbound: true, protocolVersion: PROTOCOL_VERSION })
    service.submit({ _tag: "Received", peer, message })
    service.submit({ _tag: "BlockDelivered", header: chain.best, peer })
    expect(performed).toContain("HighBandwidthChosen")
    expect(await Effect.runPromise(service.snapshot)).toMatchObject({
      highBandwidthTo: [peer],
      highBandwidthFrom: [peer]
    })
    await Effect.runPromise(Scope.close(scope, Exit.void))
    service.submit({ _tag: "PeerGone", peer })
    expect(await Effect.runPromise(service.snapshot)).toMatchObject({ highBandwidthTo: [peer] })
  })
})
