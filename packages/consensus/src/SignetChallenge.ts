/**
 * Whether a script and a witness spend an output, for the forms of output that need no interpreter: `OP_TRUE`, keys that must sign, and
 * what pays to the hash of either. Enough for the challenges of signets, whose whole point is a few keys.
 *
 * ```
 *   OP_TRUE, p2pk, p2pkh, multisig      the input's script pushes what they ask for; no witness
 *   p2wpkh, p2wsh of one of these       the witness holds exactly that; no script
 * ```
 *
 * As with the flags of Core's signet: strict DER, an empty extra item for multisig; any hash type, any half of s.
 *
 * Source: Bitcoin Core 28.1 `script/interpreter.cpp` (`VerifyScript`, `SignatureHash`), BIP-0143 §"Specification", BIP-0147.
 */
import { ripemd160 } from "@noble/hashes/legacy.js"
import { Writer, concat, equals, varBytesLength } from "@satwire/bytes"
import { type Sha256, type Signatures, sha256d } from "@satwire/crypto"
import {
  OP_0,
  OP_1,
  OP_16,
  OP_CHECKSIG,
  OP_DUP,
  OP_EQUALVERIFY,
  OP_HASH160,
  OP_PUSHDATA4,
  OP_RETURN,
  ScriptWalk,
  recognizeOutput
} from "@satwire/primitives"
import { compactOfDer, isStrictDer } from "./EcdsaSignature.ts"

/** Who says whether a signature is valid. It costs milliseconds in plain JavaScript, so the edge chooses. */
export type EcdsaVerifier = Pick<Signatures, "verifyEcdsa">

/** A transaction of version 0 with one input and one output of nothing, which spends an output of nothing. */
export interface VirtualSpend {
  /** The 36 bytes of what is spent. */
  readonly outpoint: Uint8Array
  readonly scriptPubKey: Uint8Array
  readonly scriptSig: Uint8Array
  readonly witness: ReadonlyArray<Uint8Array>
}

interface Verifier {
  readonly sha256: Sha256
  readonly ecdsa: EcdsaVerifier
  readonly outpoint: Uint8Array
  readonly isWitness: boolean
}

type Stack = ReadonlyArray<Uint8Array>

const OP_TRUE = OP_1
const OP_1NEGATE = 0x4f
const SIGHASH_NONE = 2
const SIGHASH_SINGLE = 3
const SIGHASH_ANYONECANPAY = 0x80
/** Bitcoin Core's limits of what a script may have (script/script.h). */
const MAX_SCRIPT_ELEMENT_SIZE = 520
const MAX_SCRIPT_SIZE = 10_000
const MAX_STACK_SIZE = 1000

/** Whether outputs with this script can be judged here. Of a p2wsh it is not known before somebody spends it. */
export const isVerifiable = (scriptPubKey: Uint8Array): boolean => {
  const { _tag } = recognizeOutput(scriptPubKey)
  return _tag === "p2wpkh" || _tag === "p2wsh" || formOf(scriptPubKey) !== undefined
}

/** Whether the spend is a valid one. Of an output of a form that is not known here it is not. */
export const isValidSpend = (sha256: Sha256, ecdsa: EcdsaVerifier, spend: VirtualSpend): boolean => {
  const { outpoint, scriptPubKey, scriptSig, witness } = spend
  const output = recognizeOutput(scriptPubKey)
  if (output._tag !== "p2wpkh" && output._tag !== "p2wsh") {
    const stack = witness.length === 0 ? pushedBy(scriptSig) : undefined
    return stack !== undefined && satisfies({ sha256, ecdsa, outpoint, isWitness: false }, scriptPubKey, stack)
  }
  if (scriptSig.length > 0) return false
  const verifier = { sha256, ecdsa, outpoint, isWitness: true }
  if (output._tag === "p2wpkh") return satisfies(verifier, payToPubkeyHash(output.hash), witness)
  const script = witness.at(-1)
  return (
    script !== undefined &&
    equals(digest(sha256, script), output.hash) &&
    satisfies(verifier, script, witness.slice(0, -1))
  )
}

/** What a form asks for, so many items of the stack, and whether it has them. */
interface Form {
  readonly items: number
  /** How many items lie on the stack while the script runs, beside those that it found. */
  readonly pushes: number
  readonly isMetBy: (verifier: Verifier, items: Stack) => boolean
}

const formOf = (script: Uint8Array): Form | undefined => {
  if (script.length === 1 && script[0] === OP_TRUE) return { items: 0, pushes: 1, isMetBy: () => true }
  const output = recognizeOutput(script)
  switch (output._tag) {
    case "p2pk":
      return { items: 1, pushes: 1, isMetBy: (verifier, [sig]) => isSignedBy(verifier, script, output.publicKey, sig) }
    case "p2pkh":
      return {
        items: 2,
        pushes: 2,
        isMetBy: (verifier, [sig, key]) =>
          key !== undefined &&
          equals(hash160(verifier.sha256, key), output.hash) &&
          isSignedBy(verifier, script, key, sig)
      }
    case "multisig":
      return {
        items: output.required + 1,
        pushes: output.publicKeys.length + 2,
        // The first item is the one that `OP_CHECKMULTISIG` takes off by mistake: it must be empty (BIP-0147).
        isMetBy: (verifier, [extra, ...sigs]) =>
          extra?.length === 0 && areSignedBy(verifier, script, output.publicKeys, sigs)
      }
    default:
      return undefined
  }
}

