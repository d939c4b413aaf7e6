/**
 * What came from the connection and is still to be read: the chunk at hand, which its owner takes back at `release`, and behind it a
 * backlog. Who reads looks at `chunk` from `at` on and moves `at`.
 */
import { copyOut } from "@satwire/bytes"
import { Backlog } from "./Backlog.ts"

const NO_BYTES: Uint8Array = new Uint8Array(0)

export class Intake {
  chunk: Uint8Array = NO_BYTES
  at = 0
  /** Whether the chunk still belongs to who handed it in. */
  #borrows = false
  readonly #backlog: Backlog = new Backlog()

  receive(chunk: Uint8Array): void {
    if (this.at < this.chunk.length || this.#backlog.bytes > 0) {
      this.#backlog.append(chunk)
    } else {
      this.chunk = chunk
      this.at = 0
      this.#borrows = true
    }
  }

  /** Copies what is left of a chunk that was lent. */
  release(): void {
    if (!this.#borrows) return
    this.#borrows = false
    this.chunk = this.at === this.chunk.length ? NO_BYTES : copyOut(this.chunk.subarray(this.at))
    this.at = 0
  }

  /** Whether there is anything to read in `chunk`, which may become the next one for it. */
  hasBytes(): boolean {
    while (this.at === this.chunk.length) {
      const chunk = this.#backlog.take()
      if (chunk === undefined) return false
      this.chunk = chunk
      this.at = 0
      this.#borrows = false
    }
    return true
  }

  /** Bytes that are still to be read. */
  get bytes(): number {
    return this.chunk.length - this.at + this.#backlog.bytes
  }

  clear(): void {
    this.chunk = NO_BYTES
    this.at = 0
    this.#borrows = false
    this.#backlog.clear()
  }
}
