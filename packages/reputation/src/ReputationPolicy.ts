/** What a reputation is made of: weights, thresholds, and what each behaviour is worth. Plain data, of which anything may be replaced. */

/** What the score of a peer is a weighted sum of. */
export type Factor = "latency" | "uptime" | "blockPropagation" | "transactionRelay" | "role" | "behaviour"

/** A factor that is made of points which are recorded and fade. */
export type PointFactor = "blockPropagation" | "transactionRelay" | "behaviour"

/** What is added to a factor when a behaviour is recorded. */
export interface Behaviour {
  readonly factor: PointFactor
  readonly points: number
}

export interface ReputationPolicy<Name extends string> {
  /** By how much each factor counts. */
  readonly weights: Readonly<Record<Factor, number>>
  /** What is left after an hour of points, and of the memory of who was there and who was not. */
  readonly decayPerHour: number
  /** How many recorded behaviours are remembered of each peer. */
  readonly historyEntries: number
  readonly thresholds: {
    /** Trusted from here on. */
    readonly trusted: number
    /** Neutral from here on; below, doubtful. */
    readonly neutral: number
    /** Banned from here down. */
    readonly banned: number
  }
  /** The least and the most that each of them comes to. */
  readonly bounds: Readonly<Record<PointFactor, readonly [number, number]>>
  /** The latency that is neither good nor bad; twice of it is as bad as none is good. */
  readonly neutralLatencyMs: number
  /** What may be recorded. */
  readonly behaviours: Readonly<Record<Name, Behaviour>>
  /** How many peers are remembered. Whoever is remarkable in no way is forgotten first. */
  readonly maxPeers: number
}

/** The score lies between the negative of this and this. */
export const MAX_SCORE = 100

/**
 * Recorded behaviours that are remembered of each peer, unless the policy says otherwise.
 *
 * @limit behaviours that are remembered of one peer
 */
export const HISTORY_ENTRIES = 100
/**
 * Peers that are remembered, unless the policy says otherwise.
 *
 * @limit peers whose reputation is remembered
 */
export const MAX_PEERS = 4096

const good = (factor: PointFactor, points: number): Behaviour => ({ factor, points })
const bad = (points: number): Behaviour => ({ factor: "behaviour", points: -points })

/** What the default policy knows. Ten points of behaviour are one of the score. */
export type DefaultBehaviour =
  | "block"
  | "block-late"
  | "block-invalid"
  | "transaction"
  | "transaction-invalid"
  | "message-malformed"
  | "message-unrequested"
  | "timeout"
  | "spam"
  | "helpful"

/**
 * Specification: behaviour is worth least of all factors and falls furthest. Rationale: good behaviour is cheap and must buy little; bad
 * behaviour must outweigh all that a peer is good at, and two invalid blocks ban anybody.
 */
export const defaultPolicy: ReputationPolicy<DefaultBehaviour> = {
  weights: { latency: 0.2, uptime: 0.2, blockPropagation: 0.25, transactionRelay: 0.15, role: 0.1, behaviour: 0.1 },
  decayPerHour: 0.95,
  historyEntries: HISTORY_ENTRIES,
  thresholds: { trusted: 75, neutral: 0, banned: -50 },
  bounds: { blockPropagation: [-100, 100], transactionRelay: [-100, 100], behaviour: [-2000, 100] },
  neutralLatencyMs: 1000,
  behaviours: {
    block: good("blockPropagation", 20),
    "block-late": good("blockPropagation", -10),
    "block-invalid": bad(1000),
    transaction: good("transactionRelay", 1),
    "transaction-invalid": bad(50),
    "message-malformed": bad(200),
    "message-unrequested": bad(20),
    timeout: bad(100),
    spam: bad(250),
    helpful: good("behaviour", 10)
  },
  maxPeers: MAX_PEERS
}

/** What Bitcoin Core counted until it gave scores up, under names of what was done. */
export type Misbehaviour =
  | "block-invalid"
  | "header-invalid"
  | "transaction-invalid"
  | "filter-invalid"
  | "headers-unconnected"
  | "message-oversized"
  | "version-duplicate"

/**
 * A misbehaviour score from 0 to 100 with a ban at 100: nothing but bad behaviour counts, and nothing is forgiven. The score of a peer is the
 * negative of it ({@link misbehaviourOf}).
 */
export const misbehaviourPolicy: ReputationPolicy<Misbehaviour> = {
  ...defaultPolicy,
  weights: { latency: 0, uptime: 0, blockPropagation: 0, transactionRelay: 0, role: 0, behaviour: 1 },
  decayPerHour: 1,
  thresholds: { trusted: Infinity, neutral: 0, banned: -100 },
  bounds: { ...defaultPolicy.bounds, behaviour: [-100, 0] },
  behaviours: {
    "block-invalid": bad(100),
    "header-invalid": bad(100),
    "transaction-invalid": bad(100),
    "filter-invalid": bad(100),
    "headers-unconnected": bad(20),
    "message-oversized": bad(20),
    "version-duplicate": bad(1)
  }
}

/** The misbehaviour that a score under {@link misbehaviourPolicy} stands for: 0 to 100. */
export const misbehaviourOf = (score: number): number => Math.max(0, -score)
