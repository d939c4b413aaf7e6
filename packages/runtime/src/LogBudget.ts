/**
 * How much of a log each kind of line may fill: what strangers can cause, any stranger can cause a thousand times a second. What is beyond its
 * budget is left out, and counted for the next line of its kind that is not.
 */

export interface LogBudgetOptions {
  /** What the lines of one kind may cost together within a period. The line that reaches it is the last. */
  readonly most: number
  readonly periodMs: number
}

/**
 * Kinds beyond these share one budget: a kind may be made of what a stranger said.
 *
 * @limit kinds of log lines that have a budget of their own
 */
export const LOG_KINDS = 1024

interface Spent {
  since: number
  cost: number
  leftOut: number
}

export class LogBudget {
  readonly #options: LogBudgetOptions
  readonly #spent: Map<string, Spent> = new Map()

  constructor(options: LogBudgetOptions) {
    this.#options = options
  }

  /** How many lines of this kind were left out before this one, or `undefined` where it is left out too. */
  ask(kind: string, cost: number, nowMs: number): number | undefined {
    const { most, periodMs } = this.#options
    const spent = this.#spentOn(kind, nowMs)
    if (nowMs - spent.since >= periodMs) {
      spent.since = nowMs
      spent.cost = 0
    }
    if (spent.cost >= most) {
      spent.leftOut += 1
      return undefined
    }
    spent.cost += cost
    const { leftOut } = spent
    spent.leftOut = 0
    return leftOut
  }

  #spentOn(kind: string, nowMs: number): Spent {
    const own = this.#spent.size < LOG_KINDS || this.#spent.has(kind) ? kind : ""
    let spent = this.#spent.get(own)
    if (spent === undefined) this.#spent.set(own, (spent = { since: nowMs, cost: 0, leftOut: 0 }))
    return spent
  }
}
