/**
 * A run of raw headers, each the child of the one before, into the tree: hashed in one batch, judged by every rule, stopped at the
 * first that breaks one. What stands before that one is kept: it was valid.
 *
 * Source: Bitcoin Core 28.1 `net_processing.cpp` (`CheckHeadersPoW`, `CheckHeadersAreContinuous`), `validation.cpp`
 * (`ProcessNewBlockHeaders`).
 */
import { type HeaderFault, type ProofOfWork, headerFault } from "@satwire/consensus"
import type { Sha256 } from "@satwire/crypto"
import { HEADER_BITS, HEADER_PREVIOUS, HEADER_SIZE, HEADER_TIME } from "@satwire/primitives"
import type { HeaderTree } from "./HeaderTree.ts"

export type RunFault =
  /** A header names another parent than the header before it. */
  "non-continuous" | HeaderFault

export type Acceptance =
  /** The parent of the first header is not in the tree. Nothing was taken in. */
  | { readonly _tag: "Unconnected" }
  /**
   * `count` headers are new and have the numbers from `first` on. `last` is the number of the last header of the run that is in the
   * tree, new or not. `fault` says at which index of the run it stopped and why.
   */
  | {
      readonly _tag: "Accepted"
      readonly first: number
      readonly count: number
      readonly last: number
      readonly fault: { readonly index: number; readonly rule: RunFault } | undefined
    }

/** Hashes of one run; grows to the longest that was seen, which the wire bounds at 2,000. */
let digests = new Uint8Array(0)

/**
 * @param headers `count` raw headers, one after another; `count` is at least 1
 * @param unix our clock, for the two-hour rule
 */
export const acceptHeaders = (
  tree: HeaderTree,
  proof: ProofOfWork,
  sha256: Sha256,
  headers: Uint8Array,
  count: number,
  unix: number
): Acceptance => {
  if (digests.length < 32 * count) digests = new Uint8Array(32 * count)
  const hashes = digests
  sha256.sha256dMany(headers, 0, HEADER_SIZE, HEADER_SIZE, count, hashes, 0)
  const view = new DataView(headers.buffer, headers.byteOffset, count * HEADER_SIZE)
  const first = tree.size
  let parent = tree.find(headers, HEADER_PREVIOUS)
  const stopped = (index: number, rule: RunFault): Acceptance => ({
    _tag: "Accepted",
    first,
    count: tree.size - first,
    last: parent,
    fault: { index, rule }
  })
  // Before anything is kept: whoever sends headers has done the work for each, and sends one chain.
  for (let i = 0; i < count; i++) {
    const at = i * HEADER_SIZE
    if (!proof.meets(hashes, 32 * i, view.getUint32(at + HEADER_BITS, true))) return stopped(i, "high-hash")
    if (i > 0 && !same(headers, at + HEADER_PREVIOUS, hashes, 32 * (i - 1))) return stopped(i, "non-continuous")
  }
  if (parent < 0) return { _tag: "Unconnected" }
  for (let i = 0; i < count; i++) {
    const known = tree.find(hashes, 32 * i)
    if (known >= 0) {
      parent = known
      continue
    }
    const at = i * HEADER_SIZE
    const bits = view.getUint32(at + HEADER_BITS, true)
    const fields = { version: view.getInt32(at, true), time: view.getUint32(at + HEADER_TIME, true), bits }
    const rule = headerFault(tree.params, tree, parent, fields, unix)
    if (rule !== undefined) return stopped(i, rule)
    parent = tree.append(headers, at, hashes, 32 * i, parent, proof.difficulty(bits).work)
  }
  return { _tag: "Accepted", first, count: tree.size - first, last: parent, fault: undefined }
}

const same = (a: Uint8Array, aAt: number, b: Uint8Array, bAt: number): boolean => {
  for (let i = 0; i < 32; i++) if (a[aAt + i] !== b[bAt + i]) return false
  return true
}
