/**
 * A tree of headers for tests, without proof of work and without rules: a header is its number, its hash is made of that, and a block of it is
 * as many bytes as a test likes.
 */
import type { PeriodFirst } from "@satwire/consensus"
import { type BlockHash, BlockView, type ChainParams, regtest } from "@satwire/primitives"
import type { HeaderLookup } from "../src/index.ts"

interface Row {
  readonly parent: number
  readonly jump: number
  readonly height: number
  readonly time: number
  readonly work: bigint
  isInvalid: boolean
}

const firstWord = (number: number): number => Math.imul(number + 1, 0x9e3779b1) >>> 0

export const hashOf = (number: number): BlockHash => {
  const hash = new Uint8Array(32)
  new DataView(hash.buffer).setUint32(0, firstWord(number))
  new DataView(hash.buffer).setUint32(28, number)
  return hash as BlockHash
}

const HEADER = 80
const SPACING = 600

export class TestTree implements HeaderLookup {
  readonly params: ChainParams
  readonly #rows: Array<Row> = []
  best = 0

  constructor(params: ChainParams = regtest) {
    this.params = params
    this.#push({ parent: -1, jump: 0, height: 0, time: params.genesis.time, work: 2n, isInvalid: false })
  }

  /** Adds `count` headers on top of one another, each a spacing after its parent and of the work given. Gives the last. */
  grow(parent: number, count: number, { work = 2n, time }: { work?: bigint; time?: number } = {}): number {
    let at = parent
    for (let i = 0; i < count; i++) {
      const before = this.#row(at)
      const near = this.#row(before.jump)
      const isEven = before.height - near.height === near.height - this.#row(near.jump).height
      at = this.#push({
        parent: at,
        jump: isEven ? near.jump : at,
        height: before.height + 1,
        time: time ?? before.time + SPACING,
        work: before.work + work,
        isInvalid: !this.isValid(at)
      })
      if (this.isValid(at) && this.compareWork(at, this.best) > 0) this.best = at
    }
    return at
  }

  invalidate(header: number): void {
    for (let at = header; at < this.size; at++) {
      if (at === header || this.#row(this.#row(at).parent).isInvalid) this.#row(at).isInvalid = true
    }
    this.#choose()
  }

  reconsider(): void {
    for (const row of this.#rows) row.isInvalid = false
    this.#choose()
  }

  #choose(): void {
    this.best = 0
    for (let at = 0; at < this.size; at++) if (this.isValid(at) && this.compareWork(at, this.best) > 0) this.best = at
  }

  /** A block of the header with this number, or of none that is there yet, on the parent given. */
  block(number: number, sizeBytes: number = HEADER + 1, parent: number = this.#rows[number]?.parent ?? -1): BlockView {
    const bytes = new Uint8Array(sizeBytes)
    bytes.set(hashOf(parent), 4)
    new DataView(bytes.buffer).setUint32(HEADER - 4, number)
    return new BlockView(bytes, HEADER + 1, new Uint32Array(0))
  }

  get size(): number {
    return this.#rows.length
  }
  find(hash: Uint8Array, offset: number = 0): number {
    const view = new DataView(hash.buffer, hash.byteOffset + offset)
    const number = view.getUint32(28)
    return number < this.size && view.getUint32(0) === firstWord(number) ? number : -1
  }
  hash(header: number): BlockHash {
    return hashOf(header)
  }
  height(header: number): number {
    return this.#row(header).height
  }
  parent(header: number): number {
    return this.#row(header).parent
  }
  time(header: number): number {
    return this.#row(header).time
  }
  version(): number {
    return 4
  }
  bits(): number {
    return 0x207fffff
  }
  periodFirst(): PeriodFirst {
    return { time: this.time(0), bits: this.bits() }
  }
  chainWork(header: number): bigint {
    return this.#row(header).work
  }
  compareWork(a: number, b: number): number {
    return Number(this.chainWork(a) - this.chainWork(b))
  }
  isValid(header: number): boolean {
    return !this.#row(header).isInvalid
  }
  ancestor(header: number, height: number): number {
    let at = header
    if (height < 0 || height > this.height(at)) return -1
    while (this.height(at) > height) {
      const { jump, parent } = this.#row(at)
      at = this.height(jump) >= height ? jump : parent
    }
    return at
  }
  isAncestor(before: number, header: number): boolean {
    return this.ancestor(header, this.height(before)) === before
  }
  fork(a: number, b: number): number {
    let height = Math.min(this.height(a), this.height(b))
    let [left, right] = [this.ancestor(a, height), this.ancestor(b, height)]
    while (left !== right) {
      const [leftJump, rightJump] = [this.#row(left).jump, this.#row(right).jump]
      const isFar = leftJump !== rightJump
      left = isFar ? leftJump : this.parent(left)
      right = isFar ? rightJump : this.parent(right)
      height -= 1
    }
    return left
  }

  #row(header: number): Row {
    const row = this.#rows[header]
    if (row === undefined) throw new RangeError(`no header ${header}`)
    return row
  }

  #push(row: Row): number {
    this.#rows.push(row)
    return this.size - 1
  }
}
