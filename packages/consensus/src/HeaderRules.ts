/**
 * What a header must satisfy beyond its own proof of work, given its parent. Faults carry Bitcoin Core's names.
 *
 * Source: Bitcoin Core 28.1 `validation.cpp` (`ContextualCheckBlockHeader`), BIP-0034, BIP-0065, BIP-0066, BIP-0094.
 */
import { type ChainParams, retargetPeriod } from "@satwire/primitives"
import type { ChainView } from "./ChainView.ts"
import { TimeWindow } from "./MedianTime.ts"
import { type RetargetPosition, dueBits, positionOf } from "./Retarget.ts"

/**
 * Seconds by which a header may be ahead of our clock (Core `chain.h`).
 *
 * @limit seconds a header may be ahead of the clock
 */
export const MAX_FUTURE_BLOCK_TIME: number = 2 * 60 * 60
/** Seconds by which the first header of a period may be behind its parent under BIP-0094. */
export const MAX_TIMEWARP = 600

export type HeaderFault =
  /** The hash does not meet the claimed target, or the target is none that the network allows. */
  | "high-hash"
  /** The claimed target is not the one due. */
  | "bad-diffbits"
  /** Not later than the median time past of its parent. */
  | "time-too-old"
  /** The first of a period, more than ten minutes before its parent (BIP-0094). */
  | "time-timewarp-attack"
  /** More than two hours ahead of our clock. It may become valid, so it costs the peer nothing. */
  | "time-too-new"
  /** A version that was retired at this height. */
  | "bad-version"

/**
 * The rules along one chain, header by header. What they need of the headers before is looked up once, where a chain begins to be judged, and
 * carried along from there: a run of 2,000 asks its view for a dozen headers and not for 20,000.
 */
export class HeaderRules {
  readonly #params: ChainParams
  readonly #view: ChainView
  readonly #period: number
  readonly #times: TimeWindow = new TimeWindow()
  /** Of the last header. */
  #height = 0
  #at: RetargetPosition = { time: 0, bits: 0, firstTime: 0, firstBits: 0, left: 0 }

  constructor(params: ChainParams, view: ChainView) {
    this.#params = params
    this.#view = view
    this.#period = retargetPeriod(params)
  }

  /** Begins behind `parent`. */
  begin(parent: number): void {
    this.#height = this.#view.height(parent)
    this.#at = positionOf(this.#params, this.#view, parent)
    this.#times.begin(this.#view, parent)
  }

  /**
   * The first rule that the next header breaks if it has these fields, or `undefined`. Proof of work is judged apart (`ProofOfWork`),
   * because it needs no parent.
   *
   * @param unix our clock in seconds since 1970; `Infinity` where the header was once accepted and so is not too new
   */
  fault(version: number, time: number, bits: number, unix: number): HeaderFault | undefined {
    const params = this.#params
    const at = this.#at
    if (bits !== dueBits(params, at, time)) return "bad-diffbits"
    if (!this.#times.isBefore(time)) return "time-too-old"
    if (params.enforceBip94 && at.left === 0 && time < at.time - MAX_TIMEWARP) return "time-timewarp-attack"
    if (time > unix + MAX_FUTURE_BLOCK_TIME) return "time-too-new"
    if (version < minimumVersion(params, this.#height + 1)) return "bad-version"
    return undefined
  }

  /** The chain goes on with such a header. */
  pass(time: number, bits: number): void {
    const at = this.#at
    this.#height += 1
    this.#times.push(time)
    at.time = time
    at.bits = bits
    if (at.left > 0) {
      at.left -= 1
      return
    }
    at.firstTime = time
    at.firstBits = bits
    at.left = this.#period - 1
  }
}

/** The first rule that a header with these fields breaks as a child of `parent`, or `undefined`: {@link HeaderRules} for one alone. */
export const headerFault = (
  params: ChainParams,
  view: ChainView,
  parent: number,
  { bits, time, version }: { readonly version: number; readonly time: number; readonly bits: number },
  unix: number
): HeaderFault | undefined => {
  const rules = new HeaderRules(params, view)
  rules.begin(parent)
  return rules.fault(version, time, bits, unix)
}

/** The least version that a header may have at a height: 2 by BIP-0034, 3 by BIP-0066, 4 by BIP-0065. Before, any will do. */
export const minimumVersion = (params: ChainParams, height: number): number =>
  height >= params.bip65Height ? 4 : height >= params.bip66Height ? 3 : height >= params.bip34Height ? 2 : -0x8000_0000
