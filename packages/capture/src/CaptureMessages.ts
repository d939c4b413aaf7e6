/**
 * Keeps what is seen of a node's messages, in files that Bitcoin Core's tools read.
 *
 * Specification: a capture ends, and the node goes on, when all files together have their limit or the disk does not take any more. No file
 * ends in the middle of a record, and none stays open between two writes.
 *
 * Rationale: a capture is for looking into something, and is forgotten; it must not fill a disk, use up what files a process may open, or end
 * what is looked at. Core writes one record at a time and opens the file for each; here all that have come are written together.
 *
 * Times are the node's in milliseconds, and of several messages in one of them each is a microsecond later than the one before, so that
 * the order over all files is kept.
 */
import { dirname, join } from "node:path"
import { concat } from "@satwire/bytes"
import type { MessageSeen, MessagesLost } from "@satwire/node"
import { type FileError, Files, type FilesShape, type StoreError, storeErrorOf, writeAll } from "@satwire/store"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { encodeRecord } from "./CaptureFormat.ts"
import { RECEIVED_FILE, SENT_FILE, fileOf } from "./CapturePlaces.ts"

/**
 * How much all files of a capture may hold, where nothing else is said.
 *
 * @limit bytes of a capture on disk, where its owner does not say otherwise
 */
export const DEFAULT_CAPTURE_BYTES = 1_000_000_000

/** What a file costs beside its bytes: a folder and a block of the disk, about. */
const FILE_BYTES = 8192

export interface CaptureOptions {
  /** The folder of all. */
  readonly root: string
  readonly messages: Stream.Stream<MessageSeen | MessagesLost>
  /** {@link DEFAULT_CAPTURE_BYTES} where not given. What lies there already counts. */
  readonly maxBytes?: number | undefined
}

/** Why a capture ended. */
export type CaptureEnd =
  /** The node ended. */
  | { readonly _tag: "Ended" }
  | { readonly _tag: "LimitReached"; readonly maxBytes: number }
  | { readonly _tag: "DiskFailed"; readonly error: StoreError }

export interface Captured {
  readonly end: CaptureEnd
  /** Records that were written. */
  readonly records: number
  /** Messages that came faster than they were written. */
  readonly lost: number
}

/** Writes until the messages end, or one of the ends that are described above. Never fails. */
export const captureMessages = ({
  maxBytes = DEFAULT_CAPTURE_BYTES,
  messages,
  root
}: CaptureOptions): Effect.Effect<Captured, never, Files> =>
  Effect.gen(function* () {
    const files = yield* Files
    const writer = new Writer(files, root, maxBytes)
    return writer.captured(yield* writeUntilEnd(messages, writer))
  })

/** So often what has come meanwhile is taken when somebody asks to stop; a node that goes on talking does not hold it up. */
const LAST_ROUNDS = 16

/** Listens at once, while what lies there is looked at. Whoever interrupts it waits until what has come by then is written. */
const writeUntilEnd = (messages: CaptureOptions["messages"], writer: Writer): Effect.Effect<CaptureEnd> =>
  Effect.scoped(
    Effect.gen(function* () {
      const pull = yield* Stream.toPull(messages)
      const write = (batch: ReadonlyArray<MessageSeen | MessagesLost>) => Effect.uninterruptible(writer.take(batch))
      const nothing = Effect.as(Effect.yieldNow, undefined)
      const last = Effect.gen(function* () {
        for (let round = 0; round < LAST_ROUNDS; round++) {
          const batch = yield* Effect.raceFirst(pull, nothing)
          if (batch === undefined) return
          yield* write(batch)
        }
      })
      // Who is interrupted can wait for nothing any more: another fiber does.
      const drained = Effect.forkDetach(last).pipe(Effect.flatMap(Fiber.await))
      const looking = yield* Effect.forkScoped(writer.look)
      writer.found = Fiber.join(looking)
      const writing = Effect.forever(Effect.flatMap(pull, write)).pipe(Effect.onInterrupt(() => drained))
      return yield* Effect.raceFirst(writing, Effect.andThen(writer.found, Effect.never))
    })
  ).pipe(Effect.catch((end) => Effect.succeed<CaptureEnd>(Cause.isDone(end) ? { _tag: "Ended" } : end)))

