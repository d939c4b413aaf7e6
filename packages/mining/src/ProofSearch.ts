/**
 * Looks for the nonce of a header, some tries at a time, so that a search never blocks a turn. Meant for networks whose target is met
 * within a few tries.
 */
import type { Sha256 } from "@satwire/crypto"
import { HEADER_BITS, HEADER_NONCE, HEADER_SIZE, meetsTarget, targetFromBits, targetWords } from "@satwire/primitives"

const NONCES = 0x1_0000_0000

export type SearchStep =
  /** `header` of the search meets its target. */
  | "found"
  /** Not yet: call again. */
  | "searching"
  /** No nonce does: take another extra nonce or time. */
  | "exhausted"

export class ProofSearch {
  /** The 80 raw bytes; their nonce is the last that was tried. */
  readonly header: Uint8Array
  readonly #sha256: Sha256
  readonly #view: DataView
  readonly #target: Uint32Array
  readonly #hash: Uint8Array = new Uint8Array(32)
  /** The next one to try. */
  #nonce: number

  /**
   * @param header 80 raw bytes, copied; their nonce does not matter
   * @param firstNonce where the search begins; it ends with the highest nonce that there is
   * @throws RangeError where no hash can meet the header's bits
   */
  constructor(sha256: Sha256, header: Uint8Array, firstNonce: number = 0) {
    if (header.length !== HEADER_SIZE) throw new RangeError(`a header has 80 bytes, not ${header.length}`)
    this.#nonce = firstNonce
    this.#sha256 = sha256
    this.header = new Uint8Array(header)
    this.#view = new DataView(this.header.buffer)
    const target = targetFromBits(this.#view.getUint32(HEADER_BITS, true))
    if (target === undefined) throw new RangeError("no hash can meet the header's bits")
    this.#target = targetWords(target)
  }

  /** The nonce that stands in the header: after `found`, the one that meets the target. */
  get nonce(): number {
    return this.#view.getUint32(HEADER_NONCE, true)
  }

  /** Tries up to `tries` nonces more; after `found`, those that follow. */
  step(tries: number): SearchStep {
    for (let i = 0; i < tries && this.#nonce < NONCES; i++) {
      this.#view.setUint32(HEADER_NONCE, this.#nonce, true)
      this.#nonce += 1
      this.#sha256.sha256d(this.header, 0, HEADER_SIZE, this.#hash, 0)
      if (meetsTarget(this.#hash, 0, this.#target)) return "found"
    }
    return this.#nonce < NONCES ? "searching" : "exhausted"
  }
}
