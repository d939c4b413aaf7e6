/**
 * Outputs that anybody may spend, as a chain and transactions that wait make and spend them: found by outpoint, kept for a while after they
 * are spent, so that blocks may leave again.
 */
import { equals } from "@satwire/bytes"
import type { Random } from "@satwire/machine"
import { HashMix, MixTable, OUTPOINT_SIZE, type Txid } from "@satwire/primitives"
import type { Unlocking } from "./AnyoneCanSpend.ts"

/**
 * @limit outputs that anybody may spend which are known at once; others are not taken note of
 */
export const MAX_OWN_COINS = 200_000

/** Transactions that hang together and that no block has: pools take a bounded number. */
export interface Family {
  members: number
  vsize: number
}

/** A transaction that made coins. */
export interface Maker {
  readonly txid: Txid
  readonly coins: Array<OwnCoin>
  /** Of one that no block has. */
  family: Family | undefined
}

export interface OwnCoin {
  readonly maker: Maker
  readonly index: number
  /** Satoshis. */
  readonly amount: number
  readonly unlocking: Unlocking
  readonly isCoinbase: boolean
  /** The height of its block; `undefined` while no block has it. */
  height: number | undefined
  /** The transaction that spends it and that no block has. */
  spender: Maker | undefined
  /** The height of the block that spends it. */
  spentAt: number | undefined
  /** Where it stands among those that may be spent; -1 where it does not. */
  place: number
}

export class OwnCoins {
  readonly #mix: HashMix
  readonly #table: MixTable = new MixTable()
  readonly #coins: Array<OwnCoin | undefined> = []
  readonly #free: Array<number> = []
  /** Reused: an outpoint that is looked up. */
  readonly #outpoint: Uint8Array = new Uint8Array(OUTPOINT_SIZE)

  constructor(random: Random) {
    this.#mix = new HashMix(random, "chosen")
  }

  get size(): number {
    return this.#table.size
  }

  /** The coin of an outpoint. */
  find(txid: Uint8Array, index: number): OwnCoin | undefined {
    const number = this.#numberOf(this.#mixOf(txid, index), txid, index)
    return number < 0 ? undefined : this.#coins[number]
  }

  /** Takes note of a coin that is not known. False where there is no room. */
  add(coin: OwnCoin): boolean {
    if (this.size >= MAX_OWN_COINS) return false
    const number = this.#free.pop() ?? this.#coins.length
    this.#coins[number] = coin
    this.#table.add(this.#mixOf(coin.maker.txid, coin.index), number)
    return true
  }

  delete(coin: OwnCoin): void {
    const { txid } = coin.maker
    const mix = this.#mixOf(txid, coin.index)
    const number = this.#numberOf(mix, txid, coin.index)
    if (number < 0) return
    this.#table.delete(mix, number)
    this.#coins[number] = undefined
    this.#free.push(number)
  }

  #numberOf(mix: number, txid: Uint8Array, index: number): number {
    for (let number = this.#table.first(mix); number >= 0; number = this.#table.next(mix)) {
      const coin = this.#coins[number] as OwnCoin
      if (coin.index === index && equals(coin.maker.txid, txid)) return number
    }
    return -1
  }

  #mixOf(txid: Uint8Array, index: number): number {
    const outpoint = this.#outpoint
    outpoint.set(txid)
    for (let i = 0; i < 4; i++) outpoint[32 + i] = index >>> (8 * i)
    return this.#mix.of(outpoint, 0, OUTPOINT_SIZE)
  }
}
