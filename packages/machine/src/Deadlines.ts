/**
 * Deadlines of many keys, one each: thousands of peers that each want a ping some time. The earliest is at hand in O(1), setting one
 * costs O(log n) (a binary heap that knows where each key stands). For a handful of names `Timers` is simpler.
 */
import type { Instant } from "./Time.ts"

/** What of a map is needed. */
type Places<Key> = Pick<Map<Key, number>, "get" | "delete"> & { set(key: Key, place: number): unknown }

export class Deadlines<Key> {
  readonly #keys: Array<Key> = []
  readonly #instants: Array<Instant> = []
  readonly #places: Places<Key>

  /** @param places where it keeps which key stands where: for many keys that are ids, an `IdMap` */
  constructor(places: Places<Key> = new Map<Key, number>()) {
    this.#places = places
  }

  /** How many keys have a deadline. */
  get size(): number {
    return this.#keys.length
  }

  /** The deadline of `key`, if it has one. */
  get(key: Key): Instant | undefined {
    const place = this.#places.get(key)
    return place === undefined ? undefined : this.#instants[place]
  }

  /** Sets, moves or (with `undefined`) forgets the deadline of `key`. */
  set(key: Key, instant: Instant | undefined): void {
    const place = this.#places.get(key)
    if (instant === undefined) {
      if (place !== undefined) this.#remove(place)
      return
    }
    if (place === undefined) {
      this.#keys.push(key)
      this.#instants.push(instant)
      this.#places.set(key, this.#keys.length - 1)
      this.#up(this.#keys.length - 1)
      return
    }
    const before = this.#instants[place] as Instant
    this.#instants[place] = instant
    if (instant < before) this.#up(place)
    else if (instant > before) this.#down(place)
  }

  /** The earliest deadline there is. */
  earliest(): Instant | undefined {
    return this.#instants[0]
  }

  /** The key whose deadline is the earliest and not after `instant`; it is forgotten, so that each is answered once. */
  takeDue(instant: Instant): Key | undefined {
    const first = this.#instants[0]
    if (first === undefined || first > instant) return undefined
    const key = this.#keys[0] as Key
    this.#remove(0)
    return key
  }

  #remove(place: number): void {
    const last = this.#keys.length - 1
    this.#swap(place, last)
    this.#places.delete(this.#keys.pop() as Key)
    this.#instants.pop()
    if (place < last) {
      this.#up(place)
      this.#down(place)
    }
  }

  #up(from: number): void {
    let place = from
    while (place > 0) {
      const above = (place - 1) >> 1
      if ((this.#instants[above] as Instant) <= (this.#instants[place] as Instant)) return
      this.#swap(place, above)
      place = above
    }
  }

  #down(from: number): void {
    let place = from
    for (;;) {
      const left = 2 * place + 1
      const right = left + 1
      let least = place
      if (left < this.#keys.length && (this.#instants[left] as Instant) < (this.#instants[least] as Instant))
        least = left
      if (right < this.#keys.length && (this.#instants[right] as Instant) < (this.#instants[least] as Instant))
        least = right
      if (least === place) return
      this.#swap(place, least)
      place = least
    }
  }

  #swap(a: number, b: number): void {
    const aKey = this.#keys[a] as Key
    const bKey = this.#keys[b] as Key
    const instant = this.#instants[a] as Instant
    this.#keys[a] = bKey
    this.#keys[b] = aKey
    this.#instants[a] = this.#instants[b] as Instant
    this.#instants[b] = instant
    this.#places.set(bKey, a)
    this.#places.set(aKey, b)
  }
}
