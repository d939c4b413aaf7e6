/** Handlers that remember what was called, for suites: a test waits for a condition, and every call looks whether it holds now. */
import { equals } from "@satwire/bytes"
import * as Effect from "effect/Effect"
import type { CloseReason, Connection, ConnectionHandlers } from "../Connection.ts"

/** Something that changes, and whoever waits for it to be so. */
export class Signal {
  readonly #waiting: Set<() => void> = new Set()

  changed(): void {
    for (const look of this.#waiting) look()
  }

  /** Waits until `holds`, looked at now and after every change. */
  until(holds: () => boolean): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
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
}

export class Observed implements ConnectionHandlers {
  readonly connection: Connection
  readonly #signal: Signal
  readonly #chunks: Array<Uint8Array> = []
  /** Bytes that came, in all. */
  length = 0
  #drains = 0
  #closed: CloseReason | undefined = undefined
  /** Calls after the close: must stay 0. */
  late = 0

  /** Starts the connection and remembers what is called. */
  constructor(connection: Connection, signal: Signal) {
    this.connection = connection
    this.#signal = signal
    connection.start(this)
  }

  onBytes(bytes: Uint8Array): void {
    if (this.#closed !== undefined) this.late++
    // Copied, since the read buffer is reused.
    this.#chunks.push(new Uint8Array(bytes))
    this.length += bytes.length
    this.#signal.changed()
  }

  onDrain(): void {
    if (this.#closed !== undefined) this.late++
    this.#drains++
    this.#signal.changed()
  }

  onClose(reason: CloseReason): void {
    if (this.#closed !== undefined) this.late++
    this.#closed = reason
    this.#signal.changed()
  }

  /** Why it closed, or `undefined` while it is open. */
  closedBy(): CloseReason["_tag"] | undefined {
    return this.#closed?._tag
  }

  /** The same with all that is known of it. */
  reason(): CloseReason | undefined {
    return this.#closed
  }

  /** How often all was taken. */
  drained(): number {
    return this.#drains
  }

  /** Whether all that came is exactly `sent`. */
  received(sent: Uint8Array): boolean {
    let offset = 0
    for (const chunk of this.#chunks) {
      if (!equals(chunk, sent.subarray(offset, offset + chunk.length))) return false
      offset += chunk.length
    }
    return offset === sent.length
  }
}
