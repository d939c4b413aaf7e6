/**
 * Opens a directory of blocks in whatever state it is. What the index knows is believed, the rest is read from the files. A torn append is
 * cut off; what is damaged is named, and where it must be written over a copy of it is kept; a file that is not ours is renamed whole. A
 * crash at any moment of this leads back here.
 */
import { BlockHash } from "@satwire/primitives"
import {
  DamagedFile,
  type FileError,
  ForeignFile,
  type OpenFile,
  type StoreError,
  pathAside,
  setAside,
  storeErrorOf,
  writeAll
} from "@satwire/store"
import * as Effect from "effect/Effect"
import { type DamagedPart, damagedPart } from "./BlockDamage.ts"
import { type BlockDirectory, type BlockFile, fileNumbers, nameOf, pathOf } from "./BlockDirectory.ts"
import {
  CHECK_BYTES,
  FILE_HEAD_BYTES,
  FORGOTTEN_MARK,
  HASH_BYTES,
  RECORD_HEAD_BYTES,
  type RecordHead,
  encodeFileHead,
  encodeRecordHead,
  judgeFileHead
} from "./BlockFormat.ts"
import type { BlockIndex } from "./BlockIndex.ts"
import { type Fault, scanBlocks } from "./BlockScan.ts"
import type { KeptIndex } from "./KeptIndex.ts"

/** What was found when the store was opened. */
export interface BlocksFound {
  /** How many blocks were found in the files rather than in the index. */
  readonly scanned: number
  /** Bytes of an append that a crash cut short, and that are gone: nobody was told that they are stored. */
  readonly tornBytes: number
  /** Files that were set aside whole, with what was wrong. */
  readonly setAside: ReadonlyArray<DamagedFile | ForeignFile>
  /** Parts of files, of which everything else is kept. */
  readonly damaged: ReadonlyArray<DamagedPart>
}

export interface Recovered {
  readonly files: Map<number, BlockFile>
  readonly found: BlocksFound
}

interface Report {
  scanned: number
  tornBytes: number
  readonly setAside: Array<DamagedFile | ForeignFile>
  readonly damaged: Array<DamagedPart>
}

export const recover = (
  directory: BlockDirectory,
  index: BlockIndex,
  kept: KeptIndex | undefined
): Effect.Effect<Recovered, StoreError> =>
  Effect.gen(function* () {
    const report: Report = { scanned: 0, tornBytes: 0, setAside: [], damaged: [] }
    const files = new Map<number, BlockFile>()
    for (const number of yield* Effect.mapError(fileNumbers(directory), storeErrorOf)) {
      const file = yield* Effect.mapError(admit(directory, number, report), storeErrorOf)
      if (file !== undefined) files.set(number, file)
    }
    const ends = kept === undefined ? NOTHING : yield* kept.load(files, index)
    const last = Math.max(...files.keys())
    for (const file of files.values()) {
      const from = ends.get(file.number) ?? FILE_HEAD_BYTES
      if (from === file.end && ends.has(file.number)) continue
      const isLast = file.number === last
      const { isMended, rows } = yield* Effect.mapError(
        catchUp({ directory, file, isLast, report }, index, from),
        storeErrorOf
      )
      report.scanned += rows.length
      // What could not be mended is to be looked at again.
      if (kept !== undefined && isMended) yield* kept.add(index, rows, file)
    }
    return { files, found: report }
  })

const NOTHING: ReadonlyMap<number, number> = new Map()

/** Judges a file by its head, and sets it aside where it is not ours to read. */
const admit = (
  directory: BlockDirectory,
  number: number,
  report: Report
): Effect.Effect<BlockFile | undefined, FileError> =>
  Effect.gen(function* () {
    const { files, networkMagic, sha256 } = directory
    const path = pathOf(directory, number)
    const handle = yield* files.open(path, "existing")
    const opened = Effect.gen(function* () {
      const head = new Uint8Array(FILE_HEAD_BYTES)
      const count = yield* handle.read(head, 0)
      const judged = judgeFileHead(sha256, head.subarray(0, count), networkMagic)
      if (judged._tag === "Ours" && (judged.isMendable || count < FILE_HEAD_BYTES)) {
        yield* Effect.ignore(
          Effect.andThen(writeAll(handle, encodeFileHead(sha256, networkMagic, judged.salt), 0), handle.sync)
        )
        report.damaged.push(damagedPart({ ...UNKNOWN, path, at: 0, length: FILE_HEAD_BYTES }))
      }
      return { judged, size: yield* handle.size }
    })
    const { judged, size } = yield* Effect.ensuring(opened, handle.close)
    if (judged._tag === "Ours") return { number, salt: judged.salt, end: size, maxHeight: -1 }
    const { what } = judged
    const why = judged._tag === "Damaged" ? "damaged" : "foreign"
    const setAsideAs = yield* setAside(files, directory.path, nameOf(number), why)
    yield* files.syncDirectory(directory.path)
    report.setAside.push(
      judged._tag === "Damaged"
        ? new DamagedFile({ path, what, at: 0, setAsideAs })
        : new ForeignFile({ path, what, setAsideAs })
    )
    return undefined
  })

