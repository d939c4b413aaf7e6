/**
 * What is remembered of one peer, and the score that it makes. All that fades is kept as of the instant at which something last happened: a
 * peer of whom nobody hears costs nothing.
 */
import type { Instant } from "@satwire/machine"
import { type Factor, MAX_SCORE, type PointFactor, type ReputationPolicy } from "./ReputationPolicy.ts"

/** Where a score lies between the thresholds. */
export type Standing = "trusted" | "neutral" | "doubtful" | "banned"

/** Whether a peer has a part in making the chain or the overlay, or only takes part. */
export type Role = "validator" | "other"

/** Something that was recorded. */
export interface HistoryEntry<Name> {
  readonly at: Instant
  readonly name: Name
  readonly points: number
}

/** The policy as far as a record needs it. */
type Rules = ReputationPolicy<never>

const HOUR_MS = 3_600_000
/** How many hours of being there are worth half of all. */
const UPTIME_HALF_HOURS = 1
/** The part of a new latency in the mean: as TCP does it (RFC 6298). */
const LATENCY_GAIN = 1 / 8

const within = (value: number, least: number, most: number): number => Math.max(least, Math.min(most, value))

/** All that fades, as of one instant. */
type Fading = Readonly<Record<PointFactor | "hoursThere" | "hoursAway", number>>

const NOTHING: Fading = { blockPropagation: 0, transactionRelay: 0, behaviour: 0, hoursThere: 0, hoursAway: 0 }

export class PeerRecord<Name> {
  #at: Instant
  #fading: Fading = NOTHING
  #latencyMs: number | undefined
  #history: Array<HistoryEntry<Name>> = []
  #isConnected = false
  role: Role = "other"
  /** As it was last told. */
  standing: Standing

  constructor(now: Instant, standing: Standing) {
    this.#at = now
    this.standing = standing
  }

  get history(): ReadonlyArray<HistoryEntry<Name>> {
    return this.#history
  }

  /** The smoothed latency. */
  get latencyMs(): number | undefined {
    return this.#latencyMs
  }

  get isConnected(): boolean {
    return this.#isConnected
  }

  connected(isConnected: boolean, rules: Rules, now: Instant): void {
    this.#moveTo(now, rules)
    this.#isConnected = isConnected
  }

  record(name: Name, factor: PointFactor, points: number, rules: Rules, now: Instant): void {
    this.#moveTo(now, rules)
    const [least, most] = rules.bounds[factor]
    this.#fading = { ...this.#fading, [factor]: within(this.#fading[factor] + points, least, most) }
    this.#history.push({ at: now, name, points })
    if (this.#history.length > rules.historyEntries) this.#history.shift()
  }

  /** Takes a measured latency into the mean. */
  measured(latencyMs: number): void {
    const measured = Math.max(0, latencyMs)
    this.#latencyMs =
      this.#latencyMs === undefined ? measured : this.#latencyMs + LATENCY_GAIN * (measured - this.#latencyMs)
  }

  /** Each factor as of now, most of them between -100 and 100. Who looks changes nothing. */
  factors(now: Instant, rules: Rules): Readonly<Record<Factor, number>> {
    const { behaviour, blockPropagation, hoursAway, hoursThere, transactionRelay } = this.#fadedTo(now, rules)
    const latency = this.#latencyMs === undefined ? 0 : MAX_SCORE * (1 - this.#latencyMs / rules.neutralLatencyMs)
    return {
      latency: within(latency, -MAX_SCORE, MAX_SCORE),
      uptime: (MAX_SCORE * hoursThere) / (hoursThere + hoursAway + UPTIME_HALF_HOURS),
      blockPropagation,
      transactionRelay,
      role: this.role === "validator" ? MAX_SCORE : 0,
      behaviour
    }
  }

  score(now: Instant, rules: Rules): number {
    const { weights } = rules
    const factors = this.factors(now, rules)
    // Written out, because a loop over names takes five times as long (measured), and room is made by looking at every peer.
    const sum =
      weights.latency * factors.latency +
      weights.uptime * factors.uptime +
      weights.blockPropagation * factors.blockPropagation +
      weights.transactionRelay * factors.transactionRelay +
      weights.role * factors.role +
      weights.behaviour * factors.behaviour
    return within(sum, -MAX_SCORE, MAX_SCORE)
  }

  #moveTo(now: Instant, rules: Rules): void {
    this.#fading = this.#fadedTo(now, rules)
    this.#at = now
  }

  #fadedTo(now: Instant, { decayPerHour }: Rules): Fading {
    const hours = Math.max(0, (now - this.#at) / HOUR_MS)
    const { behaviour, blockPropagation, hoursAway, hoursThere, transactionRelay } = this.#fading
    const left = decayPerHour ** hours
    // An hour fades too while it passes.
    const passed = decayPerHour === 1 ? hours : (1 - left) / -Math.log(decayPerHour)
    return {
      blockPropagation: blockPropagation * left,
      transactionRelay: transactionRelay * left,
      behaviour: behaviour * left,
      hoursThere: hoursThere * left + (this.#isConnected ? passed : 0),
      hoursAway: hoursAway * left + (this.#isConnected ? 0 : passed)
    }
  }
}

export const standingOf = (score: number, { thresholds }: Rules): Standing =>
  score <= thresholds.banned
    ? "banned"
    : score >= thresholds.trusted
      ? "trusted"
      : score >= thresholds.neutral
        ? "neutral"
        : "doubtful"
