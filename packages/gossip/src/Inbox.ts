/** What waits for one reader of a topic, bounded in count and bytes. Who reads slowly misses the oldest, and is told how many. */
import { type NonEmptyReadonlyArray, isReadonlyArrayNonEmpty } from "effect/Array"
import * as Effect from "effect/Effect"

export interface InboxBounds {
  readonly maxWaiting: number
  readonly maxWaitingBytes: number
}

interface Sized {
  readonly sizeBytes: number
}

interface Taken<A> {
  readonly messages: NonEmptyReadonlyArray<A>
  readonly missed: number
}

export class Inbox<A extends Sized> {
  readonly #bounds: InboxBounds
  #waiting: Array<A> = []
  /** The first that was not let go. */
  #from = 0
  #bytes = 0
  #missed = 0
  #wake: (() => void) | undefined

  constructor(bounds: InboxBounds) {
    this.#bounds = bounds
  }

  push(one: A): void {
    this.#waiting.push(one)
    this.#bytes += one.sizeBytes
    while (
      this.#waiting.length - this.#from > this.#bounds.maxWaiting ||
      (this.#bytes > this.#bounds.maxWaitingBytes && this.#waiting.length - this.#from > 1)
    ) {
      this.#bytes -= (this.#waiting[this.#from] as A).sizeBytes
      this.#from++
      this.#missed++
    }
    if (this.#from > this.#bounds.maxWaiting) {
      this.#waiting = this.#waiting.slice(this.#from)
      this.#from = 0
    }
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  /** All that wait, at least one, and how many were missed before them. */
  readonly take: Effect.Effect<Taken<A>> = Effect.suspend(() => {
    const taken = this.#taken()
    if (taken !== undefined) return Effect.succeed(taken)
    return Effect.callback((resume) => {
      this.#wake = () => {
        const now = this.#taken()
        if (now !== undefined) resume(Effect.succeed(now))
      }
      return Effect.sync(() => {
        this.#wake = undefined
      })
    })
  })

  #taken(): Taken<A> | undefined {
    const messages = this.#from === 0 ? this.#waiting : this.#waiting.slice(this.#from)
    if (!isReadonlyArrayNonEmpty(messages)) return undefined
    const missed = this.#missed
    this.#waiting = []
    this.#from = this.#bytes = this.#missed = 0
    return { messages, missed }
  }
}
