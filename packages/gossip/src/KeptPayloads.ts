/** Payloads that others may ask for, by id; the oldest go as the bytes are too many. */
export class KeptPayloads {
  readonly #most: number
  readonly #kept: Map<string, Uint8Array> = new Map()
  #bytes = 0

  constructor(mostBytes: number) {
    this.#most = mostBytes
  }

  get(key: string): Uint8Array | undefined {
    return this.#kept.get(key)
  }

  add(key: string, bytes: Uint8Array): void {
    if (this.#kept.has(key)) return
    this.#kept.set(key, bytes)
    this.#bytes += bytes.length
    for (const [oldest, { length }] of this.#kept) {
      if (this.#bytes <= this.#most || oldest === key) return
      this.#kept.delete(oldest)
      this.#bytes -= length
    }
  }
}
