/**
 * Median time past: the median of the times of a header and its ten ancestors. It only grows along a chain, so it is the clock of
 * consensus (BIP-0113 and the rule "time-too-old").
 *
 * Source: Bitcoin Core 28.1 `chain.h` (`GetMedianTimePast`, `nMedianTimeSpan`).
 */
import type { ChainView } from "./ChainView.ts"

export const MEDIAN_TIME_SPAN = 11

/** Reused: nothing here is re-entrant. */
const window = new Uint32Array(MEDIAN_TIME_SPAN)

/**
 * The median time past at `header`. Near genesis fewer than eleven times count. `undefined` where some of the eleven are not known,
 * which is only so in a tree that starts in mid-chain, for its first eleven headers.
 */
export const medianTimePast = (view: ChainView, header: number): number | undefined => {
  let count = 0
  let at = header
  for (; count < MEDIAN_TIME_SPAN && at >= 0; at = view.parent(at)) {
    const time = view.time(at)
    if (time < 0) return undefined
    // Insertion keeps the window sorted: eleven numbers, nearly in order already.
    let place = count
    for (; place > 0 && (window[place - 1] as number) > time; place--) window[place] = window[place - 1] as number
    window[place] = time
    count += 1
  }
  if (count < MEDIAN_TIME_SPAN && view.height(header) + 1 !== count) return undefined
  return window[count >>> 1] as number
}
