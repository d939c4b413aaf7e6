/**
 * Which blocks of a tree of headers are here, and which chain of them is followed: that of most work of those that are whole, which is to
 * say that of none of its blocks anything is still to come. It knows no bytes: a block is a number, as in the tree of headers.
 *
 * ```
 *   header   0   1   2   3   4   5          here    its block is kept, or is none that we want
 *   here     ●   ●   ●       ●              whole   here, and all before it are
 *   whole    ●   ●   ●   ·   ·   ·          tip     the whole one of most work
 *                    └── tip
 * ```
 *
 * Source: Bitcoin Core 28.1 `validation.cpp` (`ReceivedBlockTransactions`, `setBlockIndexCandidates`).
 */
import type { HeaderLookup } from "./ChainLookups.ts"
import type { WantedBlocks } from "./WantedBlocks.ts"

const HERE = 1
const WHOLE = 2
/** Its bytes are kept: not so for a block that was pruned, or that is none of those that are wanted. */
const KEPT = 4

/** How the followed chain changed. */
export interface Move {
  readonly tip: number
  /** The last block that both chains share. */
  readonly fork: number
  /** How many blocks above the fork are no longer followed, and how many are now. */
  readonly removed: number
  readonly added: number
}

export class BlockTree {
  readonly #headers: HeaderLookup
  readonly #wanted: Pick<WantedBlocks, "from">
  #flags: Uint8Array = new Uint8Array(1024)
  /** Blocks that are here and wait for their parent to be whole, by that parent. */
  readonly #waiting: Map<number, Array<number>> = new Map()
  /** What became whole since it was looked at last. */
  #fresh: Array<number> = []
  #tip: number
  #keptCount = 0

  /**
   * @param wanted blocks below its `from` count as here, which may become another height later. The tree's first header counts so in any case.
   */
  constructor(headers: HeaderLookup, wanted: Pick<WantedBlocks, "from"> = { from: 0 }) {
    this.#headers = headers
    this.#wanted = wanted
    this.#mark(0, HERE | WHOLE)
    this.#tip = this.#headers.ancestor(headers.best, Math.min(headers.height(headers.best), this.#lastUnwanted))
  }

  /** The end of the followed chain. */
  get tip(): number {
    return this.#tip
  }

  /** How many blocks are kept. */
  get keptCount(): number {
    return this.#keptCount
  }

  /** The height of the last block that is not wanted, at least that of the tree's first header. */
  get #lastUnwanted(): number {
    return Math.max(this.#headers.height(0), this.#wanted.from - 1)
  }

  /** Whether nothing of this block is still to come. */
  isHere(header: number): boolean {
    return this.#has(header, HERE) || this.#headers.height(header) < this.#wanted.from
  }

  isKept(header: number): boolean {
    return this.#has(header, KEPT)
  }

  isWhole(header: number): boolean {
    return this.#has(header, WHOLE) || this.#headers.height(header) < this.#wanted.from
  }

  /** A block is kept now. The followed chain is as before until `follow`. */
  keep(header: number): void {
    if (!this.#has(header, KEPT)) this.#keptCount += 1
    this.#mark(header, KEPT)
    this.#arrive(header)
  }

  /** A block is none that we want after all: nothing of it is still to come. The followed chain is as before until `follow`. */
  pass(header: number): void {
    this.#arrive(header)
  }

  /** Blocks up to this one were kept once and are no more (pruned): they count as here. */
  passOver(header: number): void {
    for (let at = header; at >= 0 && !this.isWhole(at); at = this.#headers.parent(at)) this.#mark(at, HERE | WHOLE)
    this.#spread(header)
  }

  /** The bytes of a block are gone on purpose. It still counts as here. */
  prune(header: number): void {
    if (this.#has(header, KEPT)) this.#keptCount -= 1
    this.#clear(header, KEPT)
    this.#mark(header, HERE)
  }

  /** The bytes of a block were found damaged. The chain is followed as before; the block is missing until it is kept again. */
  lose(header: number): void {
    this.prune(header)
    this.#clear(header, HERE)
  }

  /**
   * Looks which whole chain is to be followed now, of those that became whole since it was asked last.
   *
   * Specification: of several chains of the same work the one that was whole first stays. Rationale: as Core, and miners, have it.
   *
   * @param anew looks at all there are, since some are no longer invalid, or are now: a walk over all headers
   */
  follow(anew: boolean = false): Move | undefined {
    const headers = this.#headers
    const before = this.#tip
    let tip = before
    while (!headers.isValid(tip)) tip = headers.parent(tip)
    const unwanted = headers.ancestor(headers.best, Math.min(headers.height(headers.best), this.#lastUnwanted))
    if (this.#isBetter(unwanted, tip)) tip = unwanted
    if (anew) {
      const count = Math.min(this.#flags.length, headers.size)
      for (let header = 0; header < count; header++) if (this.#isNext(header, tip)) tip = header
    } else for (const header of this.#fresh) if (this.#isNext(header, tip)) tip = header
    this.#fresh = []
    if (tip === before) return undefined
    this.#tip = tip
    const fork = headers.fork(before, tip)
    const height = headers.height(fork)
    return { tip, fork, removed: headers.height(before) - height, added: headers.height(tip) - height }
  }

  #isNext(header: number, tip: number): boolean {
    return this.#has(header, WHOLE) && this.#isBetter(header, tip)
  }

  #isBetter(header: number, than: number): boolean {
    return this.#headers.compareWork(header, than) > 0 && this.#headers.isValid(header)
  }

  #arrive(header: number): void {
    this.#mark(header, HERE)
    if (this.#has(header, WHOLE)) return
    const parent = this.#headers.parent(header)
    if (parent >= 0 && !this.isWhole(parent)) {
      const siblings = this.#waiting.get(parent)
      if (siblings === undefined) this.#waiting.set(parent, [header])
      else if (!siblings.includes(header)) siblings.push(header)
      return
    }
    this.#mark(header, WHOLE)
    this.#spread(header)
  }

  /** A block is whole: so are those that waited for it. */
  #spread(from: number): void {
    const whole = [from]
    for (let at = whole.pop(); at !== undefined; at = whole.pop()) {
      this.#fresh.push(at)
      const children = this.#waiting.get(at)
      if (children === undefined) continue
      this.#waiting.delete(at)
      for (const child of children) {
        this.#mark(child, WHOLE)
        whole.push(child)
      }
    }
  }

  #has(header: number, flag: number): boolean {
    return ((this.#flags[header] ?? 0) & flag) !== 0
  }

  #mark(header: number, flags: number): void {
    if (header >= this.#flags.length) {
      const wider = new Uint8Array(Math.max(2 * this.#flags.length, header + 1))
      wider.set(this.#flags)
      this.#flags = wider
    }
    this.#flags[header] = (this.#flags[header] as number) | flags
  }

  #clear(header: number, flags: number): void {
    if (header < this.#flags.length) this.#flags[header] = (this.#flags[header] as number) & ~flags
  }
}
