/**
 * Lists of entries in no order, from which some are drawn at random without drawing one twice. An entry stands in one of them at most.
 */
import type { Random } from "@satwire/machine"
import { NONE } from "./BucketTable.ts"

export class EntryLists {
  readonly #lists: ReadonlyArray<{ items: Int32Array; length: number }>
  /** Where an entry stands in its list. */
  #at: Int32Array = new Int32Array(0)

  constructor(count: number) {
    this.#lists = Array.from({ length: count }, () => ({ items: new Int32Array(16), length: 0 }))
  }

  length(list: number): number {
    return this.#lists[list]?.length ?? 0
  }

  /** The nth entry of a list. */
  item(list: number, n: number): number {
    return this.#lists[list]?.items[n] ?? NONE
  }

  /** All of a list, in memory of its own. */
  items(list: number): Int32Array {
    return this.#lists[list]?.items.slice(0, this.length(list)) ?? new Int32Array(0)
  }

  add(list: number, entry: number): void {
    const to = this.#lists[list] as { items: Int32Array; length: number }
    if (to.length === to.items.length) to.items = doubled(to.items)
    while (entry >= this.#at.length) this.#at = doubled(this.#at)
    this.#at[entry] = to.length
    to.items[to.length++] = entry
  }

  remove(list: number, entry: number): void {
    const from = this.#lists[list] as { items: Int32Array; length: number }
    const last = from.items[--from.length] as number
    const at = this.#at[entry] as number
    from.items[at] = last
    this.#at[last] = at
  }

  /** Whether the entry stands in that list. */
  has(list: number, entry: number): boolean {
    const at = this.#at[entry] ?? 0
    return at < this.length(list) && this.item(list, at) === entry
  }

  /**
   * Draws at most `count` entries that are wanted, in random order, each as likely. While enough of them are wanted it looks at few: the
   * list is shuffled from its beginning, as far as it takes. Where many are not, the rest is sifted first, or every one would cost a draw.
   */
  sample(list: number, count: number, isWanted: (entry: number) => boolean, random: Random): Array<number> {
    const from = this.#lists[list] as { items: Int32Array; length: number }
    const drawn: Array<number> = []
    let n = 0
    for (const patience = Math.min(from.length, 2 * count); n < patience && drawn.length < count; n++) {
      this.#swap(from.items, n, n + random.below(from.length - n))
      const entry = from.items[n] as number
      if (isWanted(entry)) drawn.push(entry)
    }
    if (drawn.length === count || n === from.length) return drawn
    const rest: Array<number> = []
    for (; n < from.length; n++) if (isWanted(from.items[n] as number)) rest.push(from.items[n] as number)
    for (let i = 0; i < rest.length && drawn.length < count; i++) {
      const j = i + random.below(rest.length - i)
      drawn.push(rest[j] as number)
      rest[j] = rest[i] as number
    }
    return drawn
  }

  #swap(items: Int32Array, a: number, b: number): void {
    const swap = items[a] as number
    items[a] = items[b] as number
    items[b] = swap
    this.#at[items[a]] = a
    this.#at[swap] = b
  }
}

const doubled = (items: Int32Array): Int32Array => {
  const wider = new Int32Array(Math.max(16, 2 * items.length))
  wider.set(items)
  return wider
}
