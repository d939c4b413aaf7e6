/** The files of a capture, read piece by piece: none is in memory as a whole, and none stays open. */
import { join } from "node:path"
import { type FileError, Files, type FilesShape } from "@satwire/store"
import * as Effect from "effect/Effect"
import { CaptureDamaged, CaptureEmpty, type CaptureFault, type CaptureUnreadable, unreadable } from "./CaptureError.ts"
import { type CaptureRecord, recordAt } from "./CaptureFormat.ts"
import { type PeerFiles, peerOfFile, peerOfFolder } from "./CapturePlaces.ts"

/**
 * How much of a file is read at a time; as much as one record where that is more.
 *
 * @limit bytes of one file of a capture in memory, beside the record that lies on its edge
 */
export const CAPTURE_PIECE_BYTES = 65_536

/** One file, from its beginning on. */
export class CaptureFile {
  readonly path: string
  readonly #files: FilesShape
  /** Where in the file the rest begins. */
  #at = 0
  #rest: Uint8Array = new Uint8Array(0)

  constructor(files: FilesShape, path: string) {
    this.#files = files
    this.path = path
  }

  /** The next records, in memory of their own; none at the end of the file. */
  get next(): Effect.Effect<ReadonlyArray<CaptureRecord>, CaptureFault> {
    return Effect.gen({ self: this }, function* () {
      for (let needs = CAPTURE_PIECE_BYTES; ;) {
        const before = this.#rest.length
        yield* this.#fill(Math.max(needs, CAPTURE_PIECE_BYTES))
        const records = yield* this.#records()
        if (records.length > 0 || this.#rest.length === 0) return records
        // A record that is larger than a piece, or ends before its end.
        const found = recordAt(this.#rest, 0)
        if (found._tag === "Short") needs = found.needs
        if (this.#rest.length === before) return yield* this.#torn()
      }
    })
  }

  #fill(bytes: number): Effect.Effect<void, CaptureUnreadable> {
    if (this.#rest.length >= bytes) return Effect.void
    return Effect.gen({ self: this }, function* () {
      const piece = new Uint8Array(bytes)
      piece.set(this.#rest)
      const kept = this.#rest.length
      const file = yield* this.#files.open(this.path, "readOnly")
      const count = yield* Effect.ensuring(file.read(piece.subarray(kept), this.#at + kept), file.close)
      this.#rest = piece.subarray(0, kept + count)
    }).pipe(Effect.mapError(unreadable))
  }

  #records(): Effect.Effect<ReadonlyArray<CaptureRecord>, CaptureDamaged> {
    const records: Array<CaptureRecord> = []
    let at = 0
    let found = recordAt(this.#rest, at)
    for (; found._tag === "Record"; found = recordAt(this.#rest, at)) {
      records.push(found.record)
      at = found.end
    }
    this.#rest = this.#rest.subarray(at)
    this.#at += at
    // What stands before the damage is given first.
    if (found._tag === "Damaged" && records.length === 0) return Effect.fail(this.#damaged(found.what))
    return Effect.succeed(records)
  }

  #torn(): Effect.Effect<never, CaptureDamaged> {
    return Effect.fail(
      this.#damaged(`the file ends in the middle of this record, after ${this.#rest.length} bytes of it`)
    )
  }

  #damaged(what: string): CaptureDamaged {
    return new CaptureDamaged({ path: this.path, at: this.#at, what })
  }
}

/** What a look through a file brings to light. */
export interface Survey {
  readonly records: number
  readonly bytes: number
  /** The time of the first record; `undefined` in an empty file. */
  readonly firstUs: number | undefined
  readonly commands: ReadonlySet<string>
}

/** Looks through a whole file: what is wrong with it is known before anything is done with it. */
export const survey = (path: string): Effect.Effect<Survey, CaptureFault, Files> =>
  Effect.gen(function* () {
    const file = new CaptureFile(yield* Files, path)
    let records = 0
    let bytes = 0
    let firstUs: number | undefined
    const commands = new Set<string>()
    for (;;) {
      const batch = yield* file.next
      if (batch.length === 0) return { records, bytes, firstUs, commands }
      for (const { command, payload, unixUs } of batch) {
        firstUs ??= unixUs
        records += 1
        bytes += payload.length
        commands.add(command)
      }
    }
  })

/**
 * The files that a path means: one file, the folder of a peer, or a folder of those. In the order of their names, so that it is the same
 * everywhere.
 */
export const captureFiles = (path: string): Effect.Effect<ReadonlyArray<PeerFiles>, CaptureFault, Files> =>
  Effect.gen(function* () {
    const files = yield* Files
    const names = yield* listed(files, path)
    if (names === undefined) return [peerOfFile(path)]
    const peer = peerOfFolder(path, names)
    if (peer !== undefined) return [peer]
    const peers: Array<PeerFiles> = []
    for (const name of names.toSorted()) {
      const inside = yield* listed(files, join(path, name))
      const found = inside === undefined ? undefined : peerOfFolder(join(path, name), inside)
      if (found !== undefined) peers.push(found)
    }
    if (peers.length === 0) return yield* new CaptureEmpty(path)
    return peers
  })

/** The names in a folder; `undefined` for a file. */
const listed = (files: FilesShape, path: string): Effect.Effect<ReadonlyArray<string> | undefined, CaptureUnreadable> =>
  files
    .list(path)
    .pipe(
      Effect.catch((error: FileError) =>
        error.code === "ENOTDIR" ? Effect.succeed(undefined) : Effect.fail(unreadable(error))
      )
    )
