/** The chains of the bench: near-empty blocks, or segwit blocks of 2 MB. */
import type { Sha256 } from "@satwire/crypto"
import { FilledChain } from "@satwire/testkit"

/** Ten minutes each, to a day before now. */
const firstTime = (count: number): number => Math.floor(Date.now() / 1000) - 600 * (count + 144)

export const chainOf = (kind: string, count: number, sha256: Sha256): FilledChain =>
  new FilledChain(
    kind === "small"
      ? { count, firstTime: firstTime(count) }
      : { count, blockBytes: 2_000_000, transactions: 2500, firstTime: firstTime(count) },
    sha256
  )
