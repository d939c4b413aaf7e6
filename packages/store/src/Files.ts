/**
 * The few things that a store asks of a disk, as a service of our own. Effect's `FileSystem` would do most of it, but it has no
 * positioned write, no sync of a directory and no lock, it folds the system's codes (a full disk and a flaky one become the same
 * reason), and a layer that injects faults would have to wrap thirty operations instead of these.
 *
 * Nothing is retried or hidden here: a write may be short, and what is not synced may be gone after a crash.
 */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export type FileOperation =
  | "open"
  | "size"
  | "read"
  | "write"
  | "truncate"
  | "sync"
  | "rename"
  | "remove"
  | "list"
  | "makeDirectory"
  | "syncDirectory"
  | "lock"

/**
 * `existing` and `readOnly` fail with `ENOENT` where there is none, and only the first of them needs the right to write; `new` creates
 * the file, or empties one that is there.
 */
export type OpenMode = "existing" | "readOnly" | "new"

/** An open file. Who opens it closes it. */
export interface OpenFile {
  readonly path: string
  readonly size: Effect.Effect<number, FileError>
  /** Fills `into` from `position`; gives how many bytes there were, fewer only at the end of the file. */
  readonly read: (into: Uint8Array, position: number) => Effect.Effect<number, FileError>
  /** Writes from `position` on; gives how many bytes were written, which may be fewer than were given. */
  readonly write: (bytes: Uint8Array, position: number) => Effect.Effect<number, FileError>
  readonly truncate: (length: number) => Effect.Effect<void, FileError>
  /** After it, everything written and truncated before survives a crash. */
  readonly sync: Effect.Effect<void, FileError>
  readonly close: Effect.Effect<void>
}

export interface FilesShape {
  readonly open: (path: string, mode: OpenMode) => Effect.Effect<OpenFile, FileError>
  /** Takes the other's place where there is one. */
  readonly rename: (from: string, to: string) => Effect.Effect<void, FileError>
  /** Fails with `ENOENT` where there is none. */
  readonly remove: (path: string) => Effect.Effect<void, FileError>
  readonly list: (directory: string) => Effect.Effect<ReadonlyArray<string>, FileError>
  /** With all that lead to it; nothing where it is there. */
  readonly makeDirectory: (path: string) => Effect.Effect<void, FileError>
  /** After it, names created, renamed and removed in the directory survive a crash. */
  readonly syncDirectory: (path: string) => Effect.Effect<void, FileError>
  /** Holds `path` against every other process and caller until the scope closes or the process dies; `EBUSY` where it is held. */
  readonly lock: (path: string) => Effect.Effect<void, FileError, Scope.Scope>
}

const FilesBase: Context.ServiceClass<Files, "@satwire/store/Files", FilesShape> = Context.Service<Files, FilesShape>()(
  "@satwire/store/Files"
)

export class Files extends FilesBase {}

interface FileErrorFields {
  readonly operation: FileOperation
  readonly path: string
  /** The system's code, such as `ENOSPC`. */
  readonly code: string
  readonly message: string
}

const FileErrorBase: new (
  fields: FileErrorFields
) => Cause.YieldableError & { readonly _tag: "FileError" } & FileErrorFields = Data.TaggedError("FileError")

/** What the system said. Stores turn it into a `StoreError`, which says what to do. */
export class FileError extends FileErrorBase {}

/** Writes all of `bytes`, in as many writes as it takes. */
export const writeAll = (file: OpenFile, bytes: Uint8Array, position: number): Effect.Effect<void, FileError> =>
  Effect.gen(function* () {
    for (let done = 0; done < bytes.length;) {
      const count = yield* file.write(bytes.subarray(done), position + done)
      if (count === 0) {
        const message = "nothing could be written"
        return yield* new FileError({ operation: "write", path: file.path, code: "ENOSPC", message })
      }
      done += count
    }
  })
