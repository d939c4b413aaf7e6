/**
 * A disk in memory that knows what a crash would leave of it. Until a file is synced, what was written to it may survive whole, in
 * part or not at all; until a directory is synced, the last of its changes may be undone. For tests of whatever stores.
 */
import type { Random } from "@satwire/machine"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { FileError, type FileOperation, Files, type FilesShape, type OpenFile } from "./Files.ts"

/** A change to a file that no sync has made safe. */
type Change =
  | { readonly _tag: "Write"; readonly position: number; readonly bytes: Uint8Array }
  | { readonly _tag: "Truncate"; readonly length: number }

class Inode {
  /** What a process reads. */
  content: Uint8Array = new Uint8Array(0)
  /** What is on the disk for certain. */
  safe: Uint8Array = new Uint8Array(0)
  changes: Array<Change> = []
}

type Names = Map<string, Inode>

/** What a disk writes whole or not at all. */
const SECTOR_BYTES = 512

export class MemoryDisk {
  readonly #directories: Set<string> = new Set()
  #names: Names = new Map()
  #safeNames: Names = new Map()
  /** Changes of names that no sync has made safe, in order. */
  #nameChanges: Array<(names: Names) => void> = []
  #locks: Set<string> = new Set()
  /** Counts crashes: what was opened before one is dead. */
  #life = 0

