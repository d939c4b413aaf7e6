/**
 * The data directory: one folder that belongs to one process at a time, laid out as Bitcoin Core lays out its own.
 *
 * ```
 *   ~/.satwire/              mainnet        headers.dat  .lock  satwire.pid
 *   ~/.satwire/testnet3/     testnet3       …
 *   ~/.satwire/testnet4/ signet/ regtest/
 * ```
 *
 * Each network's folder has its own lock, so nodes of several networks may share the root. The lock is the kernel's and ends with
 * the process, however it dies; `satwire.pid` only tells whoever is refused which process it was.
 */
import type { ChainParams } from "@satwire/primitives"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { type FileError, Files, type FilesShape, writeAll } from "./Files.ts"
import { setAside } from "./SetAside.ts"
import { DirectoryLocked, type StoreError, storeErrorOf } from "./StoreError.ts"

/** `~/.satwire` of the user whose home that is. */
export const defaultDataDirectory = (home: string): string => `${home.replace(/[/\\]+$/, "")}/.satwire`

export interface DataDirectoryOptions {
  /** The directory that holds all networks; made where it is not there. */
  readonly root: string
  /** Whose folder is taken. */
  readonly network: Pick<ChainParams, "directory">
}

export interface DataDirectoryShape {
  readonly root: string
  /** The folder of the network: the root itself for mainnet. */
  readonly path: string
}

const DataDirectoryBase: Context.ServiceClass<DataDirectory, "@satwire/store/DataDirectory", DataDirectoryShape> =
  Context.Service<DataDirectory, DataDirectoryShape>()("@satwire/store/DataDirectory")

export class DataDirectory extends DataDirectoryBase {
  /** Makes the folder, takes its lock and writes to it; all of that is undone when the scope closes, but what was stored. */
  static readonly layer = (options: DataDirectoryOptions): Layer.Layer<DataDirectory, StoreError, Files> =>
    Layer.effect(DataDirectory, acquire(options))
}

const acquire = ({
  network,
  root
}: DataDirectoryOptions): Effect.Effect<DataDirectoryShape, StoreError, Files | Scope.Scope> =>
  Effect.gen(function* () {
    const files = yield* Files
    const path = network.directory === "" ? root : `${root}/${network.directory}`
    yield* Effect.mapError(files.makeDirectory(path), storeErrorOf)
    yield* takeLock(files, path)
    // Also the proof that the directory can be written, before anything depends on it.
    yield* Effect.acquireRelease(Effect.mapError(writePid(files, path), storeErrorOf), () =>
      Effect.ignore(files.remove(pidPathOf(path)))
    )
    return DataDirectory.of({ root, path })
  })

const pidPathOf = (path: string): string => `${path}/satwire.pid`

const takeLock = (files: FilesShape, path: string): Effect.Effect<void, StoreError, Scope.Scope> => {
  const lock = files.lock(`${path}/.lock`)
  return lock.pipe(
    // A lock file has no content, so one that has is not ours: it makes room.
    Effect.catchIf(
      (error) => error.code === "EINVAL",
      () =>
        Effect.gen(function* () {
          const setAsideAs = yield* setAside(files, path, ".lock", "foreign")
          yield* Effect.logWarning(
            `${path}/.lock is no lock of Satwire: it was set aside untouched as ${setAsideAs}.`
          ).pipe(Effect.annotateLogs({ category: "store" }))
          yield* lock
        })
    ),
    Effect.catch((error): Effect.Effect<never, StoreError> =>
      error.code === "EBUSY"
        ? Effect.flatMap(readPid(files, path), (pid) => Effect.fail(new DirectoryLocked({ path, pid })))
        : Effect.fail(storeErrorOf(error))
    )
  )
}

const writePid = (files: FilesShape, path: string): Effect.Effect<void, FileError> =>
  Effect.gen(function* () {
    const file = yield* files.open(pidPathOf(path), "new")
    yield* writeAll(file, new TextEncoder().encode(`${process.pid}\n`), 0).pipe(Effect.ensuring(file.close))
  })

const readPid = (files: FilesShape, path: string): Effect.Effect<number | undefined> =>
  Effect.gen(function* () {
    const file = yield* files.open(pidPathOf(path), "existing")
    const bytes = new Uint8Array(16)
    const count = yield* file.read(bytes, 0).pipe(Effect.ensuring(file.close))
    const text = new TextDecoder().decode(bytes.subarray(0, count)).trim()
    return /^[0-9]+$/.test(text) ? Number(text) : undefined
  }).pipe(Effect.catch(() => Effect.succeed(undefined)))
