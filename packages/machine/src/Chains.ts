/**
 * Numbered items in lists, each list an owner's and each item in at most one: two words an item and two an owner, in flat memory. Items keep
 * the order in which they were appended.
 */
const NONE = -1

export class Chains {
  #firsts: Int32Array = new Int32Array(0)
  #lasts: Int32Array = new Int32Array(0)
  #nexts: Int32Array = new Int32Array(0)
  #previous: Int32Array = new Int32Array(0)

  /** The first item of an owner, or -1. */
  first(owner: number): number {
    return this.#firsts[owner] ?? NONE
  }

  /** The item behind this one, or -1. */
  after(item: number): number {
    return this.#nexts[item] as number
  }

  append(owner: number, item: number): void {
    this.#firsts = roomFor(this.#firsts, owner)
    this.#lasts = roomFor(this.#lasts, owner)
    this.#nexts = roomFor(this.#nexts, item)
    this.#previous = roomFor(this.#previous, item)
    const last = this.#lasts[owner] as number
    this.#previous[item] = last
    this.#nexts[item] = NONE
    if (last === NONE) this.#firsts[owner] = item
    else this.#nexts[last] = item
    this.#lasts[owner] = item
  }

  /** Takes an item out of the list of its owner, in which it must be. */
  remove(owner: number, item: number): void {
    const next = this.#nexts[item] as number
    const previous = this.#previous[item] as number
    if (previous === NONE) this.#firsts[owner] = next
    else this.#nexts[previous] = next
    if (next === NONE) this.#lasts[owner] = previous
    else this.#previous[next] = previous
  }

  /** Gives all memory back; every list must be empty. */
  clear(): void {
    this.#firsts = new Int32Array(0)
    this.#lasts = new Int32Array(0)
    this.#nexts = new Int32Array(0)
    this.#previous = new Int32Array(0)
  }
}

/** The column, or a longer one in which there is room for `at`; new places hold -1. */
const roomFor = (column: Int32Array, at: number): Int32Array => {
  if (at < column.length) return column
  const wider = new Int32Array(Math.max(16, 2 * column.length, at + 1)).fill(NONE)
  wider.set(column)
  return wider
}
