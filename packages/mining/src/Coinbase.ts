/**
 * The first transaction of a block: it names the block's height, pays the subsidy and commits to the other transactions' witnesses.
 *
 * Source: BIP-0034, BIP-0141 §"Commitment structure", Bitcoin Core 28.1 `validation.cpp` (`GetBlockSubsidy`,
 * `GenerateCoinbaseCommitment`).
 */
import { Writer } from "@satwire/bytes"
import {
  type ChainParams,
  Satoshis,
  type Transaction,
  type TxOutput,
  WITNESS_COMMITMENT_HEADER,
  ZERO_HASH,
  scriptNumber
} from "@satwire/primitives"

const COIN = 100_000_000n
const NO_INDEX = 0xffffffff
const FINAL_SEQUENCE = 0xffffffff

/** What a block at `height` may create: 50 coins, halved at every interval, and nothing after 64 halvings. */
export const blockSubsidy = (params: ChainParams, height: number): Satoshis => {
  const halvings = Math.floor(height / params.subsidyHalvingInterval)
  return Satoshis(halvings >= 64 ? 0n : (50n * COIN) >> BigInt(halvings))
}

/** The coinbase's script: its height, then a counter that makes each one different. 6 to 10 bytes; consensus wants 2 to 100. */
const coinbaseScript = (height: number, extraNonce: number): Uint8Array => {
  const pushedHeight = scriptNumber(height)
  const script = new Writer(new Uint8Array(pushedHeight.length + 5))
  script.raw(pushedHeight)
  script.u8(4)
  script.u32(extraNonce)
  return script.bytes
}

/** The coinbase of a block at `height`. `commitment` is absent where witnesses are not active. */
export const coinbase = (options: {
  readonly params: ChainParams
  readonly height: number
  readonly extraNonce: number
  /** Who is paid. */
  readonly scriptPubKey: Uint8Array
  readonly fees: bigint
  /** What `witnessCommitmentHash` gives, over a reserved value of zeros. */
  readonly commitment: Uint8Array | undefined
}): Transaction => {
  const { params, height, extraNonce, scriptPubKey, fees, commitment } = options
  const outputs: Array<TxOutput> = [{ amount: Satoshis(blockSubsidy(params, height) + fees), scriptPubKey }]
  if (commitment !== undefined) {
    const script = new Uint8Array(WITNESS_COMMITMENT_HEADER.length + commitment.length)
    script.set(WITNESS_COMMITMENT_HEADER)
    script.set(commitment, WITNESS_COMMITMENT_HEADER.length)
    outputs.push({ amount: Satoshis(0n), scriptPubKey: script })
  }
  return {
    version: 2,
    inputs: [
      {
        previousOutput: {
          txid: ZERO_HASH as Uint8Array as Transaction["inputs"][number]["previousOutput"]["txid"],
          index: NO_INDEX
        },
        scriptSig: coinbaseScript(height, extraNonce),
        sequence: FINAL_SEQUENCE,
        witness: commitment === undefined ? [] : [new Uint8Array(32)]
      }
    ],
    outputs,
    lockTime: 0
  }
}
