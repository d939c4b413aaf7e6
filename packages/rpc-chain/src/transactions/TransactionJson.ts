/** Transactions and their scripts as Bitcoin Core's methods show them (Core `TxToUniv`, `ScriptToUniv`). */
import type { Sha256 } from "@satwire/crypto"
import { type JsonObject, type ResultDoc, amount, result } from "@satwire/json-rpc"
import {
  type ChainParams,
  type OutputScript,
  type Transaction,
  type TransactionView,
  type TxInput,
  type TxOutput,
  WITNESS_SCALE_FACTOR,
  ZERO_HASH,
  encodeAddress,
  recognizeOutput,
  toHex
} from "@satwire/primitives"
import { equals } from "@satwire/bytes"
import { inferDescriptor } from "./Descriptor.ts"
import { scriptAsm } from "./ScriptAsm.ts"
import { hexOf } from "../Hex.ts"

const NO_INDEX = 0xffffffff

/** Core's names of the forms. */
const TYPES: Readonly<Record<OutputScript["_tag"], string>> = {
  p2pk: "pubkey",
  p2pkh: "pubkeyhash",
  p2sh: "scripthash",
  p2wpkh: "witness_v0_keyhash",
  p2wsh: "witness_v0_scripthash",
  p2tr: "witness_v1_taproot",
  anchor: "anchor",
  witness_unknown: "witness_unknown",
  multisig: "multisig",
  op_return: "nulldata",
  nonstandard: "nonstandard"
}

const scriptType = (script: Uint8Array): string => TYPES[recognizeOutput(script)._tag]

/** @param hasHex whether its bytes are among it */
export const scriptJson = (script: Uint8Array, params: ChainParams, hasHex = true): JsonObject => ({
  asm: scriptAsm(script),
  desc: inferDescriptor(script, params),
  hex: hasHex ? hexOf(script) : undefined,
  address: encodeAddress(script, params),
  type: scriptType(script)
})

export const SCRIPT_DOC: ResultDoc = result.object("The output's script", {
  asm: result.string("Its operations"),
  desc: result.string("Its descriptor, as far as that can be told of it"),
  hex: result.hex("Its bytes"),
  address: result.optional(result.string("Its address, where it has one")),
  type: result.string("Its form")
})

export const isCoinbase = ({ inputs: [first, ...others] }: Transaction): boolean =>
  first !== undefined &&
  others.length === 0 &&
  first.previousOutput.index === NO_INDEX &&
  equals(first.previousOutput.txid, ZERO_HASH)

const inputJson = ({ previousOutput, scriptSig, sequence, witness }: TxInput, ofCoinbase: boolean): JsonObject => {
  const txinwitness = witness.length === 0 ? undefined : witness.map(hexOf)
  return ofCoinbase
    ? { coinbase: hexOf(scriptSig), txinwitness, sequence }
    : {
        txid: toHex(previousOutput.txid),
        vout: previousOutput.index,
        scriptSig: { asm: scriptAsm(scriptSig, true), hex: hexOf(scriptSig) },
        txinwitness,
        sequence
      }
}

const outputJson = (output: TxOutput, n: number, params: ChainParams): JsonObject => ({
  value: amount(output.amount),
  n,
  scriptPubKey: scriptJson(output.scriptPubKey, params)
})

/** What stands for a transaction, without its bytes. */
export const transactionJson = (view: TransactionView, params: ChainParams, sha256: Sha256): JsonObject => {
  const tx = view.materialise()
  const ofCoinbase = isCoinbase(tx)
  return {
    txid: toHex(view.txid(sha256)),
    hash: toHex(view.wtxid(sha256)),
    version: tx.version >>> 0,
    size: view.bytes.length,
    vsize: Math.ceil(view.weight / WITNESS_SCALE_FACTOR),
    weight: view.weight,
    locktime: tx.lockTime,
    vin: tx.inputs.map((input) => inputJson(input, ofCoinbase)),
    vout: tx.outputs.map((output, n) => outputJson(output, n, params))
  }
}

export const TRANSACTION_DOC: Readonly<Record<string, ResultDoc>> = {
  txid: result.hex("The transaction id"),
  hash: result.hex("The same with its witness counted in"),
  version: result.number("Its version"),
  size: result.number("Its bytes"),
  vsize: result.number("Its bytes as they count for fees"),
  weight: result.number("Its weight"),
  locktime: result.number("Its lock time"),
  vin: result.array(
    "What it spends",
    result.object("", {
      coinbase: result.optional(result.hex("The script of a coinbase's input")),
      txid: result.optional(result.hex("The transaction that made it")),
      vout: result.optional(result.number("Which of its outputs")),
      scriptSig: result.optional(
        result.object("The script", { asm: result.string("Its operations"), hex: result.hex("Its bytes") })
      ),
      txinwitness: result.optional(result.array("The witness", result.hex("One item"))),
      sequence: result.number("The sequence number")
    })
  ),
  vout: result.array(
    "What it makes",
    result.object("", {
      value: result.amount("The amount"),
      n: result.number("The number of the output"),
      scriptPubKey: SCRIPT_DOC
    })
  )
}
