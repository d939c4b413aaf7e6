/**
 * Makes transactions on a private network, of outputs that anybody may spend: what a test, a scenario or a playground sends around. It
 * follows the chain by the blocks that it is told, and its own transactions from when it makes them.
 *
 * ```
 *   connected ─▶ coinbase ─(100 blocks)─▶ may be spent ─▶ spend: its outputs may be spent at once
 *                                            ▲                 │
 *                        disconnected, forget └─────────────────┘ connected: spent, remembered for a while
 * ```
 *
 * Specification: what hangs together unconfirmed has at most 25 transactions and 101 kvB. Rationale: the pools of nodes take no more (Core's
 * ancestor and descendant limits, and its clusters of 64).
 */
import { equals } from "@satwire/bytes"
import type { Sha256 } from "@satwire/crypto"
import type { Random } from "@satwire/machine"
import {
  BLOCK_PARTS,
  type BlockView,
  Satoshis,
  type Transaction,
  TransactionParts,
  Txid,
  WITNESS_SCALE_FACTOR,
  transactionWeight,
  txid
} from "@satwire/primitives"
import { ANYONE_CAN_SPEND_P2WSH, type Unlocking, unlockingOf } from "./AnyoneCanSpend.ts"
import { type Family, type Maker, type OwnCoin, OwnCoins } from "./OwnCoins.ts"

/**
 * @limit outputs of a transaction that is made
 */
export const MAX_SPLIT = 2000
/**
 * So many blocks may leave the chain and take their spends back.
 *
 * @limit blocks whose spent outputs are remembered
 */
export const REMEMBERED_SPENDS = 288

/** Bitcoin Core's `COINBASE_MATURITY` (consensus/consensus.h). */
const COINBASE_MATURITY = 100
const FAMILY_MEMBERS = 25
const FAMILY_VSIZE = 101_000
/** Above what any node takes for dust. */
const LEAST_AMOUNT = 1000
/** Of so many coins that are drawn one will do, nearly always; else all are looked through. */
const DRAWS = 16
/** No lock time counts, and it says that it may be replaced (BIP-0125). */
const SEQUENCE = 0xfffffffd

export interface SpenderOptions {
  readonly sha256: Sha256
  readonly random: Random
}

export interface SpendOptions {
  /** How many outputs share what is spent; 2 where not given. */
  readonly outputs?: number
  /** 2,000 where not given. */
  readonly feeRateSatPerKvb?: number
  /** The script that is paid; one that anybody may spend, with a witness, where not given. */
  readonly payTo?: Uint8Array
  /** Whether outputs that no block has yet may be spent; so where not given. */
  readonly fromUnconfirmed?: boolean
}

/** A coin of the chain, as a pool asks for it. */
export interface SpenderCoin {
  /** Satoshis. */
  readonly amount: number
  readonly height: number
  readonly isCoinbase: boolean
}

export class Spender {
  readonly #sha256: Sha256
  readonly #random: Random
  readonly #coins: OwnCoins
  /** What may be spent, the parts of {@link SpendOptions} aside. */
  readonly #ready: Array<OwnCoin> = []
  /** Coinbases that may not be spent yet, the lowest first. */
  #young: Array<OwnCoin> = []
  /** What blocks spent, by their heights, the lowest first. */
  #spent: Array<OwnCoin> = []
  #height = 0
  /** Reused: walking calls nothing of its caller's. */
  readonly #parts: TransactionParts = new TransactionParts()

  constructor(options: SpenderOptions) {
    this.#sha256 = options.sha256
    this.#random = options.random
    this.#coins = new OwnCoins(options.random.fork())
  }

  /** How many outputs may be spent in the next block. */
  get spendable(): number {
    return this.#ready.length
  }

