/** How far the chain is, and how long the rest takes at the pace of the last half minute. */
import type { Sample, State } from "../Told.ts"

export interface Progress {
  readonly what: string
  readonly done: number
  readonly of: number
  /** Seconds, where that can be told. */
  readonly left: number | undefined
}

const WINDOW = 30
const LEAST_SAMPLES = 5
/** A tip that is not older counts as the present. */
const PRESENT_S = 3 * 3600

/** Steps in a second. */
const pace = (samples: ReadonlyArray<Sample>, read: (sample: Sample) => number | null): number => {
  const window = samples.slice(-WINDOW)
  const [first] = window
  const last = window.at(-1)
  if (first === undefined || last === undefined || window.length < LEAST_SAMPLES) return 0
  return (1000 * ((read(last) ?? 0) - (read(first) ?? 0))) / (last.unixMs - first.unixMs)
}

const progress = (what: string, done: number, of: number, perSecond: number): Progress => ({
  ...{ what, done, of },
  left: perSecond > 0 ? (of - done) / perSecond : undefined
})

/** What is under way; `undefined` where nothing is behind. */
export const syncProgress = (state: State, samples: ReadonlyArray<Sample>): Progress | undefined => {
  const { blocks, headers, isPublic, spacingSeconds, unixMs } = state
  if (headers === null) return undefined
  const [presyncing] = headers.presyncing
  const age = unixMs / 1000 - headers.time
  const behind = isPublic && headers.time > 0 && age > PRESENT_S ? Math.round(age / spacingSeconds) : 0
  if (presyncing !== undefined && presyncing.height > headers.height) {
    return progress(`headers (${presyncing.phase})`, presyncing.height, headers.height + behind, 0)
  }
  if (behind > 0) {
    return progress(
      "headers",
      headers.height,
      headers.height + behind,
      pace(samples, (sample) => sample.headers)
    )
  }
  if (blocks !== null && blocks.targetHeight - blocks.height > 1) {
    return progress(
      "blocks",
      blocks.height,
      blocks.targetHeight,
      pace(samples, (sample) => sample.blocks)
    )
  }
  return undefined
}
