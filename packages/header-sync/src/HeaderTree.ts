/**
 * Every header that is known, in columns of flat memory: a tree rooted in genesis, or in a base somewhere up the chain. A header is
 * named by its number, counted in the order of acceptance; a parent's number is always smaller than its children's.
 *
 * ```
 *   number          0        1        2       …
 *   hashes   32 B   ███████  ███████  ███████        also the set that finds a hash (HashIndex)
 *   rows     80 B   ███████  ███████  ███████
 *     links    16     parent, jump, height, state    a jump is one further ancestor, so that any is found in O(log n)
 *     work     16     of the chain, four words, most significant first
 *     fields   48     as it came but for the parent's hash, which stands with the parent
 * ```
 *
 * It holds only what passed every rule of consensus. It does not choose peers, keep files or know blocks.
 */
import { WordColumn, equals, wireWord } from "@satwire/bytes"
import type { ChainView, PeriodFirst } from "@satwire/consensus"
import {
  type BlockHash,
  type ChainParams,
  HEADER_SIZE,
  HashIndex,
  genesisHeader,
  headerHash,
  retargetPeriod,
  workFromBits,
  type HeaderPoint
} from "@satwire/primitives"
import type { Sha256 } from "@satwire/crypto"
import type { Random } from "@satwire/machine"

import { type TreeBase, checkBase } from "./TreeBase.ts"

const WORK_WORDS = 4

/** A raw header in words: its version, its parent's hash, and the rest. */
export const RAW_WORDS: number = HEADER_SIZE / 4
const HASH_WORDS = 8
const FIELD_WORDS: number = RAW_WORDS - HASH_WORDS
/** Words of a row. */
const PARENT = 0
const JUMP = 1
const HEIGHT = 2
const STATE = 3
const WORK = 4
const FIELDS = 8
const VERSION: number = FIELDS
const TIME: number = FIELDS + 9
const BITS: number = FIELDS + 10
const ROW_WORDS: number = FIELDS + FIELD_WORDS

/** Said to be invalid itself; or after one that is. */
const INVALID = 1
const AFTER_INVALID = 2

/** Raw headers and their hashes, as words of memory in the order of their bytes. */
export interface RunWords {
  readonly raw: Int32Array
  readonly hashes: Int32Array
}

/** What is known of a chain that ends: whether it is the best, may yet become so, or was said to be invalid. */
export type TipStatus = "active" | "headers-only" | "invalid"

/** A header that no other follows, as in Core's `getchaintips`. */
export interface ChainTip {
  readonly header: number
  readonly height: number
  readonly hash: BlockHash
  /** How many headers lie between it and the best chain. */
  readonly branchLength: number
  readonly status: TipStatus
}

export class HeaderTree implements ChainView {
  readonly params: ChainParams
  readonly #index: HashIndex
  readonly #period: number
  readonly #base: TreeBase
  /** Hashes that our user trusts, by height. */
  readonly #trusted: ReadonlyMap<number, BlockHash>
  readonly #rows: WordColumn = new WordColumn(ROW_WORDS)
  /** The work of one header, as words: the last that was asked for, because consecutive headers have the same. */
  #increment: { readonly work: bigint; readonly words: Int32Array } = { work: 0n, words: new Int32Array(WORK_WORDS) }
  #size = 1
  #best = 0

  private constructor(params: ChainParams, base: TreeBase, random: Random, trusted: ReadonlyArray<HeaderPoint>) {
    this.params = params
    this.#trusted = new Map(trusted.map(({ height, hash }) => [height, hash]))
    this.#period = retargetPeriod(params)
    this.#base = base
    this.#index = new HashIndex(random)
    this.#index.add(base.hash)
    const row = this.#rows.chunk(0)
    row[PARENT] = -1
    row[HEIGHT] = base.height
    row.set(workWords(base.chainWork), WORK)
    setFields(row, FIELDS, wordsOf(base.header ?? placeholder(base)), 0)
  }

