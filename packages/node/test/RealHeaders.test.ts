import { BlockHash, HEADER_PREVIOUS, HEADER_SIZE, Height, mainnet, signet } from "@satwire/primitives"
import type { NodeOptions } from "@satwire/node"
import { describeWithData, hashAt, lastOf, type HeaderSegment, type RealData } from "@satwire/testkit"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { ServedHeaders, headerServer } from "./HeaderServer.ts"
import { aboveBase, chainWorkAt, periodAt, withoutMinimum } from "./RealChain.ts"
import { type TestNode, startNode, tipOf } from "./TestNode.ts"

const follow = { headers: { serve: true, announce: true }, mining: undefined }

/** A node that has these headers. */
const serverOf = (headers: Uint8Array, changes: Partial<NodeOptions>): Effect.Effect<TestNode, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const server = yield* startNode({ roles: follow, ...changes })
    yield* server.service.submitHeaders(headers, headers.length / HEADER_SIZE)
    return server
  })

/** Waits until its only peer has sent headers, if only none. */
const answered = (node: TestNode): Effect.Effect<void> =>
  Effect.andThen(Effect.yieldNow, node.peers).pipe(
    Effect.repeat({ until: ([peer]) => peer?.received.has("headers") === true }),
    Effect.asVoid
  )

/** How many headers it has kept. */
const stored = (node: TestNode): number => node.all("HeadersStored").reduce((sum, { count }) => sum + count, 0)

const segmentAt = (data: RealData, firstHeight: number): HeaderSegment => {
  const found = data.headerSegments("mainnet").find((segment) => segment.firstHeight === firstHeight)
  if (found === undefined) throw new RangeError(`no segment begins at ${firstHeight}`)
  return found
}

describeWithData(describe, "real mainnet headers over TCP", (data) => {
  for (const segment of data.headerSegments("mainnet")) {
    const { firstHeight, lastHeight } = segment
    it.live(`from ${firstHeight} to ${lastHeight} are accepted by a node and by one that follows it`, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const headers = aboveBase(segment)
          const tip = lastOf(segment.read(), firstHeight)
          assert.strictEqual(tip.height, lastHeight)
          // It serves only if its chain has at least this work; the next test shows that one more is too much.
          const params = { ...mainnet, minimumChainWork: chainWorkAt(data, lastHeight) }
          const base = data.headerBase(segment)
          const server = yield* serverOf(headers, { params, base })
          assert.deepStrictEqual(yield* tipOf(server), tip)
          const follower = yield* startNode({ params, base, roles: follow, connect: [server.endpoint] })
          yield* follower.followed(tip)
          assert.strictEqual((yield* follower.headers).headers, headers.length / HEADER_SIZE + 1)
          assert.deepStrictEqual(follower.all("PeerDisconnecting"), [])
          assert.deepStrictEqual(server.all("SubmitRefused"), [])
        })
      )
    )
  }

  it.live("are not served while they have less work than the network is known to have", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const segment = segmentAt(data, 0)
        const params = { ...mainnet, minimumChainWork: chainWorkAt(data, segment.lastHeight) + 1n }
        const server = yield* serverOf(aboveBase(segment), { params })
        const follower = yield* startNode({ params, roles: follow, connect: [server.endpoint] })
        yield* follower.until("PeerReady")
        yield* answered(follower)
        assert.strictEqual((yield* tipOf(follower)).height, 0)
      })
    )
  )
})

describeWithData(describe, "real headers of signet over TCP", (data) => {
  it.live("are followed from genesis on", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const [segment] = data.headerSegments("signet")
        if (segment === undefined) throw new RangeError("no segment of signet")
        const params = withoutMinimum(signet)
        const server = yield* serverOf(aboveBase(segment), { params })
        const follower = yield* startNode({ params, roles: follow, connect: [server.endpoint] })
        yield* follower.followed(lastOf(segment.read(), 0))
      })
    )
  )
})

describeWithData(describe, "the real stale header at 823226", (data) => {
  const segment = segmentAt(data, 822_527)
  const params = withoutMinimum(mainnet)
  const base = data.headerBase(segment)
  const stale = data.bytes("headers/mainnet/stale_823226.bin")
  // Not a day's work beyond it, or nobody would keep the stale one any more.
  const chain = segment.read().subarray(0, (823_326 - segment.firstHeight) * HEADER_SIZE)
  const tip = lastOf(chain, segment.firstHeight)
  const parents = segment.read().subarray(0, (823_226 - segment.firstHeight) * HEADER_SIZE)
  const fork = new Uint8Array([...parents, ...stale])

  for (const first of ["stale", "best"] as const) {
    it.live(`is known beside the best chain to who hears of the ${first} one first`, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const best = yield* serverOf(chain, { params, base })
          const other = yield* serverOf(fork, { params, base })
          assert.deepStrictEqual(yield* tipOf(other), { height: 823_226, hash: hashAt(stale, 0) })
          const [one, two] = first === "stale" ? [other, best] : [best, other]
          const follower = yield* startNode({ params, base, roles: follow, connect: [one.endpoint] })
          yield* follower.followed(yield* tipOf(one))
          yield* follower.service.connect(two.endpoint)
          yield* follower.followed(tip)
          yield* follower.until("HeadersStored", () => stored(follower) === chain.length / HEADER_SIZE + 1)
          assert.deepStrictEqual(yield* tipOf(follower), tip)
          assert.deepStrictEqual(follower.all("PeerDisconnecting"), [])
          const reorganised = follower.all("TipChanged").find(({ removed }) => removed > 0)
          assert.deepStrictEqual(
            reorganised && [reorganised.removed, reorganised.forkHeight],
            first === "stale" ? [1, 823_225] : undefined
          )
        })
      )
    )
  }
})

describeWithData(describe, "the real fork of 2015 that broke BIP-0066", (data) => {
  it.live("is refused for its versions, and only who sent it pays", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const fork = data.bytes("headers/mainnet/invalid_bip66_fork_363731-363736.bin")
        const base = {
          height: Height(363_730),
          hash: BlockHash(fork.slice(HEADER_PREVIOUS, HEADER_PREVIOUS + 32)),
          chainWork: chainWorkAt(data, 363_730),
          ...periodAt(data, 363_730)
        }
        const params = withoutMinimum(mainnet)
        const liar = yield* headerServer(params, ServedHeaders.of(fork))
        const honest = yield* startNode({ params, base, roles: follow })
        const node = yield* startNode({
          params,
          base,
          roles: follow,
          connect: [liar, honest.endpoint],
          v2transport: false
        })
        yield* node.until("PeerGivenUp")
        yield* node.until("PeerReady", ({ info }) => info.userAgent !== "/scripted:0/")
        assert.deepStrictEqual(
          node.all("PeerDisconnecting").map(({ reason, cost }) => [reason, cost]),
          [[{ _tag: "InvalidHeader", rule: "bad-version", index: 0 }, "discourage"]]
        )
        assert.strictEqual((yield* node.headers).headers, 1)
        assert.strictEqual((yield* node.peers).length, 1)
      })
    )
  )
})
