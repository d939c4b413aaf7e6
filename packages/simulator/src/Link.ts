/**
 * One direction of a simulated connection: bytes leave in one piece and arrive in order, later, in pieces of any size. It can stall (a
 * partition: bytes wait and nothing is lost, as TCP behaves) and its receiver can pause.
 */
import type { Random } from "@satwire/machine"

/** How a connection behaves. */
export interface LinkConditions {
  /** One way, in milliseconds. */
  readonly latencyMs: number
  /** Up to how much longer a piece may take. */
  readonly jitterMs: number
  /** The largest piece in which bytes arrive; 1 delivers byte by byte. */
  readonly chunkBytes: number
}

/** The node at the other end takes this much before the sender is told to wait. */
const WINDOW_BYTES = 1_000_000

export class Link {
  readonly #conditions: LinkConditions
  readonly #random: Random
  readonly #deliver: (chunk: Uint8Array) => void
  readonly #blocked: (blocked: boolean) => void
  readonly #later: (delayMs: number, run: () => void) => void
  readonly #held: Array<Uint8Array> = []
  #inFlight = 0
  #isBlocked = false
  #busyForMs = 0
  #stalled = false
  #paused = false
  #closed = false

  constructor(options: {
    readonly conditions: LinkConditions
    readonly random: Random
    /** Hands a piece to the receiver. */
    readonly deliver: (chunk: Uint8Array) => void
    /** Tells the sender whether more than the window is under way. */
    readonly blocked: (blocked: boolean) => void
    /** Runs something after a virtual delay. Calls of one link keep their order for equal instants. */
    readonly later: (delayMs: number, run: () => void) => void
  }) {
    this.#conditions = options.conditions
    this.#random = options.random
    this.#deliver = options.deliver
    this.#blocked = options.blocked
    this.#later = options.later
  }

  /** Sends bytes. `sinceMs` is how long ago the last send of this link was. */
  write(bytes: Uint8Array, sinceMs: number): void {
    if (this.#closed) return
    this.#inFlight += bytes.length
    this.#tellSender()
    // Order is kept: nothing arrives before what was sent earlier.
    const own = this.#conditions.latencyMs + this.#random.below(this.#conditions.jitterMs + 1)
    const delay = Math.max(own, this.#busyForMs - sinceMs)
    this.#busyForMs = delay
    this.#later(delay, () => this.#arrive(bytes))
  }

  /** A partition begins or ends. */
  stall(stalled: boolean): void {
    this.#stalled = stalled
    this.#flush()
  }

  /** The receiver stops or goes on reading. */
  pause(paused: boolean): void {
    this.#paused = paused
    if (!paused) this.#later(0, () => this.#flush())
  }

  close(): void {
    this.#closed = true
    this.#held.length = 0
  }

  #arrive(bytes: Uint8Array): void {
    if (this.#closed) return
    this.#held.push(bytes)
    this.#flush()
  }

  #flush(): void {
    while (!this.#closed && !this.#stalled && !this.#paused) {
      const bytes = this.#held.shift()
      if (bytes === undefined) return
      const size = Math.min(bytes.length, 1 + this.#random.below(this.#conditions.chunkBytes))
      if (size < bytes.length) this.#held.unshift(bytes.subarray(size))
      this.#inFlight -= size
      this.#deliver(bytes.subarray(0, size))
      this.#tellSender()
    }
  }

  #tellSender(): void {
    const blocked = this.#inFlight > WINDOW_BYTES
    if (blocked === this.#isBlocked || this.#closed) return
    this.#isBlocked = blocked
    this.#later(0, () => {
      if (!this.#closed) this.#blocked(blocked)
    })
  }
}
