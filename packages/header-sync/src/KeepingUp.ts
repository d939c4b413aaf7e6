/**
 * Which of the peers that we chose by ourselves still follow our chain. Who does not, and cannot be brought to, takes a place that somebody
 * useful could have: so it loses it, and is blamed for nothing.
 *
 * ```
 *   follows ──behind──▶ 20 minutes ──▶ asked for headers ──▶ 2 minutes ──▶ goes
 *      ▲                    │ reaches what our tip was then: 20 minutes anew
 *      └──── has our tip's work ◀───────────┘
 * ```
 *
 * Everybody has the first header: while we have no other either nobody is behind, and `HEADERS_DOWNLOAD_TIMEOUT` alone limits the first sync.
 * (Core lets go who is silent then, too.)
 *
 * Up to four full-relay peers that had a chain as good as ours are protected for as long as they stay, so that a fork of more work cannot
 * take all our peers from us at once.
 *
 * Source: Bitcoin Core 28.1 `net_processing.cpp` (`ConsiderEviction`, `UpdatePeerStateForReceivedHeaders`).
 */
import { Deadlines, type Instant, type PeerId, after } from "@satwire/machine"
import type { HeaderTree } from "./HeaderTree.ts"
import type { PeerView } from "./PeerView.ts"
import { CHAIN_SYNC_TIMEOUT_MS, HEADERS_RESPONSE_TIME_MS } from "./Timeouts.ts"

/** Core's `MAX_OUTBOUND_PEERS_TO_PROTECT_FROM_DISCONNECT`. */
export const MAX_PROTECTED_PEERS = 4

/** Connections that we opened of our own accord. Who was named by our user stays, whatever its chain. */
export type ChosenFor = "full-relay" | "block-relay-only"

interface Follower {
  readonly peer: PeerView
  readonly chosenFor: ChosenFor
  isProtected: boolean
  /** Our tip when it was found behind, which it has to reach; -1 while it follows. */
  goal: number
  /** It was asked a last time. */
  isAsked: boolean
}

/** What is to be done about a peer whose time is up. */
export type Overdue =
  | { readonly _tag: "Ask"; readonly peer: PeerView; readonly from: number }
  | { readonly _tag: "LetGo"; readonly peer: PeerView }

export class KeepingUp {
  readonly #tree: HeaderTree
  readonly #followers: Map<PeerId, Follower> = new Map()
  readonly #deadlines: Deadlines<Follower> = new Deadlines()
  #protected = 0

  constructor(tree: HeaderTree) {
    this.#tree = tree
  }

  /** How many peers it watches. */
  get size(): number {
    return this.#followers.size
  }

  nextTimeout(): Instant | undefined {
    return this.#deadlines.earliest()
  }

  add(peer: PeerView, chosenFor: ChosenFor): void {
    this.#followers.set(peer.id, { peer, chosenFor, isProtected: false, goal: -1, isAsked: false })
  }

  /** Whether it has to keep up at all: so it is with those that we chose. */
  isWatched(id: PeerId): boolean {
    return this.#followers.has(id)
  }

  delete(id: PeerId): void {
    const follower = this.#followers.get(id)
    if (follower === undefined) return
    this.#followers.delete(id)
    this.#deadlines.set(follower, undefined)
    if (follower.isProtected) this.#protected -= 1
  }

  /** Our tip is another. */
  tipChanged(now: Instant): void {
    for (const follower of this.#followers.values()) this.#look(follower, now)
  }

  /** It came to light what a peer has, or its first sync was begun. */
  look(id: PeerId, now: Instant): void {
    const follower = this.#followers.get(id)
    if (follower !== undefined) this.#look(follower, now)
  }

  /** The peer sent headers that we keep. Gives whether it is protected from now on. */
  heard(id: PeerId, now: Instant): boolean {
    const follower = this.#followers.get(id)
    if (follower === undefined || follower.isProtected) return false
    this.#look(follower, now)
    const mayBe = follower.chosenFor === "full-relay" && this.#protected < MAX_PROTECTED_PEERS
    if (!mayBe || !this.#follows(follower)) return false
    follower.isProtected = true
    this.#protected += 1
    return true
  }

  /** Somebody whose time is up. Who is let go is watched until it is gone, and named no second time. */
  takeOverdue(now: Instant): Overdue | undefined {
    const follower = this.#deadlines.takeDue(now)
    if (follower === undefined) return undefined
    const { goal, isAsked, peer } = follower
    if (isAsked) return { _tag: "LetGo", peer }
    follower.isAsked = true
    this.#deadlines.set(follower, after(now, HEADERS_RESPONSE_TIME_MS))
    const parent = this.#tree.parent(goal)
    return { _tag: "Ask", peer, from: parent < 0 ? goal : parent }
  }

  #follows({ peer }: Follower): boolean {
    return this.#reaches(peer, this.#tree.best)
  }

  /** The first header of the tree is everybody's: on a network that has no other nobody is behind. */
  #reaches(peer: PeerView, header: number): boolean {
    return this.#tree.compareWork(Math.max(0, peer.best), header) >= 0
  }

  #look(follower: Follower, now: Instant): void {
    const { goal, isProtected, peer } = follower
    if (isProtected || !peer.started) return
    if (this.#follows(follower)) {
      follower.goal = -1
      this.#deadlines.set(follower, undefined)
      return
    }
    if (goal >= 0 && !this.#reaches(peer, goal)) return
    follower.goal = this.#tree.best
    follower.isAsked = false
    this.#deadlines.set(follower, after(now, CHAIN_SYNC_TIMEOUT_MS))
  }
}
