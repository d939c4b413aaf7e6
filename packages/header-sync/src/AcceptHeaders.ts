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
import { HeaderRules, type ProofOfWork } from "@satwire/consensus"
import type { Sha256 } from "@satwire/crypto"
import { HEADER_PREVIOUS, HEADER_TIME } from "@satwire/primitives"
import { BITS_WORD, type RunFault, hashRun, runFault, wordsOfRun } from "./HeaderRun.ts"
import { type HeaderTree, RAW_WORDS } from "./HeaderTree.ts"

const TIME_WORD: number = HEADER_TIME / 4

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

/**
 * @param headers `count` raw headers, one after another; `count` is at least 1. Only read, and not kept
 * @param unix our clock in seconds since 1970, for the two-hour rule; `Infinity` for headers that were accepted once before, whatever our
 * user trusts since: see `HeaderTree.distrust`
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
  const rules = new HeaderRules(tree.params, tree)
  if (i < count) rules.begin(parent)
  // What is judged good is taken in as many as have one target.
  let from = i
  let ofAll = 0
  let height = tree.height(parent)
  for (; i < count; i++) {
    const at = i * RAW_WORDS
    const time = wireWord(raw[at + TIME_WORD] as number) >>> 0
    const bits = wireWord(raw[at + BITS_WORD] as number) >>> 0
    height += 1
    const rule =
      unix < Infinity && tree.isMistrusted(height, hashes, 32 * i)
        ? "checkpoint-mismatch"
        : rules.fault(wireWord(raw[at] as number), time, bits, unix)
    if (bits !== ofAll || rule !== undefined) {
      parent = tree.append(words, from, i, parent, proof.difficulty(ofAll).work)
      from = i
      ofAll = bits
    }
    if (rule !== undefined) return stopped(i, rule)
    rules.pass(time, bits)
  }
  parent = tree.append(words, from, count, parent, proof.difficulty(ofAll).work)
  return { _tag: "Accepted", first, count: tree.size - first, last: parent, fault: undefined }
}
