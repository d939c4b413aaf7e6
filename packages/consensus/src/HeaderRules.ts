/**
 * What a header must satisfy beyond its own proof of work, given its parent. Faults carry Bitcoin Core's names.
 *
 * Source: Bitcoin Core 28.1 `validation.cpp` (`ContextualCheckBlockHeader`), BIP-0034, BIP-0065, BIP-0066, BIP-0094.
 */
import { type ChainParams, retargetPeriod } from "@satwire/primitives"
import type { ChainView } from "./ChainView.ts"
import { isAfterMedianTimePast } from "./MedianTime.ts"
import { nextBits } from "./Retarget.ts"

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
 * The first rule that a header with these fields breaks as a child of `parent`, or `undefined`. Proof of work is judged apart
 * (`ProofOfWork`), because it needs no parent.
 *
 * @param header read and not kept, so that one object serves a whole run
 * @param unix our clock in seconds since 1970; `Infinity` where the header was once accepted and so is not too new
 */
export const headerFault = (
  params: ChainParams,
  view: ChainView,
  parent: number,
  header: { readonly version: number; readonly time: number; readonly bits: number },
  unix: number
): HeaderFault | undefined => {
  const { version, time, bits } = header
  const height = view.height(parent) + 1
  if (bits !== nextBits(params, view, parent, time)) return "bad-diffbits"
  if (!isAfterMedianTimePast(view, parent, time)) return "time-too-old"
  if (params.enforceBip94 && height % retargetPeriod(params) === 0 && time < view.time(parent) - MAX_TIMEWARP) {
    return "time-timewarp-attack"
  }
  if (time > unix + MAX_FUTURE_BLOCK_TIME) return "time-too-new"
  if (version < minimumVersion(params, height)) return "bad-version"
  return undefined
}

/** The least version that a header may have at a height: 2 by BIP-0034, 3 by BIP-0066, 4 by BIP-0065. Before, any will do. */
export const minimumVersion = (params: ChainParams, height: number): number =>
  height >= params.bip65Height ? 4 : height >= params.bip66Height ? 3 : height >= params.bip34Height ? 2 : -0x8000_0000
