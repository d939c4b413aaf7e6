/**
 * Two regtest chains of small blocks that share their beginning's genesis alone, as one tree of headers: the block at height h of the first has
 * the number h, of the second 100 + h.
 */
import { portableSha256 } from "@satwire/crypto"
import { type BlockHash, type BlockView, regtest } from "@satwire/primitives"
import { equals } from "@satwire/bytes"
import { FilledChain } from "@satwire/testkit"
import type { HeaderLookup } from "../src/index.ts"

const HEIGHT = 20
export const OTHER = 100

const main = new FilledChain({ count: HEIGHT, blockBytes: 6_000, transactions: 20 })
const other = new FilledChain({ count: HEIGHT, blockBytes: 5_000, transactions: 20 })

const made = new Map<number, BlockView>()

/** The block of this number, from 1 on. */
export const blockOf = (number: number): BlockView => {
  const block = made.get(number) ?? (number > OTHER ? other.block(number - OTHER) : main.block(number))
  made.set(number, block)
  return block
}

const hashes = new Map<number, BlockHash>([[0, regtest.genesisHash]])
for (let height = 1; height <= HEIGHT; height++) {
  for (const number of [height, OTHER + height]) hashes.set(number, blockOf(number).hash(portableSha256))
}

/** A tree that has all of both chains. The work of a chain is its height; of two as high the first was there before. */
export class TestChain implements HeaderLookup {
  best = HEIGHT

  find(hash: Uint8Array): number {
    for (const [number, known] of hashes) if (equals(known, hash)) return number
    return -1
  }
  hash(header: number): BlockHash {
    return hashes.get(header) as BlockHash
  }
  height(header: number): number {
    return header > OTHER ? header - OTHER : header
  }
  parent(header: number): number {
    return header === 0 ? -1 : header === OTHER + 1 ? 0 : header - 1
  }
  compareWork(a: number, b: number): number {
    return this.height(a) - this.height(b)
  }
}
