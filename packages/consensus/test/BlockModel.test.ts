/** Blocks of good and bad parts in any mixture, beside a model over objects. */
import { portableSha256 } from "@satwire/crypto"
import { type Block, BlockView, type Transaction } from "@satwire/primitives"
import { arbitraryTransaction } from "@satwire/testkit"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type BlockContext, checkBlock, isBlockMutated } from "../src/index.ts"
import { CUTOFF, HEIGHT, blockOf, coinbase, committing, context, inputOf, outputOf, spend } from "./GoodBlocks.ts"
import { naiveBlockRule, naiveIsMutated } from "./NaiveChecks.ts"

/** Transactions of which the good come most. */
const transaction: fc.Arbitrary<Transaction> = fc.oneof(
  { weight: 40, arbitrary: fc.nat(255).map((n) => spend(n)) },
  {
    weight: 10,
    arbitrary: fc.nat(255).map((n) => spend(n, { inputs: [inputOf(n, 0, { witness: [Uint8Array.of(n)] })] }))
  },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(HEIGHT - 1, HEIGHT, CUTOFF - 1, CUTOFF)
      .map((lockTime) => spend(1, { lockTime, inputs: [inputOf(1, 0, { sequence: 0 })] }))
  },
  { weight: 1, arbitrary: fc.constant(spend(2, { inputs: [inputOf(2), inputOf(2)] })) },
  { weight: 1, arbitrary: fc.constant(spend(3, { outputs: [outputOf(-1n)] })) },
  { weight: 1, arbitrary: fc.constant(spend(4, { outputs: [outputOf(1n, Array<number>(1001).fill(0xae))] })) },
  { weight: 1, arbitrary: fc.constant(spend(5, { outputs: [outputOf(1n, [1, 2, 3, 4])] })) },
  { weight: 1, arbitrary: fc.constant(coinbase()) },
  { weight: 1, arbitrary: arbitraryTransaction }
)

const first: fc.Arbitrary<ReadonlyArray<Transaction>> = fc.oneof(
  { weight: 20, arbitrary: fc.constant([coinbase()]) },
  { weight: 1, arbitrary: fc.constant([coinbase({}, HEIGHT + 1)]) },
  { weight: 1, arbitrary: fc.constant([coinbase({ outputs: [] })]) },
  { weight: 1, arbitrary: fc.constant([]) }
)

/** What is done to a block last. */
const change: fc.Arbitrary<(block: Block) => Block> = fc.oneof(
  { weight: 20, arbitrary: fc.constant((block: Block) => block) },
  {
    weight: 2,
    arbitrary: fc.constant((block: Block) => ({
      ...block,
      transactions: [
        ...block.transactions,
        ...block.transactions.slice(-(block.transactions.length & -block.transactions.length))
      ]
    }))
  },
  {
    weight: 1,
    arbitrary: fc.constant((block: Block) => ({ ...block, transactions: block.transactions.toReversed() }))
  },
  {
    weight: 2,
    arbitrary: fc.constant((block: Block) => ({
      ...block,
      transactions: block.transactions.map((tx) => ({
        ...tx,
        inputs: tx.inputs.map((input) => ({ ...input, witness: [] }))
      }))
    }))
  }
)

const block: fc.Arbitrary<Block> = fc
  .tuple(first, fc.array(transaction, { maxLength: 9 }), fc.boolean(), change)
  .map(([start, others, commits, last]) => {
    const transactions = [...start, ...others]
    return last(blockOf(commits && transactions.length > 0 ? committing(transactions) : transactions))
  })

const place: fc.Arbitrary<BlockContext> = fc
  .tuple(fc.boolean(), fc.boolean(), fc.constantFrom(CUTOFF, undefined))
  .map(([hasHeight, isOld, lockTimeCutoff]) => ({ ...context, hasHeight, hasWitness: !isOld, lockTimeCutoff }))

describe("beside a model over objects", () => {
  it("the first rule that a block breaks is the same, and so is what Core calls mutated", () => {
    const seen = new Set<string | undefined>()
    fc.assert(
      fc.property(block, place, (made, at) => {
        const view = BlockView.of(made)
        const fault = checkBlock(portableSha256, view, at)
        const isMutated = isBlockMutated(portableSha256, view, at.hasWitness)
        const hashes = { txids: view.txids(portableSha256), wtxids: view.wtxids(portableSha256) }
        const kept = structuredClone(hashes)
        expect(isBlockMutated(portableSha256, view, at.hasWitness, hashes)).toBe(isMutated)
        expect(hashes).toEqual(kept)
        seen.add(fault?.rule)
        expect(fault?.rule).toBe(naiveBlockRule(made, at))
        expect(isMutated).toBe(naiveIsMutated(made, at.hasWitness))
        // What cannot be told from the bytes is never held against the block, and a good block is never a mutation.
        if (fault === undefined || fault.isMutation) expect(isMutated).toBe(fault !== undefined)
      }),
      { numRuns: 3000, seed: 325 }
    )
    expect(seen.size).toBeGreaterThan(13)
  })
})
