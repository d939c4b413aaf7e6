/**
 * A small table of named deadlines. A machine sets and clears its own; the edge only ever asks for the earliest, so there is
 * nothing to cancel outside. Made for a handful of names per machine: finding the earliest is a scan, kept until the table changes.
 */
import type { Instant } from "./Time.ts"

export class Timers<Name extends string> {
  readonly #deadlines: Map<Name, Instant> = new Map()
  #earliest: Instant | undefined = undefined
  #stale = false

  /** Sets or moves the deadline of `name`. */
  set(name: Name, deadline: Instant): void {
    this.#deadlines.set(name, deadline)
    this.#stale = true
  }

  /** Forgets the deadline of `name`, if it has one. */
  clear(name: Name): void {
    if (this.#deadlines.delete(name)) this.#stale = true
  }

  /** Forgets every deadline. */
  clearAll(): void {
    this.#deadlines.clear()
    this.#stale = true
  }

  /** The deadline of `name`, or `undefined` when none is set. */
  get(name: Name): Instant | undefined {
    return this.#deadlines.get(name)
  }

  /** Whether `name` is due at `instant`; if so it is cleared, so that each deadline is answered once. */
  take(name: Name, instant: Instant): boolean {
    const deadline = this.#deadlines.get(name)
    if (deadline === undefined || deadline > instant) return false
    this.clear(name)
    return true
  }

  /** The earliest deadline in the table. */
  earliest(): Instant | undefined {
    if (this.#stale) {
      this.#earliest = undefined
      for (const deadline of this.#deadlines.values()) {
        if (this.#earliest === undefined || deadline < this.#earliest) this.#earliest = deadline
      }
      this.#stale = false
    }
    return this.#earliest
  }
}
