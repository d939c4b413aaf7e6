import type { BlockContext } from "@satwire/consensus"
import { type Block, BlockView, regtest } from "@satwire/primitives"
import { WorkerPool } from "@satwire/runtime/workers"
import { MinedChain } from "@satwire/testkit"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"

const context: BlockContext = {
  height: 1,
  hasHeight: true,
  lockTimeCutoff: regtest.genesis.time,
  hasWitness: true,
  signetChallenge: undefined
}

const bytesOf = (block: Block): Uint8Array<ArrayBuffer> => new Uint8Array(BlockView.of(block).bytes)

const checked = Effect.fnUntraced(function* (bytes: Uint8Array<ArrayBuffer>, change: Partial<BlockContext> = {}) {
  const { run } = yield* WorkerPool
  return yield* run({ _tag: "CheckBlock", bytes, context: { ...context, ...change } })
})

describe("a block that is checked in a worker", () => {
  it.live("comes back with the first rule that it breaks, or none", () =>
    Effect.gen(function* () {
      const block = new MinedChain(regtest).mine()
      const before = bytesOf(block)
      const bytes = bytesOf(block)
      const answer = yield* checked(bytes)
      expect(bytes.length).toBe(0)
      expect(answer).toEqual({ fault: undefined, bytes: before })
      const late = yield* checked(answer.bytes, { height: 2 })
      expect(late.fault).toEqual({ rule: "bad-cb-height", isMutation: false, transaction: 0 })
      const cut = yield* checked(before.slice(0, -1))
      expect(cut.fault).toEqual({ rule: "undecodable", isMutation: true, transaction: undefined })
    }).pipe(Effect.provide(WorkerPool.layer({ size: 1 })))
  )

  it.live("is asked for the solution of its signet", () =>
    Effect.gen(function* () {
      const bytes = bytesOf(new MinedChain(regtest).mine())
      const open = yield* checked(bytes, { signetChallenge: Uint8Array.of(0x51) })
      expect(open.fault).toBeUndefined()
      const key = Uint8Array.of(0x21, 2, ...new Uint8Array(32).fill(1), 0xac)
      const closed = yield* checked(open.bytes, { signetChallenge: key })
      expect(closed.fault).toEqual({ rule: "bad-signet-blksig", isMutation: false, transaction: undefined })
    }).pipe(Effect.provide(WorkerPool.layer({ size: 1 })))
  )
})
