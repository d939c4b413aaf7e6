/**
 * The pool's rules once more, over objects and lists that are walked from end to end. Written from the rules and not from the code, to be
 * held beside it.
 */
import { transactionFault } from "@satwire/consensus"
import { type Transaction, toHex, transactionSize, transactionWeight } from "@satwire/primitives"
import type { CoinLookup, NextBlock } from "../src/index.ts"
import { hexOf, idOf, keyOf, outputOf, viewOf, wtxidHexOf } from "./TestChain.ts"

export interface NaiveEntry {
  readonly tx: Transaction
  readonly txid: string
  readonly wtxid: string
  readonly vsize: number
  readonly unix: number
  readonly sequence: number
  /** The outpoints that it spends, and whose they are. */
  readonly spent: ReadonlySet<string>
  readonly parents: ReadonlySet<string>
  fee: number | undefined
}

export interface NaiveOptions {
  readonly coins: CoinLookup | undefined
  readonly nextBlock: () => NextBlock
  readonly maxBytes: number
  readonly bytesOf: (inputs: number, size: number, parents: number) => number
}

const HOUR = 3600
const RATE = 100

export class NaiveMempool {
  /** By txid, in the order of arrival. */
  #entries: Map<string, NaiveEntry> = new Map()
  readonly #options: NaiveOptions
  #sequence = 0
  #floor = 0
  #floorTime = 0
  #sawBlock = false

  constructor(options: NaiveOptions) {
    this.#options = options
  }

