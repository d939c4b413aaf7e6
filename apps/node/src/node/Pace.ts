/** How fast something goes, over the last half minute, and how long the rest of it takes at that. */
import { counted } from "../Numbers.ts"

const WINDOW_MS = 30_000
/** Less than that says too little of what is to come. */
const LEAST_MS = 5000
/** After such a pause all begins anew: what was before says nothing of now. */
const PAUSE_MS = 10_000

interface Sample {
  readonly ms: number
  readonly done: number
}

export class Pace {
  readonly #samples: Array<Sample> = []

  /** So much is done at this instant, in any unit. */
  note(ms: number, done: number): void {
    const last = this.#samples.at(-1)
    if (last !== undefined && ms - last.ms > PAUSE_MS) this.restart()
    this.#samples.push({ ms, done })
    while (this.#samples.length > 0 && ms - (this.#samples[0] as Sample).ms > WINDOW_MS) this.#samples.shift()
  }

  /** Forgets what was before. */
  restart(): void {
    this.#samples.length = 0
  }

  /** In how many milliseconds so much more is done; `undefined` where that cannot be told yet, or nothing moves. */
  msFor(remaining: number): number | undefined {
    const [first] = this.#samples
    const last = this.#samples.at(-1)
    if (first === undefined || last === undefined || last.ms - first.ms < LEAST_MS) return undefined
    const done = last.done - first.done
    return done > 0 ? ((last.ms - first.ms) * remaining) / done : undefined
  }
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** `about 3 minutes left`: as exact as an estimate is; nothing where it is no use to anybody. */
export const leftInWords = (ms: number): string | undefined => {
  const seconds = 10 * Math.round(ms / 10_000)
  if (ms < 10_000) return "a few seconds left"
  if (seconds < 60) return `about ${seconds} seconds left`
  if (ms < HOUR_MS - MINUTE_MS / 2) return `about ${counted(Math.round(ms / MINUTE_MS), "minute")} left`
  if (ms < 2 * DAY_MS - HOUR_MS / 2) return `about ${counted(Math.round(ms / HOUR_MS), "hour")} left`
  return ms < 100 * DAY_MS ? `about ${counted(Math.round(ms / DAY_MS), "day")} left` : undefined
}

/** `, about 3 minutes left`, or nothing where that is not known. */
export const leftOf = (ms: number | undefined): string => {
  const words = ms === undefined ? undefined : leftInWords(ms)
  return words === undefined ? "" : `, ${words}`
}
