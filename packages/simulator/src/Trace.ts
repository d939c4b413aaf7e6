/**
 * A running hash over everything that happened, in order: two runs of one seed must give the same one. Not cryptographic: it finds
 * differences, and nobody makes them on purpose.
 */
export class Trace {
  #a = 0x811c9dc5 | 0
  #b = 0x9e3779b9 | 0
  #events = 0

  number(value: number): void {
    this.#mix(value | 0)
    this.#mix(Math.floor(value / 0x1_0000_0000) | 0)
  }

  text(value: string): void {
    for (let i = 0; i < value.length; i++) this.#mix(value.charCodeAt(i))
    this.#mix(-value.length)
  }

  bytes(value: Uint8Array): void {
    const words = value.length & ~3
    // Four bytes at a time: half of what a simulation does is bytes that move.
    for (let i = 0; i < words; i += 4) {
      this.#mix(
        (value[i] as number) |
          ((value[i + 1] as number) << 8) |
          ((value[i + 2] as number) << 16) |
          ((value[i + 3] as number) << 24)
      )
    }
    for (let i = words; i < value.length; i++) this.#mix(value[i] as number)
    this.#mix(-value.length)
  }

  /** Ends an event. */
  event(): void {
    this.#events += 1
    this.#mix(this.#events)
  }

  /** How many events were taken in. */
  get events(): number {
    return this.#events
  }

  /** Sixteen hexadecimal digits over all that was taken in. */
  digest(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, "0")
    return hex(this.#a) + hex(this.#b)
  }

  #mix(value: number): void {
    this.#a = Math.imul(this.#a ^ value, 0x01000193)
    this.#b = Math.imul(this.#b ^ value ^ (this.#a >>> 13), 0x85ebca6b)
    this.#b ^= this.#b >>> 15
  }
}
