/**
 * Keeps values that are small enough to be written whole: known addresses, bans, anchors. What `save` said is kept is there after any crash,
 * and until then what was kept before; a file that is not as it was written is set aside under another name, and its owner starts afresh.
 *
 * On the disk a value is one file with a head and a single record (`RecordFormat.ts`), whose payload is MessagePack:
 *
 * ```
 *   peers.dat        magic 8 │ version 4 │ network 4 │ check 8 │ length 4 │ ~length 4 │ MessagePack │ check 8
 *   peers.dat.new    one in the making: takes the name when it is whole and synced
 * ```
 */
import type { Sha256 } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"
import { assert } from "@satwire/machine"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import { Packr } from "msgpackr/pack"
import { type FileError, Files, type FilesShape, writeAll } from "./Files.ts"
import {
  CHECK_BYTES,
  type FileKind,
  HEAD_BYTES,
  MAX_PAYLOAD_BYTES,
  PREFIX_BYTES,
  RECORD_OVERHEAD_BYTES,
  encodeHead,
  encodeRecord,
  isRecordWhole,
  judgeHead,
  payloadLength
} from "./RecordFormat.ts"
import { setAside } from "./SetAside.ts"
import { DamagedFile, ForeignFile, type StoreError, storeErrorOf } from "./StoreError.ts"

/** Whose values these are, and how what was kept becomes one. */
export interface SnapshotKind<A> {
  /** The file's name, such as `peers.dat`. */
  readonly name: string
  /** Eight ASCII characters with which the file begins. */
  readonly magic: string
  /** Of the values. A file of a newer one is set aside. */
  readonly version: number
  /** Makes a value of what was saved, or says in one clause what is wrong with it. */
  readonly read: (saved: unknown) => Result.Result<A, string>
}

export interface SnapshotLoaded<out A> {
  /** `undefined` where nothing was saved, or nothing that is whole. */
  readonly value: A | undefined
  /** What was wrong with the file, and where it lies now. */
  readonly setAside: DamagedFile | ForeignFile | undefined
}

export interface SnapshotFile<out A> {
  /** What was saved last. */
  readonly load: Effect.Effect<SnapshotLoaded<A>, StoreError>
  /**
   * Keeps a value of numbers, bigints, strings, booleans, nulls, `Uint8Array`s, and of arrays and plain objects of these, in place of what was
   * kept. Where it fails, what was kept before is still there.
   */
  readonly save: (value: unknown) => Effect.Effect<void, StoreError>
  /** Keeps nothing any more: anchors are used once. */
  readonly remove: Effect.Effect<void, StoreError>
}

export interface SnapshotsShape {
  /** The place of one kind of values. Whoever opens a kind again has the same place. */
  readonly open: <A>(kind: SnapshotKind<A>) => SnapshotFile<A>
}

export interface SnapshotsOptions {
  /** Where the files lie; made where it is not there. Who holds its lock is the caller's business: see `DataDirectory`. */
  readonly directory: string
  /** The magic of the network's messages. A file of another network is set aside. */
  readonly networkMagic: number
  /** The platform's own where not given. */
  readonly sha256?: Sha256 | undefined
}

const SnapshotsBase: Context.ServiceClass<Snapshots, "@satwire/store/Snapshots", SnapshotsShape> = Context.Service<
  Snapshots,
  SnapshotsShape
>()("@satwire/store/Snapshots")

export class Snapshots extends SnapshotsBase {
  /** Values in files of a directory. */
  static readonly layer = (options: SnapshotsOptions): Layer.Layer<Snapshots, StoreError, Files> =>
    Layer.effect(Snapshots, makeSnapshots(options))

  /** Values that last as long as the process. */
  static readonly layerMemory: Layer.Layer<Snapshots> = Layer.sync(Snapshots, () => {
    const kept = new Map<string, Uint8Array>()
    return Snapshots.of({
      open: ({ name, read }) => ({
        load: Effect.sync(() => {
          const packed = kept.get(name)
          const value = packed === undefined ? undefined : Result.getOrThrowWith(unpacked(packed, read), broken)
          return { value, setAside: undefined }
        }),
        save: (value) => Effect.sync(() => void kept.set(name, pack(value))),
        remove: Effect.sync(() => void kept.delete(name))
      })
    })
  })
}

const broken = (what: string): Error => new Error(`what was saved cannot be read: ${what}`)

/** Plain maps and no extensions, so that any reader of MessagePack can read a file; and no byte of a value in the file's memory. */
const packr = new Packr({ useRecords: false, moreTypes: false, copyBuffers: true, int64AsType: "bigint" })

const pack = (value: unknown): Uint8Array => packr.pack(value)

const unpacked = <A>(packed: Uint8Array, read: SnapshotKind<A>["read"]): Result.Result<A, string> => {
  let saved: unknown
  try {
    saved = packr.unpack(packed)
  } catch {
    return Result.fail("it is no MessagePack")
  }
  return read(saved)
}

