/**
 * Deployments by the votes of miners (BIP-0009): the state for the block that follows a header, worked out period by period and kept.
 *
 * ```
 *   defined ──▶ started ──▶ lockedIn ──▶ active
 *      └───────────┴──────▶ failed
 * ```
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
  ((version & VERSIONBITS_TOP_MASK) >>> 0) === VERSIONBITS_TOP_BITS && ((version >>> bit) & 1) === 1

export class DeploymentStates {
  readonly #deployment: Deployment
  readonly #view: ChainView
  /** By the last header of a period: the state of the period after it. */
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
      const median = medianTimePast(view, boundary)
      if (median !== undefined && median < deployment.startTime) break
    }
    for (let boundary = boundaries.pop(); boundary !== undefined; boundary = boundaries.pop()) {
      state = this.#next(state, boundary)
      this.#known.set(boundary, state)
    }
    return state
  }

  /** The state of the period after `boundary`, given the state of the one that it ends. */
  #next(state: DeploymentState, boundary: number): DeploymentState {
    const deployment = this.#deployment
    if (deployment._tag === "Buried") return state
    const median = medianTimePast(this.#view, boundary) ?? 0
    if (state === "defined") {
      if (median >= deployment.timeout) return "failed"
      return median >= deployment.startTime ? "started" : "defined"
    }
    if (state === "started") {
      // BIP-0009 as written fails before it counts; Core of today counts first, which bcoin's regtest cannot tell apart.
      if (this.#votes(boundary) >= deployment.threshold) return "lockedIn"
      return median >= deployment.timeout ? "failed" : "started"
    }
    return state === "lockedIn" ? "active" : state
  }

  #votes(boundary: number): number {
    const deployment = this.#deployment
    if (deployment._tag === "Buried") return 0
    let votes = 0
    let at = boundary
    for (let i = 0; i < deployment.period && at >= 0; i++) {
      if (signals(this.#view.version(at), deployment.bit)) votes += 1
      at = this.#view.parent(at)
    }
    return votes
  }
}
