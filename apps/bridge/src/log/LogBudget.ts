/**
 * How many lines of a kind the log takes. What strangers can cause, any of them can cause a thousand times a second: beyond its budget a
 * kind of line is left out, and the first line of it after the minute says how many were.
 */

/**
 * @limit lines of one kind in the log of a bridge, a minute
 */
export const LINES_A_MINUTE = 120

const MINUTE_MS = 60_000

interface Spent {
  since: number
  lines: number
  leftOut: number
}

export class LogBudget {
  readonly #spent: Map<string, Spent> = new Map()

  /** Whether a line of this kind is to be written now, and how many of them were left out before it. */
  take(kind: string, nowMs: number): { readonly leftOut: number } | undefined {
    let spent = this.#spent.get(kind)
    if (spent === undefined || nowMs - spent.since >= MINUTE_MS) {
      const leftOut = spent?.leftOut ?? 0
      spent = { since: nowMs, lines: 1, leftOut: 0 }
      this.#spent.set(kind, spent)
      return { leftOut }
    }
    if (spent.lines === LINES_A_MINUTE) {
      spent.leftOut++
      return undefined
    }
    spent.lines++
    return { leftOut: 0 }
  }
}