  /** A block joined the chain. */
  connected(block: BlockView, height: number, txids: Uint8Array = block.txids(this.#sha256)): void {
    this.#height = height
    for (let i = 0; i < block.transactionCount; i++) {
      const id = Txid(txids.slice(32 * i, 32 * i + 32))
      if (i > 0) this.#spendIn(block, i, id, height)
      this.#confirm(block, i, id, height)
    }
    const isOld = ({ spentAt }: OwnCoin): boolean => (spentAt as number) <= height - REMEMBERED_SPENDS
    const kept = this.#spent.findIndex((coin) => !isOld(coin))
    for (const coin of this.#spent.splice(0, kept < 0 ? this.#spent.length : kept)) this.#coins.delete(coin)
    this.#ripen()
  }

  /** The block on top left the chain. Its transactions wait again, but for its coinbase, which is gone with all that depends on it. */
  disconnected(block: BlockView, height: number, txids: Uint8Array = block.txids(this.#sha256)): void {
    this.#height = height - 1
    const waiting: Family = { members: Infinity, vsize: 0 }
    for (let i = block.transactionCount - 1; i >= 0; i--) {
      const id = Txid(txids.slice(32 * i, 32 * i + 32))
      const maker = this.#unconfirm(block, i, id, waiting)
      if (i === 0) {
        if (maker !== undefined) this.#drop(maker)
        continue
      }
      this.#eachInput(block, i, (coin) => {
        coin.spentAt = undefined
        coin.spender = maker ?? { txid: id, coins: [], family: waiting }
      })
    }
    this.#spent = this.#spent.filter((coin) => coin.spentAt !== undefined)
    for (const coin of this.#ready.filter((each) => !this.#isRipe(each))) {
      this.#withdraw(coin)
      this.#wait(coin)
    }
  }

  /**
   * The coin of the chain that an outpoint names; "missing" where the chain spent it, or no block has its transaction; `undefined` where nothing
   * is known of it here.
   */
  coin(txid: Uint8Array, index: number): SpenderCoin | "missing" | undefined {
    const coin = this.#coins.find(txid, index)
    if (coin === undefined) return undefined
    const { amount, height, isCoinbase, spentAt } = coin
    return height === undefined || spentAt !== undefined ? "missing" : { amount, height, isCoinbase }
  }

  /** A transaction that spends one output, drawn from those that suffice; `undefined` where none does. */
  spend(options: SpendOptions = {}): Transaction | undefined {
    const { feeRateSatPerKvb = 2000, fromUnconfirmed = true, outputs = 2, payTo = ANYONE_CAN_SPEND_P2WSH } = options
    if (!(outputs >= 1 && outputs <= MAX_SPLIT)) throw new RangeError(`1 to ${MAX_SPLIT} outputs, not ${outputs}`)
    // All that spend a coin of one form have one size.
    const vsizes = new Map<Unlocking, number>()
    const vsizeOf = (coin: OwnCoin): number => {
      const known = vsizes.get(coin.unlocking)
      if (known !== undefined) return known
      const vsize = Math.ceil(transactionWeight(spendOf(coin, outputs, payTo, 0)) / WITNESS_SCALE_FACTOR)
      vsizes.set(coin.unlocking, vsize)
      return vsize
    }
    const feeOf = (coin: OwnCoin): number => Math.ceil((feeRateSatPerKvb * vsizeOf(coin)) / 1000)
    const coin = this.#draw((coin) => {
      const { family } = coin.maker
      if (coin.amount < feeOf(coin) + outputs * LEAST_AMOUNT) return false
      if (family === undefined) return true
      return fromUnconfirmed && family.members < FAMILY_MEMBERS && family.vsize + vsizeOf(coin) <= FAMILY_VSIZE
    })
    if (coin === undefined) return undefined
    const tx = spendOf(coin, outputs, payTo, feeOf(coin))
    this.#made(tx, coin, vsizeOf(coin))
    return tx
  }

  /** Up to `count` transactions, one after another; fewer where outputs run out. */
  spendMany(count: number, options: SpendOptions = {}): ReadonlyArray<Transaction> {
    const made: Array<Transaction> = []
    while (made.length < count) {
      const tx = this.spend(options)
      if (tx === undefined) break
      made.push(tx)
    }
    return made
  }

  /** A transaction that was made here will never be in a block, as nobody took it: what it spends may be spent again. */
  forget(tx: Transaction): void {
    const id = txid(this.#sha256, tx)
    for (const { previousOutput } of tx.inputs) {
      const coin = this.#coins.find(previousOutput.txid, previousOutput.index)
      if (coin?.spender === undefined || !equals(coin.spender.txid, id)) continue
      this.#drop(coin.spender)
      coin.spender = undefined
      this.#wait(coin)
    }
  }

  /** Takes note of what was made. */
  #made(tx: Transaction, coin: OwnCoin, vsize: number): void {
    const family = coin.maker.family ?? { members: 0, vsize: 0 }
    family.members += 1
    family.vsize += vsize
    const maker: Maker = { txid: txid(this.#sha256, tx), coins: [], family }
    this.#withdraw(coin)
    coin.spender = maker
    tx.outputs.forEach(({ amount, scriptPubKey }, index) => {
      this.#learn(maker, index, Number(amount), scriptPubKey, undefined, false)
    })
  }

  /** What transaction `i` of a block spends is spent. */
  #spendIn(block: BlockView, i: number, id: Txid, height: number): void {
    this.#eachInput(block, i, (coin) => {
      const { spender } = coin
      // Another than ours was taken: what ours made never will be.
      if (spender !== undefined && !equals(spender.txid, id)) this.#drop(spender)
      this.#withdraw(coin)
      coin.spender = undefined
      coin.spentAt = height
      this.#spent.push(coin)
    })
  }

  /** What transaction `i` of a block makes is there. */
  #confirm(block: BlockView, i: number, id: Txid, height: number): void {
    const maker: Maker = { txid: id, coins: [], family: undefined }
    this.#eachOutput(block, i, (index, amount, script) => {
      const known = this.#coins.find(id, index)
      if (known === undefined) return this.#learn(maker, index, amount, script, height, i === 0)
      known.height = height
      known.maker.family = undefined
    })
  }

  /** What transaction `i` of a block made waits again. Gives who made it, where something is ours. */
  #unconfirm(block: BlockView, i: number, id: Txid, family: Family): Maker | undefined {
    let maker: Maker | undefined
    this.#eachOutput(block, i, (index) => {
      const coin = this.#coins.find(id, index)
      if (coin === undefined) return
      coin.height = undefined
      coin.maker.family = family
      maker = coin.maker
    })
    return maker
  }

  #learn(
    maker: Maker,
    index: number,
    amount: number,
    script: Uint8Array,
    height: number | undefined,
    isCoinbase: boolean
  ): void {
    const unlocking = unlockingOf(script)
    if (unlocking === undefined) return
    const coin: OwnCoin = {
      maker,
      index,
      amount,
      unlocking,
      isCoinbase,
      height,
      spender: undefined,
      spentAt: undefined,
      place: -1
    }
    if (!this.#coins.add(coin)) return
    maker.coins.push(coin)
    this.#wait(coin)
  }

  /** Forgets what a transaction made that is no more, and what was made of that. */
  #drop(maker: Maker): void {
    const dropped: Array<Maker> = [maker]
    for (const each of dropped) {
      for (const coin of each.coins) {
        if (coin.spender !== undefined) dropped.push(coin.spender)
        this.#withdraw(coin)
        this.#coins.delete(coin)
      }
    }
    const gone = new Set(dropped.flatMap((each) => each.coins))
    this.#young = this.#young.filter((coin) => !gone.has(coin))
  }

  #isRipe(coin: OwnCoin): boolean {
    return !coin.isCoinbase || coin.height === undefined || this.#height + 1 - coin.height >= COINBASE_MATURITY
  }

  /** Offers a coin that nobody spends, as soon as it may be spent. */
  #wait(coin: OwnCoin): void {
    if (this.#isRipe(coin)) {
      coin.place = this.#ready.length
      this.#ready.push(coin)
      return
    }
    this.#young.push(coin)
    this.#young.sort((a, b) => (a.height as number) - (b.height as number))
  }

  /** Offers the coinbases that may be spent in the next block. */
  #ripen(): void {
    while (this.#young.length > 0 && this.#isRipe(this.#young[0] as OwnCoin)) this.#wait(this.#young.shift() as OwnCoin)
  }

  #withdraw(coin: OwnCoin): void {
    const { place } = coin
    if (place < 0) return
    const last = this.#ready.pop() as OwnCoin
    coin.place = -1
    if (last === coin) return
    this.#ready[place] = last
    last.place = place
  }

  /** One that is ready and suits, by chance. */
  #draw(suits: (coin: OwnCoin) => boolean): OwnCoin | undefined {
    const count = this.#ready.length
    if (count === 0) return undefined
    for (let i = 0; i < DRAWS; i++) {
      const drawn = this.#ready[this.#random.below(count)] as OwnCoin
      if (suits(drawn)) return drawn
    }
    return this.#ready.find(suits)
  }

  #eachInput(block: BlockView, i: number, note: (coin: OwnCoin) => void): void {
    const { bytes } = block
    const parts = this.#parts.begin(bytes, block.parts[BLOCK_PARTS * i])
    const spent: Array<OwnCoin> = []
    while (parts.nextInput()) {
      const { outpoint, outpointIndex } = parts
      const coin = this.#coins.find(bytes.subarray(outpoint, outpoint + 32), outpointIndex)
      if (coin !== undefined) spent.push(coin)
    }
    for (const coin of spent) note(coin)
  }

  #eachOutput(block: BlockView, i: number, note: (index: number, amount: number, script: Uint8Array) => void): void {
    const { bytes } = block
    const parts = this.#parts.begin(bytes, block.parts[BLOCK_PARTS * i])
    for (let index = 0; parts.nextOutput(); index++) {
      note(index, parts.amount, bytes.subarray(parts.scriptStart, parts.scriptEnd))
    }
  }
}

/** The transaction that spends a coin to so many outputs of nearly the same amount. */
const spendOf = (coin: OwnCoin, outputs: number, payTo: Uint8Array, fee: number): Transaction => {
  const each = Math.floor((coin.amount - fee) / outputs)
  const rest = coin.amount - fee - each * outputs
  return {
    version: 2,
    inputs: [{ previousOutput: { txid: coin.maker.txid, index: coin.index }, sequence: SEQUENCE, ...coin.unlocking }],
    outputs: Array.from({ length: outputs }, (_, i) => ({
      amount: Satoshis(BigInt(each + (i === 0 ? rest : 0))),
      scriptPubKey: payTo
    })),
    lockTime: 0
  }
}
