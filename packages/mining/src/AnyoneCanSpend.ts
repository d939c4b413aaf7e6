/**
 * Outputs that anybody may spend, which is what a private network wants: `OP_TRUE`, by itself or behind its hash.
 *
 * Nodes that relay standard transactions alone (Bitcoin Core, also on regtest since 27) take the two with a hash, as outputs and when they are
 * spent, and not the bare one. The one with a witness is for networks where segwit is active.
 */
import { equals, fromHex } from "@satwire/bytes"
import { OP_1, type TxInput } from "@satwire/primitives"

const REDEEM_SCRIPT: Uint8Array = Uint8Array.of(OP_1)
const NOTHING: Uint8Array = new Uint8Array(0)

/** `OP_TRUE`, bare. */
export const ANYONE_CAN_SPEND: Uint8Array = REDEEM_SCRIPT
/** The hash of `OP_TRUE` by BIP-0016: spent with a script that pushes `OP_TRUE`. */
export const ANYONE_CAN_SPEND_P2SH: Uint8Array = fromHex("a914da1745e9b549bd0bfa1a569971c77eba30cd5a4b87") as Uint8Array
/** The hash of `OP_TRUE` by BIP-0141: spent with a witness of `OP_TRUE`. */
export const ANYONE_CAN_SPEND_P2WSH: Uint8Array = fromHex(
  "00204ae81572f06e1b88fd5ced7a1a000945432e83e1551e6f721ee9c00b8cc33260"
) as Uint8Array

/** What an input holds that spends such an output. */
export type Unlocking = Pick<TxInput, "scriptSig" | "witness">

const FORMS: ReadonlyArray<readonly [script: Uint8Array, unlocking: Unlocking]> = [
  [ANYONE_CAN_SPEND, { scriptSig: NOTHING, witness: [] }],
  [ANYONE_CAN_SPEND_P2SH, { scriptSig: Uint8Array.of(1, OP_1), witness: [] }],
  [ANYONE_CAN_SPEND_P2WSH, { scriptSig: NOTHING, witness: [REDEEM_SCRIPT] }]
]

/** How to spend an output with this script; `undefined` where it is none of these. */
export const unlockingOf = (script: Uint8Array): Unlocking | undefined =>
  FORMS.find(([form]) => equals(form, script))?.[1]
