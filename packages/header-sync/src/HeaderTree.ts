/**
 * Every header that is known, in columns of flat memory: a tree rooted in genesis, or in a base somewhere up the chain. A header is
 * named by its number, counted in the order of acceptance; a parent's number is always smaller than its children's.
 *
 * ```
 *   number          0        1        2       …
 *   hashes   32 B   ███████  ███████  ███████        also the set that finds a hash (HashIndex)
 *   raw      80 B   ███████  ███████  ███████        as it came, ready to be served
 *   parents   4 B   -1       0        1
 *   skips     4 B   -1       0        0              one further ancestor, so that any is found in O(log n)
 *   heights   4 B
 *   works    16 B   chain work, four words, most significant first
 * ```
 *
 * It holds only what passed every rule of consensus. It does not choose peers, keep files or know blocks.
 */
import type { ChainView, PeriodFirst } from "@satwire/consensus"
import {
  type BlockHash,
  type ChainParams,
  HEADER_BITS,
  HEADER_PREVIOUS,
  HEADER_SIZE,
  HEADER_TIME,
  HashIndex,
  genesisHeader,
  headerHash,
  retargetPeriod,
  workFromBits
} from "@satwire/primitives"
import type { Sha256 } from "@satwire/crypto"
import { type Random, assert } from "@satwire/machine"
import type { TreeBase } from "./TreeBase.ts"
import { checkBase } from "./TreeBase.ts"

const FIRST_CAPACITY = 64
const WORK_WORDS = 4

export class HeaderTree implements ChainView {
  readonly params: ChainParams
  readonly #index: HashIndex
  readonly #period: number
  readonly #base: TreeBase
  #raw: Uint8Array = new Uint8Array(FIRST_CAPACITY * HEADER_SIZE)
  #view: DataView = new DataView(this.#raw.buffer)
  #parents: Int32Array = new Int32Array(FIRST_CAPACITY)
  #skips: Int32Array = new Int32Array(FIRST_CAPACITY)
  #heights: Int32Array = new Int32Array(FIRST_CAPACITY)
  #works: Uint32Array = new Uint32Array(FIRST_CAPACITY * WORK_WORDS)
  /** The work of one header, as words: the last that was asked for, because consecutive headers have the same. */
  #increment: { readonly work: bigint; readonly words: Uint32Array } = { work: 0n, words: new Uint32Array(WORK_WORDS) }
  /** Up to which number raw headers are at hand. */
  #staged = 0
  #best = 0

  private constructor(params: ChainParams, base: TreeBase, random: Random) {
    this.params = params
    this.#period = retargetPeriod(params)
    this.#base = base
    this.#index = new HashIndex(random)
    this.stage(base.header ?? placeholder(base), 0, 1)
    this.#link(this.#index.add(base.hash), -1, base.height)
    this.#works.set(workWords(base.chainWork))
  }

  /** A tree that begins with the network's first header. */
  static fromGenesis(params: ChainParams, random: Random): HeaderTree {
    const { bits, time } = params.genesis
    const header = genesisHeader(params)
    const chainWork = workFromBits(bits)
    return new HeaderTree(
      params,
      { height: 0, hash: params.genesisHash, bits, chainWork, periodFirstTime: time, header },
      random
    )
  }

  /**
   * A tree that begins in mid-chain, for tests, snapshots and light clients. Of a base known by its hash alone the median time is not
   * known until eleven headers follow it, so that rule is enforced from the twelfth on.
   *
   * @throws RangeError where the base lacks what the first header after it will be judged by
   */
  static fromBase(params: ChainParams, base: TreeBase, sha256: Sha256, random: Random): HeaderTree {
    checkBase(params, base, (raw) => headerHash(sha256, raw))
    return new HeaderTree(params, base, random)
  }

  /** How many headers it holds, the base included. */
  get size(): number {
    return this.#index.size
  }

  /** The header of most chain work; of several, the one that was accepted first. */
  get best(): number {
    return this.#best
  }

