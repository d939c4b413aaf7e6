/**
 * Which of the known forms an output's script has, found when somebody asks: decoding a transaction looks into no script.
 *
 * Source: Bitcoin Core 28.1 `script/solver.cpp`, `Solver`.
 */
import {
  OP_0,
  OP_1,
  OP_16,
  OP_CHECKMULTISIG,
  OP_CHECKSIG,
  OP_DUP,
  OP_EQUAL,
  OP_EQUALVERIFY,
  OP_HASH160,
  OP_PUSHDATA1,
  OP_RETURN,
  ScriptWalk,
  isPushOnly
} from "./Script.ts"

/** A script by its form. Byte fields are views into it. */
export type OutputScript =
  | { readonly _tag: "p2pk"; readonly publicKey: Uint8Array }
  | { readonly _tag: "p2pkh"; readonly hash: Uint8Array }
  | { readonly _tag: "p2sh"; readonly hash: Uint8Array }
  | { readonly _tag: "p2wpkh"; readonly hash: Uint8Array }
  | { readonly _tag: "p2wsh"; readonly hash: Uint8Array }
  | { readonly _tag: "p2tr"; readonly outputKey: Uint8Array }
  /** Anyone may spend it, to raise a transaction's fee. */
  | { readonly _tag: "anchor" }
  /** A witness program that no rule knows yet (BIP-0141). */
  | { readonly _tag: "witness_unknown"; readonly version: number; readonly program: Uint8Array }
  /** Keys and how many of them must sign, bare. */
  | { readonly _tag: "multisig"; readonly required: number; readonly publicKeys: ReadonlyArray<Uint8Array> }
  /** Data, which nobody can spend: what stands behind `OP_RETURN`, as it is written there. */
  | { readonly _tag: "op_return"; readonly pushes: Uint8Array }
  | { readonly _tag: "nonstandard" }

/** Bitcoin Core's `MAX_PUBKEYS_PER_MULTISIG` (script/script.h). */
const MAX_PUBKEYS_PER_MULTISIG = 20
const NONSTANDARD: OutputScript = { _tag: "nonstandard" }
const ANCHOR: OutputScript = { _tag: "anchor" }

/** What form `script` has. */
export const recognizeOutput = (script: Uint8Array): OutputScript => {
  const { length } = script
  if (length === 23 && script[0] === OP_HASH160 && script[1] === 20 && script[22] === OP_EQUAL) {
    return { _tag: "p2sh", hash: script.subarray(2, 22) }
  }
  const version = witnessVersion(script)
  if (version !== undefined) return witnessOutput(version, script.subarray(2))
  if (script[0] === OP_RETURN && isPushOnly(script, 1)) return { _tag: "op_return", pushes: script.subarray(1) }
  if (isPayToPubkey(script)) return { _tag: "p2pk", publicKey: script.subarray(1, length - 1) }
  if (isPayToPubkeyHash(script)) return { _tag: "p2pkh", hash: script.subarray(3, 23) }
  return multisig(script) ?? NONSTANDARD
}

/** The version of the witness program that `script` is (BIP-0141 §"Witness program"); `undefined` where it is none. */
const witnessVersion = (script: Uint8Array): number | undefined => {
  const { length } = script
  if (length < 4 || length > 42 || (script[1] as number) + 2 !== length) return undefined
  const opcode = script[0] as number
  if (opcode === OP_0) return 0
  return opcode >= OP_1 && opcode <= OP_16 ? opcode - OP_1 + 1 : undefined
}

const witnessOutput = (version: number, program: Uint8Array): OutputScript => {
  if (version === 0) {
    if (program.length === 20) return { _tag: "p2wpkh", hash: program }
    return program.length === 32 ? { _tag: "p2wsh", hash: program } : NONSTANDARD
  }
  if (version === 1 && program.length === 32) return { _tag: "p2tr", outputKey: program }
  if (version === 1 && program.length === 2 && program[0] === 0x4e && program[1] === 0x73) return ANCHOR
  return { _tag: "witness_unknown", version, program }
}

const isPayToPubkey = (script: Uint8Array): boolean =>
  script[0] === script.length - 2 &&
  script[script.length - 1] === OP_CHECKSIG &&
  isPublicKey(script.subarray(1, script.length - 1))

const isPayToPubkeyHash = (script: Uint8Array): boolean =>
  script.length === 25 &&
  script[0] === OP_DUP &&
  script[1] === OP_HASH160 &&
  script[2] === 20 &&
  script[23] === OP_EQUALVERIFY &&
  script[24] === OP_CHECKSIG

/** Whether `key` has the length that its first byte announces; on the curve it need not be. */
const isPublicKey = (key: Uint8Array): boolean => {
  switch (key[0]) {
    case 2:
    case 3:
      return key.length === 33
    case 4:
    case 6:
    case 7:
      return key.length === 65
    default:
      return false
  }
}

const multisig = (script: Uint8Array): OutputScript | undefined => {
  if (script[script.length - 1] !== OP_CHECKMULTISIG) return undefined
  const walk = new ScriptWalk(script)
  if (!walk.next()) return undefined
  const required = keyCount(walk, 1)
  if (required === undefined) return undefined
  const publicKeys: Array<Uint8Array> = []
  let more = walk.next()
  for (; more && isPublicKey(walk.data); more = walk.next()) publicKeys.push(walk.data)
  if (!more || keyCount(walk, required) !== publicKeys.length || walk.offset !== script.length - 1) return undefined
  return { _tag: "multisig", required, publicKeys }
}

/** The count that an operation stands for: `OP_1` to `OP_16`, or a byte where no such operation would do. */
const keyCount = (walk: ScriptWalk, least: number): number | undefined => {
  const { opcode, data } = walk
  let count = 0
  if (opcode >= OP_1 && opcode <= OP_16) count = opcode - OP_1 + 1
  else if (opcode < OP_PUSHDATA1 && data.length === 1 && (data[0] as number) > 16) count = data[0] as number
  return count < least || count > MAX_PUBKEYS_PER_MULTISIG ? undefined : count
}