class Writer {
  /** Done when it is known what lies there. */
  found: Effect.Effect<void, CaptureEnd> = Effect.void
  /** Of all files. */
  #bytes = 0
  #records = 0
  #lost = 0
  #lastUs = 0
  readonly #files: FilesShape
  readonly #root: string
  readonly #maxBytes: number

  constructor(files: FilesShape, root: string, maxBytes: number) {
    this.#files = files
    this.#root = root
    this.#maxBytes = maxBytes
  }

  captured(end: CaptureEnd): Captured {
    return { end, records: this.#records, lost: this.#lost }
  }

  /** What lies there counts. */
  get look(): Effect.Effect<void, CaptureEnd> {
    return sizeOfAll(this.#files, this.#root).pipe(
      Effect.map((bytes) => void (this.#bytes = bytes)),
      Effect.mapError(failed)
    )
  }

  take(batch: ReadonlyArray<MessageSeen | MessagesLost>): Effect.Effect<void, CaptureEnd> {
    return Effect.gen({ self: this }, function* () {
      yield* this.found
      for (const [path, records] of this.#byFile(batch)) {
        const bytes = concat(records)
        if (this.#bytes + bytes.length > this.#maxBytes) {
          return yield* Effect.fail<CaptureEnd>({ _tag: "LimitReached", maxBytes: this.#maxBytes })
        }
        this.#bytes += bytes.length + (yield* append(this.#files, path, bytes).pipe(Effect.mapError(failed)))
        this.#records += records.length
      }
    })
  }

  #byFile(batch: ReadonlyArray<MessageSeen | MessagesLost>): ReadonlyMap<string, ReadonlyArray<Uint8Array>> {
    const byFile = new Map<string, Array<Uint8Array>>()
    for (const item of batch) {
      if (item._tag === "Lost") this.#lost += item.count
      else if (item.payload !== undefined) {
        const { address, command, payload, side, unixMs } = item
        this.#lastUs = Math.max(unixMs * 1000, this.#lastUs + 1)
        const path = fileOf(this.#root, address, side)
        const records = byFile.get(path) ?? []
        if (records.length === 0) byFile.set(path, records)
        records.push(encodeRecord({ unixUs: this.#lastUs, command, payload }))
      }
    }
    return byFile
  }
}

const failed = (error: FileError): CaptureEnd => ({ _tag: "DiskFailed", error: storeErrorOf(error) })

/** Writes at the end of a file, all or nothing. Gives what the file itself cost: something where it is new. */
const append = (files: FilesShape, path: string, bytes: Uint8Array): Effect.Effect<number, FileError> =>
  Effect.gen(function* () {
    const existing = yield* Effect.result(files.open(path, "existing"))
    if (existing._tag === "Failure" && existing.failure.code !== "ENOENT") return yield* existing.failure
    if (existing._tag === "Failure") yield* files.makeDirectory(dirname(path))
    const file = existing._tag === "Success" ? existing.success : yield* files.open(path, "new")
    const written = Effect.gen(function* () {
      const size = yield* file.size
      // What did not fit whole is taken back, so that no record is half there.
      yield* Effect.tapError(writeAll(file, bytes, size), () => Effect.ignore(file.truncate(size)))
    })
    yield* Effect.ensuring(written, file.close)
    return existing._tag === "Success" ? 0 : FILE_BYTES
  }).pipe(Effect.uninterruptible)

const NOT_THERE = new Set(["ENOENT", "ENOTDIR"])

/** What lies there already. */
const sizeOfAll = (files: FilesShape, root: string): Effect.Effect<number, FileError> =>
  Effect.gen(function* () {
    let bytes = 0
    for (const folder of yield* orNone(files.list(root), [])) {
      for (const name of [RECEIVED_FILE, SENT_FILE]) {
        const file = yield* orNone(files.open(join(root, folder, name), "readOnly"), undefined)
        if (file !== undefined) bytes += FILE_BYTES + (yield* Effect.ensuring(file.size, file.close))
      }
    }
    return bytes
  })

const orNone = <A, B>(effect: Effect.Effect<A, FileError>, none: B): Effect.Effect<A | B, FileError> =>
  effect.pipe(Effect.catch((error) => (NOT_THERE.has(error.code) ? Effect.succeed(none) : Effect.fail(error))))
