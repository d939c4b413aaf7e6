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

/** The bits that a header must have which follows `parent` and claims `time` (Core `GetNextWorkRequired`). */
export const nextBits = (params: ChainParams, view: ChainView, parent: number, time: number): number => {
  if ((view.height(parent) + 1) % retargetPeriod(params) !== 0) {
    if (!params.powAllowMinDifficultyBlocks) return view.bits(parent)
    if (time > view.time(parent) + 2 * params.powTargetSpacing) return bitsFromTarget(params.powLimit)
    // Core walks back over the exceptions to the last target that was none. No header of the period can have had another than its
    // first one's, which is found in a few steps however many exceptions there were.
    return view.periodFirst(parent).bits
  }
  if (params.powNoRetargeting) return view.bits(parent)
  const first = view.periodFirst(parent)
  return retargetedBits(params, params.enforceBip94 ? first.bits : view.bits(parent), view.time(parent) - first.time)
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
