/**
 * A chain of headers as a file that any tool can read and write: raw headers of 80 bytes, one after another, from genesis on, and nothing
 * else. It is how Electrum lays out its own. The header at height `h` stands at byte `80 * h`.
 *
 * ```
 *   store ─▶ tree, by every rule ─▶ best chain, a piece at a time ─▶ FILE.new ─▶ sync ─▶ FILE
 *   FILE ─▶ a piece at a time ─▶ tree, by every rule ─▶ what is new ─▶ store
 * ```
 *
 * Who holds the data directory's lock is the caller's business, as with {@link HeaderStore}: `layerOnDisk` takes it.
 */
import { type HeadersRefused, restoreHeaders } from "@satwire/header-stream/effect"
import { equals } from "@satwire/bytes"
import { ProofOfWork } from "@satwire/consensus"
import type { Sha256 } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"
import { HeaderTree, type RunFault, type Tip, acceptHeaders, headerPointsOf, tipOf } from "@satwire/header-sync"
import {
  type ChainParams,
  HEADER_PREVIOUS,
  HEADER_SIZE,
  genesisHeader,
  networks,
  formatHeaderPoints
} from "@satwire/primitives"
import { nowReader, seededRandom } from "@satwire/runtime"
import {
  type FileError,
  Files,
  type FilesShape,
  HeaderStore,
  type OpenFile,
  type StoreError,
  writeAll
} from "@satwire/store"
import { MAX_HEADERS_RESULTS } from "@satwire/wire"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { dirname } from "node:path"
import {
  type ExportFault,
  HeaderFileBroken,
  HeaderFileEmpty,
  HeaderFileExists,
  HeaderFileForeign,
  HeaderFileTorn,
  HeaderFileUnreadable,
  type ImportFault,
  unwritable
} from "./HeaderFileError.ts"

/**
 * How many headers of a file are in memory at a time, beside the tree; what is new of them is one commit.
 *
 * @limit headers of an imported or exported file in memory at a time
 */
export const HEADERS_AT_A_TIME = 16_000

export interface ExportOptions {
  readonly params: ChainParams
  /** Where the file is to be. It is written as `path` with `.new` behind it first, which is overwritten where it is there. */
  readonly path: string
  /** Whether a file that is there makes room. It does not where not given. */
  readonly overwrites?: boolean | undefined
  /** The platform's own where not given. */
  readonly sha256?: Sha256 | undefined
}

export interface Exported {
  /** How many headers the best chain has, genesis among them. */
  readonly count: number
  readonly tip: Tip
}

/**
 * Writes the headers of the best chain into a file, from genesis to the tip, after each has passed every rule again. Under the name there
 * is never a part of it: the file takes its name when all of it is synced.
 */
export const exportHeaders = (
  options: ExportOptions
): Effect.Effect<Exported, ExportFault | HeadersRefused | StoreError, HeaderStore | Files> =>
  written(options, (file, tree) => writeChain(file, tree, tree.height(tree.best)))

/** How far apart the points of a skeleton are that is written here: one message of `headers` lies between two. */
export const SKELETON_SPACING: number = MAX_HEADERS_RESULTS

/**
 * Writes points of the best chain into a file, a line each: every {@link SKELETON_SPACING} headers one, and the tip. Along it others fetch their
 * headers from many peers at once (`NodeOptions.skeleton`). Under the name there is never a part of it.
 */
export const exportSkeleton = (
  options: ExportOptions
): Effect.Effect<Exported, ExportFault | HeadersRefused | StoreError, HeaderStore | Files> =>
  written(options, (file, tree) => {
    const about = `# Headers of ${options.params.name} up to height ${tree.height(tree.best)}: heights and hashes.\n`
    const text = about + formatHeaderPoints(headerPointsOf(tree, SKELETON_SPACING))
    return writeAll(file, new TextEncoder().encode(text), 0)
  })

