/** Blocks for tests, and the short way from a block to its pieces. */
import { portableSha256 } from "@satwire/crypto"
import { BlockView, type TransactionView } from "@satwire/primitives"
import { FilledChain, type RealData } from "@satwire/testkit"
import type { CmpctBlock } from "@satwire/wire"
import * as Result from "effect/Result"
import {
  type CompactBlockOptions,
  type Completed,
  PartialBlock,
  type TransactionPool,
  buildCompactBlock
} from "../src/index.ts"

export const decoded = (bytes: Uint8Array): BlockView => Result.getOrThrow(BlockView.decode(bytes)).value

/** A block of segwit transactions that keeps all rules but those of coins: its coinbase and `count` others of about so many bytes. */
export const madeBlock = (count: number, bytesEach: number = 200): BlockView =>
  new FilledChain({ count: 1, blockBytes: bytesEach * count, transactions: count }).block(1)

export const transactionsOf = (block: BlockView): ReadonlyArray<TransactionView> =>
  Array.from({ length: block.transactionCount }, (_, i) => block.transaction(i))

export const compact = (block: BlockView, options: Partial<CompactBlockOptions> = {}): CmpctBlock =>
  buildCompactBlock(portableSha256, block, { nonce: 7n, ...options })

/** Begins with a block that is expected to begin. */
export const begun = (message: CmpctBlock, ...pools: ReadonlyArray<TransactionPool>): PartialBlock => {
  const result = begin(message, ...pools)
  if (result._tag !== "Begun") throw new Error(`it is ${result._tag}`)
  return result.partial
}

export const begin = (
  message: CmpctBlock,
  ...pools: ReadonlyArray<TransactionPool>
): ReturnType<typeof PartialBlock.begin> =>
  PartialBlock.begin({ sha256: portableSha256, message, pools, hasWitness: true })

export const whole = (completed: Completed): Extract<Completed, { readonly _tag: "Whole" }> => {
  if (completed._tag !== "Whole") throw new Error(`it is ${completed._tag}`)
  return completed
}

/** The six blocks of mainnet that follow one another, of February 2024. */
export const sixBlocks = (data: RealData): ReadonlyArray<BlockView> => {
  const folder = "blocks/mainnet/run_831328-831333"
  return data.list(folder).map((file) => decoded(data.bytes(`${folder}/${file}`)))
}
