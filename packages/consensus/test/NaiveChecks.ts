/** The rules of transactions and blocks over objects, as one would write them down: what the walk over bytes is held against. */
import { equals, toHex } from "@satwire/bytes"
import { portableSha256 } from "@satwire/crypto"
import {
  type Block,
  type Transaction,
  ScriptWalk,
  blockMerkleRoot,
  blockSize,
  hasWitness,
  scriptNumber,
  transactionSize,
  witnessCommitment,
  witnessCommitmentHash,
  witnessMerkleRoot
} from "@satwire/primitives"
import type { BlockContext, BlockRule, TransactionRule, WitnessRule } from "../src/index.ts"

const MAX_MONEY = 21_000_000n * 100_000_000n

export const naiveSigOps = (script: Uint8Array): number => {
  const costs = new Map([
    [0xac, 1],
    [0xad, 1],
    [0xae, 20],
    [0xaf, 20]
  ])
  const walk = new ScriptWalk(script)
  let count = 0
  while (walk.next()) count += costs.get(walk.opcode) ?? 0
  return count
}

const outpointsOf = (tx: Transaction): ReadonlyArray<string> =>
  tx.inputs.map(({ previousOutput: { txid, index } }) => `${toHex(txid)}:${index}`)

const NO_OUTPOINT = `${"00".repeat(32)}:4294967295`

const outputsRule = (tx: Transaction): TransactionRule | undefined => {
  let total = 0n
  for (const { amount } of tx.outputs) {
    total += amount
    if (amount < 0n) return "bad-txns-vout-negative"
    if (amount > MAX_MONEY) return "bad-txns-vout-toolarge"
    if (total > MAX_MONEY) return "bad-txns-txouttotal-toolarge"
  }
  return undefined
}

export const naiveTransactionFault = (tx: Transaction): TransactionRule | undefined => {
  if (tx.inputs.length === 0) return "bad-txns-vin-empty"
  if (tx.outputs.length === 0) return "bad-txns-vout-empty"
  if (transactionSize(tx, false) > 1_000_000) return "bad-txns-oversize"
  const ofOutputs = outputsRule(tx)
  if (ofOutputs !== undefined) return ofOutputs
  const outpoints = outpointsOf(tx)
  if (new Set(outpoints).size < outpoints.length) return "bad-txns-inputs-duplicate"
  if (outpoints.length > 1) return outpoints.includes(NO_OUTPOINT) ? "bad-txns-prevout-null" : undefined
  const length = tx.inputs[0]?.scriptSig.length ?? 0
  return outpoints[0] === NO_OUTPOINT && (length < 2 || length > 100) ? "bad-cb-length" : undefined
}

export const naiveIsFinal = (tx: Transaction, height: number, cutoff: number): boolean =>
  tx.lockTime === 0 ||
  tx.lockTime < (tx.lockTime < 500_000_000 ? height : cutoff) ||
  tx.inputs.every(({ sequence }) => sequence === 0xffffffff)

const isCoinbase = (tx: Transaction | undefined): boolean =>
  tx?.inputs.length === 1 && outpointsOf(tx)[0] === NO_OUTPOINT

const treeRule = ({ header, transactions }: Block): BlockRule | undefined => {
  const { root, mutated } = blockMerkleRoot(portableSha256, transactions)
  if (!equals(root, header.merkleRoot)) return "bad-txnmrklroot"
  return mutated ? "bad-txns-duplicate" : undefined
}

const sigOpsOf = (tx: Transaction): number =>
  [...tx.inputs.map(({ scriptSig }) => scriptSig), ...tx.outputs.map(({ scriptPubKey }) => scriptPubKey)].reduce(
    (sum, script) => sum + naiveSigOps(script),
    0
  )

const witnessRule = ({ transactions }: Block, isActive: boolean): WitnessRule | undefined => {
  const [first] = transactions
  const committed = isActive && first !== undefined ? witnessCommitment(first) : undefined
  if (committed === undefined) return transactions.some(hasWitness) ? "unexpected-witness" : undefined
  const [reserved, ...others] = first?.inputs[0]?.witness ?? []
  if (reserved?.length !== 32 || others.length > 0) return "bad-witness-nonce-size"
  const { root } = witnessMerkleRoot(portableSha256, transactions)
  const isKept = equals(witnessCommitmentHash(portableSha256, root, reserved), committed)
  return isKept ? undefined : "bad-witness-merkle-match"
}

/** The first rule that a block breaks, signets aside. */
export const naiveBlockRule = (block: Block, context: BlockContext): BlockRule | undefined => {
  const { transactions } = block
  const inTree = treeRule(block)
  if (inTree !== undefined) return inTree
  if (transactions.length === 0 || blockSize(block, false) > 1_000_000) return "bad-blk-length"
  if (!isCoinbase(transactions[0])) return "bad-cb-missing"
  if (transactions.slice(1).some(isCoinbase)) return "bad-cb-multiple"
  for (const tx of transactions) {
    const fault = naiveTransactionFault(tx)
    if (fault !== undefined) return fault
  }
  if (transactions.reduce((sum, tx) => sum + sigOpsOf(tx), 0) > 20_000) return "bad-blk-sigops"
  const { height, lockTimeCutoff = Infinity } = context
  if (!transactions.every((tx) => naiveIsFinal(tx, height, lockTimeCutoff))) return "bad-txns-nonfinal"
  const script = transactions[0]?.inputs[0]?.scriptSig ?? new Uint8Array(0)
  const pushed = scriptNumber(height)
  if (context.hasHeight && !equals(script.subarray(0, pushed.length), pushed)) return "bad-cb-height"
  const ofWitness = witnessRule(block, context.hasWitness)
  if (ofWitness !== undefined) return ofWitness
  return 3 * blockSize(block, false) + blockSize(block) > 4_000_000 ? "bad-blk-weight" : undefined
}

/** Core's `IsBlockMutated`. */
export const naiveIsMutated = (block: Block, isActive: boolean): boolean => {
  if (treeRule(block) !== undefined) return true
  if (!isCoinbase(block.transactions[0])) return block.transactions.some((tx) => transactionSize(tx, false) === 64)
  return witnessRule(block, isActive) !== undefined
}
