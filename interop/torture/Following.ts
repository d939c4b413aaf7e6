/** The mirror, the spender and what waits go where bcoin's chain goes. */
import { equals, fromHex } from "@satwire/bytes"
import { platformSha256 } from "@satwire/crypto/node"
import { BlockView, type TransactionView, toHex } from "@satwire/primitives"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { type TortureFailed, failed } from "./TortureFailed.ts"
import type { World } from "./World.ts"

export const idOf = (tx: TransactionView): string => toHex(tx.txid(platformSha256))

/** Transactions of a block but for its coinbase. */
const spendsOf = (block: BlockView): ReadonlyArray<readonly [id: string, tx: TransactionView]> =>
  Array.from({ length: block.transactionCount - 1 }, (_, i) => {
    const tx = block.transaction(i + 1)
    return [idOf(tx), tx]
  })

export const follow = (world: World): Effect.Effect<void, TortureFailed> =>
  Effect.gen(function* () {
    const { bcoin, mirror } = world
    const height = Number(yield* bcoin.call("getblockcount"))
    const hashAt = (at: number) => Effect.map(bcoin.call("getblockhash", [at]), String)
    let fork = Math.min(height, mirror.best)
    while (toHex(mirror.hash(fork)) !== (yield* hashAt(fork))) fork -= 1
    while (mirror.best > fork) leave(world)
    while (mirror.best < height) {
      const hash = yield* hashAt(mirror.best + 1)
      const block = readBlock(yield* bcoin.call("getblock", [hash, false]))
      if (block === undefined) return yield* failed(`bcoin gave a block that does not decode: ${hash}`)
      // It went elsewhere while it was asked: from the start.
      if (!equals(block.header.previousBlock, mirror.hash(mirror.best))) return yield* follow(world)
      join(world, block)
    }
  })

const readBlock = (answer: unknown): BlockView | undefined => {
  const bytes = fromHex(String(answer))
  if (bytes === undefined) return undefined
  const read = BlockView.decode(bytes)
  return Result.isSuccess(read) ? read.success.value : undefined
}

const join = ({ mirror, spender, waiting }: World, block: BlockView): void => {
  mirror.add(block)
  spender.connected(block, mirror.best)
  for (const [id] of spendsOf(block)) waiting.delete(id)
}

/** Its transactions wait again, before those that were made later. */
const leave = ({ mirror, spender, waiting }: World): void => {
  const height = mirror.best
  const block = mirror.drop()
  if (block === undefined) return
  spender.disconnected(block, height)
  const later = [...waiting]
  waiting.clear()
  for (const [id, tx] of [...spendsOf(block), ...later]) waiting.set(id, tx)
}
