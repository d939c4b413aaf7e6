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
 * The median time past at `header`, in seconds since 1970. Near genesis fewer than eleven times count, and of an even number the later
 * of the two in the middle is taken. `undefined` where some of the eleven are not known, which is only so in a tree that starts in
 * mid-chain, for its first headers.
 */
export const medianTimePast = (view: ChainView, header: number): number | undefined => {
  let count = 0
  for (let at = header; count < MEDIAN_TIME_SPAN && at >= 0; at = view.parent(at)) {
    const time = view.time(at)
    if (time < 0) return undefined
    // Insertion keeps the window sorted: eleven numbers, nearly in order already.
    let place = count
    for (; place > 0 && (window[place - 1] as number) > time; place--) window[place] = window[place - 1] as number
    window[place] = time
    count += 1
  }
  return isWhole(view, header, count) ? window[count >>> 1] : undefined
}

/**
 * The last eleven times of a chain, which goes on header by header.
 *
 * Nothing is sorted: what is later than six of eleven times is later than their median, and the six latest headers settle it nearly
 * always. The rule costs a fifth of what it costs with `medianTimePast` (measured, `header-sync/bench/accept.bench.ts`).
 */
export class TimeWindow {
  /** A ring, of which the last is at `#next - 1`. */
  readonly #times: Uint32Array = new Uint32Array(RING)
  #next = 0
  /** How many times are known, back from the last one; at most eleven count. */
  #known = 0
  #isWhole = false

  /** Begins with the window that ends with `header`. */
  begin(view: ChainView, header: number): void {
    let count = 0
    let isKnown = true
    for (let at = header; count < MEDIAN_TIME_SPAN && at >= 0 && isKnown; at = view.parent(at)) {
      const time = view.time(at)
      isKnown = time >= 0
      if (!isKnown) break
      count += 1
      this.#times[MEDIAN_TIME_SPAN - count] = time
    }
    this.#next = MEDIAN_TIME_SPAN
    this.#known = count
    this.#isWhole = isKnown && isWhole(view, header, count)
  }

  /** The next header has this time. */
  push(time: number): void {
    this.#times[this.#next & (RING - 1)] = time
    this.#next += 1
    if (this.#known === MEDIAN_TIME_SPAN) return
    this.#known += 1
    if (this.#known === MEDIAN_TIME_SPAN) this.#isWhole = true
  }

  /** Whether the next header may claim `time`: it must be later than the median. Where that is not known, any time may be. */
  isBefore(time: number): boolean {
    let earlier = 0
    for (let back = 1; back <= this.#known; back++) {
      if ((this.#times[(this.#next - back) & (RING - 1)] as number) >= time) continue
      earlier += 1
      if (earlier > MEDIAN_TIME_SPAN >>> 1) return true
    }
    return !this.#isWhole || earlier > this.#known >>> 1
  }
}

/** The power of two that holds eleven. */
const RING = 16

/** Whether `count` times are all that a window ending with `header` has: eleven, or all since genesis. */
const isWhole = (view: ChainView, header: number, count: number): boolean =>
  count === MEDIAN_TIME_SPAN || view.height(header) + 1 === count
