/** What is thought of each peer, and who is banned for how long. Scores are those of `@satwire/reputation`; a ban outlasts connections and restarts of the network. */
import { type Instant, type Now, after, forgetOldest } from "@satwire/machine"
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

export const BAN_MS: number = 24 * 60 * 60 * 1000
/**
 * @limit peers that a network manager keeps banned; of more the oldest bans end
 */
export const MAX_BANS = 4096

/** A peer, and the second of the clock in which its ban ends. */
export type KeptBan = readonly [peer: string, untilUnix: number]

export type PeerScore = PeerReputation<NetworkBehaviour>

export class Scores {
  readonly #reputation: Reputation<string, NetworkBehaviour> | undefined
  readonly #now: () => Now
  readonly #banMs: number
  readonly #onBan: (peer: string, reason: string) => void
  /** Until when. */
  readonly #bans: Map<string, Instant> = new Map()
  /** A ban has come, or was taken back. */
  onChange: () => void = () => undefined

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
    if (this.#bans.size >= MAX_BANS) forgetOldest(this.#bans)
    this.#bans.set(peer, after(this.#now().instant, this.#banMs))
    this.onChange()
    this.#onBan(peer, reason)
  }

  /** Forgets what it did, too. */
  unban(peer: string): void {
    if (this.#bans.delete(peer)) this.onChange()
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

  /** The bans, for another process. */
  kept(): ReadonlyArray<KeptBan> {
    const { instant, unix } = this.#now()
    const left = [...this.#bans].filter(([, until]) => until > instant)
    return left.map(([peer, until]) => [peer, Math.ceil(unix + (until - instant) / 1000)])
  }

  /** Bans of another process, those that are not over by the clock; none lasts longer than a new one. */
  restore(bans: ReadonlyArray<KeptBan>): void {
    const { instant, unix } = this.#now()
    for (const [peer, until] of bans.slice(-MAX_BANS)) {
      const leftMs = Math.min(this.#banMs, (until - unix) * 1000)
      if (leftMs > 0) this.#bans.set(peer, after(instant, leftMs))
    }
  }

  #handle(input: ReputationInput<string, NetworkBehaviour>): ReadonlyArray<ReputationEvent<string, NetworkBehaviour>> {
    const events: Array<ReputationEvent<string, NetworkBehaviour>> = []
    this.#reputation?.handle(input, this.#now(), events)
    return events
  }
}
