/**
 * The ids of the messages that came last, between gossipsub asking for them and a topic telling of the message.
 *
 * Specification: a few are kept, each until it is asked for. Rationale: gossipsub validates a message in the turn after its id mostly, whose id is
 * computed again otherwise; a `WeakMap` costs 2 µs for each, as much as that does (measured).
 */

/** Frames of so many peers come in between and do no harm. Each may hold a message of 1 MiB. */
const KEPT = 8

export class FreshIds {
  readonly #messages: Array<object | undefined> = Array.from({ length: KEPT }, () => undefined)
  readonly #ids: Array<Uint8Array | undefined> = Array.from({ length: KEPT }, () => undefined)
  #next = 0

  add(message: object, id: Uint8Array): void {
    this.#messages[this.#next] = message
    this.#ids[this.#next] = id
    this.#next = (this.#next + 1) % KEPT
  }

  /** The id, which is not kept any longer. */
  take(message: object): Uint8Array | undefined {
    const at = this.#messages.indexOf(message)
    if (at < 0) return undefined
    const id = this.#ids[at]
    this.#messages[at] = this.#ids[at] = undefined
    return id
  }
}
