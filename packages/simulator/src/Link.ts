/**
 * One direction of a simulated connection: bytes leave in one piece and arrive in order, later, in pieces of any size. It can stall (a
 * partition: bytes wait and nothing is lost, as TCP behaves), its receiver can pause, and its end comes behind everything that was
 * written.
 *
 * ```
 *   write ─▶ ┄┄ in flight ┄┄ ─▶ held (stalled, paused) ─▶ deliver, in pieces ─▶ ended
 * ```
 */
import type { Random } from "@satwire/machine"

/** How a connection behaves. */
export interface LinkConditions {
  /** One way, in milliseconds. */
  readonly latencyMs: number
  /** Up to how much longer a piece may take. */
  readonly jitterMs: number
  /** How fast bytes leave; all at once where not given. */
  readonly bytesPerSecond?: number | undefined
  /** The largest piece in which bytes arrive; 1 delivers byte by byte. */
  readonly chunkBytes: number
}

/**
 * What is under way before the sender is told to wait: the sockets' buffers of both sides.
 *
 * @limit bytes under way on a simulated link before its sender is told to wait
 */
export const WINDOW_BYTES = 1_000_000

export interface LinkOptions {
  readonly conditions: LinkConditions
  readonly random: Random
  /** The virtual clock, in milliseconds. */
  readonly now: () => number
  /** Runs something after a virtual delay. What is due at one instant runs in the order of these calls. */
  readonly later: (delayMs: number, run: () => void) => void
  /** Runs something right after the turn that is under way. */
  readonly soon: (run: () => void) => void
  /** Hands a piece to the receiver. */
  readonly deliver: (chunk: Uint8Array) => void
  /** Tells the sender whether more than the window is under way. */
  readonly blocked: (blocked: boolean) => void
  /** Tells the receiver that no more will come. */
  readonly ended: () => void
}

export class Link {
  readonly #options: LinkOptions
  /** What has arrived and waits for its receiver. */
  readonly #held: Array<Uint8Array> = []
  /** When what was sent last has left. */
  #leftAt = 0
  /** When what was sent last arrives: nothing overtakes it. */
  #lastArrival = 0
  #underWay = 0
  /** What the sender was told last. */
  #toldBlocked = false
  #stalled = false
  #paused = false
  /** The end has arrived. */
  #endIsHere = false
  /** The receiver's own bytes are lost: it hears of that before anything that is held. */
  #isReset = false
  #closed = false

  constructor(options: LinkOptions) {
    this.#options = options
  }

  /** Bytes that were written and not yet delivered. */
  get underWayBytes(): number {
    return this.#underWay
  }

  write(bytes: Uint8Array): void {
    if (this.#closed) return
    this.#underWay += bytes.length
    this.#tellSender()
    const { conditions, now } = this.#options
    if (conditions.bytesPerSecond !== undefined)
      this.#leftAt = Math.max(now(), this.#leftAt) + (1000 * bytes.length) / conditions.bytesPerSecond
    this.#arriveLater(() => {
      this.#held.push(bytes)
    })
  }

  /** The sender is done: the receiver hears of the end behind all that was written. */
  end(): void {
    this.#arriveLater(() => {
      this.#endIsHere = true
    })
  }

  /** The sender is gone and the receiver writes to it: the next thing that the receiver hears, even when it does not read, is the end. */
  reset(): void {
    this.#isReset = true
    this.#flush()
  }

  /** A partition begins or ends. */
  stall(stalled: boolean): void {
    this.#stalled = stalled
    this.#flush()
  }

  /** The receiver stops or goes on reading. */
  pause(paused: boolean): void {
    this.#paused = paused
    if (!paused) this.#options.later(0, () => this.#flush())
  }

  /** Nothing is delivered or told any more. */
  close(): void {
    this.#closed = true
    this.#held.length = 0
  }

  #arriveLater(arrive: () => void): void {
    const { conditions, random, now, later } = this.#options
    const own = Math.max(now(), this.#leftAt) + conditions.latencyMs + random.below(conditions.jitterMs + 1)
    this.#lastArrival = Math.max(own, this.#lastArrival)
    later(this.#lastArrival - now(), () => {
      if (this.#closed) return
      arrive()
      this.#flush()
    })
  }

  #flush(): void {
    const { conditions, random, deliver } = this.#options
    if (this.#isReset && !this.#stalled) return this.#finish()
    while (!this.#closed && !this.#stalled && !this.#paused) {
      const bytes = this.#held.shift()
      if (bytes === undefined) {
        if (this.#endIsHere) this.#finish()
        return
      }
      const size = Math.min(bytes.length, 1 + random.below(conditions.chunkBytes))
      if (size < bytes.length) this.#held.unshift(bytes.subarray(size))
      this.#underWay -= size
      deliver(bytes.subarray(0, size))
      this.#tellSender()
    }
  }

  #finish(): void {
    if (this.#closed) return
    this.close()
    this.#options.ended()
  }

  /** As at a real edge, a write that fills the window is told right after the turn that wrote, and that it is free again some time later. */
  #tellSender(): void {
    const blocked = this.#isOverWindow
    if (blocked === this.#toldBlocked) return
    if (blocked) this.#options.soon(() => this.#tell())
    else this.#options.later(0, () => this.#tell())
  }

  #tell(): void {
    const blocked = this.#isOverWindow
    if (blocked === this.#toldBlocked || this.#closed) return
    this.#toldBlocked = blocked
    this.#options.blocked(blocked)
  }

  get #isOverWindow(): boolean {
    return this.#underWay > WINDOW_BYTES
  }
}
