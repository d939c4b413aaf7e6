/**
 * Who waits for a costly step of the encrypted handshake. Strangers buy such a step with 64 bytes, so it is done once a turn, and the queue
 * of those that dialled us is short: where it is full the oldest goes, because a flood has more sockets than an honest peer has tries.
 *
 * Specification: one exchange a turn; those that we dialled first, and none of them is dropped, since we decide how many there are.
 * Rationale: ATTACKS row 25, ADR 0009.
 */

/**
 * How many connections that others opened may wait for their key exchange.
 *
 * @limit inbound connections that wait for their key exchange
 */
export const MAX_EXCHANGES_WAITING = 64

export class Exchanges<Entry> {
  readonly #dialled: Set<Entry> = new Set()
  readonly #accepted: Set<Entry> = new Set()

  get size(): number {
    return this.#dialled.size + this.#accepted.size
  }

  has(entry: Entry): boolean {
    return this.#dialled.has(entry) || this.#accepted.has(entry)
  }

  /** Takes one in, and gives the one that has to go for it. */
  add(entry: Entry, isInbound: boolean): Entry | undefined {
    if (!isInbound) {
      this.#dialled.add(entry)
      return undefined
    }
    const oldest = this.#accepted.size === MAX_EXCHANGES_WAITING ? firstOf(this.#accepted) : undefined
    this.#accepted.add(entry)
    return oldest
  }

  /** Whose turn it is. */
  take(): Entry | undefined {
    const entry = firstOf(this.#dialled) ?? firstOf(this.#accepted)
    if (entry !== undefined) this.delete(entry)
    return entry
  }

  delete(entry: Entry): void {
    this.#dialled.delete(entry)
    this.#accepted.delete(entry)
  }
}

const firstOf = <Entry>(entries: Set<Entry>): Entry | undefined => entries.values().next().value
