/** Exactly so many bytes of a stream. What comes in one message with them waits for the next call. */
import type { ByteStream, StreamError } from "@satwire/transport-libp2p"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"

export class ByteReader {
  readonly #stream: ByteStream
  #rest: Uint8Array = new Uint8Array(0)

  constructor(stream: ByteStream) {
    this.#stream = stream
  }

  /** In a buffer of their own; done where the stream ends before. The count is the caller's to bound. */
  exact(count: number): Effect.Effect<Uint8Array, StreamError | Cause.Done> {
    return Effect.suspend(() => {
      const bytes = new Uint8Array(count)
      let filled = this.#fill(bytes, 0, this.#rest)
      if (filled === count) return Effect.succeed(bytes)
      return Effect.as(
        Effect.whileLoop({
          while: () => filled < count,
          body: () => this.#stream.read,
          step: (more) => {
            filled = this.#fill(bytes, filled, more)
          }
        }),
        bytes
      )
    })
  }

  #fill(bytes: Uint8Array, at: number, from: Uint8Array): number {
    const taken = Math.min(bytes.length - at, from.length)
    bytes.set(from.subarray(0, taken), at)
    this.#rest = from.subarray(taken)
    return at + taken
  }
}
