/**
 * What is still to be said to one peer and does not go out at once. It is made when the first such thing comes, and forgotten when the
 * last has left, since most peers never need one.
 *
 * ```
 *   replies         getdata ─▶ old block ─▶ pong ─▶ …     in their order, behind the historic block that waits for its share
 *   announcements   ping, block, transaction, address     by that order while the peer takes nothing
 * ```
 *
 * Specification: replies leave in the order of the messages that asked for them. Only what nobody asked for has a priority, and what is
 * most is dropped of it, the least urgent and oldest first.
 * Rationale: a peer counts on the order of answers; of news it wants the latest, and asks for what it missed.
 */
import type { Instant, Now } from "@satwire/machine"
import { type Message, messageSize } from "@satwire/wire"

/** What an announcement is about, the most urgent first. */
export type Subject = "ping" | "block" | "transaction" | "address"

const SUBJECTS: ReadonlyArray<Subject> = ["ping", "block", "transaction", "address"]

/**
 * How many bytes of announcements wait for a peer that takes nothing.
 *
 * @limit bytes of announcements that wait for a peer which takes nothing
 */
export const ANNOUNCEMENT_BYTES_WAITING = 65_536

/** Says when a historic block may leave. The interface lives here, with its consumer. */
export interface HistoricAllowance {
  /** Takes so many bytes out of what is allowed by now and answers `undefined`, or says when `who` is to ask again. */
  take(who: object, sizeBytes: number, now: Now): Instant | undefined
  /** `who` asks no more. */
  forget(who: object): void
}

interface Reply {
  readonly message: Message
  readonly sizeBytes: number
  readonly isHistoric: boolean
}

export class Outgoing {
  readonly #replies: Array<Reply> = []
  #replyBytes = 0
  readonly #news: ReadonlyArray<Array<Message>> = SUBJECTS.map(() => [])
  #newsBytes = 0

  /** Whether replies wait, so that the next one has to wait behind them. */
  get hasReplies(): boolean {
    return this.#replies.length > 0
  }

  get replyBytes(): number {
    return this.#replyBytes
  }

  get isEmpty(): boolean {
    return this.#replies.length === 0 && this.#newsBytes === 0
  }

  reply(message: Message, isHistoric: boolean): void {
    const sizeBytes = messageSize(message)
    this.#replies.push({ message, sizeBytes, isHistoric })
    this.#replyBytes += sizeBytes
  }

  /** Takes an announcement in and gives those that had to go for it. */
  announce(message: Message, about: Subject): ReadonlyArray<Message> {
    this.#news[SUBJECTS.indexOf(about)]?.push(message)
    this.#newsBytes += newsSize(message)
    const dropped: Array<Message> = []
    while (this.#newsBytes > ANNOUNCEMENT_BYTES_WAITING) {
      const lane = this.#news.findLast((messages) => messages.length > 0)
      // The last one stays, however long it is.
      if (lane === undefined || this.#newsBytes === newsSize(lane[0] as Message)) break
      const oldest = lane.shift() as Message
      this.#newsBytes -= newsSize(oldest)
      dropped.push(oldest)
    }
    return dropped
  }

  /** The most urgent announcement. */
  takeAnnouncement(): Message | undefined {
    const message = this.#news.find((messages) => messages.length > 0)?.shift()
    if (message !== undefined) this.#newsBytes -= newsSize(message)
    return message
  }

  /** The next reply, or when to ask again where it is a historic block whose time has not come. */
  takeReply(allowance: HistoricAllowance, now: Now): Message | Instant | undefined {
    const next = this.#replies[0]
    if (next === undefined) return undefined
    const askAgain = next.isHistoric ? allowance.take(this, next.sizeBytes, now) : undefined
    if (askAgain !== undefined) return askAgain
    this.#replies.shift()
    this.#replyBytes -= next.sizeBytes
    return next.message
  }
}

/** A message without a payload has a place in the count too. */
const newsSize = (message: Message): number => messageSize(message) + 24
