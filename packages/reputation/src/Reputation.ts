/**
 * What to think of each peer, from how it was: a machine of its own, which hears what happened and tells when somebody's standing changes. It
 * disconnects nobody; whoever runs an overlay does with it what the overlay's rules say.
 *
 * ```
 *   Connected, Disconnected, Latency, Role, Behaviour ──▶ factors ──▶ score ──▶ StandingChanged
 *                                                         fade with time ◀── Timeout
 * ```
 *
 * It has no say on the Bitcoin network: see the README.
 */
import { type Instant, type Machine, type Now, type Outbox, after, assert } from "@satwire/machine"
import { type HistoryEntry, PeerRecord, type Role, type Standing, standingOf } from "./PeerRecord.ts"
import { type DefaultBehaviour, type Factor, type ReputationPolicy, defaultPolicy } from "./ReputationPolicy.ts"

/** `Key` is whatever a peer is known by for longer than a connection lasts. */
export type ReputationInput<Key, Name extends string> =
  | { readonly _tag: "Connected"; readonly peer: Key }
  | { readonly _tag: "Disconnected"; readonly peer: Key }
  | { readonly _tag: "Latency"; readonly peer: Key; readonly latencyMs: number }
  | { readonly _tag: "Role"; readonly peer: Key; readonly role: Role }
  | { readonly _tag: "Behaviour"; readonly peer: Key; readonly name: Name }
  | { readonly _tag: "Forget"; readonly peer: Key }
  | { readonly _tag: "Timeout" }

export type ReputationEvent<Key, Name extends string> =
  | {
      readonly _tag: "BehaviourRecorded"
      readonly peer: Key
      readonly name: Name
      readonly points: number
      readonly score: number
    }
  | {
      readonly _tag: "StandingChanged"
      readonly peer: Key
      readonly from: Standing
      readonly to: Standing
      readonly score: number
    }
  /** Nothing is known of it any more: others took its place, or somebody asked for it. */
  | { readonly _tag: "Forgotten"; readonly peer: Key }

/** All that is known of a peer. */
export interface PeerReputation<Name> {
  /** -100 to 100. */
  readonly score: number
  readonly standing: Standing
  readonly factors: Readonly<Record<Factor, number>>
  readonly latencyMs: number | undefined
  readonly role: Role
  readonly isConnected: boolean
  /** What was recorded, the latest last. */
  readonly history: ReadonlyArray<HistoryEntry<Name>>
}

/** How often it looks whose standing has changed by time alone. */
export const SWEEP_INTERVAL_MS: number = 10 * 60 * 1000

export class Reputation<Key extends string | number, Name extends string = DefaultBehaviour> implements Machine<
  ReputationInput<Key, Name>,
  ReputationEvent<Key, Name>
