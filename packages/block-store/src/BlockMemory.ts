/** Blocks that last as long as the process. */
import { ChaChaRandom } from "@satwire/crypto"
import { entropy } from "@satwire/crypto/node"
import type { BlockHash } from "@satwire/primitives"
import * as Effect from "effect/Effect"
import { BlockIndex } from "./BlockIndex.ts"
import type { BlockStoreShape, KeepFrom } from "./BlockStore.ts"
import type { NewBlock } from "./BlockWriter.ts"
import { transactionIn } from "./TransactionOf.ts"

const NO_CHECK = new Uint8Array(8)

export const makeBlockMemory = (): BlockStoreShape => {
  const index = new BlockIndex(new ChaChaRandom(entropy(32)))
  /** By row. */
  const blocks = new Map<number, Uint8Array>()
  let sizeBytes = 0
  const find = (hash: BlockHash): Uint8Array | undefined => blocks.get(index.find(hash))
  const keep = ({ bytes, hash, height }: NewBlock): void => {
    if (index.find(hash) >= 0) return
    const row = index.put(hash, { file: 0, offset: 0, length: bytes.length, height }, NO_CHECK)
    blocks.set(row, bytes.slice())
    sizeBytes += bytes.length
  }
  const drop = (row: number): void => {
    sizeBytes -= index.placeOf(row).length
    index.drop(row)
    blocks.delete(row)
  }
  const prune = ({ belowHeight, targetBytes }: KeepFrom): ReadonlyArray<BlockHash> => {
    const low = [...index.rows()]
      .map((row) => ({ row, ...index.placeOf(row) }))
      .filter(({ height }) => height < belowHeight)
      .sort((a, b) => a.height - b.height)
    const gone: Array<BlockHash> = []
    for (const { row } of low) {
      if (sizeBytes <= targetBytes) break
      gone.push(index.hashOf(row))
      drop(row)
    }
    return gone
  }
  return {
    load: (onBlock) =>
      Effect.sync(() => {
        for (const row of index.rows()) {
          const { height, length } = index.placeOf(row)
          onBlock(index.hashOf(row), height, length)
        }
        return { count: index.count, sizeBytes, scanned: 0, tornBytes: 0, setAside: [], damaged: [] }
      }),
    append: (added) => Effect.sync(() => added.forEach(keep)),
    has: (hash) => Effect.sync(() => index.find(hash) >= 0),
    read: (hash) => Effect.sync(() => find(hash)?.slice()),
    readRange: (hash, offset, length) =>
      Effect.sync(() => {
        const from = Math.max(offset, 0)
        return find(hash)?.slice(from, from + Math.max(length, 0))
      }),
    readTransaction: (hash, number) =>
      Effect.sync(() => {
        const block = find(hash)
        return block && transactionIn(block, number)
      }),
    at: (height) => Effect.sync(() => index.at(height).map((row) => index.hashOf(row))),
    forget: (hash) =>
      Effect.sync(() => {
        const row = index.find(hash)
        if (row >= 0) drop(row)
        return row >= 0
      }),
    prune: (keepFrom) => Effect.sync(() => prune(keepFrom)),
    sizeBytes: Effect.sync(() => sizeBytes)
  }
}
