/** Blocks that keep every rule, made by hand, so that a test breaks one by changing one thing. Their proof of work is nobody's concern. */
import { concat } from "@satwire/bytes"
import { portableSha256 } from "@satwire/crypto"
import {
  type Block,
  type BlockHash,
  BlockView,
  Satoshis,
  type Transaction,
  type TxInput,
  type TxOutput,
  type Txid,
  WITNESS_COMMITMENT_HEADER,
  blockMerkleRoot,
  scriptNumber,
  witnessCommitmentHash,
  witnessMerkleRoot
} from "@satwire/primitives"
import { type BlockContext, type BlockFault, checkBlock } from "../src/index.ts"

export const HEIGHT = 1000
/** Median time past of the parent. */
export const CUTOFF = 1_700_000_000
const FINAL = 0xffffffff

export const context: BlockContext = {
  height: HEIGHT,
  hasHeight: true,
  lockTimeCutoff: CUTOFF,
  hasWitness: true,
  signetChallenge: undefined
}

/** An input that spends output `index` of a transaction which is nothing but `fill`. */
export const inputOf = (fill: number, index = 0, change: Partial<TxInput> = {}): TxInput => ({
  previousOutput: { txid: new Uint8Array(32).fill(fill) as Uint8Array as Txid, index },
  scriptSig: new Uint8Array(0),
  sequence: FINAL,
  witness: [],
  ...change
})

export const outputOf = (amount: bigint, script: ReadonlyArray<number> = [0x51]): TxOutput => ({
  amount: Satoshis(amount),
  scriptPubKey: Uint8Array.from(script)
})

/** A transaction like many. */
export const spend = (fill: number, change: Partial<Transaction> = {}): Transaction => ({
  version: 2,
  inputs: [inputOf(fill)],
  outputs: [outputOf(1000n)],
  lockTime: 0,
  ...change
})

/** A coinbase whose script begins with the height, without commitment. */
export const coinbase = (change: Partial<Transaction> = {}, height = HEIGHT): Transaction => ({
  version: 2,
  inputs: [inputOf(0, FINAL, { scriptSig: concat([scriptNumber(height), Uint8Array.of(1, 7)]) })],
  outputs: [outputOf(5_000_000_000n)],
  lockTime: 0,
  ...change
})

/** The coinbase of `transactions` with a commitment to the witnesses of the others; `more` stands behind it in the script. */
export const committing = (
  transactions: ReadonlyArray<Transaction>,
  more: Uint8Array = new Uint8Array(0),
  reserved: Uint8Array = new Uint8Array(32)
): ReadonlyArray<Transaction> => {
  const [first = coinbase(), ...others] = transactions
  const hash = witnessCommitmentHash(portableSha256, witnessMerkleRoot(portableSha256, transactions).root, reserved)
  const script = concat([WITNESS_COMMITMENT_HEADER, hash, more])
  const inputs = first.inputs.map((input) => ({ ...input, witness: [reserved] }))
  return [{ ...first, inputs, outputs: [...first.outputs, outputOf(0n, [...script])] }, ...others]
}

/** A block of these transactions under a header that has their root. */
export const blockOf = (transactions: ReadonlyArray<Transaction>): Block => ({
  header: {
    version: 0x20000000,
    previousBlock: new Uint8Array(32).fill(9) as Uint8Array as BlockHash,
    merkleRoot: blockMerkleRoot(portableSha256, transactions).root,
    time: CUTOFF + 600,
    bits: 0x207fffff,
    nonce: 0
  },
  transactions
})

/** What is said of a block, or of one of these transactions. */
export const faultOf = (
  block: Block | ReadonlyArray<Transaction>,
  change: Partial<BlockContext> = {}
): BlockFault | undefined =>
  checkBlock(portableSha256, BlockView.of("header" in block ? block : blockOf(block)), { ...context, ...change })

/** A fault of what is under the merkle root. */
export const invalid = (rule: BlockFault["rule"], transaction?: number): BlockFault => ({
  rule,
  isMutation: false,
  transaction
})

/** A fault that says nothing about the block of that hash. */
export const mutation = (rule: BlockFault["rule"], transaction?: number): BlockFault => ({
  rule,
  isMutation: true,
  transaction
})
