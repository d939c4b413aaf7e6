/**
 * How an append-only file of ours lies on the disk. Little-endian.
 *
 * ```
 *   file    magic 8 │ version 4 │ network 4 │ check 8 │ record │ record │ …
 *   record  length 4 │ ~length 4 │ payload │ check 8
 * ```
 *
 * A check is the first 8 bytes of a SHA-256. That of the file's head covers what lies before it; that of a record covers the 8 bytes
 * before the record, which are the check before it, its length and its payload. So a record is right only after the one that it was
 * written behind, and what an earlier life of the file left on the disk never fits.
 *
 * A record is one commit. Its length is written twice, the second time inverted: without knowing the length one could not tell an
 * append that a crash cut short, which is the end of the file, from damage in the middle, after which good records follow.
 */
import { equals } from "@satwire/bytes"
import type { Sha256 } from "@satwire/crypto"

/** What the head of a file says. */
export interface FileKind {
  /** Eight ASCII characters. */
  readonly magic: string
  readonly version: number
  /** The four bytes that begin every message of the network, as a little-endian number. */
  readonly network: number
}

export const CHECK_BYTES = 8
export const HEAD_BYTES = 24
/** Before the payload. */
export const PREFIX_BYTES = 8
/** What a record takes on the disk beside its payload. */
export const RECORD_OVERHEAD_BYTES: number = PREFIX_BYTES + CHECK_BYTES
/**
 * The longest payload of one record.
 *
 * @limit bytes of one commit
 */
export const MAX_PAYLOAD_BYTES = 16_777_216

const digest = new Uint8Array(32)

/** The check of `bytes[start, end)`, in memory that the next call overwrites. */
const checkOf = (sha256: Sha256, bytes: Uint8Array, start: number, end: number): Uint8Array => {
  sha256.sha256(bytes, start, end, digest, 0)
  return digest.subarray(0, CHECK_BYTES)
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** The first bytes of a file. */
export const encodeHead = (sha256: Sha256, kind: FileKind): Uint8Array => {
  const head = new Uint8Array(HEAD_BYTES)
  for (let i = 0; i < 8; i++) head[i] = kind.magic.charCodeAt(i)
  const view = viewOf(head)
  view.setUint32(8, kind.version, true)
  view.setUint32(12, kind.network, true)
  head.set(checkOf(sha256, head, 0, HEAD_BYTES - CHECK_BYTES), HEAD_BYTES - CHECK_BYTES)
  return head
}

/** Whether a file is ours to read. */
export type HeadJudgement =
  | { readonly _tag: "Ours" }
  | { readonly _tag: "Damaged"; readonly what: string }
  | { readonly _tag: "Foreign"; readonly what: string }

const OURS: HeadJudgement = { _tag: "Ours" }

/** Judges the first {@link HEAD_BYTES} of a file, or fewer where there are no more. */
export const judgeHead = (sha256: Sha256, head: Uint8Array, kind: FileKind): HeadJudgement => {
  const expected = encodeHead(sha256, kind)
  if (equals(head, expected)) return OURS
  if (head.length < HEAD_BYTES) {
    return equals(head, expected.subarray(0, head.length))
      ? { _tag: "Damaged", what: "its head ends early" }
      : { _tag: "Foreign", what: "is no file of Satwire" }
  }
  if (!equals(head.subarray(0, 8), expected.subarray(0, 8))) return { _tag: "Foreign", what: "is no file of Satwire" }
  const view = viewOf(head)
  const version = view.getUint32(8, true)
  if (version > kind.version) {
    return { _tag: "Foreign", what: `has format version ${version}, and this Satwire knows ${kind.version}` }
  }
  const check = checkOf(sha256, head, 0, HEAD_BYTES - CHECK_BYTES)
  const isWhole = equals(check, head.subarray(HEAD_BYTES - CHECK_BYTES))
  const network = view.getUint32(12, true)
  return isWhole && network !== kind.network
    ? { _tag: "Foreign", what: `is of another network (${hex(network)}, not ${hex(kind.network)})` }
    : { _tag: "Damaged", what: "the check of its head does not fit" }
}

const hex = (value: number): string => value.toString(16).padStart(8, "0")

/** A record after the one that ends with `previousCheck`, ready to be written. */
export const encodeRecord = (
  sha256: Sha256,
  previousCheck: Uint8Array,
  parts: ReadonlyArray<Uint8Array>
): Uint8Array => {
  let length = 0
  for (const part of parts) length += part.length
  const bytes = new Uint8Array(CHECK_BYTES + PREFIX_BYTES + length + CHECK_BYTES)
  bytes.set(previousCheck)
  const view = viewOf(bytes)
  view.setUint32(CHECK_BYTES, length, true)
  view.setUint32(CHECK_BYTES + 4, ~length >>> 0, true)
  let at = CHECK_BYTES + PREFIX_BYTES
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  bytes.set(checkOf(sha256, bytes, 0, at), at)
  return bytes.subarray(CHECK_BYTES)
}

/** The length of the payload of the record at `at`, or `undefined` where no record can begin so. */
export const payloadLength = (bytes: Uint8Array, at: number): number | undefined => {
  const view = viewOf(bytes)
  const length = view.getUint32(at, true)
  const isRight = view.getUint32(at + 4, true) === ~length >>> 0
  return isRight && length > 0 && length <= MAX_PAYLOAD_BYTES ? length : undefined
}

/** Whether the record at `at`, with the check before it, is as it was written. */
export const isRecordWhole = (sha256: Sha256, bytes: Uint8Array, at: number, length: number): boolean => {
  const end = at + PREFIX_BYTES + length
  return equals(checkOf(sha256, bytes, at - CHECK_BYTES, end), bytes.subarray(end, end + CHECK_BYTES))
}
