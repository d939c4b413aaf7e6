/**
 * How a file of blocks lies on the disk. Little-endian.
 *
 * ```
 *   file    head 32 │ the same head 32 │ record │ record │ …
 *   head    magic 8 │ version 4 │ network 4 │ salt 8 │ check 8
 *   record  mark 4 │ length 4 │ height 4 │ hash 32 │ check of the block 8 │ check of the record's head 8 │ block
 * ```
 *
 * A check is the first 8 bytes of a SHA-256, which at 1.5 GB/s costs less than any disk (measured). That of a record's head covers the
 * salt of its file, its place in the file and all that lies between mark and check, so what a peer hides in a block, or an earlier life
 * of the file left behind, is never taken for a record. The head of the file is there twice: no single damage costs more than one block.
 *
 * The mark says whether a block is kept or forgotten. No check covers it, because forgetting writes these four bytes and nothing else:
 * that needs no room on a full disk, and no crash leaves it half done.
 */
import { equals } from "@satwire/bytes"
import type { Sha256 } from "@satwire/crypto"

const MAGIC = "SATWBLKS"
const VERSION = 1
const HEAD_COPY_BYTES = 32
export const FILE_HEAD_BYTES: number = 2 * HEAD_COPY_BYTES
export const SALT_BYTES = 8
export const CHECK_BYTES = 8
export const HASH_BYTES = 32
export const RECORD_HEAD_BYTES = 60
const LENGTH_AT = 4
const HEIGHT_AT = 8
const HASH_AT = 12
const BLOCK_CHECK_AT = 44
const HEAD_CHECK_AT = 52

/**
 * The largest block. Bitcoin Core: MAX_BLOCK_SERIALIZED_SIZE in src/consensus/consensus.h, 29.0.
 *
 * @limit bytes of a block that is kept
 */
export const MAX_BLOCK_BYTES = 4_000_000
/**
 * How large a file grows. Bitcoin Core: MAX_BLOCKFILE_SIZE in src/node/blockstorage.h, 29.0.
 *
 * @limit bytes of one file of blocks
 */
export const MAX_FILE_BYTES = 134_217_728

const KEPT = 0x4b434c42
const FORGOTTEN = 0x454e4f47
/** What is written over a mark when its block is forgotten. */
export const FORGOTTEN_MARK: Uint8Array = Uint8Array.of(0x47, 0x4f, 0x4e, 0x45)

const digest = new Uint8Array(32)