  /** This disk as the service that stores use. */
  readonly layer: Layer.Layer<Files> = Layer.sync(Files, () => Files.of(this.#files()))

  /** The content of the file, as a process reads it. */
  read(path: string): Uint8Array | undefined {
    return this.#names.get(path)?.content.slice()
  }

  /** Puts a file there, safe from crashes. */
  put(path: string, content: Uint8Array): void {
    const inode = new Inode()
    inode.content = content.slice()
    inode.safe = content.slice()
    this.#names.set(path, inode)
    this.#safeNames.set(path, inode)
    for (let at = parentOf(path); at !== ""; at = parentOf(at)) this.#directories.add(at)
  }

  /** The paths of all files. */
  paths(): ReadonlyArray<string> {
    return [...this.#names.keys()]
  }

  /**
   * The power fails. What was synced is there; of the rest stays what `random` draws, and nothing where none is given. Locks are
   * free, and whatever was open is dead.
   */
  crash(random?: Random): void {
    this.#life++
    this.#locks = new Set()
    const kept = random === undefined ? 0 : random.below(this.#nameChanges.length + 1)
    for (const change of this.#nameChanges.slice(0, kept)) change(this.#safeNames)
    this.#nameChanges = []
    this.#names = new Map(this.#safeNames)
    for (const inode of this.#names.values()) {
      inode.safe = afterCrash(inode, random)
      inode.content = inode.safe
      inode.changes = []
    }
  }

  #changeNames(change: (names: Names) => void): void {
    change(this.#names)
    this.#nameChanges.push(change)
  }

  #files(): FilesShape {
    const life = this.#life
    const run: Run = (operation, path, body) =>
      Effect.suspend(() => {
        const outcome = this.#life === life ? body() : failure(operation, path, "EBADF")
        return outcome instanceof FileError ? Effect.fail(outcome) : Effect.succeed(outcome)
      })
    const missing = (operation: FileOperation, path: string): FileError => failure(operation, path, "ENOENT")
    return {
      open: (path, mode) =>
        run("open", path, () => {
          const isThere = this.#names.has(path)
          if (!this.#directories.has(parentOf(path)) || (!isThere && mode !== "new")) return missing("open", path)
          const inode = this.#names.get(path) ?? new Inode()
          if (!isThere) this.#changeNames((names) => void names.set(path, inode))
          else if (mode === "new") change(inode, { _tag: "Truncate", length: 0 })
          return openFile(path, inode, mode === "readOnly" ? refusingChanges(run) : run)
        }),
      rename: (from, to) =>
        run("rename", from, () => {
          const inode = this.#names.get(from)
          if (inode === undefined) return missing("rename", from)
          return this.#changeNames((names) => {
            names.delete(from)
            names.set(to, inode)
          })
        }),
      remove: (path) =>
        run("remove", path, () =>
          this.#names.has(path) ? this.#changeNames((names) => void names.delete(path)) : missing("remove", path)
        ),
      list: (directory) =>
        run("list", directory, () => {
          if (this.#names.has(directory)) return failure("list", directory, "ENOTDIR")
          const inside = [...this.#names.keys(), ...this.#directories].filter((path) =>
            path.startsWith(`${directory}/`)
          )
          return [...new Set(inside.map((path) => path.slice(directory.length + 1).split("/", 1)[0] ?? ""))]
        }),
      makeDirectory: (path) =>
        run("makeDirectory", path, () => {
          for (let at = path; at !== ""; at = parentOf(at)) this.#directories.add(at)
        }),
      syncDirectory: (path) =>
        run("syncDirectory", path, () => {
          for (const change of this.#nameChanges) change(this.#safeNames)
          this.#nameChanges = []
        }),
      lock: (path) =>
        Effect.asVoid(
          Effect.acquireRelease(
            run("lock", path, () => {
              if (this.#locks.has(path)) return failure("lock", path, "EBUSY")
              this.#locks.add(path)
              return this.#locks
            }),
            (locks) => Effect.sync(() => locks.delete(path))
          )
        )
    }
  }
}

/** An operation of a process that may be dead: what `body` gives, or the failure that it gives. */
type Run = <A>(operation: FileOperation, path: string, body: () => A | FileError) => Effect.Effect<A, FileError>

/** What a file does that is only read. */
const refusingChanges =
  (run: Run): Run =>
  (operation, path, body) =>
    run(operation, path, () =>
      operation === "write" || operation === "truncate" ? failure(operation, path, "EBADF") : body()
    )

const openFile = (path: string, inode: Inode, run: Run): OpenFile => ({
  path,
  size: run("size", path, () => inode.content.length),
  read: (into, position) =>
    run("read", path, () => {
      const found = inode.content.subarray(position, position + into.length)
      into.set(found)
      return found.length
    }),
  write: (bytes, position) =>
    run("write", path, () => {
      change(inode, { _tag: "Write", position, bytes: bytes.slice() })
      return bytes.length
    }),
  truncate: (length) => run("truncate", path, () => change(inode, { _tag: "Truncate", length })),
  sync: run("sync", path, () => {
    inode.safe = inode.content
    inode.changes = []
  }),
  close: Effect.void
})

const parentOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf("/"), 0))

const failure = (operation: FileOperation, path: string, code: string): FileError =>
  new FileError({ operation, path, code, message: `${operation} ${path}: ${code}` })

const change = (inode: Inode, made: Change): void => {
  inode.content = applied(inode.content, made)
  inode.changes.push(made)
}

const applied = (content: Uint8Array, made: Change): Uint8Array => {
  const length = made._tag === "Truncate" ? made.length : Math.max(content.length, made.position + made.bytes.length)
  const next = new Uint8Array(length)
  next.set(content.subarray(0, length))
  if (made._tag === "Write") next.set(made.bytes, made.position)
  return next
}

/** One of the ways in which disks keep what they were not yet told to keep. */
const afterCrash = (inode: Inode, random: Random | undefined): Uint8Array => {
  const { changes, content, safe } = inode
  if (random === undefined) return safe
  const way = random.below(4)
  if (way === 0) return safe
  if (way === 1) return content
  if (way === 2) return prefixOf(safe, changes, random)
  return sectorsOf(safe, content, random)
}

/** The first changes, and of the write that follows them its beginning. */
const prefixOf = (safe: Uint8Array, changes: ReadonlyArray<Change>, random: Random): Uint8Array => {
  const whole = random.below(changes.length + 1)
  const kept = changes.slice(0, whole).reduce(applied, safe)
  const cut = changes[whole]
  if (cut?._tag !== "Write") return kept
  return applied(kept, { ...cut, bytes: cut.bytes.subarray(0, random.below(cut.bytes.length + 1)) })
}

/** The new length, and of every sector either what is new or what was there. */
const sectorsOf = (safe: Uint8Array, content: Uint8Array, random: Random): Uint8Array => {
  const kept = content.slice()
  for (let at = 0; at < kept.length; at += SECTOR_BYTES) {
    if (random.below(2) === 0) continue
    const end = Math.min(at + SECTOR_BYTES, kept.length)
    kept.fill(0, at, end)
    kept.set(safe.subarray(at, end), at)
  }
  return kept
}
