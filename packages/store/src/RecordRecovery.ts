/**
 * Opens a file of records in whatever state it is. What is there is never written over: a torn append is cut off, and a file that is
 * damaged or not ours is renamed whole before another takes its name. A crash at any moment of this leads back here.
 */
import type { Sha256 } from "@satwire/crypto"
import * as Effect from "effect/Effect"
import { FileError, type FilesShape, type OpenFile, writeAll } from "./Files.ts"
import { CHECK_BYTES, type FileKind, HEAD_BYTES, type HeadJudgement, encodeHead, judgeHead } from "./RecordFormat.ts"
import { type ScanResult, scanRecords } from "./RecordScan.ts"
import { setAside } from "./SetAside.ts"
import { DamagedFile, ForeignFile } from "./StoreError.ts"

/** A file of records by its place and kind. */
export interface LogFile {
  readonly directory: string
  readonly name: string
  readonly kind: FileKind
  readonly sha256: Sha256
}

/** What was found when the file was opened. */
export interface Found {
  /** Bytes of an append that a crash cut short, and that are gone: nobody was told that they are stored. */
  readonly tornBytes: number
  /** What was wrong with the file, and where it lies now. */
  readonly setAside: DamagedFile | ForeignFile | undefined
}

export interface Opened {
  readonly file: OpenFile
  readonly found: Found
  /** Where the next record begins. */
  end: number
  /** The check of the last record, or of the head. */
  check: Uint8Array
  /** A failed append may have left something behind the end. */
  isDirty: boolean
}

/** How much is copied at once. */
const COPY_BYTES = 4_194_304

export const recover = (
  files: FilesShape,
  log: LogFile,
  onPayload: (payload: Uint8Array) => void
): Effect.Effect<Opened, FileError> =>
  Effect.gen(function* () {
    const file = yield* openOrCreate(files, log)
    const judged = yield* judge(file, log, onPayload).pipe(Effect.onError(() => file.close))
    if (judged._tag === "Ours") {
      const { scan } = judged
      if (scan.tail._tag !== "Damaged") return yield* cutTorn(file, scan).pipe(Effect.onError(() => file.close))
      const fault = { _tag: "Damaged", what: scan.tail.what, at: scan.end } as const
      return yield* startAgain(files, log, file, fault, scan)
    }
    const at = 0
    return yield* startAgain(files, log, file, { ...judged, at }, emptyScan(log))
  })

const pathOf = (log: LogFile): string => `${log.directory}/${log.name}`
const newPathOf = (log: LogFile): string => `${pathOf(log)}.new`

const openOrCreate = (files: FilesShape, log: LogFile): Effect.Effect<OpenFile, FileError> =>
  files.open(pathOf(log), "existing").pipe(
    Effect.catchIf(isMissing, () =>
      Effect.gen(function* () {
        // A crash between two renames leaves the successor of a file that was set aside, complete, under its first name.
        if (!(yield* isNewReady(files, log))) yield* writeNew(files, log, undefined, HEAD_BYTES)
        yield* files.rename(newPathOf(log), pathOf(log))
        yield* files.syncDirectory(log.directory)
        return yield* files.open(pathOf(log), "existing")
      })
    )
  )

const isMissing = (error: FileError): boolean => error.code === "ENOENT"

const isNewReady = (files: FilesShape, log: LogFile): Effect.Effect<boolean, FileError> =>
  Effect.gen(function* () {
    const file = yield* files.open(newPathOf(log), "existing")
    const judgement = yield* judgeHeadOf(file, log).pipe(Effect.ensuring(file.close))
    return judgement._tag === "Ours"
  }).pipe(Effect.catchIf(isMissing, () => Effect.succeed(false)))

type Judgement =
  | { readonly _tag: "Ours"; readonly scan: ScanResult }
  | Exclude<HeadJudgement, { readonly _tag: "Ours" }>

