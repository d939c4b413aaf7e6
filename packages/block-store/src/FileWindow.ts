/** Looks at a file piece by piece, in memory that the next look may overwrite. */
import type { FileError, OpenFile } from "@satwire/store"
import * as Effect from "effect/Effect"

export class FileWindow {
  readonly #file: OpenFile
  #bytes: Uint8Array = new Uint8Array(0)
  #start = 0
  #filled = 0

  constructor(file: OpenFile) {
    this.#file = file
  }

  /** The `length` bytes from `from` on, fewer at the file's end. Where they must be read, at least `atOnce` are. */
  view(from: number, length: number, atOnce: number): Effect.Effect<Uint8Array, FileError> {
    if (from >= this.#start && from + length <= this.#start + this.#filled) {
      return Effect.succeed(this.#bytes.subarray(from - this.#start, from - this.#start + length))
    }
    return Effect.suspend(() => {
      const wanted = Math.max(length, atOnce)
      if (this.#bytes.length < wanted) this.#bytes = new Uint8Array(wanted)
      return Effect.map(this.#file.read(this.#bytes.subarray(0, wanted), from), (count) => {
        this.#start = from
        this.#filled = count
        return this.#bytes.subarray(0, Math.min(count, length))
      })
    })
  }
}
