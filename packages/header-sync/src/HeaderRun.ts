/**
 * A run of raw headers by itself, before anybody asks where it belongs: its hashes, and whether each header has done its work and names the one
 * before as its parent.
 */
import type { HeaderFault, ProofOfWork } from "@satwire/consensus"
import type { Sha256 } from "@satwire/crypto"
import { HEADER_BITS, HEADER_PREVIOUS, HEADER_SIZE } from "@satwire/primitives"

export type RunFault =
  /** A header names another parent than the header before it. */
  "non-continuous" | HeaderFault

/** Hashes of one run, reused; grows to the longest run that was seen. Of what comes over the wire none is longer than 2,000. */
let hashes = new Uint8Array(0)
let hashesView = new DataView(hashes.buffer)
/** The hashes of `count` raw headers, 32 bytes each. They are there until the next call. */
export const hashRun = (sha256: Sha256, headers: Uint8Array, count: number): Uint8Array => {
  if (hashes.length < 32 * count) {
    hashes = new Uint8Array(32 * count)
    hashesView = new DataView(hashes.buffer)
  }
  sha256.sha256dMany(headers, 0, HEADER_SIZE, HEADER_SIZE, count, hashes, 0)
  return hashes
}

/** The hashes of the run that was hashed last. */
export const hashesOfRun = (): Uint8Array => hashes

/** What is wrong with the run that was hashed last, and with which header of it. */
export const runFault = (
  proof: ProofOfWork,
  headers: Uint8Array,
  count: number
): { readonly index: number; readonly rule: RunFault } | undefined => {
  const view = new DataView(headers.buffer, headers.byteOffset, count * HEADER_SIZE)
  for (let i = 0; i < count; i++) {
    const at = i * HEADER_SIZE
    if (!proof.meets(hashes, 32 * i, view.getUint32(at + HEADER_BITS, true))) return { index: i, rule: "high-hash" }
    if (i > 0 && !follows(view, at, i - 1)) return { index: i, rule: "non-continuous" }
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

/** Whether the header at `at` names the run's header `before` as its parent. By words: a third of what it costs by bytes (measured). */
const follows = (headers: DataView, at: number, before: number): boolean => {
  for (let i = 0; i < 32; i += 4) {
    if (headers.getInt32(at + HEADER_PREVIOUS + i) !== hashesView.getInt32(32 * before + i)) return false
  }
  return true
}