/** The check of `bytes[start, end)`, in memory that the next call overwrites. */
export const checkOf = (sha256: Sha256, bytes: Uint8Array, start: number, end: number): Uint8Array => {
  sha256.sha256(bytes, start, end, digest, 0)
  return digest.subarray(0, CHECK_BYTES)
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** The first bytes of a file. */
export const encodeFileHead = (sha256: Sha256, network: number, salt: Uint8Array): Uint8Array => {
  const head = new Uint8Array(FILE_HEAD_BYTES)
  for (let i = 0; i < 8; i++) head[i] = MAGIC.charCodeAt(i)
  const view = viewOf(head)
  view.setUint32(8, VERSION, true)
  view.setUint32(12, network, true)
  head.set(salt, 16)
  head.set(checkOf(sha256, head, 0, HEAD_COPY_BYTES - CHECK_BYTES), HEAD_COPY_BYTES - CHECK_BYTES)
  head.copyWithin(HEAD_COPY_BYTES, 0, HEAD_COPY_BYTES)
  return head
}

/** Whether a file is ours to read. */
export type FileJudgement =
  | { readonly _tag: "Ours"; readonly salt: Uint8Array; readonly isMendable: boolean }
  | { readonly _tag: "Damaged"; readonly what: string }
  | { readonly _tag: "Foreign"; readonly what: string }

/** Judges the first {@link FILE_HEAD_BYTES} of a file, or fewer where there are no more. */
export const judgeFileHead = (sha256: Sha256, head: Uint8Array, network: number): FileJudgement => {
  const copies = [0, HEAD_COPY_BYTES].map((at) => judgeCopy(sha256, head.subarray(at, at + HEAD_COPY_BYTES), network))
  const whole = copies.find((copy) => copy._tag === "Ours") ?? copies.find((copy) => copy._tag === "Foreign")
  const isMendable = copies.some((copy) => copy._tag !== "Ours")
  return whole === undefined ? (copies[0] as FileJudgement) : whole._tag === "Ours" ? { ...whole, isMendable } : whole
}

const judgeCopy = (sha256: Sha256, head: Uint8Array, network: number): FileJudgement => {
  const isOurs = head.subarray(0, 8).every((byte, i) => byte === MAGIC.charCodeAt(i))
  if (!isOurs) return { _tag: "Foreign", what: "is no file of Satwire" }
  if (head.length < HEAD_COPY_BYTES) return { _tag: "Damaged", what: "its head ends early" }
  const view = viewOf(head)
  const version = view.getUint32(8, true)
  if (version > VERSION) {
    return { _tag: "Foreign", what: `has format version ${version}, and this Satwire knows ${VERSION}` }
  }
  const end = HEAD_COPY_BYTES - CHECK_BYTES
  if (!equals(checkOf(sha256, head, 0, end), head.subarray(end))) {
    return { _tag: "Damaged", what: "the check of its head does not fit" }
  }
  const found = view.getUint32(12, true)
  return found === network
    ? { _tag: "Ours", salt: head.slice(16, 16 + SALT_BYTES), isMendable: false }
    : { _tag: "Foreign", what: `is of another network (${hex(found)}, not ${hex(network)})` }
}

const hex = (value: number): string => value.toString(16).padStart(8, "0")

/** What stands before a block. */
export interface RecordHead {
  /** Of the block. */
  readonly length: number
  readonly height: number
  readonly hash: Uint8Array
  /** Of the block. */
  readonly check: Uint8Array
  readonly isForgotten: boolean
}

/** Reused: what the check of a record's head covers. */
const covered = new Uint8Array(SALT_BYTES + 4 + HEAD_CHECK_AT - LENGTH_AT)
const coveredView = viewOf(covered)

const headCheck = (sha256: Sha256, salt: Uint8Array, offset: number, head: Uint8Array, at: number): Uint8Array => {
  covered.set(salt)
  coveredView.setUint32(SALT_BYTES, offset, true)
  covered.set(head.subarray(at + LENGTH_AT, at + HEAD_CHECK_AT), SALT_BYTES + 4)
  return checkOf(sha256, covered, 0, covered.length)
}

/** The head of a record at `offset` of the file with that salt. */
export const encodeRecordHead = (sha256: Sha256, salt: Uint8Array, offset: number, record: RecordHead): Uint8Array => {
  const head = new Uint8Array(RECORD_HEAD_BYTES)
  const view = viewOf(head)
  view.setUint32(0, record.isForgotten ? FORGOTTEN : KEPT, true)
  view.setUint32(LENGTH_AT, record.length, true)
  view.setUint32(HEIGHT_AT, record.height, true)
  head.set(record.hash, HASH_AT)
  head.set(record.check, BLOCK_CHECK_AT)
  head.set(headCheck(sha256, salt, offset, head, 0), HEAD_CHECK_AT)
  return head
}

/** The head at `at` of `bytes`, which lies at `offset` of the file, with views into them; `undefined` where there is none. */
export const readRecordHead = (
  sha256: Sha256,
  salt: Uint8Array,
  offset: number,
  bytes: Uint8Array,
  at: number
): RecordHead | undefined => {
  const check = headCheck(sha256, salt, offset, bytes, at)
  if (!equals(check, bytes.subarray(at + HEAD_CHECK_AT, at + RECORD_HEAD_BYTES))) return undefined
  const view = viewOf(bytes)
  return {
    length: view.getUint32(at + LENGTH_AT, true),
    height: view.getUint32(at + HEIGHT_AT, true),
    hash: bytes.subarray(at + HASH_AT, at + HASH_AT + HASH_BYTES),
    check: bytes.subarray(at + BLOCK_CHECK_AT, at + BLOCK_CHECK_AT + CHECK_BYTES),
    isForgotten: view.getUint32(at, true) === FORGOTTEN
  }
}

/** Where in `bytes` from `from` on the next mark stands whose head lies before `end`, or -1. */
export const nextMark = (bytes: Uint8Array, from: number, end: number): number => {
  const view = viewOf(bytes)
  for (let at = from; at + RECORD_HEAD_BYTES <= end; at++) {
    const byte = bytes[at]
    if (byte !== 0x42 && byte !== 0x47) continue
    const mark = view.getUint32(at, true)
    if (mark === KEPT || mark === FORGOTTEN) return at
  }
  return -1
}