  /** The number of the header with this hash, or -1. */
  find(hash: Uint8Array, offset: number = 0): number {
    return this.#index.find(hash, offset)
  }

  /** A copy of the header's hash. */
  hash(header: number): BlockHash {
    return this.#index.at(header) as BlockHash
  }

  height(header: number): number {
    return this.#heights[header] as number
  }

  version(header: number): number {
    return this.#view.getInt32(header * HEADER_SIZE, true)
  }

  time(header: number): number {
    return header === 0 && this.#base.header === undefined
      ? -1
      : this.#view.getUint32(header * HEADER_SIZE + HEADER_TIME, true)
  }

  bits(header: number): number {
    return this.#view.getUint32(header * HEADER_SIZE + HEADER_BITS, true)
  }

  parent(header: number): number {
    return this.#parents[header] as number
  }

  ancestor(header: number, height: number): number {
    let at = header
    let atHeight = this.height(at)
    if (height > atHeight || height < this.#base.height) return -1
    while (atHeight > height) {
      const skip = this.#skips[at] as number
      const skipHeight = skip < 0 ? -1 : this.height(skip)
      // The skip of the parent may lead nearer to the goal than this one does (Core `CBlockIndex::GetAncestor`).
      const parentSkipHeight = skipHeightOf(atHeight - 1)
      if (
        skipHeight === height ||
        (skipHeight > height && !(parentSkipHeight < skipHeight - 2 && parentSkipHeight >= height))
      ) {
        at = skip
      } else {
        at = this.parent(at)
      }
      atHeight = this.height(at)
    }
    return at
  }

  periodFirst(header: number): PeriodFirst {
    const height = this.height(header)
    const first = this.ancestor(header, height - (height % this.#period))
    if (first > 0 || (first === 0 && this.#base.header !== undefined))
      return { time: this.time(first), bits: this.bits(first) }
    return { time: this.#base.periodFirstTime, bits: this.#base.periodFirstBits ?? this.#base.bits }
  }

  /** The work of the chain that ends with this header. */
  chainWork(header: number): bigint {
    let work = 0n
    for (let i = 0; i < WORK_WORDS; i++) work = (work << 32n) | BigInt(this.#works[WORK_WORDS * header + i] as number)
    return work
  }

  /** Negative, zero or positive as the chain of `a` has less, as much or more work than that of `b`. */
  compareWork(a: number, b: number): number {
    for (let i = 0; i < WORK_WORDS; i++) {
      const difference = (this.#works[WORK_WORDS * a + i] as number) - (this.#works[WORK_WORDS * b + i] as number)
      if (difference !== 0) return difference
    }
    return 0
  }

  /** The last header that both chains share. */
  fork(a: number, b: number): number {
    const height = Math.min(this.height(a), this.height(b))
    let left = this.ancestor(a, height)
    let right = this.ancestor(b, height)
    while (left !== right) {
      // Skips of one height lead to one height: jump while they differ, step once they meet.
      const leftSkip = this.#skips[left] as number
      const rightSkip = this.#skips[right] as number
      const jump = leftSkip !== rightSkip && leftSkip >= 0
      left = jump ? leftSkip : this.parent(left)
      right = jump ? rightSkip : this.parent(right)
    }
    return left
  }

  /** A copy of `count` raw headers, one after another, from number `first` on: the order of acceptance, not of a chain. */
  rawRange(first: number, count: number): Uint8Array {
    return this.#raw.slice(first * HEADER_SIZE, (first + count) * HEADER_SIZE)
  }

  /**
   * A copy of the raw headers of the chain of `tip` at the heights from `from` to `to`, both included, one after another. A base that is
   * known by its hash alone has no raw header: there `from` lies above it.
   */
  rawChain(tip: number, from: number, to: number): Uint8Array {
    const chain = new Uint8Array((to - from + 1) * HEADER_SIZE)
    let at = this.ancestor(tip, to)
    for (let height = to; height >= from; height--) {
      chain.set(this.#raw.subarray(at * HEADER_SIZE, (at + 1) * HEADER_SIZE), (height - from) * HEADER_SIZE)
      at = this.parent(at)
    }
    return chain
  }

  /**
   * Copies `count` raw headers in behind the last one, where {@link append} takes them in order: one copy for a whole run, which costs
   * a tenth of one for each header (measured, `bench/accept.bench.ts`). Those that are never taken in are overwritten by the next call.
   */
  stage(raw: Uint8Array, rawOffset: number, count: number): void {
    this.#staged = this.size + count
    while (this.#staged > this.#parents.length) this.#grow()
    this.#raw.set(raw.subarray(rawOffset, rawOffset + count * HEADER_SIZE), this.size * HEADER_SIZE)
  }

  /**
   * Takes in the next staged header, which was checked (see `acceptHeaders`), as a child of `parent`, and gives its number.
   *
   * @param hash 32 bytes at `hashOffset`, not yet in the tree
   * @param work what the header's own target stands for
   */
  append(hash: Uint8Array, hashOffset: number, parent: number, work: bigint): number {
    assert(this.size < this.#staged, "a header is appended that was not staged")
    const header = this.#index.add(hash, hashOffset)
    this.#link(header, parent, this.height(parent) + 1)
    this.#addWork(header, parent, work)
    if (this.compareWork(header, this.#best) > 0) this.#best = header
    return header
  }

  #link(header: number, parent: number, height: number): void {
    this.#parents[header] = parent
    this.#heights[header] = height
    const skipHeight = skipHeightOf(height)
    this.#skips[header] = parent < 0 || skipHeight < this.#base.height ? parent : this.ancestor(parent, skipHeight)
  }

  #addWork(header: number, parent: number, work: bigint): void {
    if (work !== this.#increment.work) this.#increment = { work, words: workWords(work) }
    const { words } = this.#increment
    let carry = 0
    for (let i = WORK_WORDS - 1; i >= 0; i--) {
      const sum = (this.#works[WORK_WORDS * parent + i] as number) + (words[i] as number) + carry
      this.#works[WORK_WORDS * header + i] = sum
      carry = sum > 0xffffffff ? 1 : 0
    }
  }

  #grow(): void {
    const capacity = 2 * this.#parents.length
    this.#raw = widened(this.#raw, new Uint8Array(capacity * HEADER_SIZE))
    this.#view = new DataView(this.#raw.buffer)
    this.#parents = widened(this.#parents, new Int32Array(capacity))
    this.#skips = widened(this.#skips, new Int32Array(capacity))
    this.#heights = widened(this.#heights, new Int32Array(capacity))
    this.#works = widened(this.#works, new Uint32Array(capacity * WORK_WORDS))
  }
}

const widened = <A extends Uint8Array | Int32Array | Uint32Array>(from: A, into: A): A => {
  into.set(from)
  return into
}

/** A chain's work as four words. Work above 2^128 would take every miner on earth longer than the sun has. */
const workWords = (work: bigint): Uint32Array => {
  const words = new Uint32Array(WORK_WORDS)
  for (let i = 0; i < WORK_WORDS; i++) words[i] = Number((work >> BigInt(32 * (WORK_WORDS - 1 - i))) & 0xffffffffn)
  return words
}

/** Eighty bytes that stand for a base known by its hash: only its bits are true. */
const placeholder = (base: TreeBase): Uint8Array => {
  const raw = new Uint8Array(HEADER_SIZE)
  new DataView(raw.buffer).setUint32(HEADER_BITS, base.bits, true)
  raw.fill(0, HEADER_PREVIOUS, HEADER_PREVIOUS + 32)
  return raw
}

/** To which height the skip of a header leads (Core 28.1 `chain.cpp`, `GetSkipHeight`): any ancestor in about 2 log n steps. */
const skipHeightOf = (height: number): number => {
  if (height < 2) return 0
  const withoutLowestBit = (n: number): number => n & (n - 1)
  return (height & 1) === 1 ? withoutLowestBit(withoutLowestBit(height - 1)) + 1 : withoutLowestBit(height)
}
