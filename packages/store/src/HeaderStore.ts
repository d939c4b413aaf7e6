/**
 * Keeps headers: raw, in the order in which they were accepted, parents before children and forks among them. It understands nothing of
 * them but their length. On the disk they lie in one file, `headers.dat`, a record for each commit (`RecordFormat.ts`): 96 bytes for a
 * header that comes alone, 80.008 each in a batch of 2,000.
 */
import type { Sha256 } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"
import { HEADER_SIZE } from "@satwire/primitives"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { type FileError, Files } from "./Files.ts"
import { type RecordLog, openRecordLog } from "./RecordLog.ts"
import type { Found } from "./RecordRecovery.ts"
import { MAX_PAYLOAD_BYTES } from "./RecordFormat.ts"
import { type StoreError, storeErrorOf } from "./StoreError.ts"

export interface HeaderStoreShape {
  /**
   * Hands every kept header over, batch by batch: `count` raw headers, one after another, whose memory is the receiver's. The first
   * call opens the store, mends what a crash left, and says so.
   */
  readonly load: (onBatch: (headers: Uint8Array, count: number) => void) => Effect.Effect<HeadersLoaded, StoreError>
  /**
   * Keeps `count` raw headers: when it succeeds they survive any crash. Calls are kept in their order, and those that wait for the
   * disk become one commit. Where it fails it is not kept, and may be tried again. More than {@link MAX_COMMIT_HEADERS} are several
   * commits, of which the first may be kept where a later one fails.
   */
  readonly append: (headers: Uint8Array, count: number) => Effect.Effect<void, StoreError>
}

export interface HeadersLoaded extends Found {
  readonly count: number
}

export interface HeaderStoreOptions {
  /** Where `headers.dat` lies; made where it is not there. */
  readonly directory: string
  /** The magic of the network's messages. A file of another network is set aside. */
  readonly networkMagic: number
  /** The platform's own where not given. */
  readonly sha256?: Sha256 | undefined
}

const HeaderStoreBase: Context.ServiceClass<HeaderStore, "@satwire/store/HeaderStore", HeaderStoreShape> =
  Context.Service<HeaderStore, HeaderStoreShape>()("@satwire/store/HeaderStore")

export class HeaderStore extends HeaderStoreBase {
  /** Headers in a directory. Who holds the directory's lock is the caller's business: see `DataDirectory`. */
  static readonly layer = (options: HeaderStoreOptions): Layer.Layer<HeaderStore, StoreError, Files> =>
    Layer.effect(HeaderStore, makeStore(options))

  /** Headers that last as long as the process. */
  static readonly layerMemory: Layer.Layer<HeaderStore> = Layer.sync(HeaderStore, () => {
    const batches: Array<Uint8Array> = []
    return HeaderStore.of({
      load: (onBatch) =>
        Effect.sync(() => {
          for (const batch of batches) onBatch(batch.slice(), batch.length / HEADER_SIZE)
          const count = batches.reduce((sum, batch) => sum + batch.length / HEADER_SIZE, 0)
          return { count, tornBytes: 0, setAside: undefined }
        }),
      append: (headers, count) =>
        Effect.sync(() => {
          if (count > 0) batches.push(headers.slice(0, count * HEADER_SIZE))
        })
    })
  })
}

/** What `headers.dat` begins with. */
const MAGIC = "SATWHDRS"
const VERSION = 1
/** How many headers one commit holds: 209,715. */
export const MAX_COMMIT_HEADERS: number = Math.floor(MAX_PAYLOAD_BYTES / HEADER_SIZE)
const MAX_COMMIT_BYTES = MAX_COMMIT_HEADERS * HEADER_SIZE

interface Waiting {
  readonly headers: Uint8Array
  readonly done: Deferred.Deferred<void, StoreError>
}

const makeStore = (options: HeaderStoreOptions): Effect.Effect<HeaderStoreShape, StoreError, Files | Scope.Scope> =>
  Effect.gen(function* () {
    const { makeDirectory } = yield* Files
    yield* Effect.mapError(makeDirectory(options.directory), storeErrorOf)
    const log = yield* openRecordLog({
      directory: options.directory,
      name: "headers.dat",
      kind: { magic: MAGIC, version: VERSION, network: options.networkMagic },
      sha256: options.sha256 ?? platformSha256
    })
    const alone = yield* Semaphore.make(1)
    const waiting: Array<Waiting> = []
    return HeaderStore.of({
      load: (onBatch) => alone.withPermit(loadHeaders(log, onBatch)),
      append: (headers, count) =>
        Effect.suspend(() => {
          if (count === 0) return Effect.void
          const entry = {
            headers: headers.subarray(0, count * HEADER_SIZE),
            done: Deferred.makeUnsafe<void, StoreError>()
          }
          waiting.push(entry)
          // Whoever comes first commits for all that wait; the others find their entry gone, and its outcome there.
          const commit = alone.withPermit(Effect.uninterruptible(commitWaiting(log, waiting, entry)))
          return commit.pipe(
            Effect.onInterrupt(() => Effect.sync(() => withdraw(waiting, entry))),
            Effect.andThen(Deferred.await(entry.done))
          )
        })
    })
  })

const loadHeaders = (
  log: RecordLog,
  onBatch: (headers: Uint8Array, count: number) => void
): Effect.Effect<HeadersLoaded, StoreError> =>
  Effect.suspend(() => {
    let count = 0
    return log
      .load((payload) => {
        onBatch(payload.slice(), payload.length / HEADER_SIZE)
        count += payload.length / HEADER_SIZE
      })
      .pipe(
        Effect.mapError(storeErrorOf),
        Effect.tap(report),
        Effect.map((found) => ({ count, ...found }))
      )
  })

const report = ({ setAside, tornBytes }: Found): Effect.Effect<void> =>
  Effect.gen(function* () {
    if (setAside !== undefined) yield* Effect.logWarning(setAside.message)
    if (tornBytes > 0)
      yield* Effect.logInfo(`Cut off ${tornBytes} bytes of headers that a crash had left half written.`)
  }).pipe(Effect.annotateLogs({ category: "store" }))

/** Commits what waits, as much as fits in one record, until `mine` is among it. */
const commitWaiting = (log: RecordLog, waiting: Array<Waiting>, mine: Waiting): Effect.Effect<void> =>
  Effect.gen(function* () {
    while (waiting.includes(mine)) {
      const batch = takeBatch(waiting)
      const outcome = yield* Effect.exit(Effect.mapError(commit(log, batch), storeErrorOf))
      for (const { done } of batch) yield* Deferred.done(done, outcome)
    }
  })

const commit = (log: RecordLog, batch: ReadonlyArray<Waiting>): Effect.Effect<void, FileError> =>
  Effect.gen(function* () {
    const [{ headers }] = batch as [Waiting]
    if (headers.length <= MAX_COMMIT_BYTES) return yield* log.append(batch.map((entry) => entry.headers))
    for (let at = 0; at < headers.length; at += MAX_COMMIT_BYTES) {
      yield* log.append([headers.subarray(at, at + MAX_COMMIT_BYTES)])
    }
  })

/** The entries that one record holds; one that is larger than that comes alone. */
const takeBatch = (waiting: Array<Waiting>): Array<Waiting> => {
  let bytes = 0
  let count = 0
  for (const { headers } of waiting) {
    bytes += headers.length
    if (count > 0 && bytes > MAX_COMMIT_BYTES) break
    count++
  }
  return waiting.splice(0, count)
}

const withdraw = (waiting: Array<Waiting>, entry: Waiting): void => {
  const at = waiting.indexOf(entry)
  if (at >= 0) waiting.splice(at, 1)
}
