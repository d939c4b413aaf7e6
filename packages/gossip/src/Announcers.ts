/**
 * Who told of a payload, in order, for one who asks them in turn; and how many payloads each peer hands over at once.
 *
 * Specification: of a peer so many payloads are fetched at once, a part of all that are. While it hands over as many, others who told of the same
 * payload are asked before it. Rationale: who tells of much and hands nothing over would else have everybody wait.
 */
import * as Effect from "effect/Effect"

/** More need not be remembered of those who told. */
const MAX_ANNOUNCERS = 16

/** What each peer has of the fetches of a topic. */
export class Shares {
  readonly #most: number
  readonly #taken: Map<string, number> = new Map()
  /** Who waits for a peer, the longest first. */
  readonly #waiting: Set<() => void> = new Set()

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
    const left = (this.#taken.get(peer) ?? 0) - 1
    if (left > 0) this.#taken.set(peer, left)
    else this.#taken.delete(peer)
    this.wake()
  }

  /** Done when it holds, which is looked at again as a peer has a share again. */
  until(holds: () => boolean): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const look = (): void => {
        if (!holds()) return
        this.#waiting.delete(look)
        resume(Effect.void)
      }
      this.#waiting.add(look)
      look()
      return Effect.sync(() => this.#waiting.delete(look))
    })
  }

  /** Somebody may be asked who could not. */
  wake(): void {
    for (const wake of [...this.#waiting]) wake()
  }
}

export class Announcers {
  readonly #shares: Shares
  readonly #told: Set<string> = new Set()
  /** Who told and was not asked. */
  readonly #left: Set<string> = new Set()

  constructor(shares: Shares, first: string) {
    this.#shares = shares
    this.add(first)
  }

  add(peer: string): void {
    if (this.#told.size >= MAX_ANNOUNCERS || this.#told.has(peer)) return
    this.#told.add(peer)
    this.#left.add(peer)
    this.#shares.wake()
  }

  /** Has one asked who was not yet, sooner or later, within its share. */
  ask<A, E, R>(use: (peer: string) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.uninterruptibleMask((restore) =>
      Effect.gen({ self: this }, function* () {
        let peer = this.#next()
        while (peer === undefined) {
          yield* restore(this.#shares.until(() => this.#next() !== undefined))
          peer = this.#next()
        }
        const asked = peer
        this.#left.delete(asked)
        this.#shares.take(asked)
        return yield* Effect.ensuring(
          restore(use(asked)),
          Effect.sync(() => this.#shares.give(asked))
        )
      })
    )
  }

  #next(): string | undefined {
    for (const peer of this.#left) if (this.#shares.has(peer)) return peer
    return undefined
  }
}
