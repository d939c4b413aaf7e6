/**
 * What peers are given of our transactions: the answers to `getdata`, and to `mempool`.
 *
 * Specification: a peer is given what it was told of or could have been, and nothing that came into the pool since. Rationale: who asks for what
 * nobody announced wants to know when we had it.
 *
 * Specification: an entry leaves the queue when it is looked at, whatever comes of it; of the whole, a turn does a share. Rationale: CVE-2024-52920.
 *
 * Source: Bitcoin Core 31.99 `net_processing.cpp` (`ProcessGetData`, `FindTxForGetData`, `MEMPOOL`).
 */
import type { Random } from "@satwire/machine"
import { HashNumbers, TransactionView } from "@satwire/primitives"
import {
  INV_ENTRY_SIZE,
  Inventory,
  MSG_TX,
  MSG_WITNESS_TX,
  MSG_WTX,
  type Inv,
  type NotFound,
  type Tx
} from "@satwire/wire"
import type { InventoryTrickle } from "./InventoryTrickle.ts"
import type { PoolLookup, PoolTransaction } from "./PoolLookup.ts"
import type { RelayPeer } from "./RelayPeer.ts"

/**
 * @limit entries of a `getdata` that are looked at in one turn, and of an answer to `mempool`
 */
const ENTRIES_PER_TURN = 1000
/**
 * @limit bytes of transactions that a peer is given in one turn, and one transaction more
 */
const BYTES_PER_TURN = 131_072

/** What a peer asked for and did not get yet. */
export type Asked = TxQueue | Iterator<PoolTransaction>

/** Entries of a `getdata` that are transactions, in memory of their own: those that nothing is given for move to its front. */
export class TxQueue {
  readonly #entries: Inventory
  #at = -1
  #missing = 0

  constructor(inventory: Inventory) {
    const raw = new Uint8Array(inventory.raw.length)
    let used = 0
    for (let i = 0; i < inventory.count; i++) {
      if (!isTransaction(inventory.typeAt(i))) continue
      raw.set(inventory.raw.subarray(INV_ENTRY_SIZE * i, INV_ENTRY_SIZE * (i + 1)), used)
      used += INV_ENTRY_SIZE
    }
    this.#entries = new Inventory(used === raw.length ? raw : raw.slice(0, used))
  }

  get isEmpty(): boolean {
    return this.#entries.count === 0
  }

  /** Goes to the next entry, which then has been looked at; whether there is one. */
  next(): boolean {
    this.#at += 1
    return this.#at < this.#entries.count
  }

  get type(): number {
    return this.#entries.typeAt(this.#at)
  }

  /** A view. */
  get hash(): Uint8Array {
    return this.#entries.hashAt(this.#at)
  }

  /** There is nothing to give for the entry that was looked at last. */
  lacks(): void {
    const at = INV_ENTRY_SIZE * this.#at
    this.#entries.raw.copyWithin(INV_ENTRY_SIZE * this.#missing, at, at + INV_ENTRY_SIZE)
    this.#missing += 1
  }

  get missing(): Inventory | undefined {
    return this.#missing === 0 ? undefined : new Inventory(this.#entries.raw.slice(0, INV_ENTRY_SIZE * this.#missing))
  }
}

export class TxServing {
  readonly #pool: PoolLookup
  readonly #random: Random
  readonly #trickle: InventoryTrickle
  /** Transactions of the last block that were in the pool, by both hashes. */
  #ids: HashNumbers
  #confirmed: Array<PoolTransaction | undefined> = []

  constructor(random: Random, pool: PoolLookup, trickle: InventoryTrickle) {
    this.#random = random
    this.#pool = pool
    this.#trickle = trickle
    this.#ids = new HashNumbers(random)
  }

  /** What the pool has of a block is given until the next one: peers that were told of it may not know the block yet. */
  blockConnected(txids: Uint8Array): void {
    this.#ids = new HashNumbers(this.#random)
    this.#confirmed = []
    for (let at = 0; at < txids.length; at += 32) {
      const found = this.#pool.findByTxid(txids.subarray(at, at + 32))
      if (found === undefined) continue
      for (const id of [found.txid, found.wtxid]) {
        if (this.#ids.find(id) < 0) this.#confirmed[this.#ids.add(id)] = found
      }
    }
  }

  /** Gives a peer a turn's share of what it asked for. Gives whether that was all. */
  serve(
    peer: RelayPeer,
    asked: Asked,
    send: (message: Tx | NotFound | Inv) => void,
    given: (tx: PoolTransaction) => void
  ): boolean {
    if (!(asked instanceof TxQueue)) return this.#servePool(peer, asked, send)
    let bytes = 0
    for (let looked = 0; looked < ENTRIES_PER_TURN && bytes < BYTES_PER_TURN; looked++) {
      if (!asked.next()) {
        const { missing } = asked
        if (missing !== undefined) send({ _tag: "notfound", inventory: missing })
        return true
      }
      const found = this.#find(peer, asked)
      if (found === undefined) asked.lacks()
      else {
        const tx = asked.type === MSG_TX ? withoutWitness(found.tx) : found.tx
        bytes += tx.bytes.length
        send({ _tag: "tx", tx })
        given(found)
      }
    }
    return false
  }

  #find(peer: RelayPeer, { hash, type }: TxQueue): PoolTransaction | undefined {
    const found = type === MSG_WTX ? this.#pool.find(hash) : this.#pool.findByTxid(hash)
    const given = found ?? this.#confirmed[this.#ids.find(hash)]
    return given !== undefined && given.sequence <= peer.lastInvSequence ? given : undefined
  }

  #servePool(peer: RelayPeer, entries: Iterator<PoolTransaction>, send: (message: Inv) => void): boolean {
    const hashes: Array<Uint8Array> = []
    let isDone = false
    for (let looked = 0; looked < ENTRIES_PER_TURN && !isDone; looked++) {
      const next = entries.next()
      isDone = next.done === true
      if (next.done === true || (next.value.feeRateSatPerKvb ?? Infinity) < peer.feeFilter) continue
      const hash = peer.traits.wtxidRelay ? next.value.wtxid : next.value.txid
      this.#trickle.knows(peer, hash)
      peer.lastInvSequence = Math.max(peer.lastInvSequence, next.value.sequence)
      hashes.push(hash)
    }
    if (hashes.length > 0)
      send({ _tag: "inv", inventory: Inventory.ofType(peer.traits.wtxidRelay ? MSG_WTX : MSG_TX, hashes) })
    return isDone
  }
}

export const isTransaction = (type: number): boolean => type === MSG_TX || type === MSG_WITNESS_TX || type === MSG_WTX

const withoutWitness = (tx: TransactionView): TransactionView => {
  if (!tx.hasWitness) return tx
  const whole = tx.materialise()
  return TransactionView.of({ ...whole, inputs: whole.inputs.map((input) => ({ ...input, witness: [] })) })
}
