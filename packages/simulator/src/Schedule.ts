/** What is to happen on the virtual clock: the earliest first, and what was scheduled first among those of one instant. */

interface Entry {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

export class Schedule {
  readonly #heap: Array<Entry> = []
  #order = 0

  /** How many events are to come. */
  get size(): number {
    return this.#heap.length
  }

  /** When the next event is, in virtual milliseconds. */
  get next(): number | undefined {
    return this.#heap[0]?.at
  }

  add(at: number, run: () => void): void {
    const heap = this.#heap
    const entry: Entry = { at, order: this.#order++, run }
    let place = heap.length
    heap.push(entry)
    while (place > 0) {
      const above = (place - 1) >> 1
      if (!before(entry, heap[above] as Entry)) break
      heap[place] = heap[above] as Entry
      place = above
    }
    heap[place] = entry
  }

  /** Takes the next event out, or gives `undefined` when there is none. */
  take(): Entry | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let place = 0
    for (;;) {
      const left = 2 * place + 1
      if (left >= heap.length) break
      const right = left + 1
      const child = right < heap.length && before(heap[right] as Entry, heap[left] as Entry) ? right : left
      if (!before(heap[child] as Entry, last)) break
      heap[place] = heap[child] as Entry
      place = child
    }
    heap[place] = last
    return first
  }
}

const before = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)
