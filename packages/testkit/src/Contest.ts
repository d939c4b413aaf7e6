/**
 * Which of several ways is the faster one, measured side by side: every round runs each contender once for a short while, in turn, so
 * that whatever else the machine does meanwhile falls on all of them. Trust the ratios more than the figures.
 */
import process from "node:process"

export interface Contender {
  readonly name: string
  /** Does some work and tells how many units of it: hashes, lookups, bytes. */
  run(): number
}

export interface Score {
  readonly name: string
  /** Units of work in a second of this thread's CPU, where the runtime can tell it, or of wall clock: the median of the rounds. */
  readonly perSecond: number
  /** Its speed beside the first contender's: the median of the ratios of each round. */
  readonly ratio: number
}

export interface ContestOptions {
  readonly rounds?: number
  /** How long a contender runs in one round. */
  readonly roundMs?: number
}

/** Node since 23.9 tells a thread's own CPU by the microsecond, Deno 2.9 only by the ten milliseconds. */
const byCpu = typeof process.threadCpuUsage === "function" && !("deno" in process.versions)

const clockMs = (): number => {
  if (!byCpu) return performance.now()
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** What {@link contest} measures with, for the foot of a table. */
export const contestClock: string = byCpu ? "thread CPU" : "wall clock"

const median = (numbers: ReadonlyArray<number>): number => {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[sorted.length >>> 1] ?? 0
}

/** Runs over and over for `ms` and tells units of work per second. */
const speed = (contender: Contender, ms: number): number => {
  const start = clockMs()
  let units = 0
  let took = 0
  do {
    units += contender.run()
    took = clockMs() - start
  } while (took < ms)
  return (1000 * units) / took
}

/** Measures the contenders against each other; the first round warms up and does not count. */
export const contest = (contenders: ReadonlyArray<Contender>, options: ContestOptions = {}): ReadonlyArray<Score> => {
  const { rounds = 7, roundMs = 100 } = options
  const speeds = contenders.map((): Array<number> => [])
  for (let round = 0; round <= rounds; round++) {
    contenders.forEach((contender, i) => {
      const measured = speed(contender, roundMs)
      if (round > 0) speeds[i]?.push(measured)
    })
  }
  const first = speeds[0] ?? []
  return contenders.map(({ name }, i) => {
    const own = speeds[i] ?? []
    return { name, perSecond: median(own), ratio: median(own.map((value, round) => value / (first[round] ?? value))) }
  })
}