const makeSnapshots = (options: SnapshotsOptions): Effect.Effect<SnapshotsShape, StoreError, Files> =>
  Effect.gen(function* () {
    const files = yield* Files
    const { directory, networkMagic, sha256 = platformSha256 } = options
    yield* Effect.mapError(files.makeDirectory(directory), storeErrorOf)
    const locks = new Map<string, Semaphore.Semaphore>()
    return Snapshots.of({
      open: (kind) => {
        const place: Place = {
          files,
          directory,
          name: kind.name,
          path: `${directory}/${kind.name}`,
          kind: { magic: kind.magic, version: kind.version, network: networkMagic },
          sha256
        }
        const alone = locks.get(kind.name) ?? Semaphore.makeUnsafe(1)
        locks.set(kind.name, alone)
        const whole = <A>(effect: Effect.Effect<A, FileError>): Effect.Effect<A, StoreError> =>
          alone.withPermit(Effect.uninterruptible(Effect.mapError(effect, storeErrorOf)))
        return {
          load: Effect.tap(whole(load(place, kind.read)), report),
          // Packed at once: the value is the caller's again when `save` has been called.
          save: (value) => Effect.suspend(() => whole(save(place, pack(value)))),
          remove: whole(remove(place))
        }
      }
    })
  })

interface Place {
  readonly files: FilesShape
  readonly directory: string
  readonly name: string
  readonly path: string
  readonly kind: FileKind
  readonly sha256: Sha256
}

const isMissing = (error: FileError): boolean => error.code === "ENOENT"

type Judgement<A> =
  | { readonly _tag: "Ours"; readonly value: A }
  | { readonly _tag: "Damaged" | "Foreign"; readonly what: string; readonly at: number }

const load = <A>(place: Place, read: SnapshotKind<A>["read"]): Effect.Effect<SnapshotLoaded<A>, FileError> =>
  Effect.gen(function* () {
    const bytes = yield* content(place)
    const judged = judge(place, bytes, read)
    if (judged._tag === "Ours") return { value: judged.value, setAside: undefined }
    const { files, directory, name, path } = place
    const setAsideAs = yield* setAside(files, directory, name, judged._tag === "Damaged" ? "damaged" : "foreign")
    yield* files.syncDirectory(directory)
    const { at, what } = judged
    const found =
      judged._tag === "Damaged"
        ? new DamagedFile({ path, what, at, setAsideAs, isIndivisible: true })
        : new ForeignFile({ path, what, setAsideAs })
    return { value: undefined, setAside: found }
  }).pipe(Effect.catchIf(isMissing, () => Effect.succeed({ value: undefined, setAside: undefined })))

/** The longest file that can be one of ours. */
const MAX_FILE_BYTES = HEAD_BYTES + RECORD_OVERHEAD_BYTES + MAX_PAYLOAD_BYTES

/** All of the file, but of one that is too long only so much that it shows. */
const content = ({ files, path }: Place): Effect.Effect<Uint8Array, FileError> =>
  Effect.gen(function* () {
    const file = yield* files.open(path, "existing")
    return yield* Effect.gen(function* () {
      const bytes = new Uint8Array(Math.min(yield* file.size, MAX_FILE_BYTES + 1))
      return bytes.subarray(0, yield* file.read(bytes, 0))
    }).pipe(Effect.ensuring(file.close))
  })

const judge = <A>({ kind, sha256 }: Place, bytes: Uint8Array, read: SnapshotKind<A>["read"]): Judgement<A> => {
  const head = judgeHead(sha256, bytes.subarray(0, HEAD_BYTES), kind)
  if (head._tag !== "Ours") return { ...head, at: 0 }
  const damaged = (what: string): Judgement<A> => ({ _tag: "Damaged", what, at: HEAD_BYTES })
  const length = bytes.length - HEAD_BYTES - RECORD_OVERHEAD_BYTES
  if (length <= 0 || payloadLength(bytes, HEAD_BYTES) !== length) return damaged("it is not as long as it says")
  if (!isRecordWhole(sha256, bytes, HEAD_BYTES, length)) return damaged("its check does not fit")
  const start = HEAD_BYTES + PREFIX_BYTES
  const value = unpacked(bytes.subarray(start, start + length), read)
  return Result.isSuccess(value) ? { _tag: "Ours", value: value.success } : damaged(value.failure)
}

const save = ({ directory, files, kind, path, sha256 }: Place, packed: Uint8Array): Effect.Effect<void, FileError> =>
  Effect.gen(function* () {
    assert(packed.length <= MAX_PAYLOAD_BYTES, "a snapshot is longer than its file may be")
    const head = encodeHead(sha256, kind)
    const making = `${path}.new`
    yield* Effect.gen(function* () {
      const file = yield* files.open(making, "new")
      yield* Effect.gen(function* () {
        yield* writeAll(file, head, 0)
        yield* writeAll(file, encodeRecord(sha256, head.subarray(HEAD_BYTES - CHECK_BYTES), [packed]), HEAD_BYTES)
        yield* file.sync
      }).pipe(Effect.ensuring(file.close))
      yield* files.rename(making, path)
    }).pipe(
      // On a full disk what was written of it would only be in the way.
      Effect.tapError(() => Effect.ignore(files.remove(making)))
    )
    yield* files.syncDirectory(directory)
  })

const remove = ({ directory, files, path }: Place): Effect.Effect<void, FileError> =>
  files.remove(path).pipe(
    Effect.andThen(files.syncDirectory(directory)),
    Effect.catchIf(isMissing, () => Effect.void)
  )

const report = ({ setAside }: SnapshotLoaded<unknown>): Effect.Effect<void> =>
  setAside === undefined
    ? Effect.void
    : Effect.logWarning(setAside.message).pipe(Effect.annotateLogs({ category: "store" }))
