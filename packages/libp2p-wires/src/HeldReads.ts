/**
 * A stream of js-libp2p whose other end is held back while nobody reads.
 *
 * ```
 *   resume ─▶ (what it held comes, and may pause) ─▶ its window opens ─▶ paused again, where that was asked for
 * ```
 *
 * Specification: js-libp2p's `resume()` first hands over what the stream held, and then opens its window, whoever paused meanwhile: Yamux goes on to
 * grant windows to a stream that says it is paused, until more waits than may. So nobody pauses inside of `resume()`; it is done when that returns.
 */
import type { Stream } from "@libp2p/interface"

/** What is asked of a stream: all of js-libp2p's are such. */
export type HeldStream = Pick<Stream, "pause" | "resume" | "readStatus">

export class HeldReads {
  readonly #stream: HeldStream
  #isHeld: boolean
  #isResuming = false

  constructor(stream: HeldStream) {
    this.#stream = stream
    this.#isHeld = stream.readStatus === "paused"
  }

  /** Whether it is paused, or will be when what it held has come. */
  get isPaused(): boolean {
    return this.#isHeld
  }

  /** No more than its window comes from now on; of what it holds already nothing, unless it is just coming. */
  pause(): void {
    this.#isHeld = true
    this.#settle()
  }

  /** What it holds comes within this call, where somebody listens; then it is open, unless it was paused meanwhile. */
  resume(): void {
    this.#isHeld = false
    if (this.#isResuming || this.#stream.readStatus !== "paused") return
    this.#isResuming = true
    try {
      this.#stream.resume()
    } catch {
      // What it held is here by then; that it could not ask for more is told by its close.
    } finally {
      this.#isResuming = false
    }
    this.#settle()
  }

  #settle(): void {
    if (this.#isHeld && !this.#isResuming && this.#stream.readStatus === "readable") this.#stream.pause()
  }
}
