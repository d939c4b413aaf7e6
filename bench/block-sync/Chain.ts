/** The chains of the bench: near-empty blocks, or segwit blocks of 2 MB. */
import type { Sha256 } from "@satwire/crypto"
import { regtest } from "@satwire/primitives"
import { FilledChain } from "@satwire/testkit"

const SPACING_SECONDS = 600
const DAY_BLOCKS = 144

/** Ten minutes each, to a day before now. */
const firstTime = (count: number): number => Math.floor(Date.now() / 1000) - SPACING_SECONDS * (count + DAY_BLOCKS)

/** So many lie between now and the first block of regtest; of more the first would be too old, and be taken by nobody. */
export const mostBlocks = (): number =>
  Math.floor((Date.now() / 1000 - regtest.genesis.time) / SPACING_SECONDS) - DAY_BLOCKS - 1

export const chainOf = (kind: string, count: number, sha256: Sha256): FilledChain =>
  new FilledChain(
    kind === "small"
      ? { count, firstTime: firstTime(count) }
      : { count, blockBytes: 2_000_000, transactions: 2500, firstTime: firstTime(count) },
    sha256
  )
