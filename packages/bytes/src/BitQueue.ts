/** Bits in the order in which they came: one bit of memory each. It is filled first and emptied afterwards. */
const FIRST_BYTES = 16

export class BitQueue {
  #bytes: Uint8Array = new Uint8Array(FIRST_BYTES)
  #start = 0
  #end = 0

  get length(): number {
    return this.#end - this.#start
  }

  get capacityBytes(): number {
    return this.#bytes.length
  }

  push(bit: boolean): void {
    const at = this.#end >>> 3
    if (at === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#bytes.length)
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    if (bit) this.#bytes[at] = (this.#bytes[at] as number) | (1 << (this.#end & 7))
    this.#end += 1
  }

  /** Takes the first one out; there must be one. */
  shift(): boolean {
    const bit = ((this.#bytes[this.#start >>> 3] as number) >> (this.#start & 7)) & 1
    this.#start += 1
    return bit === 1
  }
}