  /**
   * A tree that begins with the network's first header.
   *
   * @param trusted headers that our user trusts: none of their heights is ever taken with another hash
   */
  static fromGenesis(params: ChainParams, random: Random, trusted: ReadonlyArray<HeaderPoint> = []): HeaderTree {
    const { bits, time } = params.genesis
    const header = genesisHeader(params)
    const chainWork = workFromBits(bits)
    return new HeaderTree(
      params,
      { height: 0, hash: params.genesisHash, bits, chainWork, periodFirstTime: time, header },
      random,
      trusted
    )
  }

  /**
   * A tree that begins in mid-chain, for tests, snapshots and light clients. Of a base known by its hash alone the median time is not
   * known until eleven headers follow it, so that rule is enforced from the twelfth on.
   *
   * @throws RangeError where the base lacks what the first header after it will be judged by
   */
  static fromBase(
    params: ChainParams,
    base: TreeBase,
    sha256: Sha256,
    random: Random,
    trusted: ReadonlyArray<HeaderPoint> = []
  ): HeaderTree {
    checkBase(params, base, (raw) => headerHash(sha256, raw))
    return new HeaderTree(params, base, random, trusted)
  }

  /** How many headers it holds, the base included. */
  get size(): number {
    return this.#size
  }

  /** The memory that it has taken, in bytes. */
  get bytes(): number {
    return this.#index.bytes + this.#rows.bytes
  }

