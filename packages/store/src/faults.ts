/**
 * Disks that fail, for tests of whatever stores: a layer that lets any disk fail on command, and a disk in memory that knows what a
 * crash would leave.
 *
 * ```ts
 * const disk = new MemoryDisk()
 * const files = faultyFiles({ crashAfterBytes: 100 }).pipe(Layer.provide(disk.layer))
 * ```
 */
import type { Random } from "@satwire/machine"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { FileError, type FileOperation, Files, type FilesShape, type OpenFile } from "./Files.ts"

export { MemoryDisk } from "./MemoryDisk.ts"

/** What goes wrong, and when. Read at each operation, so a test may change it meanwhile. */
export interface Faults {
  failures?: ReadonlyArray<Failure> | undefined
  /** Every write takes from 1 byte to all that it is given. */
  shortWrites?: Random | undefined
  /** How many bytes files may still grow by; then `ENOSPC`. What truncation frees is added again. */
  freeBytes?: number | undefined
  /** So many bytes are written, and the process is dead: the write comes no further, and every operation after it fails. */
  crashAfterBytes?: number | undefined
  /** So many operations that change something are done, and the process is dead. */
  crashAfterChanges?: number | undefined
  /** How many bytes were written and how many operations changed something; kept by the layer. */
  written?: { bytes: number; changes: number } | undefined
}

export interface Failure {
  readonly operation: FileOperation
  /** Which of that operation fails: 1 is the first. */
  readonly nth: number
  /** How many in a row; one where not given. */
  readonly times?: number | undefined
  /** Such as `ENOSPC`, `EIO`, `EACCES`. */
  readonly code: string
}

/** The code of everything that a dead process tries. */
export const CRASHED = "ECRASHED"

/** The disk below, with these faults. */
export const faultyFiles = (faults: Faults): Layer.Layer<Files, never, Files> =>
  Layer.effect(
    Files,
    Effect.map(Files, (files) => Files.of(faulty(files, faults)))
  )

const CHANGING: ReadonlySet<FileOperation> = new Set(["write", "truncate", "sync", "rename", "remove", "syncDirectory"])

const faulty = (files: FilesShape, faults: Faults): FilesShape => {
  const counts = new Map<FileOperation, number>()
  const written = { bytes: 0, changes: 0 }
  faults.written = written

  /** Fails where it must; else counts the operation. */
  const before = (
    operation: FileOperation,
    path: string,
    changes = CHANGING.has(operation)
  ): Effect.Effect<void, FileError> =>
    Effect.suspend(() => {
      if (written.bytes >= (faults.crashAfterBytes ?? Infinity)) return fail(operation, path, CRASHED)
      if (changes && written.changes >= (faults.crashAfterChanges ?? Infinity)) return fail(operation, path, CRASHED)
      const nth = (counts.get(operation) ?? 0) + 1
      counts.set(operation, nth)
      const due = faults.failures?.find(
        (failure) => failure.operation === operation && nth >= failure.nth && nth < failure.nth + (failure.times ?? 1)
      )
      if (due !== undefined) return fail(operation, path, due.code)
      if (changes) written.changes++
      return Effect.void
    })

  const write = (file: OpenFile, bytes: Uint8Array, position: number): Effect.Effect<number, FileError> =>
    Effect.gen(function* () {
      yield* before("write", file.path)
      const room = (faults.freeBytes ?? Infinity) - Math.max(0, position - (yield* file.size))
      const growth = Math.max(0, position + bytes.length - Math.max(yield* file.size, position))
      const fits = growth <= room ? bytes.length : Math.max(0, bytes.length - (growth - room))
      if (fits === 0 && bytes.length > 0) return yield* fail("write", file.path, "ENOSPC")
      const alive = (faults.crashAfterBytes ?? Infinity) - written.bytes
      const short = faults.shortWrites === undefined ? fits : 1 + faults.shortWrites.below(fits)
      const size = yield* file.size
      const count = yield* file.write(bytes.subarray(0, Math.min(short, alive)), position)
      written.bytes += count
      if (faults.freeBytes !== undefined) faults.freeBytes -= Math.max(0, (yield* file.size) - size)
      if (short > alive) return yield* fail("write", file.path, CRASHED)
      return count
    })

  const truncate = (file: OpenFile, length: number): Effect.Effect<void, FileError> =>
    Effect.gen(function* () {
      yield* before("truncate", file.path)
      const size = yield* file.size
      yield* file.truncate(length)
      if (faults.freeBytes !== undefined) faults.freeBytes += Math.max(0, size - length)
    })

  const wrap = (file: OpenFile): OpenFile => ({
    path: file.path,
    size: Effect.andThen(before("size", file.path), file.size),
    read: (into, position) => Effect.andThen(before("read", file.path), file.read(into, position)),
    write: (bytes, position) => write(file, bytes, position),
    truncate: (length) => truncate(file, length),
    sync: Effect.andThen(before("sync", file.path), file.sync),
    close: file.close
  })

  return {
    open: (path, mode) =>
      Effect.map(Effect.andThen(before("open", path, mode === "new"), files.open(path, mode)), wrap),
    rename: (from, to) => Effect.andThen(before("rename", from), files.rename(from, to)),
    remove: (path) => Effect.andThen(before("remove", path), files.remove(path)),
    list: (directory) => Effect.andThen(before("list", directory), files.list(directory)),
    makeDirectory: (path) => Effect.andThen(before("makeDirectory", path), files.makeDirectory(path)),
    syncDirectory: (path) => Effect.andThen(before("syncDirectory", path), files.syncDirectory(path)),
    lock: (path) => Effect.andThen(before("lock", path), files.lock(path))
  }
}

const fail = (operation: FileOperation, path: string, code: string): Effect.Effect<never, FileError> =>
  Effect.fail(new FileError({ operation, path, code, message: `${operation} ${path}: ${code}` }))
