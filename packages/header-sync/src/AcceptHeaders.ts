/**
 * A run of raw headers, each the child of the one before, into the tree: hashed in one batch, judged by every rule, stopped at the
 * first that breaks one.
 *
 * ```
 *   hash all ─▶ work and links of all ─▶ parent known? ─▶ skip what is known ─▶ rules, one by one ─▶ tree
 *                    │ nothing is kept         │ nothing is kept                      │ what stands before is kept: it was valid
 *                 a fault                  "Unconnected"                           a fault
 * ```
 *
 * Source: Bitcoin Core 28.1 `net_processing.cpp` (`CheckHeadersPoW`, `CheckHeadersAreContinuous`), `validation.cpp`
 * (`ProcessNewBlockHeaders`).
 */
import { wireWord } from "@satwire/bytes"
import { type ProofOfWork, headerFault } from "@satwire/consensus"
import type { Sha256 } from "@satwire/crypto"
import { HEADER_BITS, HEADER_PREVIOUS, HEADER_TIME } from "@satwire/primitives"
import { type RunFault, hashRun, runFault, wordsOfRun } from "./HeaderRun.ts"
import { type HeaderTree, RAW_WORDS } from "./HeaderTree.ts"

const TIME_WORD: number = HEADER_TIME / 4
const BITS_WORD: number = HEADER_BITS / 4

export type Acceptance =
  /** The parent of the first header is not in the tree. Nothing was taken in. */
  | { readonly _tag: "Unconnected" }
  /**
   * `count` headers are new and have the numbers from `first` on. `last` is the number of the last header of the run that is in the
   * tree, new or not; where there is none, that of the run's parent, or -1. `fault` says at which index of the run it stopped and why.
   */
  | {
      readonly _tag: "Accepted"
      readonly first: number
      readonly count: number
      readonly last: number
      readonly fault: { readonly index: number; readonly rule: RunFault } | undefined
    }

/** Reused: an object for each header would cost more than its rules. */
const fields = { version: 0, time: 0, bits: 0 }

/**
 * @param headers `count` raw headers, one after another; `count` is at least 1. Only read, and not kept
 * @param unix our clock in seconds since 1970, for the two-hour rule; `Infinity` for headers that were accepted once before
 */
export const acceptHeaders = (
  tree: HeaderTree,
  proof: ProofOfWork,
  sha256: Sha256,
  headers: Uint8Array,
  count: number,
  unix: number
): Acceptance => {
  const hashes = hashRun(sha256, headers, count)
  const words = wordsOfRun()
  const { raw } = words
  const first = tree.size
  let parent = tree.find(headers, HEADER_PREVIOUS)
  const stopped = (index: number, rule: RunFault): Acceptance => ({
    _tag: "Accepted",
    first,
    count: tree.size - first,
    last: parent,
    fault: { index, rule }
  })
  // Before anything is kept, and before the parent is asked for: whoever sends headers has done the work for each, and sends one chain.
  const faulty = runFault(proof, count)
  if (faulty !== undefined) return stopped(faulty.index, faulty.rule)
  if (parent < 0) return { _tag: "Unconnected" }
  let i = 0
  // What is known comes first: no child of an unknown header is known.
  for (; i < count; i++) {
    const known = tree.find(hashes, 32 * i)
    if (known < 0) break
    if (!tree.isValid(known)) return stopped(i, "duplicate-invalid")
    parent = known
  }
  if (i < count && !tree.isValid(parent)) return stopped(i, "bad-prevblk")
  for (; i < count; i++) {
    const at = i * RAW_WORDS
    fields.version = wireWord(raw[at] as number)
    fields.time = wireWord(raw[at + TIME_WORD] as number) >>> 0
    fields.bits = wireWord(raw[at + BITS_WORD] as number) >>> 0
    const rule = tree.isMistrusted(tree.height(parent) + 1, hashes, 32 * i)
      ? "checkpoint-mismatch"
      : headerFault(tree.params, tree, parent, fields, unix)
    if (rule !== undefined) {
      tree.settle(words, i)
      return stopped(i, rule)
    }
    parent = tree.append(words, i, parent, proof.difficulty(fields.bits).work)
  }
  tree.settle(words, count)
  return { _tag: "Accepted", first, count: tree.size - first, last: parent, fault: undefined }
}
