/**
 * Who told of a payload, in order, for one who asks them in turn; and how many payloads each peer hands over at once.
 *
 * Specification: of a peer so many payloads are fetched at once, a part of all that are. While it hands over as many, others who told of the same
 * payload are asked before it. Rationale: who tells of much and hands nothing over would else have everybody wait.
 */
import * as Effect from "effect/Effect"

/** More need not be remembered of those who told. */
const MAX_ANNOUNCERS = 16

/** Whoever is given a share of one of those he waits for. */
export interface Waiter {
  readonly peers: ReadonlySet<string>
  readonly got: (peer: string) => void
}

/** What each peer has of the fetches of a topic. A share that comes back goes to who waits longest for that peer, and nobody else hears of it. */
export class Shares {
  readonly #most: number
  readonly #taken: Map<string, number> = new Map()
  /** Who waits for a peer, the longest first. */
  readonly #waiting: Map<string, Set<Waiter>> = new Map()

  constructor(most: number) {
    this.#most = most
  }

  has(peer: string): boolean {
    return (this.#taken.get(peer) ?? 0) < this.#most
  }

  take(peer: string): void {
    this.#taken.set(peer, (this.#taken.get(peer) ?? 0) + 1)
  }

  give(peer: string): void {
    const [next] = this.#waiting.get(peer) ?? []
    if (next !== undefined) return this.#hand(peer, next)
    const left = (this.#taken.get(peer) ?? 0) - 1
    if (left > 0) this.#taken.set(peer, left)
    else this.#taken.delete(peer)
  }

  /** He is given a share of that peer, now or later. */
  join(peer: string, waiter: Waiter): void {
    if (this.has(peer)) {
      this.take(peer)
      return this.#hand(peer, waiter)
    }
    const others = this.#waiting.get(peer)
    if (others === undefined) this.#waiting.set(peer, new Set([waiter]))
    else others.add(waiter)
  }

  /** He waits for nobody any more. */
  leave(waiter: Waiter): void {
    for (const peer of waiter.peers) {
      const others = this.#waiting.get(peer)
      if (others?.delete(waiter) === true && others.size === 0) this.#waiting.delete(peer)
    }
  }

  #hand(peer: string, waiter: Waiter): void {
    this.leave(waiter)
    waiter.got(peer)
  }
}

export class Announcers {
  readonly #shares: Shares
  /** Each with the time when it did. */
  readonly #told: Map<string, number> = new Map()
  /** Who told and was not asked. */
  readonly #left: Set<string> = new Set()
  #onTold: () => void = () => undefined
  /** While nobody can be asked. */
  #waiter: Waiter | undefined = undefined

  constructor(shares: Shares, first: string, nowMs: number) {
    this.#shares = shares
    this.add(first, nowMs)
  }

  add(peer: string, nowMs: number): void {
    if (this.#told.size >= MAX_ANNOUNCERS || this.#told.has(peer)) return
    this.#told.set(peer, nowMs)
    this.#left.add(peer)
    this.#onTold()
    if (this.#waiter !== undefined) this.#shares.join(peer, this.#waiter)
  }

  /** Done when there is somebody who was not asked. */
  readonly told: Effect.Effect<void> = Effect.callback((resume) => {
    if (this.#left.size > 0) return resume(Effect.void)
    this.#onTold = () => resume(Effect.void)
  })

  /** Has one asked who was not yet, sooner or later, within its share. One at a time. */
  ask<A, E, R>(use: (peer: string, toldMs: number) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.uninterruptibleMask((restore) =>
      Effect.gen({ self: this }, function* () {
        const asked = yield* this.#next(restore)
        this.#left.delete(asked)
        return yield* Effect.ensuring(
          restore(use(asked, this.#told.get(asked) ?? 0)),
          Effect.sync(() => this.#shares.give(asked))
        )
      })
    )
  }

  /** One whose share is taken. */
  #next(restore: <A>(effect: Effect.Effect<A>) => Effect.Effect<A>): Effect.Effect<string> {
    return Effect.suspend(() => {
      for (const peer of this.#left) {
        if (!this.#shares.has(peer)) continue
        this.#shares.take(peer)
        return Effect.succeed(peer)
      }
      let given: string | undefined
      const wait = Effect.callback<string>((resume) => {
        const waiter: Waiter = {
          peers: this.#left,
          got: (peer) => {
            this.#waiter = undefined
            given = peer
            resume(Effect.succeed(peer))
          }
        }
        this.#waiter = waiter
        for (const peer of this.#left) this.#shares.join(peer, waiter)
      })
      // Each in a turn of its own: thousands who are done at once would lie on one stack.
      return Effect.onInterrupt(restore(Effect.tap(wait, () => Effect.yieldNow)), () =>
        Effect.sync(() => {
          if (this.#waiter !== undefined) this.#shares.leave(this.#waiter)
          this.#waiter = undefined
          if (given !== undefined) this.#shares.give(given)
        })
      )
    })
  }
}
