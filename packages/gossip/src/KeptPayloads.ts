/** Payloads that others may ask for, by id; the oldest go as the bytes are too many. */
import * as Effect from "effect/Effect"

/**
 * Twice as long as who announced is held to what it said, so that a word of it and a request have time to travel; and with the bytes that a topic
 * keeps no less a second than gossip passes on.
 *
 * @limit milliseconds that a payload of ours is kept at least before another one is announced
 */
export const KEPT_AT_LEAST_MS = 4000

interface Kept {
  readonly bytes: Uint8Array
  readonly sinceMs: number
}

export class KeptPayloads {
  readonly #most: number
  readonly #nowMs: () => number
  readonly #kept: Map<string, Kept> = new Map()
  #bytes = 0

  constructor(mostBytes: number, nowMs: () => number) {
    this.#most = mostBytes
    this.#nowMs = nowMs
  }

  get(key: string): Uint8Array | undefined {
    return this.#kept.get(key)?.bytes
  }

  /** Done when there is room that nothing has to go for before its time. */
  room(sizeBytes: number): Effect.Effect<void> {
    return Effect.suspend(() => {
      const waitMs = this.#waitMs(sizeBytes)
      return waitMs <= 0 ? Effect.void : Effect.andThen(Effect.sleep(waitMs), this.room(sizeBytes))
    })
  }

  add(key: string, bytes: Uint8Array): void {
    if (this.#kept.has(key)) return
    this.#kept.set(key, { bytes, sinceMs: this.#nowMs() })
    this.#bytes += bytes.length
    for (const [oldest, { bytes: gone }] of this.#kept) {
      if (this.#bytes <= this.#most || oldest === key) return
      this.#kept.delete(oldest)
      this.#bytes -= gone.length
    }
  }

  #waitMs(sizeBytes: number): number {
    let bytes = this.#bytes + sizeBytes
    let waitMs = 0
    for (const kept of this.#kept.values()) {
      if (bytes <= this.#most) break
      bytes -= kept.bytes.length
      waitMs = kept.sinceMs + KEPT_AT_LEAST_MS - this.#nowMs()
    }
    return waitMs
  }
}