/** Writes a file that takes its name when it is whole. */
const written = (
  { params, path, overwrites = false, sha256 = platformSha256 }: ExportOptions,
  write: (file: OpenFile, tree: HeaderTree) => Effect.Effect<void, FileError>
): Effect.Effect<Exported, ExportFault | HeadersRefused | StoreError, HeaderStore | Files> =>
  Effect.gen(function* () {
    const files = yield* Files
    if (!overwrites) yield* refuseExisting(files, path)
    const tree = yield* treeOfStore(params, sha256)
    const tip = tipOf(tree, tree.best)
    const making = `${path}.new`
    yield* Effect.gen(function* () {
      const file = yield* files.open(making, "new")
      yield* Effect.andThen(write(file, tree), file.sync).pipe(Effect.ensuring(file.close))
      yield* files.rename(making, path)
      yield* files.syncDirectory(dirname(path))
    }).pipe(
      // What was written of it would only be in the way.
      Effect.onError(() => Effect.ignore(files.remove(making))),
      Effect.mapError(unwritable(path))
    )
    return { count: tip.height + 1, tip }
  })

/** What cannot be opened for another reason than that it is not there is there. */
const refuseExisting = (files: FilesShape, path: string): Effect.Effect<void, ExportFault> =>
  Effect.gen(function* () {
    const found = yield* Effect.result(files.open(path, "readOnly"))
    if (Result.isSuccess(found)) yield* found.success.close
    else if (found.failure.code === "ENOENT") return
    else if (found.failure.code === "ENOTDIR") return yield* unwritable(path)(found.failure)
    return yield* new HeaderFileExists({ path })
  })

const writeChain = (file: OpenFile, tree: HeaderTree, height: number): Effect.Effect<void, FileError> =>
  Effect.gen(function* () {
    for (let from = 0; from <= height; from += HEADERS_AT_A_TIME) {
      const to = Math.min(from + HEADERS_AT_A_TIME - 1, height)
      yield* writeAll(file, tree.rawChain(tree.best, from, to), from * HEADER_SIZE)
    }
  })

export interface ImportOptions {
  readonly params: ChainParams
  /** The file, which is only read. */
  readonly path: string
  /** Hears how far it is: so many headers of the file are valid and kept, of so many that there are. */
  readonly onProgress?: ((done: number, of: number) => Effect.Effect<void>) | undefined
  /** The platform's own where not given. */
  readonly sha256?: Sha256 | undefined
}

export interface Imported {
  /** How many headers the file has, genesis among them. */
  readonly count: number
  /** How many of them were new. The others cost a hash each, and nothing more. */
  readonly added: number
  /** The last header of the file. */
  readonly last: Tip
  /** The last header of the best chain, which is the file's where that has the most work. */
  readonly tip: Tip
}

/**
 * Takes in a file of headers, from genesis on, by every rule. What is new is kept, a piece at a time, and survives any crash from then
 * on. Where it fails, all that was valid before the fault is kept, and the error says how much that was. The file's chain needs no
 * minimum of work, as whose file it is trusts it.
 */
export const importHeaders = (
  options: ImportOptions
): Effect.Effect<Imported, ImportFault | HeadersRefused | StoreError, HeaderStore | Files> =>
  Effect.gen(function* () {
    const { params, path, sha256 = platformSha256 } = options
    const files = yield* Files
    const open = files.open(path, "readOnly").pipe(Effect.mapError(unreadable(path, 0)))
    return yield* Effect.acquireUseRelease(
      open,
      (file) =>
        Effect.gen(function* () {
          const size = yield* Effect.mapError(file.size, unreadable(path, 0))
          // Before the store is looked at, which takes longer.
          yield* checkBeginning(file, params)
          const tree = yield* treeOfStore(params, sha256)
          return yield* importFrom(file, tree, sha256, options, Math.floor(size / HEADER_SIZE))
        }),
      (file) => file.close
    )
  })

const unreadable =
  (path: string, height: number) =>
  ({ code }: { readonly code: string }): HeaderFileUnreadable =>
    new HeaderFileUnreadable({ path, height, code })

/** Whether it is a file of this network. */
const checkBeginning = (file: OpenFile, params: ChainParams): Effect.Effect<void, ImportFault> =>
  Effect.gen(function* () {
    const { path } = file
    const first = new Uint8Array(HEADER_SIZE)
    const bytes = yield* Effect.mapError(file.read(first, 0), unreadable(path, 0))
    if (bytes === 0) return yield* new HeaderFileEmpty({ path })
    const begun = first.subarray(0, bytes)
    if (equals(begun, genesisHeader(params))) return
    const found = Object.values(networks).find((network) => equals(begun, genesisHeader(network)))
    return yield* new HeaderFileForeign({ path, expected: params.name, found: found?.name })
  })

