/** Ids that were seen, in two halves of which the older one goes as the younger is full. Keys are words of hashes, so nobody aims at a bucket. */
import { Buffer } from "node:buffer"

/** What is made a key goes here first. Reused: nothing else is called in between. */
const place = Buffer.alloc(64)

/**
 * An id as a key of a table: a tenth of the price of `String.fromCharCode(...id)`. A short one lies among the engine's own objects and would be
 * moved out of there as somebody asks for its `buffer`, at five times the price of the copy (measured).
 */
export const keyOf = (id: Uint8Array): string => {
  if (id.length > place.length) return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString("latin1")
  place.set(id)
  return place.toString("latin1", 0, id.length)
}

/**
 * @limit ids of accepted messages that a topic remembers, where it has ids of its own
 */
export const MAX_SEEN_IDS = 65_536

export class SeenIds {
  readonly #most: number
  #young: Set<string> = new Set()
  #old: Set<string> = new Set()

  constructor(most: number = MAX_SEEN_IDS) {
    this.#most = most
  }

  /** Whether it is new. */
  add(id: Uint8Array): boolean {
    const key = keyOf(id)
    if (this.#young.has(key) || this.#old.has(key)) return false
    if (this.#young.size >= this.#most / 2) {
      this.#old = this.#young
      this.#young = new Set()
    }
    this.#young.add(key)
    return true
  }

  has(id: Uint8Array): boolean {
    const key = keyOf(id)
    return this.#young.has(key) || this.#old.has(key)
  }
}
