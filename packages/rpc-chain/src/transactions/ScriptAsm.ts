/** A script as Bitcoin Core writes it for people: operations by name, what is pushed as numbers or in hexadecimal (Core `ScriptToAsmStr`). */
import { OP_1, OP_16, OP_PUSHDATA4, OP_RETURN, ScriptWalk } from "@satwire/primitives"
import { hexOf } from "../Hex.ts"

const OP_1NEGATE = 0x4f
const OP_RESERVED = 0x50
const OP_NOP = 0x61
const OP_INVALIDOPCODE = 0xff
const MAX_SCRIPT_SIZE = 10_000
const MAX_NUMBER_BYTES = 4

/** From `OP_NOP` on. */
const NAMES: ReadonlyArray<string> = (
  "NOP VER IF NOTIF VERIF VERNOTIF ELSE ENDIF VERIFY RETURN TOALTSTACK FROMALTSTACK 2DROP 2DUP 3DUP 2OVER 2ROT 2SWAP IFDUP DEPTH DROP DUP " +
  "NIP OVER PICK ROLL ROT SWAP TUCK CAT SUBSTR LEFT RIGHT SIZE INVERT AND OR XOR EQUAL EQUALVERIFY RESERVED1 RESERVED2 1ADD 1SUB 2MUL 2DIV " +
  "NEGATE ABS NOT 0NOTEQUAL ADD SUB MUL DIV MOD LSHIFT RSHIFT BOOLAND BOOLOR NUMEQUAL NUMEQUALVERIFY NUMNOTEQUAL LESSTHAN GREATERTHAN " +
  "LESSTHANOREQUAL GREATERTHANOREQUAL MIN MAX WITHIN RIPEMD160 SHA1 SHA256 HASH160 HASH256 CODESEPARATOR CHECKSIG CHECKSIGVERIFY " +
  "CHECKMULTISIG CHECKMULTISIGVERIFY NOP1 CHECKLOCKTIMEVERIFY CHECKSEQUENCEVERIFY NOP4 NOP5 NOP6 NOP7 NOP8 NOP9 NOP10 CHECKSIGADD"
).split(" ")

const nameOf = (opcode: number): string => {
  if (opcode === OP_1NEGATE) return "-1"
  if (opcode === OP_RESERVED) return "OP_RESERVED"
  if (opcode >= OP_1 && opcode <= OP_16) return String(opcode - OP_1 + 1)
  if (opcode === OP_INVALIDOPCODE) return "OP_INVALIDOPCODE"
  const name = NAMES[opcode - OP_NOP]
  return name === undefined ? "OP_UNKNOWN" : `OP_${name}`
}

/** Whether nobody can spend an output with this script, whatever its input says (Core `IsUnspendable`). */
export const isUnspendable = (script: Uint8Array): boolean => script[0] === OP_RETURN || script.length > MAX_SCRIPT_SIZE

/** @param isInput whether signatures are told apart, as in the script of an input */
export const scriptAsm = (script: Uint8Array, isInput = false): string => {
  const words: Array<string> = []
  const showsHashTypes = isInput && !isUnspendable(script)
  const walk = new ScriptWalk(script)
  while (walk.next()) {
    if (walk.opcode > OP_PUSHDATA4) words.push(nameOf(walk.opcode))
    else if (walk.data.length <= MAX_NUMBER_BYTES) words.push(String(numberOf(walk.data)))
    else words.push((showsHashTypes ? signatureText(walk.data) : undefined) ?? hexOf(walk.data))
  }
  if (walk.isCut) words.push("[error]")
  return words.join(" ")
}

/** Least significant byte first, the highest bit of the last one the sign. */
const numberOf = (data: Uint8Array): number => {
  let number = 0
  data.forEach((byte, i) => {
    const isLast = i === data.length - 1
    number += (isLast ? byte & 0x7f : byte) * 256 ** i
  })
  return ((data.at(-1) ?? 0) & 0x80) !== 0 && number !== 0 ? -number : number
}

const HASH_TYPES: ReadonlyMap<number, string> = new Map([
  [0x01, "ALL"],
  [0x81, "ALL|ANYONECANPAY"],
  [0x02, "NONE"],
  [0x82, "NONE|ANYONECANPAY"],
  [0x03, "SINGLE"],
  [0x83, "SINGLE|ANYONECANPAY"]
])

const signatureText = (data: Uint8Array): string | undefined => {
  const hashType = HASH_TYPES.get(data.at(-1) as number)
  return hashType !== undefined && isSignature(data) ? `${hexOf(data.subarray(0, -1))}[${hashType}]` : undefined
}

const SEQUENCE = 0x30
const INTEGER = 0x02

/** Whether it is a signature in strict DER with a byte behind it (BIP-0066). */
const isSignature = (data: Uint8Array): boolean => {
  const { length } = data
  if (length < 9 || length > 73 || data[0] !== SEQUENCE || data[1] !== length - 3) return false
  const r = data[3] as number
  const s = data[5 + r] ?? -1
  return 7 + r + s === length && isInteger(data, 2, r) && isInteger(data, 4 + r, s)
}

/** Positive, and with no zero in front that it does not need. */
const isInteger = (data: Uint8Array, at: number, length: number): boolean => {
  const [first = 0, second = 0] = data.subarray(at + 2)
  if (data[at] !== INTEGER || length === 0 || (first & 0x80) !== 0) return false
  return length === 1 || first !== 0 || (second & 0x80) !== 0
}
