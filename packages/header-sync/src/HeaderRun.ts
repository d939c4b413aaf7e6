/**
 * A run of raw headers by itself, before anybody asks where it belongs: its hashes, and whether each header has done its work and names the one
 * before as its parent.
 */
import { wireWord } from "@satwire/bytes"
import type { HeaderFault, ProofOfWork } from "@satwire/consensus"
import type { Sha256 } from "@satwire/crypto"
import { HEADER_BITS, HEADER_SIZE } from "@satwire/primitives"
import { RAW_WORDS, type RunWords } from "./HeaderTree.ts"

export const BITS_WORD: number = HEADER_BITS / 4

export type RunFault =
  | HeaderFault
  /** A header names another parent than the header before it. */
  | "non-continuous"
  /** It is known, and was said to be invalid. */
  | "duplicate-invalid"
  /** It has the height of one that our user trusts, and is another. */
  | "checkpoint-mismatch"
  /** It follows one that was said to be invalid. */
  | "bad-prevblk"

/** One run at a time, reused; grows to the longest that was seen. Of what comes over the wire none is longer than 2,000. */
let raw = new Uint8Array(0)
let hashes = new Uint8Array(0)
let words: RunWords = { raw: new Int32Array(0), hashes: new Int32Array(0) }

/** The hashes of `count` raw headers, 32 bytes each. They are there until the next call. */
export const hashRun = (sha256: Sha256, headers: Uint8Array, count: number): Uint8Array => {
  if (hashes.length < 32 * count) {
    raw = new Uint8Array(HEADER_SIZE * count)
    hashes = new Uint8Array(32 * count)
    words = { raw: new Int32Array(raw.buffer), hashes: new Int32Array(hashes.buffer) }
  }
  raw.set(headers.subarray(0, HEADER_SIZE * count))
  sha256.sha256dMany(raw, 0, HEADER_SIZE, HEADER_SIZE, count, hashes, 0)
  return hashes
}

/** The hashes of the run that was hashed last. */
export const hashesOfRun = (): Uint8Array => hashes

/** The run that was hashed last. */
export const wordsOfRun = (): RunWords => words

/** What is wrong with the first `count` headers of the run that was hashed last, and with which of them. */
export const runFault = (
  proof: ProofOfWork,
  count: number
): { readonly index: number; readonly rule: RunFault } | undefined => {
  const run = words.raw
  for (let i = 0; i < count; i++) {
    const at = i * RAW_WORDS
    if (!proof.meets(hashes, 32 * i, wireWord(run[at + BITS_WORD] as number) >>> 0))
      return { index: i, rule: "high-hash" }
    if (i > 0 && !follows(at, i - 1)) return { index: i, rule: "non-continuous" }
  }
  return undefined
}

/** The work that the headers claim, whether they have done it or not. */
export const claimedWork = (proof: ProofOfWork, headers: Uint8Array, count: number): bigint => {
  const view = new DataView(headers.buffer, headers.byteOffset, count * HEADER_SIZE)
  let work = 0n
  for (let i = 0; i < count;) {
    const bits = view.getUint32(i * HEADER_SIZE + HEADER_BITS, true)
    let alike = 1
    while (i + alike < count && view.getUint32((i + alike) * HEADER_SIZE + HEADER_BITS, true) === bits) alike++
    work += BigInt(alike) * proof.difficulty(bits).work
    i += alike
  }
  return work
}

/** Whether the header at `at` names the run's header `before` as its parent. */
const follows = (at: number, before: number): boolean => {
  const { raw: run, hashes: known } = words
  for (let i = 0; i < 8; i++) if (run[at + 1 + i] !== known[8 * before + i]) return false
  return true
}
