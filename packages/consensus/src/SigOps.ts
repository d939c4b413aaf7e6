/**
 * How many signatures a script may ask for, counted as it was before BIP-0016: by its bytes alone, each check of many for twenty.
 *
 * Source: Bitcoin Core 28.1 `script/script.cpp` (`CScript::GetSigOpCount`, not accurate), `consensus/tx_verify.cpp`.
 */
import {
  OP_CHECKMULTISIG,
  OP_CHECKMULTISIGVERIFY,
  OP_CHECKSIG,
  OP_CHECKSIGVERIFY,
  OP_PUSHDATA1,
  OP_PUSHDATA4
} from "@satwire/primitives"

/** Bitcoin Core's `MAX_PUBKEYS_PER_MULTISIG` (script/script.h). */
const MAX_PUBKEYS_PER_MULTISIG = 20

/** The signature operations of the script at `[start, end)`. A push that is cut short ends the count. */
export const legacySigOps = (script: Uint8Array, start: number = 0, end: number = script.length): number => {
  let count = 0
  for (let at = start; at < end;) {
    const opcode = script[at++] as number
    if (opcode < OP_PUSHDATA1) at += opcode
    else if (opcode <= OP_PUSHDATA4) {
      const width = 1 << (opcode - OP_PUSHDATA1)
      if (at + width > end) break
      let length = 0
      for (let i = width - 1; i >= 0; i--) length = length * 256 + (script[at + i] as number)
      at += width + length
    } else if (opcode === OP_CHECKSIG || opcode === OP_CHECKSIGVERIFY) count += 1
    else if (opcode === OP_CHECKMULTISIG || opcode === OP_CHECKMULTISIGVERIFY) count += MAX_PUBKEYS_PER_MULTISIG
  }
  return count
}
