/**
 * Which target the next header must claim.
 *
 * ```
 *   retarget at every 2,016th    the target before × time taken / two weeks, at most × 4 or ÷ 4
 *   all others                   the target before
 *     20-minute rule (testnets)  more than 20 minutes after the parent: the easiest; else the one that the period began with
 * ```
 *
 * Products are exact. Core's wrap at 256 bits, which no network can tell: four times its limit times its timespan stays below
 * (`test/Retarget.test.ts`).
 *
 * Source: Bitcoin Core 28.1 `pow.cpp` (`GetNextWorkRequired`, `CalculateNextWorkRequired`), BIP-0094 §"Difficulty adjustment".
 */
import { type ChainParams, bitsFromTarget, retargetPeriod, targetFromBits } from "@satwire/primitives"
import type { ChainView } from "./ChainView.ts"

/** What the target after a header follows from. */
export interface RetargetPosition {
  /** Of that header. */
  time: number
  bits: number
  /** Of the first header of its period. */
  firstTime: number
  firstBits: number
  /** How many more headers its period has. */
  left: number
}

/** What a view says of it. */
export const positionOf = (params: ChainParams, view: ChainView, header: number): RetargetPosition => {
  const period = retargetPeriod(params)
  const first = view.periodFirst(header)
  return {
    time: view.time(header),
    bits: view.bits(header),
    firstTime: first.time,
    firstBits: first.bits,
    left: period - 1 - (view.height(header) % period)
  }
}

/** The bits that a header must have which follows `parent` and claims `time` (Core `GetNextWorkRequired`). */
export const nextBits = (params: ChainParams, view: ChainView, parent: number, time: number): number =>
  dueBits(params, positionOf(params, view, parent), time)

/** The bits that are due after a header, for one that claims `time`. */
export const dueBits = (params: ChainParams, after: RetargetPosition, time: number): number => {
  if (after.left > 0) {
    if (!params.powAllowMinDifficultyBlocks) return after.bits
    if (time > after.time + 2 * params.powTargetSpacing) return bitsFromTarget(params.powLimit)
    // Core walks back over the exceptions to the last target that was none. No header of the period can have had another than its
    // first one's, however many exceptions there were.
    return after.firstBits
  }
  if (params.powNoRetargeting) return after.bits
  return retargetedBits(params, params.enforceBip94 ? after.firstBits : after.bits, after.time - after.firstTime)
}

/**
 * The target `bits` scaled by how long the period took, at most by 4 either way, and never easier than the network's limit (Core
 * `CalculateNextWorkRequired`).
 *
 * @param took seconds from the first to the last header of the period; Bitcoin has always counted one spacing too few
 */
export const retargetedBits = (params: ChainParams, bits: number, took: number): number => {
  const target = targetFromBits(bits)
  if (target === undefined) return bits
  const span = params.powTargetTimespan
  const counted = Math.min(Math.max(took, Math.trunc(span / 4)), span * 4)
  const scaled = (target * BigInt(counted)) / BigInt(span)
  return bitsFromTarget(scaled > params.powLimit ? params.powLimit : scaled)
}

/**
 * Whether a header at this height can have these bits, whatever the times between, where the one before it has `oldBits` (Core
 * `PermittedDifficultyTransition`): for who has seen the chain and kept none of its times.
 */
export const permittedDifficultyTransition = (
  params: ChainParams,
  height: number,
  oldBits: number,
  newBits: number
): boolean => {
  if (params.powAllowMinDifficultyBlocks) return true
  if (height % retargetPeriod(params) !== 0) return oldBits === newBits
  const target = targetFromBits(newBits)
  if (target === undefined) return false
  const span = params.powTargetTimespan
  const easiest = targetFromBits(retargetedBits(params, oldBits, span * 4))
  const hardest = targetFromBits(retargetedBits(params, oldBits, 0))
  return easiest !== undefined && hardest !== undefined && target <= easiest && target >= hardest
}