const judge = (
  file: OpenFile,
  log: LogFile,
  onPayload: (payload: Uint8Array) => void
): Effect.Effect<Judgement, FileError> =>
  Effect.gen(function* () {
    const judgement = yield* judgeHeadOf(file, log)
    if (judgement._tag !== "Ours") return judgement
    return { _tag: "Ours", scan: yield* scanRecords(file, yield* file.size, log.sha256, onPayload) }
  })

const judgeHeadOf = (file: OpenFile, log: LogFile): Effect.Effect<HeadJudgement, FileError> =>
  Effect.gen(function* () {
    const head = new Uint8Array(HEAD_BYTES)
    const count = yield* file.read(head, 0)
    return judgeHead(log.sha256, head.subarray(0, count), log.kind)
  })

const cutTorn = (file: OpenFile, { check, end, tail }: ScanResult): Effect.Effect<Opened, FileError> =>
  Effect.gen(function* () {
    const tornBytes = tail._tag === "Torn" ? tail.bytes : 0
    const opened: Opened = { file, found: { tornBytes, setAside: undefined }, end, check, isDirty: tornBytes > 0 }
    if (opened.isDirty) yield* cutBack(opened)
    return opened
  })

/** What a file with nothing but its head would scan as. */
const emptyScan = (log: LogFile): ScanResult => ({
  end: HEAD_BYTES,
  check: encodeHead(log.sha256, log.kind).slice(HEAD_BYTES - CHECK_BYTES),
  tail: { _tag: "Whole" }
})

interface Fault {
  readonly _tag: "Damaged" | "Foreign"
  readonly what: string
  readonly at: number
}

/** Sets the file aside, and begins another with what of it is right. */
const startAgain = (
  files: FilesShape,
  log: LogFile,
  old: OpenFile,
  fault: Fault,
  { check, end }: ScanResult
): Effect.Effect<Opened, FileError> =>
  Effect.gen(function* () {
    yield* writeNew(files, log, old, end).pipe(Effect.ensuring(old.close))
    const path = pathOf(log)
    const setAsideAs = yield* setAside(files, log.directory, log.name, fault._tag === "Damaged" ? "damaged" : "foreign")
    yield* files.rename(newPathOf(log), path)
    yield* files.syncDirectory(log.directory)
    const { at, what } = fault
    const report =
      fault._tag === "Damaged"
        ? new DamagedFile({ path, what, at, setAsideAs })
        : new ForeignFile({ path, what, setAsideAs })
    const file = yield* files.open(path, "existing")
    return { file, found: { tornBytes: 0, setAside: report }, end, check, isDirty: false }
  })

/** Writes and syncs the file in the making: the head, and from `old` what lies behind it before `end`. */
const writeNew = (
  files: FilesShape,
  log: LogFile,
  old: OpenFile | undefined,
  end: number
): Effect.Effect<void, FileError> =>
  Effect.gen(function* () {
    const file = yield* files.open(newPathOf(log), "new")
    yield* Effect.gen(function* () {
      yield* writeAll(file, encodeHead(log.sha256, log.kind), 0)
      if (old !== undefined) yield* copy(old, file, HEAD_BYTES, end)
      yield* file.sync
    }).pipe(Effect.ensuring(file.close))
    // Its name is safe before the old one is given away.
    yield* files.syncDirectory(log.directory)
  })

const copy = (from: OpenFile, to: OpenFile, start: number, end: number): Effect.Effect<void, FileError> =>
  Effect.gen(function* () {
    const bytes = new Uint8Array(Math.min(COPY_BYTES, end - start))
    for (let at = start; at < end;) {
      const count = yield* from.read(bytes.subarray(0, Math.min(bytes.length, end - at)), at)
      if (count === 0) return yield* new FileError({ ...LOST, path: from.path })
      yield* writeAll(to, bytes.subarray(0, count), at)
      at += count
    }
  })

const LOST = { operation: "read", code: "EIO", message: "the file ends before what was read of it" } as const

/** Takes away what a failed append left behind the end. */
export const cutBack = (opened: Opened): Effect.Effect<void, FileError> =>
  opened.file.truncate(opened.end).pipe(
    Effect.andThen(opened.file.sync),
    Effect.map(() => {
      opened.isDirty = false
    })
  )
