/**
 * Copies of many small things, side by side in pieces of memory of 16 KiB: an array of its own for each costs more than all else that a relay
 * does with a message (measured). Who keeps one copy keeps 16 KiB at most.
 */
import { copyOut } from "@satwire/bytes"

const SLAB_BYTES = 16 * 1024
/** What is longer has memory of its own. */
const MAX_SHARED_BYTES = 2048

export class Slab {
  #bytes: Uint8Array = new Uint8Array(0)
  #at = 0

  /** A copy that is never written to again by this slab. */
  copy(bytes: Uint8Array): Uint8Array {
    const { length } = bytes
    if (length > MAX_SHARED_BYTES) return copyOut(bytes)
    if (this.#at + length > this.#bytes.length) {
      this.#bytes = new Uint8Array(SLAB_BYTES)
      this.#at = 0
    }
    const copy = this.#bytes.subarray(this.#at, this.#at + length)
    copy.set(bytes)
    this.#at += length
    return copy
  }
}
