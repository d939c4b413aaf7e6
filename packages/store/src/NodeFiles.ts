/**
 * Files on the disk, by `node:fs` and, for the lock, `node:sqlite`: both are part of Node and of Deno.
 *
 * The lock is an exclusive transaction that is never committed. SQLite holds the kernel's locks for it, which end with the process
 * however it dies, so no lock is ever stale; and unlike a bare lock it also holds against a second caller in this process.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Fs from "node:fs/promises"
import { constants } from "node:os"
import { dirname } from "node:path"
import type * as Sqlite from "node:sqlite"
import { FileError, type FileOperation, Files, type OpenFile, type OpenMode } from "./Files.ts"

/** The layer for Node and Deno. */
export const layerFiles: Layer.Layer<Files> = Layer.sync(Files, () =>
  Files.of({
    open: (path, mode) =>
      attempt("open", path, () => Fs.open(path, FLAGS[mode])).pipe(Effect.map((handle) => opened(path, handle))),
    rename: (from, to) => attempt("rename", from, () => Fs.rename(from, to)),
    remove: (path) => attempt("remove", path, () => Fs.unlink(path)),
    list: (directory) => attempt("list", directory, () => Fs.readdir(directory)),
    makeDirectory: (path) => attempt("makeDirectory", path, () => makeDirectory(path)),
    syncDirectory,
    lock: (path) => Effect.asVoid(Effect.acquireRelease(locked(path), (lock) => Effect.sync(() => lock.close())))
  })
)

const FLAGS: Record<OpenMode, string> = { existing: "r+", readOnly: "r", new: "w+" }

/** One operation, which is never left running by an interruption. */
const attempt = <A>(operation: FileOperation, path: string, run: () => Promise<A>): Effect.Effect<A, FileError> =>
  Effect.uninterruptible(Effect.tryPromise({ try: run, catch: (thrown) => failure(operation, path, thrown) }))

const failure = (operation: FileOperation, path: string, thrown: unknown): FileError => {
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  const code = typeof thrown === "object" && thrown !== null && "code" in thrown ? thrown.code : undefined
  return new FileError({ operation, path, code: typeof code === "string" ? code : codeIn(message), message })
}

/** Deno knows fewer codes than the system; of the others it gives the number, in its words. */
const codeIn = (message: string): string => {
  const number = Number(/\(os error (\d+)\)/.exec(message)?.[1])
  return Object.entries(constants.errno).find(([, value]) => value === number)?.[0] ?? "UNKNOWN"
}

/**
 * With those above it. Not by `recursive`: on Node that never ends where a file system keeps a name from us by ENOENT (/proc), and calls a disk that
 * can only be read ENOENT, too.
 */
const makeDirectory = async (path: string): Promise<void> => {
  try {
    await Fs.mkdir(path)
  } catch (thrown) {
    const isOrphan = failure("makeDirectory", path, thrown).code === "ENOENT" && !(await isDirectory(dirname(path)))
    if (isOrphan && dirname(path) !== path) {
      await makeDirectory(dirname(path))
      return makeDirectory(path)
    }
    if (!(await isDirectory(path))) throw thrown
  }
}

const isDirectory = (path: string): Promise<boolean> =>
  Fs.stat(path).then(
    (found) => found.isDirectory(),
    () => false
  )

const opened = (path: string, handle: Fs.FileHandle): OpenFile => ({
  path,
  size: Effect.map(
    attempt("size", path, () => handle.stat()),
    ({ size }) => size
  ),
  read: (into, position) =>
    Effect.gen(function* () {
      let done = 0
      while (done < into.length) {
        const at = done
        const { bytesRead } = yield* attempt("read", path, () => handle.read(into, at, into.length - at, position + at))
        if (bytesRead === 0) break
        done += bytesRead
      }
      return done
    }),
  write: (bytes, position) =>
    Effect.map(
      attempt("write", path, () => handle.write(bytes, 0, bytes.length, position)),
      ({ bytesWritten }) => bytesWritten
    ),
  truncate: (length) => attempt("truncate", path, () => handle.truncate(length)),
  sync: attempt("sync", path, () => handle.datasync()),
  close: Effect.ignore(attempt("open", path, () => handle.close()))
})

/** Windows cannot open a directory, and keeps names without being asked. */
const syncDirectory = (path: string): Effect.Effect<void, FileError> =>
  process.platform === "win32"
    ? Effect.void
    : attempt("syncDirectory", path, async () => {
        await using handle = await Fs.open(path, "r")
        await handle.sync()
      })

/**
 * Loaded when a lock is taken, and by name at run time: this module is known only with its `node:`, which bundlers take away from
 * imports (measured: tsup).
 */
const sqlite = (): typeof Sqlite => process.getBuiltinModule("node:sqlite")

const locked = (path: string): Effect.Effect<Sqlite.DatabaseSync, FileError> =>
  Effect.try({
    try: () => {
      const database = new (sqlite().DatabaseSync)(path)
      try {
        // In memory, so that no journal lies beside the lock.
        database.exec("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE")
      } catch (thrown) {
        database.close()
        throw thrown
      }
      return database
    },
    catch: (thrown) => {
      const message = thrown instanceof Error ? thrown.message : String(thrown)
      return new FileError({ operation: "lock", path, code: sqliteCodeOf(message), message })
    }
  })

/** By SQLite's words, which are the same on both runtimes; its numbers are not given on Deno. */
const sqliteCodeOf = (message: string): string => {
  const known = Object.entries(SQLITE_WORDS).find(([words]) => message.includes(words))
  return known === undefined ? "EIO" : known[1]
}

const SQLITE_WORDS: Record<string, string> = {
  "is locked": "EBUSY",
  "not a database": "EINVAL",
  "unable to open": "EACCES",
  readonly: "EROFS",
  "is full": "ENOSPC"
}
