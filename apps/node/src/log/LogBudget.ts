/**
 * How much of the log each kind of event may fill. What peers can cause, any peer can cause a thousand times a second: beyond its budget a
 * kind of line is left out, and when its hour is over one line says how many were. Bitcoin Core does the same since 30.0 (CVE-2025-54604,
 * CVE-2025-54605).
 */
import type { LogLine } from "./LogLine.ts"

/**
 * Core's limit for one place in the code.
 *
 * @limit characters of log lines of one kind in an hour
 */
export const LOG_CHARACTERS_PER_HOUR: number = 1024 * 1024
const HOUR_MS = 60 * 60 * 1000

interface Spent {
  since: number
  characters: number
  leftOut: number
}

export class LogBudget {
  readonly #spent: Map<string, Spent> = new Map()

  /** The lines to write for `line` of this kind: itself, or nothing, and before it what the last hour left out. */
  lines(kind: string, line: LogLine, nowMs: number): ReadonlyArray<LogLine> {
    const spent = this.#spentOn(kind, nowMs)
    const leftOut = nowMs - spent.since >= HOUR_MS ? this.#renew(spent, nowMs) : 0
    const notice: ReadonlyArray<LogLine> =
      leftOut === 0 ? [] : [{ level: "Warn", text: `Left out ${leftOut} lines like the next one in the last hour.` }]
    if (spent.characters >= LOG_CHARACTERS_PER_HOUR) {
      spent.leftOut += 1
      return notice
    }
    spent.characters += line.text.length
    return [...notice, line]
  }

  #spentOn(kind: string, nowMs: number): Spent {
    let spent = this.#spent.get(kind)
    if (spent === undefined) this.#spent.set(kind, (spent = { since: nowMs, characters: 0, leftOut: 0 }))
    return spent
  }

  #renew(spent: Spent, nowMs: number): number {
    const { leftOut } = spent
    spent.since = nowMs
    spent.characters = 0
    spent.leftOut = 0
    return leftOut
  }
}
