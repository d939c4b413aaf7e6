/**
 * What waits for one reader, within bounds.
 *
 * Specification: messages, and all else, have room of their own; what comes when there is none is lost, and so is what follows of its kind until
 * the reader has taken what waits; then it is told how many. Rationale: messages can come faster than anybody reads, and must not push out the
 * news that a peer has gone; and the place at which something is missing stays right.
 */
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"

/**
 * @limit messages that wait for one reader of events
 */
export const MESSAGES_WAITING = 4096
/**
 * @limit bytes of messages that wait for one reader of events
 */
export const MESSAGE_BYTES_WAITING = 4_000_000
/**
 * @limit events other than messages that wait for one reader
 */
export const OTHERS_WAITING = 4096

export interface Lost {
  readonly messages: number
  readonly others: number
}

export interface Taken<Item> {
  readonly items: ReadonlyArray<Item>
  /** What was lost behind them. */
  readonly lost: Lost
  /** Nothing more comes. */
  readonly hasEnded: boolean
}

export class EventBuffer<Item> {
  readonly #latch: Latch.Latch = Latch.makeUnsafe(false)
  #items: Array<Item> = []
  #messages = 0
  #messageBytes = 0
  #others = 0
  #lostMessages = 0
  #lostOthers = 0
  #hasEnded = false

  /** @param bytes of its payload */
  offerMessage(item: Item, bytes: number): void {
    const hasRoom = this.#messages < MESSAGES_WAITING && this.#messageBytes + bytes <= MESSAGE_BYTES_WAITING
    if (this.#lostMessages > 0 || (!hasRoom && this.#messages > 0)) this.#lostMessages += 1
    else {
      this.#messages += 1
      this.#messageBytes += bytes
      this.#items.push(item)
    }
    this.#latch.openUnsafe()
  }

  offer(item: Item): void {
    if (this.#lostOthers > 0 || this.#others >= OTHERS_WAITING) this.#lostOthers += 1
    else {
      this.#others += 1
      this.#items.push(item)
    }
    this.#latch.openUnsafe()
  }

  /** So many were lost before they came here. */
  lost(messages: number): void {
    this.#lostMessages += messages
    this.#latch.openUnsafe()
  }

  end(): void {
    this.#hasEnded = true
    this.#latch.openUnsafe()
  }

  /** All that waits, once there is something. */
  readonly take: Effect.Effect<Taken<Item>> = Effect.suspend(() => this.#latch.await).pipe(
    Effect.map(() => {
      const items = this.#items
      const lost = { messages: this.#lostMessages, others: this.#lostOthers }
      this.#items = []
      this.#messages = this.#messageBytes = this.#others = this.#lostMessages = this.#lostOthers = 0
      this.#latch.closeUnsafe()
      return { items, lost, hasEnded: this.#hasEnded }
    })
  )
}
