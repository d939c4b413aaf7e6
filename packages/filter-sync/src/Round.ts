/** One question to several peers: who was asked, who has answered, until when the rest may. */
import type { Instant, PeerId } from "@satwire/machine"

export class Round<Answer> {
  readonly until: Instant
  readonly answers: Map<PeerId, Answer> = new Map()
  readonly #waiting: Set<PeerId>

  constructor(peers: Iterable<PeerId>, until: Instant) {
    this.#waiting = new Set(peers)
    this.until = until
  }

  /** One in which all have answered. */
  static over<Answer>(answers: ReadonlyMap<PeerId, Answer>): Round<Answer> {
    const round = new Round<Answer>([], 0 as Instant)
    for (const [peer, answer] of answers) round.answers.set(peer, answer)
    return round
  }

  /** Whether nobody is waited for. */
  get isOver(): boolean {
    return this.#waiting.size === 0
  }

  get waiting(): ReadonlyArray<PeerId> {
    return [...this.#waiting]
  }

  isWaitedFor(peer: PeerId): boolean {
    return this.#waiting.has(peer)
  }

  answered(peer: PeerId, answer: Answer): void {
    this.#waiting.delete(peer)
    this.answers.set(peer, answer)
  }

  /** Neither its answer nor that it owes one counts any more. */
  drop(peer: PeerId): void {
    this.#waiting.delete(peer)
    this.answers.delete(peer)
  }
}
