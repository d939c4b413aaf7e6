/**
 * The solution of a signet block: it stands in the coinbase's commitment to witnesses, behind a header of its own, and spends a virtual
 * output that pays to the network's challenge. What it signs is the block without the solution.
 *
 * ```
 *   commitment     6a 24 aa21a9ed … │ push: ecc7daa2, scriptSig, witness
 *   to_spend       version 0 │ nothing, script: OP_0, push of (version, previous, root without solution, time) │ 0 to the challenge
 *   to_sign        version 0 │ to_spend:0, the solution's script and witness                                   │ 0 to OP_RETURN
 * ```
 *
 * Without solution both are empty, which is enough for a challenge like `OP_TRUE`.
 *
 * Source: BIP-0325, Bitcoin Core 28.1 `signet.cpp`.
 */
import { type Reader, concat, decode, equals } from "@satwire/bytes"
import { type Sha256, sha256d } from "@satwire/crypto"
import {
  BLOCK_PARTS,
  type BlockView,
  HEADER_MERKLE_ROOT,
  HEADER_TIME,
  ScriptWalk,
  merkleRootInPlace
} from "@satwire/primitives"
import * as Result from "effect/Result"
import { EMPTY_PUSH, type EcdsaVerifier, isValidSpend, pushOf, varBytes } from "./SignetChallenge.ts"
import { commitmentPlace } from "./WitnessCommitment.ts"

const SIGNET_HEADER: Uint8Array = Uint8Array.of(0xec, 0xc7, 0xda, 0xa2)

/** What stands behind the header, and the script that it stands in with nothing behind it. */
interface Found {
  readonly solution: Uint8Array
  readonly cleared: Uint8Array
}

/** The two virtual transactions of a block, as far as they are not fixed. */
export interface SignetSpend {
  readonly outpoint: Uint8Array
  readonly scriptSig: Uint8Array
  readonly witness: ReadonlyArray<Uint8Array>
}

const NOTHING = new Uint8Array(0)

/**
 * What the block's solution spends and by what, or `undefined` where there is no commitment or the solution does not parse (Core
 * `SignetTxs::Create`).
 *
 * @param txids those of the block, which stay as they are
 */
export const signetSpend = (
  sha256: Sha256,
  block: BlockView,
  challenge: Uint8Array,
  txids: Uint8Array
): SignetSpend | undefined => {
  const place = commitmentPlace(block)
  if (place === undefined) return undefined
  const { bytes } = block
  const found = findSolution(bytes.subarray(place.start, place.end))
  const parsed = found === undefined ? { scriptSig: NOTHING, witness: [] } : parseSolution(found.solution)
  if (parsed === undefined) return undefined
  const leaves = txids.slice()
  if (found !== undefined) {
    const [start = 0, body = 0, bodyEnd = 0, end = 0] = block.parts.subarray(0, BLOCK_PARTS)
    const cleared = concat([
      bytes.subarray(start, start + 4),
      bytes.subarray(body, place.lengthAt),
      varBytes(found.cleared),
      bytes.subarray(place.end, bodyEnd),
      bytes.subarray(end - 4, end)
    ])
    leaves.set(sha256d(sha256, cleared))
  }
  const { root } = merkleRootInPlace(sha256, leaves, block.transactionCount)
  const data = concat([bytes.subarray(0, HEADER_MERKLE_ROOT), root, bytes.subarray(HEADER_TIME, HEADER_TIME + 4)])
  const txid = sha256d(sha256, toSpend(data, challenge))
  return { outpoint: concat([txid, new Uint8Array(4)]), ...parsed }
}

/** Whether a signet block meets its network's challenge (Core `CheckSignetBlockSolution`). */
export const hasSignetSolution = (
  sha256: Sha256,
  ecdsa: EcdsaVerifier,
  block: BlockView,
  challenge: Uint8Array,
  txids: Uint8Array
): boolean => {
  const spend = signetSpend(sha256, block, challenge, txids)
  return spend !== undefined && isValidSpend(sha256, ecdsa, { ...spend, scriptPubKey: challenge })
}

const toSpend = (data: Uint8Array, challenge: Uint8Array): Uint8Array => {
  const noOutpoint = new Uint8Array(36).fill(0xff, 32)
  return concat([
    Uint8Array.of(0, 0, 0, 0, 1),
    noOutpoint,
    varBytes(concat([EMPTY_PUSH, pushOf(data)])),
    // Sequence 0, one output, of nothing.
    Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0),
    varBytes(challenge),
    new Uint8Array(4)
  ])
}

/**
 * The first push that begins with the header and holds more. Core writes the script anew while it looks, so pushes of an odd form come out
 * in the usual one, and what is behind a push that is cut short is lost.
 */
const findSolution = (script: Uint8Array): Found | undefined => {
  const walk = new ScriptWalk(script)
  const rewritten: Array<Uint8Array> = []
  let solution: Uint8Array | undefined
  while (walk.next()) {
    const { data } = walk
    const isSolution =
      solution === undefined && data.length > SIGNET_HEADER.length && equals(data.subarray(0, 4), SIGNET_HEADER)
    if (isSolution) solution = data.subarray(SIGNET_HEADER.length)
    rewritten.push(data.length === 0 ? Uint8Array.of(walk.opcode) : pushOf(isSolution ? SIGNET_HEADER : data))
  }
  return solution === undefined ? undefined : { solution, cleared: concat(rewritten) }
}

const parseSolution = (bytes: Uint8Array): Pick<SignetSpend, "scriptSig" | "witness"> | undefined => {
  const parsed = decode(bytes, readSolution)
  return Result.isSuccess(parsed) && parsed.success.bytesLeft === 0 ? parsed.success.value : undefined
}

const readSolution = (r: Reader): Pick<SignetSpend, "scriptSig" | "witness"> => {
  const scriptSig = r.varBytes(Infinity, "scriptSig")
  const items = r.count(Infinity, 1, "witness items")
  return { scriptSig, witness: Array.from({ length: items }, () => r.varBytes(Infinity, "witness item")) }
}