const importFrom = (
  file: OpenFile,
  tree: HeaderTree,
  sha256: Sha256,
  { onProgress, path }: ImportOptions,
  headersInFile: number
): Effect.Effect<Imported, ImportFault | StoreError, HeaderStore> =>
  Effect.gen(function* () {
    const store = yield* HeaderStore
    const now = yield* nowReader
    const proof = new ProofOfWork(tree.params)
    const piece = new Uint8Array(HEADERS_AT_A_TIME * HEADER_SIZE)
    let height = 1
    let last = 0
    let added = 0
    for (let isAtEnd = false; !isAtEnd;) {
      const bytes = yield* Effect.mapError(file.read(piece, height * HEADER_SIZE), unreadable(path, height))
      const count = Math.floor(bytes / HEADER_SIZE)
      const before = tree.size
      let taken: Taken = { count: 0, last, rule: undefined }
      for (let from = 0; from < count && taken.rule === undefined; from += taken.count) {
        const run = Math.min(count - from, MAX_HEADERS_RESULTS)
        const headers = piece.subarray(from * HEADER_SIZE, (from + run) * HEADER_SIZE)
        taken = takeRun({ tree, proof, sha256, unix: now().unix }, headers, run, last)
        last = taken.last
        height += taken.count
        // Others on this thread have their turn.
        yield* Effect.yieldNow
      }
      const fresh = tree.size - before
      yield* store.append(tree.rawRange(before, fresh), fresh)
      added += fresh
      if (taken.rule !== undefined) return yield* broken(file, height, taken.rule)
      if (onProgress !== undefined) yield* onProgress(height, Math.max(height, headersInFile))
      const over = bytes % HEADER_SIZE
      if (over > 0) return yield* new HeaderFileTorn({ path, height, bytes: over })
      isAtEnd = bytes < piece.length
    }
    return { count: height, added, last: tipOf(tree, last), tip: tipOf(tree, tree.best) }
  })

interface Judging {
  readonly tree: HeaderTree
  readonly proof: ProofOfWork
  readonly sha256: Sha256
  /** Our clock, in seconds since 1970. */
  readonly unix: number
}

/** What became of a run: so many of it were valid, `last` is the number of the last of them, and the next one broke the rule. */
interface Taken {
  readonly count: number
  readonly last: number
  readonly rule: RunFault | undefined
}

/** Takes in a run that should follow the header `last`. */
const takeRun = (judging: Judging, headers: Uint8Array, count: number, last: number): Taken => {
  const { proof, sha256, tree, unix } = judging
  if (count === 0) return { count: 0, last, rule: undefined }
  if (tree.find(headers, HEADER_PREVIOUS) !== last) return { count: 0, last, rule: "non-continuous" }
  const acceptance = acceptHeaders(tree, proof, sha256, headers, count, unix)
  // Its parent is in the tree, as we have just seen.
  if (acceptance._tag === "Unconnected") return { count: 0, last, rule: "non-continuous" }
  const { fault } = acceptance
  if (fault === undefined) return { count, last: acceptance.last, rule: undefined }
  // A run of which one header has not done its work, or is nobody's child, is not taken in at all: what stands before that one is.
  const before = takeRun(judging, headers, fault.index, last)
  return before.rule === undefined ? { ...before, rule: fault.rule } : before
}

const broken = (file: OpenFile, height: number, rule: RunFault): Effect.Effect<never, ImportFault> =>
  Effect.gen(function* () {
    const { path } = file
    const header = new Uint8Array(HEADER_SIZE)
    yield* Effect.mapError(file.read(header, height * HEADER_SIZE), unreadable(path, height))
    return yield* new HeaderFileBroken({ path, height, rule, isHole: header.every((byte) => byte === 0) })
  })

/** All that is kept, by every rule again. */
const treeOfStore = (
  params: ChainParams,
  sha256: Sha256
): Effect.Effect<HeaderTree, HeadersRefused | StoreError, HeaderStore> =>
  Effect.gen(function* () {
    const tree = HeaderTree.fromGenesis(params, yield* seededRandom)
    yield* restoreHeaders(tree, sha256)
    return tree
  })
