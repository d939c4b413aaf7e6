/**
 * Up to 4,095 bytes of anything that a peer may send behind its key, and the sixteen that end them, which only the two sides know.
 *
 * Source: BIP-0324 §"Overall handshake pseudocode".
 */
import type { Intake } from "./Intake.ts"

/**
 * Bitcoin Core's `MAX_GARBAGE_LEN` (net.h).
 *
 * @limit bytes of garbage in a v2 handshake
 */
export const MAX_GARBAGE_LEN = 4095

export class GarbageSearch {
  readonly #terminator: Uint8Array
  readonly #bytes: Uint8Array
  #fill = 0

  constructor(terminator: Uint8Array) {
    this.#terminator = terminator
    this.#bytes = new Uint8Array(MAX_GARBAGE_LEN + terminator.length)
  }

  /** Bytes that are held. */
  get heldBytes(): number {
    return this.#fill
  }

  /** Takes bytes up to the end of the terminator. The garbage before it; `"missing"` where it can come no more. */
  take(intake: Intake): Uint8Array | "missing" | undefined {
    while (intake.hasBytes()) {
      const before = this.#fill
      const taken = Math.min(intake.chunk.length - intake.at, this.#bytes.length - before)
      this.#bytes.set(intake.chunk.subarray(intake.at, intake.at + taken), before)
      this.#fill = before + taken
      const size = this.#terminator.length
      for (let end = Math.max(before + 1, size); end <= this.#fill; end++) {
        if (!this.#endsAt(end)) continue
        intake.at += end - before
        return this.#bytes.subarray(0, end - size)
      }
      intake.at += taken
      if (this.#fill === this.#bytes.length) return "missing"
    }
    return undefined
  }

  #endsAt(end: number): boolean {
    const size = this.#terminator.length
    for (let i = 0; i < size; i++) if (this.#bytes[end - size + i] !== this.#terminator[i]) return false
    return true
  }
}
