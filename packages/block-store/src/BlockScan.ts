/**
 * Goes through a file of blocks from head to head, which are read and the blocks between them skipped, unless these are to be verified.
 * Where no head is, the next one is looked for, so that damage costs what it hit and nothing behind it.
 */
import { equals } from "@satwire/bytes"
import type { Sha256 } from "@satwire/crypto"
import type { FileError, OpenFile } from "@satwire/store"
import * as Effect from "effect/Effect"
import { RECORD_HEAD_BYTES, type RecordHead, checkOf, nextMark, readRecordHead } from "./BlockFormat.ts"
import { FileWindow } from "./FileWindow.ts"

/** What to go through. */
export interface Scan {
  readonly file: OpenFile
  readonly salt: Uint8Array
  readonly sha256: Sha256
  readonly from: number
  readonly size: number
  /** Whether what was written last may not have come to the disk, so that blocks must be looked at. */
  readonly verify: boolean
}

/** What is not as it should be. */
export type Fault =
  /** Nothing that begins or continues anything: an append that a crash cut short. It reaches to the end of the file. */
  | { readonly _tag: "Torn"; readonly at: number; readonly head: RecordHead | undefined }
  /** No head is there, up to the next one or the end of the file. */
  | { readonly _tag: "Hole"; readonly at: number; readonly end: number }
  /** The block is not the one that its head was written for. */
  | { readonly _tag: "Block"; readonly at: number; readonly head: RecordHead }

/** Small blocks are read with their heads, so many bytes at once; of large ones the heads alone. */
const SMALL_BYTES = 32_768
const HEADS_AT_ONCE_BYTES = 262_144
const VERIFIED_AT_ONCE_BYTES = 4_194_304

/** Hands over every record that is not forgotten, and gives the faults in order. */
export const scanBlocks = (
  scan: Scan,
  onRecord: (head: RecordHead, offset: number) => void
): Effect.Effect<ReadonlyArray<Fault>, FileError> =>
  Effect.gen(function* () {
    const { salt, sha256, size, verify } = scan
    const window = new FileWindow(scan.file)
    const faults: Array<Fault> = []
    let atOnce = verify ? VERIFIED_AT_ONCE_BYTES : HEADS_AT_ONCE_BYTES
    for (let at = scan.from; at < size;) {
      const bytes = yield* window.view(at, RECORD_HEAD_BYTES, Math.min(atOnce, size - at))
      if (bytes.length < RECORD_HEAD_BYTES) return [...faults, { _tag: "Torn", at, head: undefined }]
      const head = readRecordHead(sha256, salt, at, bytes, 0)
      if (head === undefined) {
        const end = yield* nextHead(scan, at + 1)
        if (end === size && (yield* isBlank(scan.file, at, size))) return [...faults, { _tag: "Torn", at, head }]
        faults.push({ _tag: "Hole", at, end })
        at = end
        continue
      }
      const end = at + RECORD_HEAD_BYTES + head.length
      if (end > size) return [...faults, { _tag: "Torn", at, head: ownHead(head) }]
      if (!head.isForgotten) {
        const kept = verify ? ownHead(head) : head
        const isWhole = !verify || (yield* isBlockWhole(window, scan, at, kept))
        if (isWhole) onRecord(kept, at)
        else faults.push({ _tag: "Block", at, head: kept })
      }
      if (!verify) atOnce = head.length > SMALL_BYTES ? RECORD_HEAD_BYTES : HEADS_AT_ONCE_BYTES
      at = end
    }
    return faults
  })

/** The head with memory of its own. */
const ownHead = (head: RecordHead): RecordHead => ({ ...head, hash: head.hash.slice(), check: head.check.slice() })

const isBlockWhole = (
  window: FileWindow,
  { sha256, size }: Scan,
  at: number,
  { check, length }: RecordHead
): Effect.Effect<boolean, FileError> => {
  const from = at + RECORD_HEAD_BYTES
  return Effect.map(window.view(from, length, Math.min(VERIFIED_AT_ONCE_BYTES, size - from)), (block) =>
    equals(checkOf(sha256, block, 0, block.length), check)
  )
}

/** Where the next head lies, or the end of the file. */
const nextHead = ({ file, salt, sha256, size }: Scan, from: number): Effect.Effect<number, FileError> =>
  Effect.gen(function* () {
    const window = new FileWindow(file)
    for (let start = from; start < size;) {
      const bytes = yield* window.view(start, Math.min(VERIFIED_AT_ONCE_BYTES, size - start), 0)
      for (let at = nextMark(bytes, 0, bytes.length); at >= 0; at = nextMark(bytes, at + 1, bytes.length)) {
        if (readRecordHead(sha256, salt, start + at, bytes, at) !== undefined) return start + at
      }
      if (bytes.length < VERIFIED_AT_ONCE_BYTES) break
      start += bytes.length - RECORD_HEAD_BYTES + 1
    }
    return size
  })

/** Whether nothing was ever written there: a file system may lengthen a file before a crash and never fill it. */
const isBlank = (file: OpenFile, from: number, size: number): Effect.Effect<boolean, FileError> =>
  Effect.gen(function* () {
    const window = new FileWindow(file)
    for (let at = from; at < size;) {
      const bytes = yield* window.view(at, Math.min(HEADS_AT_ONCE_BYTES, size - at), 0)
      if (bytes.length === 0) return true
      if (bytes.some((byte) => byte !== 0)) return false
      at += bytes.length
    }
    return true
  })