/** Whether a script is content with what lies on the stack: on its top, and for a witness there must be nothing else. */
const satisfies = (verifier: Verifier, script: Uint8Array, stack: Stack): boolean => {
  const form = formOf(script)
  if (form === undefined || stack.some((item) => item.length > MAX_SCRIPT_ELEMENT_SIZE)) return false
  if (verifier.isWitness ? stack.length !== form.items : stack.length < form.items) return false
  if (stack.length + form.pushes > MAX_STACK_SIZE) return false
  return form.isMetBy(verifier, stack.slice(stack.length - form.items))
}

/** Each signature must be of one of the keys, in the order of the keys. */
const areSignedBy = (verifier: Verifier, script: Uint8Array, keys: Stack, signatures: Stack): boolean => {
  let signed = signatures.length
  for (let left = keys.length; signed > 0 && left >= signed; left--) {
    if (isSignedBy(verifier, script, keys[left - 1] as Uint8Array, signatures[signed - 1])) signed -= 1
  }
  return signed === 0
}

const isSignedBy = (
  { sha256, ecdsa, outpoint, isWitness }: Verifier,
  script: Uint8Array,
  key: Uint8Array,
  signature: Uint8Array | undefined
): boolean => {
  if (signature === undefined || !isStrictDer(signature)) return false
  const compact = compactOfDer(signature)
  const hashType = signature.at(-1) as number
  const preimage = isWitness
    ? witnessPreimage(sha256, outpoint, script, hashType)
    : basePreimage(outpoint, script, hashType)
  return compact !== undefined && ecdsa.verifyEcdsa(compact, sha256d(sha256, preimage), key)
}

/** Nothing, paid to `OP_RETURN`: the one output of a spend. */
const OUTPUT: Uint8Array = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 1, OP_RETURN)

/** What is signed before BIP-0143: the transaction itself, with the script in place of the input's. */
const basePreimage = (outpoint: Uint8Array, script: Uint8Array, hashType: number): Uint8Array => {
  // Of one input and one output beside each other, "single" is all, and so is "anyone can pay".
  const outputs = (hashType & 0x1f) === SIGHASH_NONE ? [] : [OUTPUT]
  return concat([
    Uint8Array.of(0, 0, 0, 0, 1),
    outpoint,
    varBytes(script),
    Uint8Array.of(0, 0, 0, 0, outputs.length),
    ...outputs,
    Uint8Array.of(0, 0, 0, 0, hashType, 0, 0, 0)
  ])
}

/** What is signed since: hashes over all outpoints, sequence numbers and outputs, as far as the hash type has them (BIP-0143). */
const witnessPreimage = (sha256: Sha256, outpoint: Uint8Array, script: Uint8Array, hashType: number): Uint8Array => {
  const isAnyone = (hashType & SIGHASH_ANYONECANPAY) !== 0
  const base = hashType & 0x1f
  const isAll = base !== SIGHASH_NONE && base !== SIGHASH_SINGLE
  const none = new Uint8Array(32)
  return concat([
    new Uint8Array(4),
    isAnyone ? none : sha256d(sha256, outpoint),
    isAnyone || !isAll ? none : sha256d(sha256, new Uint8Array(4)),
    outpoint,
    varBytes(script),
    new Uint8Array(8 + 4),
    base === SIGHASH_NONE ? none : sha256d(sha256, OUTPUT),
    Uint8Array.of(0, 0, 0, 0, hashType, 0, 0, 0)
  ])
}

/** What a script leaves on the stack that does nothing but push; `undefined` for any other, and over the limits. */
const pushedBy = (script: Uint8Array): Stack | undefined => {
  if (script.length > MAX_SCRIPT_SIZE) return undefined
  const stack: Array<Uint8Array> = []
  const walk = new ScriptWalk(script)
  while (walk.next()) {
    if (walk.opcode <= OP_PUSHDATA4) stack.push(walk.data)
    else if (walk.opcode === OP_1NEGATE) stack.push(Uint8Array.of(0x81))
    else if (walk.opcode >= OP_1 && walk.opcode <= OP_16) stack.push(Uint8Array.of(walk.opcode - OP_1 + 1))
    else return undefined
  }
  return walk.isCut || stack.length > MAX_STACK_SIZE ? undefined : stack
}

const digest = (sha256: Sha256, bytes: Uint8Array): Uint8Array => {
  const out = new Uint8Array(32)
  sha256.sha256(bytes, 0, bytes.length, out, 0)
  return out
}

const hash160 = (sha256: Sha256, bytes: Uint8Array): Uint8Array => ripemd160(digest(sha256, bytes))

const payToPubkeyHash = (hash: Uint8Array): Uint8Array =>
  Uint8Array.of(OP_DUP, OP_HASH160, hash.length, ...hash, OP_EQUALVERIFY, OP_CHECKSIG)

/** The bytes, behind their length as a CompactSize. */
export const varBytes = (bytes: Uint8Array): Uint8Array => {
  const w = new Writer(new Uint8Array(varBytesLength(bytes)))
  w.varBytes(bytes)
  return w.bytes
}

/** How a script pushes the bytes (Core `CScript << vector`). */
export const pushOf = (bytes: Uint8Array): Uint8Array => {
  const { length } = bytes
  if (length < 0x4c) return concat([Uint8Array.of(length), bytes])
  if (length <= 0xff) return concat([Uint8Array.of(0x4c, length), bytes])
  if (length <= 0xffff) return concat([Uint8Array.of(0x4d, length & 0xff, length >>> 8), bytes])
  const size = [0, 8, 16, 24].map((shift) => (length >>> shift) & 0xff)
  return concat([Uint8Array.of(0x4e, ...size), bytes])
}

/** An empty push, as the first item of a script. */
export const EMPTY_PUSH: Uint8Array = Uint8Array.of(OP_0)
