import { assert, describe, it } from "@effect/vitest"
import { platformSha256 } from "@satwire/crypto/node"
import { FilledChain } from "@satwire/testkit"
import { NODE_NETWORK, NODE_WITNESS } from "@satwire/wire"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { readdirSync, rmSync } from "node:fs"
import { killedLife } from "./KilledLife.ts"
import { temporaryDirectory } from "./TemporaryDirectory.ts"
import { type TestNode, startNode } from "./TestNode.ts"

/** How many times: a few here, and as many as `SATWIRE_KILLS` says for who has the time. */
const KILLS = Number(process.env["SATWIRE_KILLS"] ?? 5)
/** The longest that a life lasts, from its first line on: some more than a whole sync. */
const LIFE_MS = 1500

const script = new URL("./KilledBlocks.ts", import.meta.url)

interface Line {
  readonly began?: number
  readonly kept?: number
  readonly wrong?: unknown
}

/** A node that has a chain of small blocks, and some of 100 kB behind. */
const server = (): Effect.Effect<TestNode, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const chain = new FilledChain({ count: 3000, blockBytes: 4000, transactions: 3 }, platformSha256)
    const node = yield* startNode({ blocks: { serve: true }, services: NODE_NETWORK | NODE_WITNESS })
    for (let height = 1; height <= chain.count; height++) yield* node.service.submitBlock(chain.block(height))
    yield* node.until("BlockTipChanged", ({ tip }) => tip.height === chain.count)
    return node
  })

describe("kill -9 while blocks are fetched", () => {
  it.live(
    "loses no block that was said to be there, at whatever moment, and the node goes on by itself",
    () =>
      Effect.scoped(
        Effect.gen(function* () {
          const { endpoint } = yield* server()
          const directory = yield* temporaryDirectory
          let kept = 0
          let killedWithin = 0
          for (let number = 0; number < KILLS; number++) {
            const afterMs = (LIFE_MS * ((number * 7 + 3) % KILLS)) / KILLS
            const lines = yield* Effect.promise(() =>
              killedLife<Line>(script, [directory, String(endpoint.port)], afterMs)
            )
            const began = lines.find((line) => line.began !== undefined)?.began ?? -1
            assert.isAtLeast(began, kept, `life ${number}`)
            assert.deepStrictEqual(
              lines.filter(({ wrong }) => wrong !== undefined),
              []
            )
            kept = Math.max(began, ...lines.map((line) => line.kept ?? 0))
            if (kept > began && kept < 3000) killedWithin += 1
            if (kept < 3000) continue
            // All is there: from nothing, again.
            const damaged = readdirSync(directory, { recursive: true }).filter((name) =>
              /damaged|foreign/.test(String(name))
            )
            assert.deepStrictEqual(damaged, [])
            rmSync(directory, { recursive: true, force: true })
            kept = 0
          }
          assert.isAbove(killedWithin, 0)
        })
      ),
    60_000 + KILLS * 6000
  )
})
