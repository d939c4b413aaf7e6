/**
 * Whether a header's hash meets the target that it claims. Consecutive headers claim the same target 2,015 times out of 2,016, so
 * what `nBits` stands for is worked out once and kept.
 */
import { type ChainParams, meetsTarget, targetFromBits, targetWords, workFromTarget } from "@satwire/primitives"

/** What one value of `nBits` stands for on a network. */
export interface Difficulty {
  /** `undefined` where no hash can meet it: negative, zero, over 256 bits, or easier than the network's limit. */
  readonly target: Uint32Array | undefined
  readonly work: bigint
}

/** How many values of `nBits` are kept: a chain has one at a time, testnets two. */
const KEPT = 16

export class ProofOfWork {
  readonly #params: ChainParams
  readonly #known: Map<number, Difficulty> = new Map()
  #lastBits = -1
  #last: Difficulty = { target: undefined, work: 0n }

  constructor(params: ChainParams) {
    this.#params = params
  }

  difficulty(bits: number): Difficulty {
    if (bits === this.#lastBits) return this.#last
    let difficulty = this.#known.get(bits)
    if (difficulty === undefined) {
      const target = targetFromBits(bits)
      difficulty =
        target === undefined || target > this.#params.powLimit
          ? { target: undefined, work: 0n }
          : { target: targetWords(target), work: workFromTarget(target) }
      if (this.#known.size >= KEPT) this.#known.clear()
      this.#known.set(bits, difficulty)
    }
    this.#lastBits = bits
    this.#last = difficulty
    return difficulty
  }

  /** Whether the hash at `offset` of `hashes` meets `bits` (Core `CheckProofOfWork`). */
  meets(hashes: Uint8Array, offset: number, bits: number): boolean {
    const { target } = this.difficulty(bits)
    return target !== undefined && meetsTarget(hashes, offset, target)
  }
}
