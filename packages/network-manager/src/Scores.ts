/** What is thought of each peer, and who is banned for how long. Scores are those of `@satwire/reputation`; a ban outlasts connections and restarts of the network. */
import type { Now } from "@satwire/machine"
import {
  type Behaviour,
  type DefaultBehaviour,
  type PeerReputation,
  Reputation,
  type ReputationEvent,
  type ReputationInput,
  type ReputationPolicy,
  defaultPolicy
} from "@satwire/reputation"

/** `flood`: one message beyond what a peer may send. `forged`: what no honest peer sends, whatever goes wrong. */
export type NetworkBehaviour = DefaultBehaviour | "flood" | "forged"

export interface ScoringOptions {
  readonly policy?: ReputationPolicy<NetworkBehaviour> | undefined
  /** A day where not given. */
  readonly banMs?: number | undefined
}

const bad = (points: number): Behaviour => ({ factor: "behaviour", points: -points })

/** That of `@satwire/reputation`, in which a hundred messages too many are a ban, and one forged one is. */
export const networkPolicy: ReputationPolicy<NetworkBehaviour> = {
  ...defaultPolicy,
  behaviours: { ...defaultPolicy.behaviours, flood: bad(10), forged: bad(2000) }
}

const BAN_MS = 24 * 60 * 60 * 1000
/**
 * @limit peers that a network manager keeps banned; of more the oldest bans end
 */
export const MAX_BANS = 4096

export type PeerScore = PeerReputation<NetworkBehaviour>

export class Scores {
  readonly #reputation: Reputation<string, NetworkBehaviour> | undefined
  readonly #now: () => Now
  readonly #banMs: number
  readonly #onBan: (peer: string, reason: string) => void
  readonly #bans: Map<string, number> = new Map()

  constructor(scoring: boolean | ScoringOptions, now: () => Now, onBan: (peer: string, reason: string) => void) {
    const { banMs = BAN_MS, policy = networkPolicy } = typeof scoring === "object" ? scoring : {}
    this.#reputation = scoring === false ? undefined : new Reputation<string, NetworkBehaviour>(policy)
    this.#now = now
    this.#banMs = banMs
    this.#onBan = onBan
  }

  hear(
    input: Exclude<ReputationInput<string, NetworkBehaviour>, { readonly _tag: "Timeout" | "Forget" | "Behaviour" }>
  ): void {
    this.#handle(input)
  }

  record(peer: string, name: NetworkBehaviour): void {
    for (const event of this.#handle({ _tag: "Behaviour", peer, name })) {
      if (event._tag === "StandingChanged" && event.to === "banned") this.ban(event.peer, name)
    }
  }

  of(peer: string): PeerScore | undefined {
    return this.#reputation?.peer(peer, this.#now().instant)
  }

  ban(peer: string, reason: string): void {
    if (this.isBanned(peer)) return
    if (this.#bans.size >= MAX_BANS) {
      const [oldest] = this.#bans.keys()
      if (oldest !== undefined) this.#bans.delete(oldest)
    }
    this.#bans.set(peer, this.#now().instant + this.#banMs)
    this.#onBan(peer, reason)
  }

  /** Forgets what it did, too. */
  unban(peer: string): void {
    this.#bans.delete(peer)
    this.#handle({ _tag: "Forget", peer })
  }

  isBanned(peer: string): boolean {
    const until = this.#bans.get(peer)
    if (until === undefined) return false
    if (this.#now().instant < until) return true
    this.#bans.delete(peer)
    return false
  }

  banned(): ReadonlyArray<string> {
    return [...this.#bans.keys()].filter((peer) => this.isBanned(peer))
  }

  #handle(input: ReputationInput<string, NetworkBehaviour>): ReadonlyArray<ReputationEvent<string, NetworkBehaviour>> {
    const events: Array<ReputationEvent<string, NetworkBehaviour>> = []
    this.#reputation?.handle(input, this.#now(), events)
    return events
  }
}
