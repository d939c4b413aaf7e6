/**
 * Tells what a page begins with, before a byte of it is passed on. A v1 connection begins with the network's four bytes and the command
 * `version` (BIP-0324 §"Overall handshake" tells it so too); a v2 one with a key, of which the same bytes are a chance of 1 in 2^96.
 */
const SKIPPED_BYTES = 4
/** `version` and its five zeros. */
const COMMAND = Uint8Array.of(0x76, 0x65, 0x72, 0x73, 0x69, 0x6f, 0x6e, 0, 0, 0, 0, 0)
const PREFIX_BYTES: number = SKIPPED_BYTES + COMMAND.length

export type Beginning =
  /** It may still become either. */
  | { readonly _tag: "Undecided" }
  | { readonly _tag: "Unencrypted" }
  /** It is none of v1: these bytes are all that came so far. */
  | { readonly _tag: "Other"; readonly bytes: Uint8Array }

const Undecided: Beginning = { _tag: "Undecided" }

export class FirstBytes {
  readonly #seen: Uint8Array = new Uint8Array(PREFIX_BYTES)
  #length = 0

  /** Judges `bytes`, which follow those of earlier calls; to be called until it is decided. */
  push(bytes: Uint8Array): Beginning {
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at] as number
      if (this.#length >= SKIPPED_BYTES && byte !== COMMAND[this.#length - SKIPPED_BYTES]) return this.#other(bytes, at)
      this.#seen[this.#length++] = byte
      if (this.#length === PREFIX_BYTES) return { _tag: "Unencrypted" }
    }
    return Undecided
  }

  /** What was seen before these bytes, and these. */
  #other(bytes: Uint8Array, taken: number): Beginning {
    const before = this.#length - taken
    const all = new Uint8Array(before + bytes.length)
    all.set(this.#seen.subarray(0, before))
    all.set(bytes, before)
    return { _tag: "Other", bytes: all }
  }
}
