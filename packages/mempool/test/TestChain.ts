/** A chain of hand-made blocks and the coins that it has, as naive as can be, and transactions that spend them. Nobody checks their scripts. */
import { portableSha256 } from "@satwire/crypto"
import {
  type Block,
  BlockView,
  Satoshis,
  type Transaction,
  TransactionView,
  Txid,
  ZERO_HASH,
  scriptNumber,
  toHex,
  txid,
  wtxid
} from "@satwire/primitives"
import type { Coin, CoinLookup, NextBlock } from "../src/index.ts"

export interface Outpoint {
  readonly txid: Uint8Array
  readonly index: number
}

export interface Making {
  readonly version?: number
  readonly lockTime?: number
  readonly sequence?: number
  /** Bytes of a witness item of the first input; none where not given. */
  readonly witness?: number
  /** Bytes of the last output's script beyond the usual, so that transactions differ or grow. */
  readonly pad?: number
  readonly script?: Uint8Array
}

/** A transaction that spends `spent` and pays these amounts. */
export const pay = (
  spent: ReadonlyArray<Outpoint>,
  amounts: ReadonlyArray<number>,
  making: Making = {}
): Transaction => ({
  version: making.version ?? 2,
  inputs: spent.map((outpoint, i) => ({
    previousOutput: { txid: Txid(outpoint.txid), index: outpoint.index },
    scriptSig: new Uint8Array(0),
    sequence: making.sequence ?? 0xfffffffd,
    witness: making.witness !== undefined && i === 0 ? [new Uint8Array(making.witness)] : []
  })),
  outputs: amounts.map((amount, i) => ({
    amount: Satoshis(BigInt(amount)),
    scriptPubKey: making.script ?? new Uint8Array(22 + (i === amounts.length - 1 ? (making.pad ?? 0) : 0)).fill(0x51)
  })),
  lockTime: making.lockTime ?? 0
})

export const idOf = (tx: Transaction): Txid => txid(portableSha256, tx)
export const hexOf = (tx: Transaction): string => toHex(idOf(tx))
export const wtxidHexOf = (tx: Transaction): string => toHex(wtxid(portableSha256, tx))
export const outputOf = (tx: Transaction, index = 0): Outpoint => ({ txid: idOf(tx), index })
export const viewOf = (tx: Transaction): TransactionView => TransactionView.of(tx)
export const keyOf = ({ txid, index }: Outpoint): string => `${toHex(txid)}:${index}`

/** An outpoint of a transaction that is nothing but `fill`. */
export const strange = (fill: number, index = 0): Outpoint => ({ txid: new Uint8Array(32).fill(fill), index })

export const coinbaseOf = (height: number, salt = 0): Transaction => {
  const tx = pay([{ txid: ZERO_HASH, index: 0xffffffff }], [5_000_000_000, 5_000_000_000])
  const scriptSig = Uint8Array.of(...scriptNumber(height), salt & 0xff, salt >> 8)
  return { ...tx, inputs: tx.inputs.map((input) => ({ ...input, scriptSig })) }
}

export const blockOf = (transactions: ReadonlyArray<Transaction>): BlockView => {
  const block: Block = {
    header: { version: 2, previousBlock: ZERO_HASH, merkleRoot: new Uint8Array(32), time: 0, bits: 0, nonce: 0 },
    transactions
  }
  return BlockView.of(block)
}

/** What a test knows of coins: all of them, none, or those of which `knows` says so. */
export type Knowledge = "all" | "none" | ((outpoint: Outpoint) => boolean)

export class TestChain implements CoinLookup {
  readonly knowledge: Knowledge
  /** The median time past. */
  time = 1_700_000_000
  readonly #blocks: Array<ReadonlyArray<Transaction>> = []
  /** Before each block, by outpoint. */
  readonly #before: Array<ReadonlyMap<string, Coin>> = []
  #coins: Map<string, Coin> = new Map()
  /** The height of the first block of the chain. */
  readonly #first: number

  constructor(knowledge: Knowledge = "all", first = 1000) {
    this.knowledge = knowledge
    this.#first = first
  }

  /** The height of the next block. */
  get height(): number {
    return this.#first + this.#blocks.length
  }

  get coins(): ReadonlyMap<string, Coin> {
    return this.#coins
  }

  next(): NextBlock {
    return { height: this.height, lockTimeCutoff: this.time }
  }

  coin(txid: Uint8Array, index: number): Coin | "missing" | undefined {
    const { knowledge } = this
    if (knowledge === "none" || (knowledge !== "all" && !knowledge({ txid, index }))) return undefined
    return this.#coins.get(keyOf({ txid, index })) ?? "missing"
  }

  /** A coin out of nowhere. */
  fund(amount: number, coin: Partial<Coin> = {}): Outpoint {
    const outpoint = { txid: idOf(pay([strange(1, this.#coins.size)], [amount])), index: this.#coins.size }
    this.#coins.set(keyOf(outpoint), { amount, height: 1, isCoinbase: false, ...coin })
    return outpoint
  }

  connect(transactions: ReadonlyArray<Transaction>): void {
    this.#blocks.push(transactions)
    this.#before.push(new Map(this.#coins))
    transactions.forEach((tx, i) => {
      for (const { previousOutput } of tx.inputs) this.#coins.delete(keyOf(previousOutput))
      tx.outputs.forEach(({ amount }, index) => {
        const coin = { amount: Number(amount), height: this.height - 1, isCoinbase: i === 0 }
        this.#coins.set(keyOf(outputOf(tx, index)), coin)
      })
    })
  }

  /** Takes the last block off, if there is one, and gives its transactions. */
  disconnect(): ReadonlyArray<Transaction> {
    const before = this.#before.pop()
    if (before === undefined) return []
    this.#coins = new Map(before)
    return this.#blocks.pop() ?? []
  }
}
