/** Orphans as a list of announcements that is looked through for everything. */
import type { TransactionView } from "@satwire/primitives"
import type { NamedTransaction } from "../src/index.ts"

interface NaiveAnnouncement {
  readonly orphan: NamedTransaction
  readonly peer: number
  isToReconsider: boolean
}

const keys: WeakMap<Uint8Array, string> = new WeakMap()
const key = (hash: Uint8Array): string => {
  const known = keys.get(hash)
  if (known !== undefined) return known
  keys.set(hash, hash.join())
  return hash.join()
}
const outpoint = (txid: Uint8Array, index: number): string => `${key(txid)}:${index}`
const spends: WeakMap<TransactionView, ReadonlyArray<string>> = new WeakMap()
const spent = (tx: TransactionView): ReadonlyArray<string> => {
  const known = spends.get(tx)
  if (known !== undefined) return known
  const found = tx.materialise().inputs.map(({ previousOutput: { index, txid } }) => outpoint(txid, index))
  spends.set(tx, found)
  return found
}
const inputScore = (tx: TransactionView): number => Math.floor(spent(tx).length / 10)

export class NaiveOrphans {
  #all: Array<NaiveAnnouncement> = []

  get announcementCount(): number {
    return this.#all.length
  }

  get latencyScore(): number {
    return this.#all.length + this.#unique().reduce((sum, { tx }) => sum + inputScore(tx), 0)
  }

  get weight(): number {
    return this.#unique().reduce((sum, { tx }) => sum + tx.weight, 0)
  }

  get size(): number {
    return this.#unique().length
  }

  weightOf(peer: number): number {
    return this.#of(peer).reduce((sum, { orphan }) => sum + orphan.tx.weight, 0)
  }

  latencyScoreOf(peer: number): number {
    return this.#of(peer).reduce((sum, { orphan }) => sum + 1 + inputScore(orphan.tx), 0)
  }

  hasFrom(wtxid: Uint8Array, peer: number): boolean {
    return this.#of(peer).some(({ orphan }) => key(orphan.wtxid) === key(wtxid))
  }

  has(wtxid: Uint8Array): boolean {
    return this.#all.some(({ orphan }) => key(orphan.wtxid) === key(wtxid))
  }

  add(orphan: NamedTransaction, peer: number): boolean {
    if (orphan.tx.weight > 400_000) return false
    const isNew = !this.has(orphan.wtxid)
    if (!this.hasFrom(orphan.wtxid, peer)) {
      this.#all.push({ orphan, peer, isToReconsider: false })
      this.#limit()
    }
    return isNew
  }

  addAnnouncer(wtxid: Uint8Array, peer: number): boolean {
    const found = this.#all.find(({ orphan }) => key(orphan.wtxid) === key(wtxid))
    if (found === undefined || this.hasFrom(wtxid, peer)) return false
    this.add(found.orphan, peer)
    return true
  }

  erase(wtxid: Uint8Array): boolean {
    const had = this.has(wtxid)
    this.#keep(({ orphan }) => key(orphan.wtxid) !== key(wtxid))
    return had
  }

  eraseForPeer(gone: number): void {
    this.#keep(({ peer }) => peer !== gone)
  }

  eraseForBlock(transactions: ReadonlyArray<TransactionView>): void {
    const taken = new Set(transactions.flatMap(spent))
    this.#keep(({ orphan }) => !spent(orphan.tx).some((each) => taken.has(each)))
  }

  /** Who has to be looked at again when a transaction is there. */
  childrenOf(txid: Uint8Array, tx: TransactionView): ReadonlyArray<NamedTransaction> {
    const outputs = new Set(tx.materialise().outputs.map((_, index) => outpoint(txid, index)))
    return this.#unique().filter(
      ({ tx, wtxid }) =>
        spent(tx).some((each) => outputs.has(each)) &&
        !this.#all.some(({ isToReconsider, orphan }) => isToReconsider && key(orphan.wtxid) === key(wtxid))
    )
  }

  reconsider(wtxid: Uint8Array, peer: number): void {
    const found = this.#of(peer).find(({ orphan }) => key(orphan.wtxid) === key(wtxid))
    if (found === undefined) throw new Error("it was given to a peer that did not announce it")
    found.isToReconsider = true
  }

  takeToReconsider(peer: number): NamedTransaction | undefined {
    const found = this.#of(peer).find(({ isToReconsider }) => isToReconsider)
    if (found !== undefined) found.isToReconsider = false
    return found?.orphan
  }

  childrenFrom(txid: Uint8Array, peer: number): ReadonlyArray<NamedTransaction> {
    const children = this.#of(peer)
      .filter(({ orphan }) => spent(orphan.tx).some((each) => each.startsWith(`${key(txid)}:`)))
      .toReversed()
    return [true, false].flatMap((first) =>
      children.filter(({ isToReconsider }) => isToReconsider === first).map(({ orphan }) => orphan)
    )
  }

  #of(peer: number): ReadonlyArray<NaiveAnnouncement> {
    return this.#all.filter((each) => each.peer === peer)
  }

  #unique(): ReadonlyArray<NamedTransaction> {
    return [...new Map(this.#all.map(({ orphan }) => [key(orphan.wtxid), orphan])).values()]
  }

  #keep(isKept: (announcement: NaiveAnnouncement) => boolean): void {
    this.#all = this.#all.filter(isKept)
    this.#limit()
  }

  #limit(): void {
    const peers = (): ReadonlyArray<number> => [...new Set(this.#all.map(({ peer }) => peer))]
    const share = Math.max(1, Math.floor(3000 / Math.max(1, peers().length)))
    while (this.latencyScore > 3000 || this.weight > 404_000 * Math.max(1, peers().length)) {
      // By the larger of both fractions, then by which of both it is, then by who came last: exact, as multiples of a common whole.
      const scored = peers().map((peer) => {
        const latency = this.latencyScoreOf(peer) * 404_000
        const memory = this.weightOf(peer) * share
        return { peer, score: Math.max(latency, memory), byLatency: latency >= memory ? 1 : 0 }
      })
      const [worst] = scored.toSorted((a, b) => b.score - a.score || b.byLatency - a.byLatency || b.peer - a.peer)
      const theirs = this.#of((worst as { peer: number }).peer)
      const victim = theirs.find(({ isToReconsider }) => !isToReconsider) ?? theirs[0]
      this.#all = this.#all.filter((each) => each !== victim)
    }
  }
}
