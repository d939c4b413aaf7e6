/**
 * Finds where a transaction's parts lie without making anything of them: one walk over the lengths, a few nanoseconds for each input and
 * output. Accepts exactly what `readTransaction` accepts.
 *
 * ```
 *  legacy     start │ version │ inputs, outputs             │ lock time │ end
 *  extended   start │ version │ 00 01 │ inputs, outputs     │ witnesses │ lock time │ end
 *                             body ───┘         bodyEnd ────┘
 * ```
 */

import { MAX_SIZE } from "@satwire/bytes"

/** The smallest input: outpoint 36, empty script 1, sequence 4. */
const MIN_INPUT_SIZE = 41
/** The smallest output: amount 8, empty script 1. */
const MIN_OUTPUT_SIZE = 9

export class TransactionScan {
  /** Where inputs and outputs begin: the count of inputs. */
  body = 0
  /** Where they end: the witnesses, or the lock time where there are none. */
  bodyEnd = 0
  /** Where the transaction ends. */
  end = 0
  /** After a failed scan: what was wrong, and where. */
  fault = ""
  faultAt = 0
  #after = 0

  /** Scans the transaction that begins at `start`. Gives false, and says why, where there is none before `limit`. */
  scan(b: Uint8Array, start: number, limit: number): boolean {
    let at = start + 4
    if (limit - at < 2) return this.#fail("transaction ends early", start)
    let inputs = this.#compactSize(b, at, limit)
    if (inputs < 0) return false
    let extended = false
    if (inputs === 0) {
      const flag = b[at + 1] as number
      if (flag === 0) return this.#empty(start, limit)
      if (flag !== 1) return this.#fail(`transaction flag ${flag}`, at + 1)
      extended = true
      at += 2
      inputs = this.#compactSize(b, at, limit)
      if (inputs < 0) return false
    }
    this.body = at
    at = this.#inputs(b, this.#after, limit, inputs)
    if (at < 0) return false
    at = this.#outputs(b, at, limit)
    if (at < 0) return false
    this.bodyEnd = at
    if (extended) {
      at = this.#witnesses(b, at, limit, inputs)
      if (at < 0) return false
    }
    if (at + 4 > limit) return this.#fail("lock time ends early", at)
    this.end = at + 4
    return true
  }

  /** Neither inputs nor outputs: the count of outputs was read as a flag. */
  #empty(start: number, limit: number): boolean {
    this.body = start + 4
    this.bodyEnd = start + 6
    this.end = start + 10
    return this.end <= limit || this.#fail("lock time ends early", start + 6)
  }

  #inputs(b: Uint8Array, from: number, limit: number, count: number): number {
    let at = from
    if (count * MIN_INPUT_SIZE > limit - at) return this.#stop("more inputs announced than bytes follow", at)
    for (let i = 0; i < count; i++) {
      at += 36
      const first = b[at] as number
      // Lengths under 253 are their own byte: nearly all are.
      if (first < 0xfd) at += 5 + first
      else {
        const length = this.#compactSize(b, at, limit)
        if (length < 0) return -1
        at = this.#after + length + 4
      }
      if (!(at <= limit)) return this.#stop("input ends early", from)
    }
    return at
  }

  #outputs(b: Uint8Array, from: number, limit: number): number {
    const count = this.#compactSize(b, from, limit)
    if (count < 0) return -1
    let at = this.#after
    if (count * MIN_OUTPUT_SIZE > limit - at) return this.#stop("more outputs announced than bytes follow", at)
    for (let i = 0; i < count; i++) {
      at += 8
      const first = b[at] as number
      if (first < 0xfd) at += 1 + first
      else {
        const length = this.#compactSize(b, at, limit)
        if (length < 0) return -1
        at = this.#after + length
      }
      if (!(at <= limit)) return this.#stop("output ends early", from)
    }
    return at
  }

  #witnesses(b: Uint8Array, from: number, limit: number, inputs: number): number {
    let at = from
    let any = false
    for (let i = 0; i < inputs; i++) {
      const items = this.#compactSize(b, at, limit)
      if (items < 0) return -1
      at = this.#after
      if (items > limit - at) return this.#stop("more witness items announced than bytes follow", at)
      if (items > 0) any = true
      for (let k = 0; k < items; k++) {
        const first = b[at] as number
        if (first < 0xfd && at < limit) at += 1 + first
        else {
          const length = this.#compactSize(b, at, limit)
          if (length < 0) return -1
          at = this.#after + length
        }
        if (at > limit) return this.#stop("witness item ends early", from)
      }
    }
    // Core refuses the extended form where every stack is empty.
    return any ? at : this.#stop("superfluous witness record", from)
  }

  /** The CompactSize at `at`, with `#after` set behind it, or -1 where it is not minimal, over `MAX_SIZE` or cut short. */
  #compactSize(b: Uint8Array, at: number, limit: number): number {
    const first = b[at] as number
    const length = first < 0xfd ? 1 : first === 0xfd ? 3 : first === 0xfe ? 5 : 9
    if (at + length > limit) return this.#stop("compact size ends early", Math.min(at, limit))
    this.#after = at + length
    if (length === 1) return first
    let value = 0
    for (let i = length - 1; i > 0; i--) value = value * 256 + (b[at + i] as number)
    const least = length === 3 ? 0xfd : length === 5 ? 0x1_0000 : 0x1_0000_0000
    if (value < least) return this.#stop("compact size is not minimal", at)
    if (value > MAX_SIZE) return this.#stop("compact size is over MAX_SIZE", at)
    return value
  }

  #stop(fault: string, at: number): -1 {
    this.fault = fault
    this.faultAt = at
    return -1
  }

  #fail(fault: string, at: number): false {
    this.#stop(fault, at)
    return false
  }
}