  get entries(): ReadonlyArray<NaiveEntry> {
    return [...this.#entries.values()]
  }

  get memoryBytes(): number {
    let bytes = 0
    for (const entry of this.entries) {
      bytes += this.#options.bytesOf(entry.tx.inputs.length, transactionSize(entry.tx), this.#parents(entry).length)
    }
    return bytes
  }

  get minFeeRate(): number {
    if (this.#floor === 0) return RATE
    const rate = Math.round(this.#floor)
    return Math.max(RATE, this.#sawBlock ? Math.max(rate, RATE) : rate)
  }

  submit(tx: Transaction, unix: number): string {
    this.#decay(unix)
    const found = this.#look(tx)
    if (typeof found === "string") return found
    const { fee } = found
    const vsize = Math.ceil(transactionWeight(tx) / 4)
    if (fee !== undefined && this.#floor > 0 && fee < Math.ceil((this.#floorRate() * vsize) / 1000)) {
      return "mempool min fee not met"
    }
    if (fee !== undefined && fee < Math.ceil((RATE * vsize) / 1000)) return "min relay fee not met"
    const verdict = this.#take(tx, fee, unix)
    if (verdict !== "Accepted") return verdict
    this.#trim()
    return this.entries.some((entry) => entry.wtxid === wtxidHexOf(tx)) ? "Accepted" : "mempool full"
  }

  connect(transactions: ReadonlyArray<Transaction>, unix: number): void {
    for (const tx of transactions.slice(1)) {
      const id = hexOf(tx)
      if (this.#entries.delete(id)) continue
      const spent = spentBy(tx)
      this.#removeAll(this.entries.filter((entry) => meet(entry.spent, spent)))
    }
    this.#sawBlock = true
    this.#floorTime = unix
  }

  disconnect(transactions: ReadonlyArray<Transaction>, unix: number): void {
    transactions.forEach((tx, i) => {
      const found = i === 0 ? "coinbase" : this.#look(tx)
      if (typeof found !== "string" && this.#take(tx, found.fee, unix) === "Accepted") return
      if (this.#entries.has(hexOf(tx))) return
      const made = new Set(tx.outputs.map((_, index) => keyOf(outputOf(tx, index))))
      this.#removeAll(this.entries.filter((entry) => meet(entry.spent, made)))
    })
    // What is missing may come back with the next block.
    const isBad = (found: unknown): boolean => typeof found === "string" && found.startsWith("bad")
    const late = this.entries.filter(({ tx }) => !this.#isFinal(tx) || isBad(this.#fee(tx)))
    this.#removeAll(late)
    this.#trim()
  }

  expire(unix: number): void {
    this.#decay(unix)
    for (;;) {
      const [oldest] = this.entries
      if (oldest === undefined || oldest.unix >= unix - 336 * HOUR) return
      this.#removeAll([oldest])
    }
  }

  /** The txids of a template. */
  forBlock(maxWeight: number): ReadonlyArray<string> {
    const chosen: Array<NaiveEntry> = []
    let open = [...this.entries]
    let weight = maxWeight
    while (open.length > 0) {
      const scored = open.map((entry) => {
        const together = [...this.#ancestors(entry), entry].filter((each) => !chosen.includes(each))
        return { entry, together, rate: entry.fee === undefined ? -1 : rateOf(together) }
      })
      scored.sort((a, b) => b.rate - a.rate || a.entry.sequence - b.entry.sequence)
      const best = scored[0] as (typeof scored)[0]
      const weighs = best.together.reduce((sum, { tx }) => sum + transactionWeight(tx), 0)
      open = open.filter((each) => each !== best.entry)
      if (weighs > weight) continue
      weight -= weighs
      const depth = (entry: NaiveEntry): number => this.#ancestors(entry).size
      chosen.push(...best.together.toSorted((a, b) => depth(a) - depth(b) || a.sequence - b.sequence))
      open = open.filter((each) => !best.together.includes(each))
    }
    return chosen.map(({ txid }) => txid)
  }

  #look(tx: Transaction): string | { readonly fee: number | undefined } {
    const fault = transactionFault(viewOf(tx))
    if (fault !== undefined) return fault
    if (tx.version < 1 || tx.version > 3) return "version"
    if (transactionWeight(tx) > 400_000) return "tx-size"
    if (transactionSize(tx, false) < 65) return "tx-size-small"
    if (!this.#isFinal(tx)) return "non-final"
    if (this.entries.some((entry) => entry.wtxid === wtxidHexOf(tx))) return "txn-already-in-mempool"
    if (this.#entries.has(hexOf(tx))) return "txn-same-nonwitness-data-in-mempool"
    return this.#fee(tx)
  }

  /** The fee, or what is wrong with what it spends. */
  #fee(tx: Transaction): string | { readonly fee: number | undefined } {
    const { coins, nextBlock } = this.#options
    let sum: number | undefined = 0
    let rule: string | undefined
    let isMissing = false
    for (const { previousOutput } of tx.inputs) {
      const parent = this.#entries.get(toHex(previousOutput.txid))
      let amount: number | undefined
      if (parent !== undefined) {
        const output = parent.tx.outputs[previousOutput.index]
        if (output === undefined) rule ??= "bad-txns-inputs-missingorspent"
        amount = output === undefined ? 0 : Number(output.amount)
      } else {
        const coin = coins?.coin(previousOutput.txid, previousOutput.index)
        if (coin === "missing") isMissing = true
        else if (coin !== undefined) {
          amount = coin.amount
          if (coin.isCoinbase && nextBlock().height - coin.height < 100) rule ??= "bad-txns-premature-spend-of-coinbase"
        }
      }
      sum = sum === undefined || amount === undefined ? undefined : sum + amount
    }
    if (isMissing) {
      const isKnown = tx.outputs.some((_, index) => typeof coins?.coin(idOf(tx), index) === "object")
      return isKnown ? "txn-already-known" : "MissingInputs"
    }
    const out = tx.outputs.reduce((all, { amount }) => all + Number(amount), 0)
    if (sum !== undefined && sum < out) rule ??= "bad-txns-in-belowout"
    return rule ?? { fee: sum === undefined ? undefined : sum - out }
  }

  #take(tx: Transaction, fee: number | undefined, unix: number): string {
    const vsize = Math.ceil(transactionWeight(tx) / 4)
    const spent = spentBy(tx)
    const conflicts = this.entries.filter((entry) => meet(entry.spent, spent))
    const leaving = this.#descendants(conflicts)
    const parents = this.#parents({ tx, parents: parentsOf(tx) })
    const ancestors = new Set(parents.flatMap((parent) => [parent, ...this.#ancestors(parent)]))
    const tooLong = (all: Iterable<NaiveEntry>): boolean => {
      const list = [...all]
      return list.length + 1 > 25 || list.reduce((sum, each) => sum + each.vsize, vsize) > 101_000
    }
    if (parents.length > 0) {
      if (tooLong(ancestors)) return "too-long-mempool-chain"
      for (const ancestor of ancestors) {
        // What only hangs on what leaves would leave with it.
        if (tooLong([...this.#descendants([ancestor])].filter((each) => !leaving.has(each)))) {
          return "too-long-mempool-chain"
        }
      }
    }
    const fault =
      conflicts.length === 0 ? undefined : this.#replacementFault(fee, vsize, conflicts, leaving, ancestors, parents)
    if (fault !== undefined) return fault
    this.#removeAll(conflicts)
    const newest = this.entries.at(-1)
    const entry: NaiveEntry = {
      tx,
      txid: hexOf(tx),
      wtxid: wtxidHexOf(tx),
      vsize,
      unix: Math.max(unix, newest?.unix ?? unix),
      sequence: ++this.#sequence,
      spent,
      parents: parentsOf(tx),
      fee
    }
    const made: ReadonlyArray<string> = tx.outputs.map((_, index) => keyOf(outputOf(tx, index)))
    // One after another: what is not adopted yet hangs on nothing of ours.
    const children = made.flatMap((key) => this.entries.filter((each) => each.spent.has(key)))
    this.#entries.set(entry.txid, entry)
    this.#adopt(entry, [...new Set(children)])
    return "Accepted"
  }

  /** Takes children that were there before, one after another, as far as limits and their sums allow. */
  #adopt(entry: NaiveEntry, children: ReadonlyArray<NaiveEntry>): void {
    const waiting = new Set(children)
    for (const child of children) {
      waiting.delete(child)
      if (!this.#entries.has(child.txid)) continue
      const isOver = this.#withoutLinks(entry, waiting, () => {
        const related = new Set([entry, ...this.#ancestors(entry), ...this.#descendants([entry])])
        return [...related].some((each) => {
          const up = [each, ...this.#ancestors(each)]
          const down = [...this.#descendants([each])]
          return [up, down].some((all) => all.length > 25 || all.reduce((sum, one) => sum + one.vsize, 0) > 101_000)
        })
      })
      const found =
        child.fee === undefined && !isOver ? this.#withoutLinks(entry, waiting, () => this.#fee(child.tx)) : child
      if (isOver || typeof found === "string") this.#withoutLinks(entry, waiting, () => this.#removeAll([child]))
      else child.fee = found.fee
    }
  }

  /** Pairs of a parent and its children that are not looked at meanwhile. */
  #hidden: { readonly parent: NaiveEntry; readonly children: ReadonlySet<NaiveEntry> } | undefined

  #withoutLinks<A>(parent: NaiveEntry, children: ReadonlySet<NaiveEntry>, run: () => A): A {
    this.#hidden = { parent, children }
    const result = run()
    this.#hidden = undefined
    return result
  }

  #replacementFault(
    fee: number | undefined,
    vsize: number,
    conflicts: ReadonlyArray<NaiveEntry>,
    leaving: ReadonlySet<NaiveEntry>,
    ancestors: ReadonlySet<NaiveEntry>,
    parents: ReadonlyArray<NaiveEntry>
  ): string | undefined {
    if (fee === undefined || [...leaving].some((each) => each.fee === undefined)) return "txn-mempool-conflict"
    if (conflicts.some((each) => ancestors.has(each))) return "bad-txns-spends-conflicting-tx"
    if (conflicts.some((each) => fee / vsize <= (each.fee ?? 0) / each.vsize)) return "insufficient fee"
    if (leaving.size > 100) return "too many potential replacements"
    if (parents.some((parent) => !conflicts.some((each) => each.parents.has(parent.txid))))
      return "replacement-adds-unconfirmed"
    const lost = [...leaving].reduce((sum, each) => sum + (each.fee ?? 0), 0)
    return fee < lost + Math.ceil((RATE * vsize) / 1000) ? "insufficient fee" : undefined
  }

  #parents({ parents, tx }: Pick<NaiveEntry, "parents" | "tx">): ReadonlyArray<NaiveEntry> {
    const isHidden = (each: NaiveEntry): boolean =>
      this.#hidden?.parent === each && [...this.#hidden.children].some((child) => child.tx === tx)
    return [...parents].flatMap((id) => this.#entries.get(id) ?? []).filter((each) => !isHidden(each))
  }

  #ancestors(entry: NaiveEntry): Set<NaiveEntry> {
    const found = new Set<NaiveEntry>(this.#parents(entry))
    for (const each of found) for (const parent of this.#parents(each)) found.add(parent)
    return found
  }

  #descendants(entries: ReadonlyArray<NaiveEntry>): Set<NaiveEntry> {
    const found = new Set(entries)
    for (const each of found) {
      for (const other of this.entries) {
        if (other.parents.has(each.txid) && this.#parents(other).includes(each)) found.add(other)
      }
    }
    return found
  }

  #removeAll(entries: ReadonlyArray<NaiveEntry>): void {
    const leaving = this.#descendants(entries)
    for (const { txid } of leaving) this.#entries.delete(txid)
  }

  #trim(): void {
    while (this.memoryBytes > this.#options.maxBytes) {
      const scored = this.entries.map((entry) => {
        const all = [...this.#descendants([entry])]
        const together = rateOf(all, 1000)
        const score = entry.fee === undefined ? -1 : Math.max(rateOf([entry]), rateOf(all))
        return { entry, score, together, age: entry.fee === undefined ? entry.sequence : -entry.sequence }
      })
      scored.sort((a, b) => a.score - b.score || a.age - b.age)
      const first = scored[0] as (typeof scored)[0]
      if (first.entry.fee !== undefined && first.together + RATE > this.#floor) {
        this.#floor = first.together + RATE
        this.#sawBlock = false
      }
      this.#removeAll([first.entry])
    }
  }

  #floorRate(): number {
    const rate = Math.round(this.#floor)
    return this.#sawBlock ? Math.max(rate, RATE) : rate
  }

  #decay(unix: number): void {
    if (!this.#sawBlock || this.#floor === 0 || unix <= this.#floorTime + 10) return
    const share = this.memoryBytes / this.#options.maxBytes
    const half = 12 * HOUR * (share < 0.25 ? 0.25 : share < 0.5 ? 0.5 : 1)
    this.#floor /= 2 ** ((unix - this.#floorTime) / half)
    this.#floorTime = unix
    if (this.#floor < RATE / 2) this.#floor = 0
  }

  #isFinal(tx: Transaction): boolean {
    const { height, lockTimeCutoff } = this.#options.nextBlock()
    if (tx.lockTime === 0 || tx.inputs.every((input) => input.sequence === 0xffffffff)) return true
    return tx.lockTime < (tx.lockTime < 500_000_000 ? height : (lockTimeCutoff ?? Infinity))
  }
}

const spentBy = (tx: Transaction): ReadonlySet<string> => new Set(tx.inputs.map((input) => keyOf(input.previousOutput)))

const parentsOf = (tx: Transaction): ReadonlySet<string> =>
  new Set(tx.inputs.map((input) => toHex(input.previousOutput.txid)))

const meet = (some: ReadonlySet<string>, others: ReadonlySet<string>): boolean =>
  [...some].some((key) => others.has(key))

/** What they pay for so many vbytes. */
const rateOf = (entries: ReadonlyArray<NaiveEntry>, vbytes = 1): number => {
  const fees = entries.reduce((sum, { fee }) => sum + (fee ?? 0), 0)
  return (vbytes * fees) / entries.reduce((sum, { vsize }) => sum + vsize, 0)
}
