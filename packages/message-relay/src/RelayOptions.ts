/** What a relay is made with: whom it passes on to, how much of each peer it takes, and what it asks of others. */
import type { SchnorrKey, Sha256, Signatures } from "@satwire/crypto"
import { CLOCK_SKEW_SECONDS, MAX_ENVELOPE_BYTES } from "@satwire/envelope"
import type { Instant, Random } from "@satwire/machine"

/**
 * To whom a message goes on: `flood` to all, `selective` to peers of a reputation from a threshold on, `validator-only` to validators.
 * Whoever sends it, it is taken from all.
 */
export type RelayMode = "flood" | "selective" | "validator-only"

/** How a peer is scored, by its node id. `Reputation` of `@satwire/reputation` is one. */
export interface Scores {
  /** -100 to 100. */
  score(nodeId: string, now: Instant): number
}

/** Which node ids are validators. A `Set` is one. */
export interface Validators {
  has(nodeId: string): boolean
}

/**
 * Links that a message crosses, from its origin on.
 *
 * @limit hops of an application message
 */
export const MAX_RELAY_HOPS = 3
/**
 * How long a message counts, and how far ahead an expiry may lie.
 *
 * @limit seconds until an application message expires
 */
export const RELAY_EXPIRY_SECONDS = 3600
/**
 * How far the clocks of two honest nodes may lie apart: each half of it beside the right one.
 *
 * @limit seconds that an expiry may miss
 */
export const CLOCKS_APART_SECONDS: number = 2 * CLOCK_SKEW_SECONDS
/** How often ids that have expired are forgotten. */
export const CLEAN_UP_INTERVAL_MS = 300_000
/** From which score on a peer is passed on to in the mode `selective`. */
export const SELECTIVE_THRESHOLD = 50
/**
 * Ids that are remembered, unless the options say otherwise.
 *
 * @limit ids of application messages that are remembered; beyond, the oldest of the peer that brought the most makes room
 */
export const MAX_SEEN_IDS = 65_536
/**
 * Peers of one relay, unless the options say otherwise.
 *
 * @limit peers of a message relay
 */
export const MAX_RELAY_PEERS = 128
/**
 * Peers to which a message for a node that is not connected is given.
 *
 * @limit peers to which a message for one node is given
 */
export const MAX_TARGET_FANOUT = 3

/** How much of one peer is taken. What comes faster waits: the peer is paused. */
export interface RelayRates {
  /** Messages a second. One with a signature counts for {@link SIGNED_COSTS}. */
  readonly messagesPerSecond: number
  /** Messages at once, of a peer that was silent. */
  readonly burstMessages: number
  readonly bytesPerSecond: number
  readonly burstBytes: number
  /** A peer that is never below its rates for so long is flooding. */
  readonly patienceMs: number
}

/** A signature costs a hundred times what else is looked at (measured: `packages/crypto/README.md`). */
export const SIGNED_COSTS = 10

export const defaultRates: RelayRates = {
  messagesPerSecond: 2000,
  burstMessages: 20_000,
  bytesPerSecond: 4 * 1024 * 1024,
  burstBytes: 16 * 1024 * 1024,
  patienceMs: 60_000
}

export interface RelayOptions {
  /** Our own node id: the origin of what we send, unless there is a key. */
  readonly nodeId: string
  /** With it what we send is signed; `nodeId` is then its public key in hexadecimal. */
  readonly key?: SchnorrKey | undefined
  readonly sha256: Sha256
  readonly signatures: Signatures
  readonly random: Random
  /** `flood` where not given. */
  readonly mode?: RelayMode | undefined
  /** Asked in the mode `selective`; without it everybody has 0. */
  readonly scores?: Scores | undefined
  /** Asked in the mode `validator-only`; without it nobody is one. */
  readonly validators?: Validators | undefined
  readonly threshold?: number | undefined
  /** Whether messages without a signature are refused. They are taken where not given. */
  readonly mustBeSigned?: boolean | undefined
  readonly maxHops?: number | undefined
  readonly maxBytes?: number | undefined
  readonly maxSeen?: number | undefined
  readonly maxPeers?: number | undefined
  readonly targetFanout?: number | undefined
  readonly rates?: Partial<RelayRates> | undefined
}

export type RelaySettings = { readonly [Name in keyof RelayOptions]-?: Exclude<RelayOptions[Name], undefined> } & {
  readonly rates: RelayRates
}

const nobody: Scores & Validators = { score: () => 0, has: () => false }

export const settingsOf = (options: RelayOptions): Omit<RelaySettings, "key"> & Pick<RelayOptions, "key"> => ({
  nodeId: options.nodeId,
  key: options.key,
  sha256: options.sha256,
  signatures: options.signatures,
  random: options.random,
  mode: options.mode ?? "flood",
  scores: options.scores ?? nobody,
  validators: options.validators ?? nobody,
  threshold: options.threshold ?? SELECTIVE_THRESHOLD,
  mustBeSigned: options.mustBeSigned ?? false,
  maxHops: options.maxHops ?? MAX_RELAY_HOPS,
  maxBytes: options.maxBytes ?? MAX_ENVELOPE_BYTES,
  maxSeen: options.maxSeen ?? MAX_SEEN_IDS,
  maxPeers: options.maxPeers ?? MAX_RELAY_PEERS,
  targetFanout: options.targetFanout ?? MAX_TARGET_FANOUT,
  rates: { ...defaultRates, ...options.rates }
})
