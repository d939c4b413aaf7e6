import { assert, describe, it } from "@effect/vitest"
import { HEADER_SIZE, regtest } from "@satwire/primitives"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { regtestChain } from "@satwire/testkit"
import { startNode, tipOf } from "./TestNode.ts"

describe("a node over TCP", () => {
  it.live("follows the blocks that another node mines", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const miner = yield* startNode()
        const follower = yield* startNode({ connect: [miner.endpoint] })
        yield* follower.until("PeerReady")
        for (let i = 0; i < 5; i++) yield* miner.service.makeBlock
        yield* follower.until("TipChanged", ({ tip }) => tip.height === 5)
        assert.deepStrictEqual(yield* tipOf(follower), yield* tipOf(miner))
      })
    )
  )

  it.live("catches up with what was mined before it came, and is followed by who follows it", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const miner = yield* startNode()
        for (let i = 0; i < 20; i++) yield* miner.service.makeBlock
        const middle = yield* startNode({ connect: [miner.endpoint] })
        const last = yield* startNode({ connect: [middle.endpoint] })
        yield* last.until("TipChanged", ({ tip }) => tip.height === 20)
        yield* miner.service.makeBlock
        yield* last.until("TipChanged", ({ tip }) => tip.height === 21)
        assert.deepStrictEqual(yield* tipOf(last), yield* tipOf(miner))
      })
    )
  )

  it.live("leaves a chain that its user says is invalid for another, and comes back to it", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const node = yield* startNode()
        for (let i = 0; i < 3; i++) yield* node.service.makeBlock
        yield* node.until("TipChanged", ({ tip }) => tip.height === 3)
        const [tip] = yield* node.service.query("tips")
        const hash = tip?.hash ?? regtest.genesisHash
        assert.isTrue(yield* node.service.invalidateHeader(hash))
        assert.strictEqual((yield* tipOf(node)).height, 2)
        yield* node.service.makeBlock
        yield* node.until(
          "TipChanged",
          ({ added, forkHeight }) => added === 1 && forkHeight === 2 && node.all("TipChanged").length > 4
        )
        assert.deepStrictEqual(
          (yield* node.service.query("tips")).map(({ height, status, branchLength }) => [height, status, branchLength]),
          [
            [3, "active", 0],
            [3, "invalid", 1]
          ]
        )
        assert.isTrue(yield* node.service.reconsiderHeader(hash))
        assert.deepStrictEqual((yield* node.service.query("tips"))[0], tip)
        assert.isFalse(yield* node.service.invalidateHeader(regtest.genesisHash))
      })
    )
  )

  it.live(
    "says which of the headers it was given it refuses, and why; fewer bytes than headers are the giver's mistake",
    () =>
      Effect.scoped(
        Effect.gen(function* () {
          const node = yield* startNode()
          const chain = regtestChain(10)
          yield* node.service.submitHeaders(chain.subarray(HEADER_SIZE), 9)
          yield* node.service.submitHeaders(new Uint8Array([...chain, ...chain]), 20)
          yield* node.service.submitHeaders(chain, 0)
          assert.deepStrictEqual(
            node.all("SubmitRefused").map(({ rule, index }) => [rule, index]),
            [
              ["unconnected", 0],
              ["non-continuous", 10]
            ]
          )
          const exit = yield* Effect.exit(node.service.submitHeaders(chain, 11))
          assert.isTrue(Exit.isFailure(exit) && Cause.squash(exit.cause) instanceof RangeError)
          yield* node.service.submitHeaders(chain, 10)
          assert.strictEqual((yield* tipOf(node)).height, 10)
        })
      )
  )

  it.live("tells where it listens and what it loaded to who reads its facts after the start", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const node = yield* startNode()
        const listening = yield* node.until("Listening")
        assert.deepStrictEqual(listening.endpoint, node.endpoint)
        const loaded = yield* node.until("HeadersLoaded")
        assert.deepStrictEqual(loaded, { _tag: "HeadersLoaded", count: 0, height: 0, setAside: undefined })
      })
    )
  )
})