  /** The header of most chain work of those that are not invalid; of several, the one that was accepted first. */
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
    return this.#rows.get(header, HEIGHT)
  }

  version(header: number): number {
    return wireWord(this.#rows.get(header, VERSION))
  }

  time(header: number): number {
    return header === 0 && this.#base.header === undefined ? -1 : wireWord(this.#rows.get(header, TIME)) >>> 0
  }

  bits(header: number): number {
    return wireWord(this.#rows.get(header, BITS)) >>> 0
  }

  parent(header: number): number {
    return this.#rows.get(header, PARENT)
  }

  ancestor(header: number, height: number): number {
    let at = header
    let atHeight = this.height(at)
    if (height > atHeight || height < this.#base.height) return -1
    while (atHeight > height) {
      const jump = this.#rows.get(at, JUMP)
      at = this.height(jump) >= height ? jump : this.parent(at)
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
    for (let i = 0; i < WORK_WORDS; i++) work = (work << 32n) | BigInt(this.#rows.get(header, WORK + i) >>> 0)
    return work
  }

  /** Negative, zero or positive as the chain of `a` has less, as much or more work than that of `b`. */
  compareWork(a: number, b: number): number {
    for (let i = 0; i < WORK_WORDS; i++) {
      const difference = (this.#rows.get(a, WORK + i) >>> 0) - (this.#rows.get(b, WORK + i) >>> 0)
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
      // Jumps of one height lead to one height: jump while they differ, step once they meet.
      const leftJump = this.#rows.get(left, JUMP)
      const rightJump = this.#rows.get(right, JUMP)
      const jumps = leftJump !== rightJump
      left = jumps ? leftJump : this.parent(left)
      right = jumps ? rightJump : this.parent(right)
    }
    return left
  }

  /** A copy of `count` raw headers, one after another, from number `first` on: the order of acceptance, not of a chain. */
  rawRange(first: number, count: number): Uint8Array {
    const raw = new Int32Array(count * RAW_WORDS)
    for (let i = 0; i < count; i++) this.#copyRaw(first + i, raw, i * RAW_WORDS)
    return new Uint8Array(raw.buffer)
  }

  /**
   * A copy of the raw headers of the chain of `tip` at the heights from `from` to `to`, both included, one after another. A base that is
   * known by its hash alone has no raw header: there `from` lies above it.
   */
  rawChain(tip: number, from: number, to: number): Uint8Array {
    const raw = new Int32Array((to - from + 1) * RAW_WORDS)
    let at = this.ancestor(tip, to)
    for (let height = to; height >= from; height--) {
      this.#copyRaw(at, raw, (height - from) * RAW_WORDS)
      at = this.parent(at)
    }
    return new Uint8Array(raw.buffer)
  }

  /**
   * Takes in headers of one chain, which were checked (see `acceptHeaders`), the first as a child of `parent`. Gives the number of the last.
   *
   * @param run raw headers and their hashes, of which those from `from` to before `to` are taken; that none is yet in the tree is its
   * caller's to know
   * @param work what the target of each of them stands for
   */
  append(run: RunWords, from: number, to: number, parent: number, work: bigint): number {
    if (from === to) return parent
    const rows = this.#rows
    const first = this.#size
    rows.reserve(first + to - from)
    this.#index.addMany(run.hashes, from * HASH_WORDS, to - from)
    const added = this.#wordsOfWork(work)
    const state = this.isValid(parent) ? 0 : AFTER_INVALID
    let before = parent
    let beforeRow = rows.chunk(parent)
    let beforeAt = rows.at(parent)
    for (let i = from; i < to; i++) {
      const header = first + i - from
      const row = rows.chunk(header)
      const at = rows.at(header)
      const height = beforeRow[beforeAt + HEIGHT] as number
      // A jump leads as far as those of the parent and of where that leads to do together, if they are of one length, and else to the
      // parent: any ancestor is found in about 3 log n steps (Myers 1983, "An applicative random-access stack"). The first header's leads
      // to itself, so that nobody has to ask.
      const near = beforeRow[beforeAt + JUMP] as number
      const nearHeight = this.height(near)
      const far = this.#rows.get(near, JUMP)
      row[at + PARENT] = before
      row[at + JUMP] = height - nearHeight === nearHeight - this.height(far) ? far : before
      row[at + HEIGHT] = height + 1
      row[at + STATE] = state
      addWork(beforeRow, beforeAt + WORK, added, row, at + WORK)
      setFields(row, at + FIELDS, run.raw, i * RAW_WORDS)
      before = header
      beforeRow = row
      beforeAt = at
    }
    this.#size += to - from
    if (state === 0 && this.compareWork(before, this.#best) > 0) this.#best = before
    return before
  }

  /** Whether another hash than the one at `offset` is trusted at this height. */
  isMistrusted(height: number, hash: Uint8Array, offset: number): boolean {
    const trusted = this.#trusted.size === 0 ? undefined : this.#trusted.get(height)
    return trusted !== undefined && !equals(trusted, hash.subarray(offset, offset + 32))
  }

  /** Says that all are invalid which are there with another hash than our user trusts at their height: of an earlier time, when he did not. */
  distrust(): void {
    for (let header = 1; header < this.#size && this.#trusted.size > 0; header++) {
      const trusted = this.#trusted.get(this.height(header))
      if (trusted !== undefined && this.isValid(header) && !equals(trusted, this.hash(header))) this.invalidate(header)
    }
  }

  /** Whether neither it nor one before it was said to be invalid. */
  isValid(header: number): boolean {
    return this.#rows.get(header, STATE) === 0
  }

  /**
   * Says that a header is invalid, and so all that follow it, now and later: none of them is the best any more (Core's `invalidateblock`).
   * It takes a look at each header that came after it.
   *
   * @throws RangeError for the header that the tree begins with
   */
  invalidate(header: number): void {
    if (header === 0) throw new RangeError("the first header of a tree cannot be invalid")
    const rows = this.#rows
    rows.set(header, STATE, rows.get(header, STATE) | INVALID)
    for (let later = header + 1; later < this.size; later++) {
      if (!this.isValid(this.parent(later))) rows.set(later, STATE, rows.get(later, STATE) | AFTER_INVALID)
    }
    this.#chooseBest()
  }

  /** Takes back that it, one before it or one after it is invalid (Core's `reconsiderblock`). */
  reconsider(header: number): void {
    const rows = this.#rows
    for (let before = header; before > 0; before = this.parent(before)) rows.set(before, STATE, 0)
    for (let later = 1; later < this.size; later++) {
      const after = this.isValid(this.parent(later)) ? 0 : AFTER_INVALID
      const state = rows.get(later, STATE)
      if (state === after) continue
      const own = this.isAncestor(header, later) ? 0 : state & INVALID
      rows.set(later, STATE, own | after)
    }
    this.#chooseBest()
  }

  /** Whether `before` is `header` or one of those before it. */
  isAncestor(before: number, header: number): boolean {
    const height = this.height(before)
    return height <= this.height(header) && this.ancestor(header, height) === before
  }

  /** Every header that no other follows, the best first and then the others in the order of their acceptance. */
  tips(): ReadonlyArray<ChainTip> {
    const isParent = new Uint8Array(this.size)
    for (let header = 1; header < this.size; header++) isParent[this.parent(header)] = 1
    const tips: Array<ChainTip> = [this.#tip(this.#best)]
    for (let header = 0; header < this.size; header++) {
      if (isParent[header] === 0 && header !== this.#best) tips.push(this.#tip(header))
    }
    return tips
  }

  #tip(header: number): ChainTip {
    const height = this.height(header)
    const status = header === this.#best ? "active" : this.isValid(header) ? "headers-only" : "invalid"
    const branchLength = height - this.height(this.fork(this.#best, header))
    return { header, height, hash: this.hash(header), branchLength, status }
  }

  #chooseBest(): void {
    let best = 0
    for (let header = 1; header < this.size; header++) {
      if (this.isValid(header) && this.compareWork(header, best) > 0) best = header
    }
    this.#best = best
  }

  #copyRaw(header: number, into: Int32Array, at: number): void {
    const chunk = this.#rows.chunk(header)
    const row = this.#rows.at(header)
    into[at] = chunk[row + VERSION] as number
    if (header > 0) this.#index.copyTo(this.parent(header), into, at + 1)
    else into.set(wordsOf(this.#base.header ?? placeholder(this.#base)).subarray(1, 1 + HASH_WORDS), at + 1)
    for (let i = 1; i < FIELD_WORDS; i++) into[at + HASH_WORDS + i] = chunk[row + FIELDS + i] as number
  }

  #wordsOfWork(work: bigint): Int32Array {
    if (work !== this.#increment.work) this.#increment = { work, words: workWords(work) }
    return this.#increment.words
  }
}

/** What of a raw header stands in a row: all but the parent's hash. */
const setFields = (into: Int32Array, at: number, raw: Int32Array, rawAt: number): void => {
  into[at] = raw[rawAt] as number
  for (let i = 1; i < FIELD_WORDS; i++) into[at + i] = raw[rawAt + HASH_WORDS + i] as number
}

/** Adds two numbers of four words. */
const addWork = (from: Int32Array, fromAt: number, added: Int32Array, into: Int32Array, at: number): void => {
  let carry = 0
  for (let i = WORK_WORDS - 1; i >= 0; i--) {
    const sum = ((from[fromAt + i] as number) >>> 0) + ((added[i] as number) >>> 0) + carry
    into[at + i] = sum | 0
    carry = sum > 0xffffffff ? 1 : 0
  }
}

/** A chain's work as four words. Work above 2^128 would take every miner on earth longer than the sun has. */
const workWords = (work: bigint): Int32Array => {
  const words = new Int32Array(WORK_WORDS)
  for (let i = 0; i < WORK_WORDS; i++) words[i] = Number((work >> BigInt(32 * (WORK_WORDS - 1 - i))) & 0xffffffffn) | 0
  return words
}

/** A raw header as words, in memory of their own. */
const wordsOf = (raw: Uint8Array): Int32Array => new Int32Array(raw.slice().buffer)

/** Eighty bytes that stand for a base known by its hash: only its bits are true. */
const placeholder = (base: TreeBase): Uint8Array => {
  const raw = new Uint8Array(HEADER_SIZE)
  new DataView(raw.buffer).setUint32(HEADER_SIZE - 8, base.bits, true)
  return raw
}
