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
import { Inventory, InventoryQueue, MSG_TX, MSG_WTX, type Inv, type NotFound, type Tx } from "@satwire/wire"
import type { Hidden } from "./Hidden.ts"
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
export type Asked = InventoryQueue | Iterator<PoolTransaction>

export class TxServing {
  readonly #pool: PoolLookup
  readonly #random: Random
  readonly #trickle: InventoryTrickle
  readonly #hidden: Hidden
  /** Transactions of the last block that were in the pool, by both hashes. */
  #ids: HashNumbers
  #confirmed: Array<PoolTransaction | undefined> = []

  constructor(random: Random, pool: PoolLookup, trickle: InventoryTrickle, hidden: Hidden) {
    this.#random = random
    this.#pool = pool
    this.#trickle = trickle
    this.#hidden = hidden
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
    if (!(asked instanceof InventoryQueue)) return this.#servePool(peer, asked, send)
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

  #find(peer: RelayPeer, { hash, type }: InventoryQueue): PoolTransaction | undefined {
    const found = type === MSG_WTX ? this.#pool.find(hash) : this.#pool.findByTxid(hash)
    const given = found ?? this.#confirmed[this.#ids.find(hash)]
    return given !== undefined && given.sequence <= peer.lastInvSequence ? given : undefined
  }

  #servePool(peer: RelayPeer, entries: Iterator<PoolTransaction>, send: (message: Inv) => void): boolean {
    const hashes: Array<Uint8Array> = []
    let isDone = false
    for (let looked = 0; looked < ENTRIES_PER_TURN && !isDone; looked += 1 + this.#hidden.takeEntries()) {
      const next = entries.next()
      isDone = next.done === true
      if (next.done === true || (next.value.feeRateSatPerKvb ?? Infinity) < peer.feeFilter) continue
      if (this.#hidden.isHidden(peer, next.value)) continue
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

const withoutWitness = (tx: TransactionView): TransactionView => {
  if (!tx.hasWitness) return tx
  const whole = tx.materialise()
  return TransactionView.of({ ...whole, inputs: whole.inputs.map((input) => ({ ...input, witness: [] })) })
}
