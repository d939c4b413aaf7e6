/**
 * A stretch of the chain that is fetched, by height: which header stands there, and whether its block is open, which is to say missing and
 * asked of nobody. The next open height is found in a few words of bits, however many are not.
 *
 * ```
 *            base                              end
 *   ● ● ● ● ●│○ ◐ ● ◐ ◐ ● ◐ ○ ◐ ◐ ◐ ◐ ○ ○ ○ ○ ○│· · ·      the chain of most work
 *     here   │ open (○), asked for (◐), here (●) │
 *            └───────── BLOCK_DOWNLOAD_WINDOW ───┘
 * ```
 */
import type { HeaderLookup } from "./ChainLookups.ts"

/**
 * Core's name and value: so far ahead of the first block that is missing others are fetched.
 *
 * @limit blocks ahead of the first missing one that are fetched
 */
export const BLOCK_DOWNLOAD_WINDOW = 1024
const MASK: number = BLOCK_DOWNLOAD_WINDOW - 1

export class BlockWindow {
  readonly #headers: HeaderLookup
  readonly #isOpen: (header: number) => boolean
  readonly #at: Int32Array = new Int32Array(BLOCK_DOWNLOAD_WINDOW)
  readonly #open: Int32Array = new Int32Array(BLOCK_DOWNLOAD_WINDOW / 32)
  #base = 0
  #end = 0

  /** @param isOpen asked of each header that comes into the window */
  constructor(headers: HeaderLookup, isOpen: (header: number) => boolean) {
    this.#headers = headers
    this.#isOpen = isOpen
  }

  /** The first height in it. */
  get base(): number {
    return this.#base
  }

  /** The height behind the last one in it; as large as `base` while there is none. */
  get end(): number {
    return this.#end
  }

  /** Begins anew at a height. */
  begin(base: number, target: number, last: number): void {
    this.#base = base
    this.#end = base
    this.#open.fill(0)
    this.reach(target, last)
  }

  /** Takes in what lies between its end and `last` of the chain of `target`, as far as there is room. What it has is of that chain too. */
  reach(target: number, last: number): void {
    const headers = this.#headers
    const to = Math.min(last, this.#base + BLOCK_DOWNLOAD_WINDOW - 1)
    if (to < this.#end) return
    let header = headers.ancestor(target, to)
    for (let height = to; height >= this.#end; height--) {
      this.#at[height & MASK] = header
      this.#set(height, this.#isOpen(header))
      header = headers.parent(header)
    }
    this.#end = to + 1
  }

  /** Passes over its first heights while `isHere` says so of their headers, and takes in as many behind. Gives whether there were any. */
  advance(isHere: (header: number) => boolean, target: number, last: number): boolean {
    const before = this.#base
    for (let isMore = true; isMore; isMore = this.#base === this.#end && this.#end <= last) {
      for (; this.#base < this.#end && isHere(this.at(this.#base)); this.#base++) this.#set(this.#base, false)
      this.reach(target, last)
    }
    return this.#base > before
  }

  /** The header at a height that it has. */
  at(height: number): number {
    return this.#at[height & MASK] as number
  }

  has(header: number): boolean {
    const height = this.#headers.height(header)
    return height >= this.#base && height < this.#end && this.at(height) === header
  }

  /** Gives whether it has the header. */
  setOpen(header: number, isOpen: boolean): boolean {
    if (!this.has(header)) return false
    this.#set(this.#headers.height(header), isOpen)
    return true
  }

  /** The first open height from `from` to `to`, or -1. */
  nextOpen(from: number, to: number): number {
    const last = Math.min(to, this.#end - 1)
    for (let height = Math.max(from, this.#base); height <= last; height += 32 - (height & 31)) {
      const bits = (this.#open[(height & MASK) >>> 5] as number) >>> (height & 31)
      if (bits === 0) continue
      // Behind the end the same word stands for heights at the base: those are more than `last`.
      const found = height + 31 - Math.clz32(bits & -bits)
      return found <= last ? found : -1
    }
    return -1
  }

  #set(height: number, isOpen: boolean): void {
    const word = (height & MASK) >>> 5
    const bit = 1 << (height & 31)
    const before = this.#open[word] as number
    this.#open[word] = isOpen ? before | bit : before & ~bit
  }
}
