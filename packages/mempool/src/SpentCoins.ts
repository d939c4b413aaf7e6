/**
 * What the inputs of a transaction spend: outputs of the pool, coins of the chain, what is spent already, what is not there. Of all that is
 * known it says the first rule that is broken, in Bitcoin Core's order, and the fee.
 *
 * Source: Bitcoin Core 30.0 `validation.cpp` (`PreChecks`), `consensus/tx_verify.cpp` (`CheckTxInputs`).
 */
import { MAX_MONEY } from "@satwire/consensus"
import { TransactionParts, Txid } from "@satwire/primitives"
import type { CoinLookup } from "./CoinLookup.ts"
import type { PoolGraph } from "./PoolGraph.ts"
import { COINBASE_MATURITY } from "./PoolPolicy.ts"
import type { PoolRule } from "./PoolResult.ts"

/** Reused: walking calls nothing of its caller's. */
const parts = new TransactionParts()

export class SpentCoins {
  /** Transactions of the pool whose outputs are spent. */
  readonly parents: Set<number> = new Set()
  /** Others of the pool that spend the same. */
  readonly conflicts: Set<number> = new Set()
  /** Whether a coinbase is spent. */
  spendsCoinbase = false
  /** The first rule that is broken, those about missing coins aside. */
  rule: PoolRule | undefined = undefined
  /** What comes in, in satoshis; `undefined` where a coin is not known. */
  #input: number | undefined = 0
  #output = 0
  readonly #bytes: Uint8Array
  readonly #graph: PoolGraph
  readonly #height: number
  /** Where the txids lie that neither the pool nor the chain has. */
  readonly #missing: Array<number> = []
  /** Of parents. Their outputs are walked over once, however many inputs spend them. */
  readonly #amounts: Map<number, Float64Array> = new Map()

  /** @param height the height of the next block */
  constructor(graph: PoolGraph, coins: CoinLookup | undefined, height: number, bytes: Uint8Array) {
    this.#graph = graph
    this.#bytes = bytes
    this.#height = height
    const outpoints: Array<number> = []
    const indices: Array<number> = []
    parts.begin(bytes)
    while (parts.nextInput()) {
      outpoints.push(parts.outpoint)
      indices.push(parts.outpointIndex)
    }
    while (parts.nextOutput()) this.#output += parts.amount
    outpoints.forEach((at, i) => this.#spend(at, indices[i] as number, coins))
    if (this.#input !== undefined && this.#input < this.#output) this.rule ??= "bad-txns-in-belowout"
  }

  /** Satoshis; `undefined` where a coin is not known. */
  get fee(): number | undefined {
    return this.#input === undefined ? undefined : this.#input - this.#output
  }

  get isMissingSome(): boolean {
    return this.#missing.length > 0
  }

  /** The txids that neither the pool nor the chain has, each once, in the order of their bytes. */
  missing(): ReadonlyArray<Txid> {
    const b = this.#bytes
    // Sorted, because whoever made the transaction chose them: comparing each with each would cost them nothing and us seconds.
    const sorted = this.#missing.toSorted((x, y) => compare(b, x, y))
    const each = sorted.filter((at, i) => i === 0 || compare(b, at, sorted[i - 1] as number) !== 0)
    return each.map((at) => Txid(b.slice(at, at + 32)))
  }

  #spend(at: number, index: number, coins: CoinLookup | undefined): void {
    const graph = this.#graph
    const spender = graph.spent.spender(this.#bytes, at)
    if (spender >= 0) this.conflicts.add(spender)
    const parent = graph.entries.byTxid(this.#bytes, at)
    if (parent >= 0) {
      this.parents.add(parent)
      const amount = this.#amountsOf(parent)[index]
      if (amount === undefined) this.rule ??= "bad-txns-inputs-missingorspent"
      else this.#take(amount)
      return
    }
    const coin = coins?.coin(this.#bytes.subarray(at, at + 32), index)
    if (coin === "missing") this.#missing.push(at)
    if (coin === undefined || coin === "missing") {
      this.#input = undefined
      return
    }
    if (coin.isCoinbase) this.spendsCoinbase = true
    if (coin.isCoinbase && this.#height - coin.height < COINBASE_MATURITY) {
      this.rule ??= "bad-txns-premature-spend-of-coinbase"
    }
    this.#take(coin.amount)
  }

  #take(amount: number): void {
    if (this.#input === undefined) return
    this.#input += amount
    if (amount < 0 || amount > MAX_MONEY || this.#input > MAX_MONEY) this.rule ??= "bad-txns-inputvalues-outofrange"
  }

  #amountsOf(parent: number): Float64Array {
    const known = this.#amounts.get(parent)
    if (known !== undefined) return known
    const amounts = this.#graph.amounts(parent)
    this.#amounts.set(parent, amounts)
    return amounts
  }
}

const compare = (b: Uint8Array, x: number, y: number): number => {
  for (let i = 0; i < 32; i++) {
    const difference = (b[x + i] as number) - (b[y + i] as number)
    if (difference !== 0) return difference
  }
  return 0
}
