/** Signet blocks of a test's own, signed by keys of its own. What is signed is worked out here anew, from the BIPs' words. */
import { concat, encode } from "@satwire/bytes"
import { portableSha256, sha256d } from "@satwire/crypto"
import { hmac } from "@noble/hashes/hmac.js"
import { ripemd160 } from "@noble/hashes/legacy.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { getPublicKey, hashes, sign } from "@noble/secp256k1"
import {
  type Block,
  type Transaction,
  type Txid,
  blockMerkleRoot,
  encodeHeader,
  transactionSize,
  writeTransaction
} from "@satwire/primitives"
import { blockOf, coinbase, committing, inputOf, outputOf } from "./GoodBlocks.ts"

hashes.sha256 = sha256
hashes.hmacSha256 = (key, message) => hmac(sha256, key, message)

const secretOf = (n: number): Uint8Array => new Uint8Array(32).fill(n)

export const publicKeyOf = (n: number, isCompressed = true): Uint8Array => getPublicKey(secretOf(n), isCompressed)

export const hash160 = (bytes: Uint8Array): Uint8Array => ripemd160(sha256(bytes))

const integer = (number: Uint8Array): ReadonlyArray<number> => {
  let first = number.findIndex((byte) => byte !== 0)
  if (first < 0) first = number.length - 1
  const digits = [...number.subarray(first)]
  if ((digits[0] as number) >= 0x80) digits.unshift(0)
  return [2, digits.length, ...digits]
}

/** r and s in DER, with a hash type behind them. */
export const derOf = (compact: Uint8Array, hashType: number): Uint8Array => {
  const numbers = [...integer(compact.subarray(0, 32)), ...integer(compact.subarray(32))]
  return Uint8Array.of(0x30, numbers.length, ...numbers, hashType)
}

/** Signs with key `n`. */
export const signed = (n: number, hash: Uint8Array, hashType = 1): Uint8Array =>
  derOf(sign(hash, secretOf(n), { prehash: false }), hashType)

export const push = (bytes: Uint8Array): Uint8Array => {
  if (bytes.length < 76) return concat([Uint8Array.of(bytes.length), bytes])
  if (bytes.length < 256) return concat([Uint8Array.of(0x4c, bytes.length), bytes])
  return concat([Uint8Array.of(0x4d, bytes.length & 0xff, bytes.length >>> 8), bytes])
}

const sized = (bytes: Uint8Array): Uint8Array =>
  bytes.length < 253
    ? concat([Uint8Array.of(bytes.length), bytes])
    : concat([Uint8Array.of(253, bytes.length & 0xff, bytes.length >>> 8), bytes])

const encoded = (tx: Transaction): Uint8Array => encode(transactionSize(tx), (w) => writeTransaction(w, tx))

const HEADER = Uint8Array.of(0xec, 0xc7, 0xda, 0xa2)

export interface Solution {
  readonly scriptSig?: Uint8Array
  readonly witness?: ReadonlyArray<Uint8Array>
}

const solutionBytes = ({ scriptSig = new Uint8Array(0), witness = [] }: Solution): Uint8Array =>
  concat([HEADER, sized(scriptSig), Uint8Array.of(witness.length), ...witness.map(sized)])

/** A block and the spend that its solution must make. */
export interface Unsolved {
  /** The block with a solution, or with whatever stands behind the commitment instead. */
  readonly solve: (solution: Solution | Uint8Array) => Block
  /** The hash that is signed for a script, before BIP-0143. */
  readonly baseHash: (script: Uint8Array, hashType?: number) => Uint8Array
  /** The same by BIP-0143. */
  readonly witnessHash: (script: Uint8Array, hashType?: number) => Uint8Array
}

/** A block of these transactions, still without solution; `more` stands behind where that will be. */
export const unsolved = (
  challenge: Uint8Array,
  others: ReadonlyArray<Transaction> = [],
  more: Uint8Array = new Uint8Array(0)
): Unsolved => {
  const withBehind = (behind: Uint8Array): Block => blockOf(committing([coinbase(), ...others], concat([behind, more])))
  const cleared = withBehind(push(HEADER))
  const header = encodeHeader({
    ...cleared.header,
    merkleRoot: blockMerkleRoot(portableSha256, cleared.transactions).root
  })
  const data = concat([header.subarray(0, 68), header.subarray(68, 72)])
  const toSpend: Transaction = {
    version: 0,
    inputs: [inputOf(0, 0xffffffff, { sequence: 0, scriptSig: concat([Uint8Array.of(0), push(data)]) })],
    outputs: [outputOf(0n, [...challenge])],
    lockTime: 0
  }
  const txid = sha256d(portableSha256, encoded(toSpend)) as Uint8Array as Txid
  const toSign = (script: Uint8Array, outputs: boolean): Transaction => ({
    version: 0,
    inputs: [{ ...inputOf(0, 0, { sequence: 0, scriptSig: script }), previousOutput: { txid, index: 0 } }],
    outputs: outputs ? [outputOf(0n, [0x6a])] : [],
    lockTime: 0
  })
  const typed = (hashType: number): Uint8Array => Uint8Array.of(hashType, 0, 0, 0)
  return {
    solve: (solution) => withBehind(solution instanceof Uint8Array ? solution : push(solutionBytes(solution))),
    baseHash: (script, hashType = 1) =>
      sha256d(portableSha256, concat([encoded(toSign(script, (hashType & 31) !== 2)), typed(hashType)])),
    witnessHash(script, hashType = 1) {
      const outpoint = concat([txid, new Uint8Array(4)])
      const output = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 1, 0x6a)
      const zeros = new Uint8Array(32)
      const isAnyone = hashType >= 128
      const kind = hashType & 31
      const preimage = concat([
        new Uint8Array(4),
        isAnyone ? zeros : sha256d(portableSha256, outpoint),
        isAnyone || kind === 2 || kind === 3 ? zeros : sha256d(portableSha256, new Uint8Array(4)),
        outpoint,
        sized(script),
        new Uint8Array(12),
        kind === 2 ? zeros : sha256d(portableSha256, output),
        new Uint8Array(4),
        typed(hashType)
      ])
      return sha256d(portableSha256, preimage)
    }
  }
}

/** `required` of the keys with these numbers. */
export const multisig = (required: number, keys: ReadonlyArray<Uint8Array>): Uint8Array =>
  concat([Uint8Array.of(0x50 + required), ...keys.map(push), Uint8Array.of(0x50 + keys.length, 0xae)])
