/**
 * Deployments by the votes of miners (BIP-0009): the state for the block that follows a header, worked out period by period and kept.
 *
 * ```
 *   defined ──▶ started ──▶ lockedIn ──▶ active
 *      └───────────┴──────▶ failed
 * ```
 *
 * As BIP-0009 has it, and Core had it for the deployments that were voted on: what has not locked in when the timeout comes has failed,
 * votes or not. (Core since 22 counts the votes of that last period too, and fails nothing that never started.)
 *
 * Source: BIP-0009 §"State transitions", Bitcoin Core 0.21 `versionbits.cpp`.
 */
import type { Deployment } from "@satwire/primitives"
import type { ChainView } from "./ChainView.ts"
import { medianTimePast } from "./MedianTime.ts"

export type DeploymentState = "defined" | "started" | "lockedIn" | "active" | "failed"

/** A header's version carries votes if its top three bits are 001 (BIP-0009 §"Bit flags"). */
export const VERSIONBITS_TOP_BITS = 0x20000000
const VERSIONBITS_TOP_MASK = 0xe0000000

/** Whether `version` votes for the deployment of `bit`. */
export const signals = (version: number, bit: number): boolean =>
  (version & VERSIONBITS_TOP_MASK) >>> 0 === VERSIONBITS_TOP_BITS && ((version >>> bit) & 1) === 1

/**
 * The states of one deployment over one tree of headers. In a tree that starts in mid-chain the periods before its base are not known
 * and count as `defined`, so a vote that was decided there is not seen.
 */
export class DeploymentStates {
  readonly #deployment: Deployment
  readonly #view: ChainView
  /** By the last header of a period: the state of the period after it. One entry for each period of each chain. */
  readonly #known: Map<number, DeploymentState> = new Map()

  constructor(deployment: Deployment, view: ChainView) {
    this.#deployment = deployment
    this.#view = view
  }

  /** The state for the block whose parent is `parent`. */
  after(parent: number): DeploymentState {
    const deployment = this.#deployment
    const view = this.#view
    const height = view.height(parent) + 1
    if (deployment._tag === "Buried") return height >= deployment.height ? "active" : "defined"
    const { period } = deployment
    // The last headers of the periods before, back to one whose state is known.
    const boundaries: Array<number> = []
    let state: DeploymentState = "defined"
    for (let at = height - (height % period) - 1; at >= 0; at -= period) {
      const boundary = view.ancestor(parent, at)
      if (boundary < 0) break
      const known = this.#known.get(boundary)
      if (known !== undefined) {
        state = known
        break
      }
      boundaries.push(boundary)
      // Medians only grow: nothing had started before either.
      if (median(view, boundary) < deployment.startTime) break
    }
    for (let boundary = boundaries.pop(); boundary !== undefined; boundary = boundaries.pop()) {
      state = next(deployment, view, state, boundary)
      this.#known.set(boundary, state)
    }
    return state
  }
}

type VersionBits = Extract<Deployment, { readonly _tag: "VersionBits" }>

/** The state of the period after `boundary`, given the state of the one that it ends. */
const next = (deployment: VersionBits, view: ChainView, state: DeploymentState, boundary: number): DeploymentState => {
  if (state === "lockedIn") return "active"
  if (state === "active" || state === "failed") return state
  const time = median(view, boundary)
  if (time >= deployment.timeout) return "failed"
  if (state === "defined") return time >= deployment.startTime ? "started" : "defined"
  return votes(deployment, view, boundary) >= deployment.threshold ? "lockedIn" : "started"
}

const median = (view: ChainView, header: number): number => medianTimePast(view, header) ?? 0

/** How many headers of the period that ends with `boundary` vote for the deployment. */
const votes = (deployment: VersionBits, view: ChainView, boundary: number): number => {
  let count = 0
  let at = boundary
  for (let i = 0; i < deployment.period && at >= 0; i++) {
    if (signals(view.version(at), deployment.bit)) count += 1
    at = view.parent(at)
  }
  return count
}
