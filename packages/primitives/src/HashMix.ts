/**
 * Mixes of 32 bits by which tables find hashes, under a secret of each table. `HashIndex` says what each kind stands up to.
 */
import { type SipKey, sipHash24, sipKey } from "@satwire/crypto"
import type { Random } from "@satwire/machine"

/** Where a hash comes from, and so how well it must be mixed: worked out by us, or named by a peer. */
export type HashOrigin = "computed" | "chosen"

export class HashMix {
  readonly #saltA: number
  readonly #saltB: number
  readonly #key: SipKey | undefined

  constructor(random: Random, origin: HashOrigin) {
    this.#saltA = random.u32() | 0
    this.#saltB = random.u32() | 0
    this.#key = origin === "chosen" ? sipKey(random.bytes(16)) : undefined
  }

  /** The mix of `[start, end)` of `bytes`. Of what was computed the first eight bytes alone count. */
  of(bytes: Uint8Array, start: number, end: number): number {
    return this.#key === undefined
      ? this.ofWords(word(bytes, start), word(bytes, start + 4))
      : keyed(this.#key, bytes, start, end)
  }

  /** The mix of a computed hash whose first words, in the order of the wire, these are. */
  ofWords(first: number, second: number): number {
    let a = Math.imul(first ^ this.#saltA, 0x9e3779b1)
    a = Math.imul(a ^ (a >>> 15) ^ second ^ this.#saltB, 0x85ebca77)
    return a ^ (a >>> 16)
  }

  /** Whether it is keyed, so that all bytes of a hash count. */
  get isKeyed(): boolean {
    return this.#key !== undefined
  }
}

/** Reused: what `sipHash24` writes to. */
const sipHash = new Uint32Array(2)

const keyed = (key: SipKey, bytes: Uint8Array, start: number, end: number): number => {
  sipHash24(key, bytes, start, end, sipHash)
  return (sipHash[0] as number) | 0
}

const word = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) |
  ((bytes[at + 1] as number) << 8) |
  ((bytes[at + 2] as number) << 16) |
  ((bytes[at + 3] as number) << 24)