const UNKNOWN = { hash: undefined, height: undefined, setAsideAs: undefined } as const

/** A file that is gone through. */
interface Look {
  readonly directory: BlockDirectory
  readonly file: BlockFile
  /** Whether it is the one that was written to last. */
  readonly isLast: boolean
  readonly report: Report
}

/** Reads what lies from `from` on and mends what is wrong there; gives the rows of what it found. */
const catchUp = (
  look: Look,
  index: BlockIndex,
  from: number
): Effect.Effect<{ readonly rows: ReadonlyArray<number>; readonly isMended: boolean }, FileError> =>
  Effect.gen(function* () {
    const { directory, file, isLast } = look
    const handle = yield* directory.files.open(pathOf(directory, file.number), "existing")
    const body = Effect.gen(function* () {
      const rows: Array<number> = []
      const { salt } = file
      const scan = { file: handle, salt, sha256: directory.sha256, from, size: file.end, verify: isLast }
      const faults = yield* scanBlocks(scan, ({ check, hash, height, length }, offset) => {
        file.maxHeight = Math.max(file.maxHeight, height)
        rows.push(index.put(hash, { file: file.number, offset, length, height }, check))
      })
      let isMended = true
      for (const fault of faults) isMended = (yield* mend(look, handle, fault)) && isMended
      return { rows, isMended }
    })
    return yield* Effect.ensuring(body, handle.close)
  })

/** Mends a fault and names it. Where there is no room to, the part stays as it is, and is found again. */
const mend = (look: Look, handle: OpenFile, fault: Fault): Effect.Effect<boolean, FileError> =>
  Effect.gen(function* () {
    const { file, isLast, report } = look
    const { path } = handle
    const { at } = fault
    if (fault._tag === "Torn" && isLast) {
      report.tornBytes += file.end - at
      yield* Effect.andThen(handle.truncate(at), handle.sync)
      file.end = at
      return true
    }
    if (fault._tag === "Block") {
      const marked = yield* Effect.exit(Effect.andThen(writeAll(handle, FORGOTTEN_MARK, at), handle.sync))
      const length = RECORD_HEAD_BYTES + fault.head.length
      report.damaged.push(damagedPart({ path, at, length, ...ofHead(fault.head), setAsideAs: undefined }))
      return marked._tag === "Success"
    }
    const end = fault._tag === "Torn" ? file.end : fault.end
    const head = fault._tag === "Torn" ? fault.head : undefined
    const copied = yield* Effect.exit(replaced(look, handle, at, end))
    const setAsideAs = copied._tag === "Success" ? copied.value : undefined
    report.damaged.push(damagedPart({ path, at, length: end - at, ...ofHead(head), setAsideAs }))
    return copied._tag === "Success"
  })

const ofHead = (head: RecordHead | undefined): Pick<DamagedPart, "hash" | "height"> =>
  head === undefined ? UNKNOWN : { hash: BlockHash(head.hash), height: head.height }

/** Copies a part of the file to a file of its own, and puts a forgotten record in its place, or nothing at the end of the file. */
const replaced = (
  { directory, file }: Look,
  handle: OpenFile,
  at: number,
  end: number
): Effect.Effect<string, FileError> =>
  Effect.gen(function* () {
    const { files, sha256 } = directory
    const path = yield* pathAside(files, directory.path, nameOf(file.number), "damaged")
    const copy = yield* files.open(path, "new")
    yield* Effect.andThen(copyPart(handle, copy, at, end), copy.sync).pipe(Effect.ensuring(copy.close))
    yield* files.syncDirectory(directory.path)
    const length = end - at - RECORD_HEAD_BYTES
    if (end === file.end) {
      yield* handle.truncate(at)
      file.end = at
    } else if (length >= 0) {
      const [hash, check] = [new Uint8Array(HASH_BYTES), new Uint8Array(CHECK_BYTES)]
      const blank = { length, height: 0, hash, check, isForgotten: true }
      yield* writeAll(handle, encodeRecordHead(sha256, file.salt, at, blank), at)
    }
    yield* handle.sync
    return path
  })

const COPY_BYTES = 4_194_304

const copyPart = (from: OpenFile, to: OpenFile, start: number, end: number): Effect.Effect<void, FileError> =>
  Effect.gen(function* () {
    const bytes = new Uint8Array(Math.min(COPY_BYTES, end - start))
    for (let at = start; at < end;) {
      const count = yield* from.read(bytes.subarray(0, Math.min(bytes.length, end - at)), at)
      if (count === 0) return
      yield* writeAll(to, bytes.subarray(0, count), at - start)
      at += count
    }
  })
