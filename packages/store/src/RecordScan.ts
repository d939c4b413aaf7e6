/**
 * Reads a file of records from its head on, hands over every whole one, and says how it ends: as it was written, with an append that
 * a crash cut short, or with damage.
 */
import type { Sha256 } from "@satwire/crypto"
import * as Effect from "effect/Effect"
import type { FileError, OpenFile } from "./Files.ts"
import {
  CHECK_BYTES,
  HEAD_BYTES,
  PREFIX_BYTES,
  RECORD_OVERHEAD_BYTES,
  isRecordWhole,
  payloadLength
} from "./RecordFormat.ts"

export interface ScanResult {
  /** Where the last whole record ends. */
  readonly end: number
  /** The check that it ends with. */
  readonly check: Uint8Array
  readonly tail: Tail
}

export type Tail =
  | { readonly _tag: "Whole" }
  /** An append that never came to its end: nobody was told that it is stored. */
  | { readonly _tag: "Torn"; readonly bytes: number }
  /** What was stored is not what is read. */
  | { readonly _tag: "Damaged"; readonly what: string }

const WHOLE: Tail = { _tag: "Whole" }

/** How much is read at once; a longer record makes it more. */
const READ_BYTES = 4_194_304

/** A window on the file: `bytes[0, filled)` is what lies from `start` on. */
class Window {
  readonly #file: OpenFile
  bytes: Uint8Array
  start = 0
  filled = 0

  constructor(file: OpenFile, size: number) {
    this.#file = file
    this.bytes = new Uint8Array(Math.min(READ_BYTES, size))
  }

  /** Has `[from, to)` of the file in view, as far as the file goes; forward only. */
  cover(from: number, to: number): Effect.Effect<void, FileError> {
    if (to <= this.start + this.filled) return Effect.void
    return Effect.suspend(() => {
      const kept = this.bytes.subarray(from - this.start, this.filled)
      if (to - from > this.bytes.length) {
        const larger = new Uint8Array(to - from)
        larger.set(kept)
        this.bytes = larger
      } else {
        this.bytes.copyWithin(0, from - this.start, this.filled)
      }
      this.start = from
      this.filled = kept.length
      return Effect.map(this.#file.read(this.bytes.subarray(this.filled), from + this.filled), (count) => {
        this.filled += count
      })
    })
  }
}

/**
 * Scans `[HEAD_BYTES, size)` of the file, whose head is right.
 *
 * @param onPayload gets each payload in memory that the next one overwrites
 */
export const scanRecords = (
  file: OpenFile,
  size: number,
  sha256: Sha256,
  onPayload: (payload: Uint8Array) => void
): Effect.Effect<ScanResult, FileError> =>
  Effect.gen(function* () {
    const window = new Window(file, size)
    let end = HEAD_BYTES
    let check: Uint8Array = new Uint8Array(CHECK_BYTES)
    for (;;) {
      const from = end - CHECK_BYTES
      yield* window.cover(from, Math.min(end + PREFIX_BYTES, size))
      check = window.bytes.slice(from - window.start, end - window.start)
      const left = size - end
      if (left === 0) return { end, check, tail: WHOLE }
      if (left < PREFIX_BYTES) return { end, check, tail: { _tag: "Torn", bytes: left } }
      const length = payloadLength(window.bytes, end - window.start)
      if (length === undefined) {
        const isBlank = yield* isZero(file, end, size)
        return { end, check, tail: isBlank ? { _tag: "Torn", bytes: left } : damaged("no record begins there") }
      }
      if (left < length + RECORD_OVERHEAD_BYTES) return { end, check, tail: { _tag: "Torn", bytes: left } }
      yield* window.cover(from, end + length + RECORD_OVERHEAD_BYTES)
      const at = end - window.start
      if (!isRecordWhole(sha256, window.bytes, at, length)) {
        return { end, check, tail: damaged("the check of a record does not fit") }
      }
      onPayload(window.bytes.subarray(at + PREFIX_BYTES, at + PREFIX_BYTES + length))
      end += length + RECORD_OVERHEAD_BYTES
    }
  })

const damaged = (what: string): Tail => ({ _tag: "Damaged", what })

/** Whether nothing was ever written there: a file system may lengthen a file before a crash and never fill it. */
const isZero = (file: OpenFile, from: number, to: number): Effect.Effect<boolean, FileError> =>
  Effect.gen(function* () {
    const bytes = new Uint8Array(Math.min(to - from, READ_BYTES))
    for (let at = from; at < to;) {
      const count = yield* file.read(bytes.subarray(0, Math.min(bytes.length, to - at)), at)
      if (count === 0) return true
      if (bytes.subarray(0, count).some((byte) => byte !== 0)) return false
      at += count
    }
    return true
  })
