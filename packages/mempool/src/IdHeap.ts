/** Numbers in a binary heap that knows where each stands, so that one of hundreds of thousands moves or leaves in logarithmic time. */
import { widened } from "./Column.ts"

const FIRST = 64

export class IdHeap {
  readonly #isBefore: (a: number, b: number) => boolean
  #heap: Int32Array = new Int32Array(FIRST)
  /** Of each number, where it stands + 1; 0 of one that does not. */
  #places: Int32Array = new Int32Array(FIRST)
  #size = 0

  /** @param isBefore whether one is to come out before the other; what it goes by changes only with {@link moved} */
  constructor(isBefore: (a: number, b: number) => boolean) {
    this.#isBefore = isBefore
  }

  get size(): number {
    return this.#size
  }

  /** The number that comes out next, or -1. */
  get first(): number {
    return this.#size === 0 ? -1 : (this.#heap[0] as number)
  }

  has(id: number): boolean {
    return id < this.#places.length && this.#places[id] !== 0
  }

  add(id: number): void {
    if (this.#size === this.#heap.length) this.#heap = widened(new Int32Array(2 * this.#size), this.#heap)
    if (id >= this.#places.length) this.#places = widened(new Int32Array(2 * id), this.#places)
    this.#put(this.#size++, id)
    this.#up(this.#size - 1)
  }

  /** As {@link add} for each, into an empty heap and in linear time. */
  fill(ids: Int32Array): void {
    this.#heap = Int32Array.from(ids)
    this.#size = ids.length
    let most = 0
    for (const id of ids) most = Math.max(most, id)
    this.#places = new Int32Array(most + 1)
    ids.forEach((id, place) => this.#put(place, id))
    for (let place = (ids.length >> 1) - 1; place >= 0; place--) this.#down(place)
  }

  /** What the order of this one goes by has changed. */
  moved(id: number): void {
    const place = (this.#places[id] as number) - 1
    this.#up(place)
    this.#down((this.#places[id] as number) - 1)
  }

  delete(id: number): void {
    const place = (this.#places[id] as number) - 1
    this.#places[id] = 0
    const last = this.#heap[--this.#size] as number
    if (place === this.#size) return
    this.#put(place, last)
    this.moved(last)
  }

  #up(from: number): void {
    const id = this.#heap[from] as number
    let place = from
    while (place > 0) {
      const above = this.#heap[(place - 1) >> 1] as number
      if (!this.#isBefore(id, above)) break
      this.#put(place, above)
      place = (place - 1) >> 1
    }
    this.#put(place, id)
  }

  #down(from: number): void {
    const id = this.#heap[from] as number
    let place = from
    for (;;) {
      let below = 2 * place + 1
      if (below >= this.#size) break
      if (below + 1 < this.#size && this.#isBefore(this.#heap[below + 1] as number, this.#heap[below] as number))
        below++
      const next = this.#heap[below] as number
      if (!this.#isBefore(next, id)) break
      this.#put(place, next)
      place = below
    }
    this.#put(place, id)
  }

  #put(place: number, id: number): void {
    this.#heap[place] = id
    this.#places[id] = place + 1
  }
}
