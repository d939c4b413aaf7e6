import {
  type ChainParams,
  HEADER_BITS,
  HEADER_MERKLE_ROOT,
  HEADER_NONCE,
  HEADER_PREVIOUS,
  HEADER_SIZE,
  HEADER_TIME,
  mainnet,
  regtest
} from "@satwire/primitives"
import { describeWithData, lastOf } from "@satwire/testkit"
import { formatEndpoint } from "@satwire/transport"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ServedHeaders, headerServer } from "./HeaderServer.ts"
import { aboveBase, withoutMinimum } from "./RealChain.ts"
import { startNode, tipOf } from "./TestNode.ts"

/** Some bits of each field, the first and the last among them, by their numbers in a header. */
const BITS: ReadonlyArray<number> = [
  ...[0, 13, 31],
  ...[0, 100, 255].map((bit) => 8 * HEADER_PREVIOUS + bit),
  ...[0, 77, 255].map((bit) => 8 * HEADER_MERKLE_ROOT + bit),
  ...[0, 10, 31].map((bit) => 8 * HEADER_TIME + bit),
  ...[0, 8, 22, 23, 24, 31].map((bit) => 8 * HEADER_BITS + bit),
  ...[0, 15, 31].map((bit) => 8 * HEADER_NONCE + bit)
]

/**
 * A node that is connected to an honest peer and to one for every bit, each of which turns that one, and is whom the node asks first.
 * Each of them is refused, the honest one stays, and the node ends on the right tip.
 */
const survives = (params: ChainParams, headers: Uint8Array, index: number) =>
  Effect.gen(function* () {
    const roles = { headers: { serve: false, announce: false }, mining: undefined }
    const node = yield* startNode({ params, roles, listen: undefined, v2transport: false })
    const served = ServedHeaders.of(headers)
    const liars = yield* Effect.forEach(BITS, (bit) =>
      headerServer(params, served.turned(8 * HEADER_SIZE * index + bit))
    )
    const honest = yield* headerServer(params, served)
    for (const endpoint of liars) yield* node.service.connect(endpoint)
    yield* node.until("PeerReady", ({ address }) => address === formatEndpoint(liars.at(-1) ?? honest))
    yield* node.service.connect(honest)
    yield* Effect.forEach(liars, (liar) =>
      node.until("PeerGivenUp", ({ endpoint }) => formatEndpoint(endpoint) === formatEndpoint(liar))
    )
    const tip = lastOf(headers, 1)
    yield* node.followed(tip)
    assert.deepStrictEqual(yield* tipOf(node), tip)
    assert.deepStrictEqual(
      (yield* node.peers).map(({ address }) => address),
      [formatEndpoint(honest)]
    )
    return node.all("PeerDisconnecting").map(({ reason, cost }) => {
      assert.strictEqual(cost, "discourage")
      if (reason._tag !== "InvalidHeader") throw new Error(`not for its header: ${reason._tag}`)
      return reason
    })
  })

describeWithData(describe, "a bit turned in real headers", (data) => {
  const params = withoutMinimum(mainnet)
  const [segment] = data.headerSegments("mainnet")
  const headers = segment === undefined ? new Uint8Array(0) : aboveBase(segment).subarray(0, 5000 * HEADER_SIZE)
  const places = { "the first": 0, "the last of a batch": 1999, "the first of the next": 2000, "the very last": 4999 }
  for (const [name, index] of Object.entries(places)) {
    it.live(`in ${name} is refused wherever it is, and only who sent it pays`, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const reasons = yield* survives(params, headers, index)
          assert.strictEqual(reasons.length, BITS.length)
          for (const { rule } of reasons) assert.strictEqual(rule, "high-hash")
        })
      )
    )
  }
})

describe("a bit turned in headers that two hashes prove", () => {
  it.live("is refused for its hash or for its link, and only who sent it pays", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const miner = yield* startNode()
        const made: Array<Uint8Array> = []
        for (let i = 0; i < 40; i++) {
          yield* miner.service.makeBlock
          yield* miner.until("BlockMade", () => miner.all("BlockMade").length > i)
          made.push(miner.all("BlockMade").at(-1)?.header ?? new Uint8Array(0))
        }
        const headers = new Uint8Array(made.flatMap((header) => [...header]))
        const rules = (yield* survives(regtest, headers, 20)).map(({ rule }) => rule)
        assert.strictEqual(rules.length, BITS.length)
        assert.deepStrictEqual([...new Set(rules)].toSorted(), ["high-hash", "non-continuous"])
      })
    )
  )
})
