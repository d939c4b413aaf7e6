/**
 * Who announced which transaction, one row for each pair of a peer and a hash, both by their numbers: columns of flat memory, a row used again
 * when it is free, and a table that finds the row of a pair. What the rows mean is the tracker's.
 */
import type { Random } from "@satwire/machine"
import { roomFor } from "./Chains.ts"

/** It may be asked for later. */
export const CANDIDATE_DELAYED = 0
/** It could be asked for, and another is better or is being asked. */
export const CANDIDATE_READY = 1
/** It is the one to be asked next. */
export const CANDIDATE_BEST = 2
/** It was asked for, and the answer has time until its deadline. */
export const REQUESTED = 3
/** It was answered, or its time is over: kept so that the same peer is not asked again. */
export const COMPLETED = 4

const FIRST_SLOTS = 64
const NO_SLOTS = new Int32Array(1)

export class Announcements {
  readonly #salt: number
  /** Rows + 1 by a mix of both numbers; 0 marks a free slot; at most three quarters are taken. */
  #slots: Int32Array = NO_SLOTS
  #peers: Int32Array = new Int32Array(0)
  #hashes: Int32Array = new Int32Array(0)
  #states: Uint8Array = new Uint8Array(0)
  /** Whether it was announced by wtxid. */
  #byWtxid: Uint8Array = new Uint8Array(0)
  /** The higher is asked first. */
  #priorities: Float64Array = new Float64Array(0)
  /** Counted up with each announcement. */
  #sequences: Float64Array = new Float64Array(0)
  #free: Array<number> = []
  #end = 0
  #size = 0
  #sequence = 0

  constructor(random: Random) {
    this.#salt = random.u32() | 0
  }

  get size(): number {
    return this.#size
  }

  /** The row of a pair, or -1. */
  find(peer: number, hash: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    for (let slot = this.#mix(peer, hash) & mask; ; slot = (slot + 1) & mask) {
      const row = (slots[slot] as number) - 1
      if (row < 0 || (this.#hashes[row] === hash && this.#peers[row] === peer)) return row
    }
  }

  /** A new row, delayed, for a pair that has none. */
  add(peer: number, hash: number, isWtxid: boolean, priority: number): number {
    if (this.#size === 0) this.#slots = new Int32Array(FIRST_SLOTS)
    else if (4 * (this.#size + 1) > 3 * this.#slots.length) this.#resize(2 * this.#slots.length)
    const row = this.#free.pop() ?? this.#end++
    if (row >= this.#states.length) this.#widen(row)
    this.#peers[row] = peer
    this.#hashes[row] = hash
    this.#states[row] = CANDIDATE_DELAYED
    this.#byWtxid[row] = isWtxid ? 1 : 0
    this.#priorities[row] = priority
    this.#sequences[row] = this.#sequence++
    this.#size += 1
    this.#place(row)
    return row
  }

  remove(row: number): void {
    this.#size -= 1
    if (this.#size === 0) return this.#clear()
    this.#close(row)
    this.#free.push(row)
    if (this.#slots.length > FIRST_SLOTS && 8 * this.#size < this.#slots.length) this.#resize(this.#slots.length / 2)
  }

  peer(row: number): number {
    return this.#peers[row] as number
  }

  hash(row: number): number {
    return this.#hashes[row] as number
  }

  isWtxid(row: number): boolean {
    return this.#byWtxid[row] === 1
  }

  priority(row: number): number {
    return this.#priorities[row] as number
  }

  sequence(row: number): number {
    return this.#sequences[row] as number
  }

  state(row: number): number {
    return this.#states[row] as number
  }

  setState(row: number, state: number): void {
    this.#states[row] = state
  }

  #mix(peer: number, hash: number): number {
    const a = Math.imul(hash ^ this.#salt, 0x9e3779b1)
    const b = Math.imul(a ^ (a >>> 15) ^ Math.imul(peer, 0x27d4eb2f), 0x85ebca77)
    return b ^ (b >>> 16)
  }

  #place(row: number): void {
    const slots = this.#slots
    const mask = slots.length - 1
    let slot = this.#mix(this.peer(row), this.hash(row)) & mask
    while (slots[slot] !== 0) slot = (slot + 1) & mask
    slots[slot] = row + 1
  }

  /** Frees the slot of a row, and moves up what would not be found behind it. */
  #close(row: number): void {
    const slots = this.#slots
    const mask = slots.length - 1
    let free = this.#mix(this.peer(row), this.hash(row)) & mask
    while (slots[free] !== row + 1) free = (free + 1) & mask
    for (let at = (free + 1) & mask; slots[at] !== 0; at = (at + 1) & mask) {
      const other = (slots[at] as number) - 1
      const home = this.#mix(this.peer(other), this.hash(other)) & mask
      // Whether the free slot lies between its home and where it is.
      if (((at - home) & mask) < ((at - free) & mask)) continue
      slots[free] = other + 1
      free = at
    }
    slots[free] = 0
  }

  #resize(length: number): void {
    const before = this.#slots
    this.#slots = new Int32Array(length)
    for (const taken of before) if (taken !== 0) this.#place(taken - 1)
  }

  #widen(row: number): void {
    this.#peers = roomFor(this.#peers, row)
    this.#hashes = roomFor(this.#hashes, row)
    const { length } = this.#peers
    const [states, byWtxid] = [new Uint8Array(length), new Uint8Array(length)]
    const [priorities, sequences] = [new Float64Array(length), new Float64Array(length)]
    states.set(this.#states)
    byWtxid.set(this.#byWtxid)
    priorities.set(this.#priorities)
    sequences.set(this.#sequences)
    this.#states = states
    this.#byWtxid = byWtxid
    this.#priorities = priorities
    this.#sequences = sequences
  }

  #clear(): void {
    this.#slots = NO_SLOTS
    this.#peers = new Int32Array(0)
    this.#hashes = new Int32Array(0)
    this.#states = new Uint8Array(0)
    this.#byWtxid = new Uint8Array(0)
    this.#priorities = new Float64Array(0)
    this.#sequences = new Float64Array(0)
    this.#free = []
    this.#end = 0
  }
}
