/** What peers do wrong, by type: what it costs them, and how it is told. Plain data. */
import type { ReputationPolicy } from "@satwire/reputation"

/** A closed list, the worst first. */
export type GossipFault =
  /** A frame above what we take: the stream cannot be followed any further. */
  | "oversized"
  /** A signature that does not hold. */
  | "forged"
  /** Bytes that are no gossip at all, or that carry an author where topics have none. */
  | "malformed"
  /** The payload is not of its topic. */
  | "undecodable"
  /** It breaks a rule of its topic. */
  | "invalid"
  /** It announced what it did not hand over, though it was there and was asked at once. */
  | "undelivered"
  /** It passed on what had ended by its own word. */
  | "expired"
  /** It passed on what everybody has had, long after. */
  | "replayed"
  /** One message above what a peer may send. */
  | "flood"

/** A peer is banned at a hundred; half of them are forgotten in an hour. */
export const FAULT_POINTS: Readonly<Record<GossipFault, number>> = {
  oversized: 100,
  forged: 100,
  malformed: 50,
  undecodable: 34,
  invalid: 34,
  undelivered: 10,
  expired: 10,
  replayed: 10,
  flood: 1
}

/**
 * What is to become of a message: delivered and passed on, dropped without a word, or dropped at the cost of whoever sent it. `reject` alone is
 * an `invalid` one.
 */
export type Verdict = "accept" | "ignore" | "reject" | { readonly reject: GossipFault; readonly detail?: string }

/** What happened, for logs, metrics and whoever wants to know. */
export type GossipFact =
  | {
      readonly _tag: "Rejected"
      readonly peer: string
      /** Not known of what is no message. */
      readonly topic: string | undefined
      readonly reason: GossipFault
      readonly detail: string
    }
  /** Its connections are closed by now. */
  | {
      readonly _tag: "Banned"
      readonly peer: string
      /** The fault that was one too many; `score` where it is gossipsub's own score that fell too low. */
      readonly reason: GossipFault | "score"
      readonly untilUnixMs: number
    }
  /** Nobody said in time what to think of a message, so that it was dropped. */
  | { readonly _tag: "Undecided"; readonly peer: string; readonly topic: string }
  /** A good message was dropped: the peer, or all of them together, bring more than is passed on. */
  | { readonly _tag: "Crowded"; readonly peer: string; readonly topic: string }
  /** A reader was too slow for so many messages. */
  | { readonly _tag: "Missed"; readonly topic: string; readonly messages: number }
  /** It took too little of what we had for it, and its connections were closed. */
  | { readonly _tag: "TooSlow"; readonly peer: string }

export type FaultPoints = Readonly<Record<GossipFault, number>>

/** Nothing but faults counts: good behaviour is cheap, and must buy nothing. Points fade while they come, so a ban is a little above their sum. */
export const faultPolicy = (points: FaultPoints, maxPeers: number): ReputationPolicy<GossipFault> => ({
  weights: { latency: 0, uptime: 0, blockPropagation: 0, transactionRelay: 0, role: 0, behaviour: 1 },
  decayPerHour: 0.5,
  historyEntries: 32,
  thresholds: { trusted: Infinity, neutral: 0, banned: -99 },
  bounds: { blockPropagation: [0, 0], transactionRelay: [0, 0], behaviour: [-200, 0] },
  neutralLatencyMs: 1000,
  behaviours: behavioursOf(points),
  maxPeers
})

const behavioursOf = (points: FaultPoints): ReputationPolicy<GossipFault>["behaviours"] => {
  const bad = (fault: GossipFault): { readonly factor: "behaviour"; readonly points: number } => ({
    factor: "behaviour",
    points: -points[fault]
  })
  return {
    oversized: bad("oversized"),
    forged: bad("forged"),
    malformed: bad("malformed"),
    undecodable: bad("undecodable"),
    invalid: bad("invalid"),
    undelivered: bad("undelivered"),
    expired: bad("expired"),
    replayed: bad("replayed"),
    flood: bad("flood")
  }
}
