/**
 * Which target the next header must claim.
 *
 * Source: Bitcoin Core 28.1 `pow.cpp` (`GetNextWorkRequired`, `CalculateNextWorkRequired`), BIP-0094 §"Difficulty adjustment".
 */
import { type ChainParams, bitsFromTarget, retargetPeriod, targetFromBits } from "@satwire/primitives"
import type { ChainView, PeriodFirst } from "./ChainView.ts"

/** The bits that a header must have which follows `parent` and claims `time`. */
export const nextBits = (params: ChainParams, view: ChainView, parent: number, time: number): number => {
  const period = retargetPeriod(params)
  const last = view.bits(parent)
  if ((view.height(parent) + 1) % period !== 0) {
    if (!params.powAllowMinDifficultyBlocks) return last
    const easiest = bitsFromTarget(params.powLimit)
    return time > view.time(parent) + 2 * params.powTargetSpacing ? easiest : lastRealBits(view, parent, period, easiest)
  }
  if (params.powNoRetargeting) return last
  return retargetedBits(params, view.periodFirst(parent), view.time(parent), last)
}

/** The last target of this period that was not an exception to the 20-minute rule. */
const lastRealBits = (view: ChainView, parent: number, period: number, easiest: number): number => {
  let at = parent
  for (;;) {
    const before = view.parent(at)
    if (before < 0 || view.height(at) % period === 0 || view.bits(at) !== easiest) return view.bits(at)
    at = before
  }
}

/** The target scaled by how long the period took, at most by 4 either way. */
const retargetedBits = (params: ChainParams, first: PeriodFirst, lastTime: number, lastBits: number): number => {
  const span = params.powTargetTimespan
  const took = Math.min(Math.max(lastTime - first.time, Math.trunc(span / 4)), span * 4)
  const target = targetFromBits(params.enforceBip94 ? first.bits : lastBits)
  if (target === undefined) return lastBits
  const scaled = (target * BigInt(took)) / BigInt(span)
  return bitsFromTarget(scaled > params.powLimit ? params.powLimit : scaled)
}
