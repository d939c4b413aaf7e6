/**
 * Places in rows, each in one row at a time, at whose end it was put: as rings of numbers, so that a place leaves from anywhere in no time.
 *
 * ```
 *   next     │ row 0 │ row 1 │ … │ place 0 │ place 1 │ …     a row's own number stands between its last place and its first
 *   before   │ row 0 │ row 1 │ … │ place 0 │ place 1 │ …
 * ```
 */
export class Rows {
  readonly rows: number
  readonly #lengths: Int32Array
  #next: Int32Array = new Int32Array(0)
  #before: Int32Array = new Int32Array(0)
  #rowOf: Int32Array = new Int32Array(0)

  constructor(rows: number) {
    this.rows = rows
    this.#lengths = new Int32Array(rows)
    this.clear()
  }

  get bytes(): number {
    return this.#lengths.byteLength + this.#next.byteLength + this.#before.byteLength + this.#rowOf.byteLength
  }

  lengthOf(row: number): number {
    return this.#lengths[row] as number
  }

  rowOf(place: number): number {
    return this.#rowOf[place] as number
  }

  /** The place that is longest in the row, or -1. */
  first(row: number): number {
    const first = this.#next[row] as number
    return first === row ? -1 : first - this.rows
  }

  /** The longest of the rows below `count`. */
  longest(count: number): number {
    let longest = 0
    for (let row = 1; row < count; row++) if (this.lengthOf(row) > this.lengthOf(longest)) longest = row
    return longest
  }

  /** To the end of another row. */
  move(place: number, row: number): void {
    const at = this.rows + place
    const [before, next] = [this.#before[at] as number, this.#next[at] as number]
    this.#next[before] = next
    this.#before[next] = before
    const from = this.rowOf(place)
    this.#lengths[from] = this.lengthOf(from) - 1
    this.#put(place, row)
  }

  /** As many places, the new ones in `row`. */
  grow(places: number, row: number): void {
    const [next, before, rowOf] = [this.#next, this.#before, this.#rowOf]
    this.#next = new Int32Array(this.rows + places)
    this.#next.set(next)
    this.#before = new Int32Array(this.rows + places)
    this.#before.set(before)
    this.#rowOf = new Int32Array(places)
    this.#rowOf.set(rowOf)
    for (let place = rowOf.length; place < places; place++) this.#put(place, row)
  }

  /** No places are left. */
  clear(): void {
    this.#lengths.fill(0)
    this.#next = Int32Array.from({ length: this.rows }, (_, row) => row)
    this.#before = this.#next.slice()
    this.#rowOf = new Int32Array(0)
  }

  #put(place: number, row: number): void {
    const at = this.rows + place
    const last = this.#before[row] as number
    this.#next[last] = at
    this.#before[at] = last
    this.#next[at] = row
    this.#before[row] = at
    this.#rowOf[place] = row
    this.#lengths[row] = this.lengthOf(row) + 1
  }
}
