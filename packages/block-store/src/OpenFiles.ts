/** The files that are being read, each opened once: those that were read last stay open, up to a few. */
import type { FileError, FilesShape, OpenFile } from "@satwire/store"
import * as Effect from "effect/Effect"

/**
 * How many files of blocks stay open for reading.
 *
 * @limit files of blocks that stay open while nobody reads them
 */
export const MAX_IDLE_FILES = 16

interface Handle {
  readonly file: OpenFile
  users: number
  /** To be closed by its last user. */
  isDoomed: boolean
}

export class OpenFiles {
  readonly #files: FilesShape
  readonly #pathOf: (number: number) => string
  /** By number; the one that was taken last stands last. */
  readonly #handles: Map<number, Handle> = new Map()

  constructor(files: FilesShape, pathOf: (number: number) => string) {
    this.#files = files
    this.#pathOf = pathOf
  }

  /** Reads from the file with this number. */
  use<A, E>(number: number, body: (file: OpenFile) => Effect.Effect<A, E>): Effect.Effect<A, E | FileError> {
    return Effect.acquireUseRelease(
      this.#take(number),
      (handle) => body(handle.file),
      (handle) => this.#release(handle)
    )
  }

  /** Closes the file with this number, as soon as nobody reads from it. */
  close(number: number): Effect.Effect<void> {
    return Effect.suspend(() => {
      const handle = this.#handles.get(number)
      if (handle === undefined) return Effect.void
      this.#handles.delete(number)
      handle.isDoomed = true
      return handle.users === 0 ? handle.file.close : Effect.void
    })
  }

  get closeAll(): Effect.Effect<void> {
    return Effect.suspend(() =>
      Effect.forEach([...this.#handles.keys()], (number) => this.close(number), { discard: true })
    )
  }

  #take(number: number): Effect.Effect<Handle, FileError> {
    return Effect.suspend(() => {
      const there = this.#handles.get(number)
      if (there !== undefined) return Effect.succeed(this.#taken(number, there))
      return Effect.flatMap(this.#files.open(this.#pathOf(number), "readOnly"), (file) => {
        const meanwhile = this.#handles.get(number)
        if (meanwhile !== undefined) return Effect.as(file.close, this.#taken(number, meanwhile))
        return Effect.as(this.#closeIdle, this.#taken(number, { file, users: 0, isDoomed: false }))
      })
    })
  }

  #taken(number: number, handle: Handle): Handle {
    handle.users++
    this.#handles.delete(number)
    this.#handles.set(number, handle)
    return handle
  }

  #release(handle: Handle): Effect.Effect<void> {
    return Effect.suspend(() => {
      handle.users--
      return handle.isDoomed && handle.users === 0 ? handle.file.close : Effect.void
    })
  }

  /** Makes room: closes what was not used for the longest time. */
  get #closeIdle(): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.#handles.size <= MAX_IDLE_FILES) return Effect.void
      const idle = [...this.#handles].find(([, { users }]) => users === 0)
      return idle === undefined ? Effect.void : this.close(idle[0])
    })
  }
}