> {
  readonly #policy: ReputationPolicy<Name>
  readonly #behaviours: ReadonlyMap<string, ReputationPolicy<Name>["behaviours"][Name]>
  readonly #peers: Map<Key, PeerRecord<Name>> = new Map()
  #sweepAt: Instant | undefined

  constructor(policy: ReputationPolicy<Name>) {
    assert(policy.maxPeers >= 1 && policy.historyEntries >= 1, "a policy remembers somebody and something")
    assert(
      policy.decayPerHour > 0 && policy.decayPerHour <= 1,
      "of an hour's points some part is left, and no more than all"
    )
    this.#policy = policy
    this.#behaviours = new Map(Object.entries(policy.behaviours))
  }

  /** With the weights, thresholds and behaviours of {@link defaultPolicy}. */
  static withDefaults<Key extends string | number>(): Reputation<Key> {
    return new Reputation<Key>(defaultPolicy)
  }

  handle(input: ReputationInput<Key, Name>, now: Now, out: Outbox<ReputationEvent<Key, Name>>): void {
    if (input._tag === "Timeout") this.#sweep(now.instant, out)
    else if (input._tag === "Forget") this.#forget(input.peer, out)
    else this.#heard(input, now.instant, out)
    this.#sweepAt = this.#peers.size === 0 ? undefined : (this.#sweepAt ?? after(now.instant, SWEEP_INTERVAL_MS))
  }

  nextTimeout(): Instant | undefined {
    return this.#sweepAt
  }

  /** How many peers are remembered. */
  get size(): number {
    return this.#peers.size
  }

  /** The score of a peer: -100 to 100, and 0 of one that nothing is known of. */
  score(peer: Key, now: Instant): number {
    return this.#peers.get(peer)?.score(now, this.#policy) ?? 0
  }

  /** Where its score lies. */
  standing(peer: Key, now: Instant): Standing {
    return standingOf(this.score(peer, now), this.#policy)
  }

  /** All that is known of a peer. */
  peer(peer: Key, now: Instant): PeerReputation<Name> | undefined {
    const record = this.#peers.get(peer)
    if (record === undefined) return undefined
    const { history, isConnected, latencyMs, role } = record
    const score = record.score(now, this.#policy)
    return {
      score,
      standing: standingOf(score, this.#policy),
      factors: record.factors(now, this.#policy),
      latencyMs,
      role,
      isConnected,
      history: [...history]
    }
  }

  /** The peers of the highest scores, the best first. */
  top(count: number, now: Instant): ReadonlyArray<{ readonly peer: Key; readonly score: number }> {
    return [...this.#peers]
      .map(([peer, record]) => ({ peer, score: record.score(now, this.#policy) }))
      .sort((a, b) => b.score - a.score)
      .slice(0, count)
  }

  #heard(
    input: Exclude<ReputationInput<Key, Name>, { readonly _tag: "Timeout" | "Forget" }>,
    now: Instant,
    out: Outbox<ReputationEvent<Key, Name>>
  ): void {
    const { peer } = input
    const record = this.#peers.get(peer) ?? this.#begin(peer, now, out)
    switch (input._tag) {
      case "Connected":
      case "Disconnected":
        record.connected(input._tag === "Connected", this.#policy, now)
        break
      case "Latency":
        record.measured(input.latencyMs)
        break
      case "Role":
        record.role = input.role
        break
      case "Behaviour": {
        const { name } = input
        const behaviour = this.#behaviours.get(name)
        assert(behaviour !== undefined, `the policy knows no behaviour "${name}"`)
        const { factor, points } = behaviour
        record.record(name, factor, points, this.#policy, now)
        out.push({ _tag: "BehaviourRecorded", peer, name, points, score: record.score(now, this.#policy) })
      }
    }
    this.#judge(peer, record, now, out)
  }

  #judge(peer: Key, record: PeerRecord<Name>, now: Instant, out: Outbox<ReputationEvent<Key, Name>>): void {
    const score = record.score(now, this.#policy)
    const to = standingOf(score, this.#policy)
    const from = record.standing
    if (to === from) return
    record.standing = to
    out.push({ _tag: "StandingChanged", peer, from, to, score })
  }

  #begin(peer: Key, now: Instant, out: Outbox<ReputationEvent<Key, Name>>): PeerRecord<Name> {
    if (this.#peers.size >= this.#policy.maxPeers) this.#forgetOne(now, out)
    const record = new PeerRecord<Name>(now, standingOf(0, this.#policy))
    this.#peers.set(peer, record)
    return record
  }

  /**
   * Makes room for a peer.
   *
   * Specification: who is away goes before who is there, and among them the one whose score is nearest to zero. Rationale: who wants to be
   * forgotten, for he is banned, must not be able to achieve it by coming again under many names: these have no score yet and go first.
   */
  #forgetOne(now: Instant, out: Outbox<ReputationEvent<Key, Name>>): void {
    let least: Key | undefined
    let leastWeight = Infinity
    for (const [peer, record] of this.#peers) {
      const weight = Math.abs(record.score(now, this.#policy)) + (record.isConnected ? 1000 : 0)
      if (weight < leastWeight) [least, leastWeight] = [peer, weight]
    }
    if (least !== undefined) this.#forget(least, out)
  }

  #forget(peer: Key, out: Outbox<ReputationEvent<Key, Name>>): void {
    if (this.#peers.delete(peer)) out.push({ _tag: "Forgotten", peer })
  }

  #sweep(now: Instant, out: Outbox<ReputationEvent<Key, Name>>): void {
    if (this.#sweepAt === undefined || now < this.#sweepAt) return
    for (const [peer, record] of this.#peers) this.#judge(peer, record, now, out)
    this.#sweepAt = undefined
  }
}
