/**
 * A walk over the operations of a script, for who asks what it pushes or what form it has. Nothing here runs a script, and any bytes are
 * one: a push that is cut short ends the walk.
 *
 * Source: Bitcoin Core 28.1 `script/script.cpp`, `GetScriptOp`; `script/script.h`, `CScript << int64_t`.
 */

export const OP_0 = 0x00
export const OP_PUSHDATA1 = 0x4c
export const OP_PUSHDATA2 = 0x4d
export const OP_PUSHDATA4 = 0x4e
export const OP_1 = 0x51
export const OP_16 = 0x60
export const OP_RETURN = 0x6a
export const OP_DUP = 0x76
export const OP_EQUAL = 0x87
export const OP_EQUALVERIFY = 0x88
export const OP_HASH160 = 0xa9
export const OP_CHECKSIG = 0xac
export const OP_CHECKSIGVERIFY = 0xad
export const OP_CHECKMULTISIG = 0xae
export const OP_CHECKMULTISIGVERIFY = 0xaf

export class ScriptWalk {
  readonly #script: Uint8Array
  /** Where the next operation begins. */
  offset: number
  /** The operation that was read last. */
  opcode: number = OP_0
  /** What it pushes: `[dataStart, dataEnd)` of the script, empty for one that pushes no bytes of it. */
  dataStart = 0
  dataEnd = 0
  /** Whether a push was cut short. */
  isCut = false

  constructor(script: Uint8Array, offset: number = 0) {
    this.#script = script
    this.offset = offset
  }

  /** Reads the next operation. False at the end, and where a push is cut short. */
  next(): boolean {
    const script = this.#script
    if (this.isCut || this.offset >= script.length) return false
    const opcode = script[this.offset] as number
    let at = this.offset + 1
    let length = 0
    if (opcode < OP_PUSHDATA1) length = opcode
    else if (opcode <= OP_PUSHDATA4) {
      const width = 1 << (opcode - OP_PUSHDATA1)
      if (script.length - at < width) return this.#cut()
      for (let i = width - 1; i >= 0; i--) length = length * 256 + (script[at + i] as number)
      at += width
    }
    if (length > script.length - at) return this.#cut()
    this.opcode = opcode
    this.dataStart = at
    this.dataEnd = at + length
    this.offset = at + length
    return true
  }

  /** What the last operation pushes, as a view. */
  get data(): Uint8Array {
    return this.#script.subarray(this.dataStart, this.dataEnd)
  }

  #cut(): false {
    this.isCut = true
    return false
  }
}

/** Whether the script from `offset` on does nothing but push: opcodes up to `OP_16` (Core's `IsPushOnly`). */
export const isPushOnly = (script: Uint8Array, offset: number = 0): boolean => {
  const walk = new ScriptWalk(script, offset)
  while (walk.next()) if (walk.opcode > OP_16) return false
  return !walk.isCut
}

/**
 * A number from 0 on as a script pushes it: the opcodes for 0 and for 1 to 16, or its bytes, least significant first. The highest bit of
 * the last one is the sign: where the number itself would set it, a zero follows.
 */
export const scriptNumber = (value: number): Uint8Array => {
  if (value === 0) return Uint8Array.of(OP_0)
  if (value >= 1 && value <= 16) return Uint8Array.of(OP_1 + value - 1)
  const digits: Array<number> = []
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) digits.push(rest % 256)
  if (((digits.at(-1) as number) & 0x80) !== 0) digits.push(0)
  return Uint8Array.of(digits.length, ...digits)
}
