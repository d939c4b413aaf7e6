/**
 * The bloom filters that peers set, and what they are given by them (BIP-0037): of blocks those transactions that match, with the proof that they
 * are in it. That they are told only of transactions that match is for who tells them, and asks here.
 *
 * ```
 *   filterload ─▶ filter of the peer ◀─ matches(peer, tx)        whoever tells peers of transactions
 *                        │
 *   GiveBlock ───────────┴─▶ merkleblock, tx, tx, …  ─▶ BlockGiven
 * ```
 *
 * Specification: the transactions of a block leave right behind its `merkleblock`. Rationale: wallets take the first message that is none for the
 * end of the block (bitcoinj `Peer.processMessage`), and what comes later for unconfirmed.
 *
 * Specification: who is not offered it and sends one of its messages is disconnected; who adds to no filter is discouraged. Rationale: as Core;
 * the limits of the messages themselves are judged by `wire`.
 *
 * Source: Bitcoin Core 31.99 `net_processing.cpp` (`FILTERLOAD`, `FILTERADD`, `FILTERCLEAR`), BIP-0111.
 */
import type { Sha256 } from "@satwire/crypto"
import { BloomFilter } from "@satwire/filters"
import type { Instant, Machine, Now, Outbox, PeerId } from "@satwire/machine"
import type { TransactionView, Txid } from "@satwire/primitives"
import type { BloomServingInput, BloomServingMessage, BloomServingOutput } from "./BloomServingEvents.ts"
import { filteredBlock } from "./FilteredBlock.ts"

type Out = Outbox<BloomServingOutput>

/**
 * @limit elements of a transaction that are looked for in a filter to tell its peer of it, and hashes of them
 */
const MAX_WORK_OF_MATCH = 100_000

export class BloomServing implements Machine<BloomServingInput, BloomServingOutput> {
  readonly #sha256: Sha256
  /** Who may set filters. */
  readonly #offered: Set<PeerId> = new Set()
  readonly #filters: Map<PeerId, BloomFilter> = new Map()
  /** What is being given, a step of one of them in a turn, the first first. */
  readonly #giving: Map<PeerId, ReturnType<typeof filteredBlock>> = new Map()
  #goesOnAt: Instant | undefined = undefined
  #work = 0

  constructor(sha256: Sha256) {
    this.#sha256 = sha256
  }

  /** Whether nothing is held for any peer. */
  get isEmpty(): boolean {
    return this.#offered.size === 0 && this.#filters.size === 0 && this.#giving.size === 0
  }

  hasFilter(peer: PeerId): boolean {
    return this.#filters.has(peer)
  }

  /** What `matches` has done so far for all peers: elements that were looked for, and hashes of them. */
  get work(): number {
    return this.#work
  }

  /**
   * Whether a transaction matches the filter of a peer, which may change by it; `true` where it has none.
   *
   * Specification: what takes a filter too long counts as a match, and changes it no further. Rationale: a filter may say "yes" for nothing,
   * and a stranger's of 50 functions would take a tenth of a second for a stranger's transaction of one-byte pushes.
   */
  matches(peer: PeerId, tx: TransactionView, txid: Txid): boolean {
    const filter = this.#filters.get(peer)
    if (filter === undefined) return true
    const begunAt = filter.work
    const hasTurn = (): boolean => filter.work - begunAt < MAX_WORK_OF_MATCH
    const { done, value } = filter.match(tx.materialise(), txid, hasTurn).next()
    this.#work += filter.work - begunAt
    return done !== true || value
  }

  nextTimeout(): Instant | undefined {
    return this.#goesOnAt
  }

  handle(input: BloomServingInput, now: Now, out: Out): void {
    switch (input._tag) {
      case "PeerReady":
        if (input.isOffered) this.#offered.add(input.peer)
        break
      case "PeerGone":
        this.#offered.delete(input.peer)
        this.#filters.delete(input.peer)
        this.#giving.delete(input.peer)
        break
      case "Received":
        this.#received(input.peer, input.message, out)
        break
      case "GiveBlock": {
        const { block, peer } = input
        const filter = this.#filters.get(peer)
        if (filter === undefined) out.push({ _tag: "BlockGiven", peer, isSent: false })
        else this.#giving.set(peer, filteredBlock(filter, block, this.#sha256))
        break
      }
      case "Timeout":
        this.#step(out)
        break
    }
    this.#goesOnAt = this.#giving.size > 0 ? now.instant : undefined
  }

  #received(peer: PeerId, message: BloomServingMessage, out: Out): void {
    if (!this.#offered.has(peer)) {
      const reason = { _tag: "FilterNotOffered", command: message._tag } as const
      return out.push({ _tag: "Disconnect", peer, reason })
    }
    const filter = this.#filters.get(peer)
    switch (message._tag) {
      case "filterload":
        this.#filters.set(peer, new BloomFilter(message))
        return out.push({ _tag: "FilterSet", peer, isSet: true })
      case "filteradd":
        if (filter === undefined) return out.push({ _tag: "Misbehaved", peer, reason: { _tag: "FilterMissing" } })
        return filter.insert(message.element)
      case "filterclear":
        this.#filters.delete(peer)
        return out.push({ _tag: "FilterSet", peer, isSet: false })
    }
  }

  #step(out: Out): void {
    const [next] = this.#giving
    if (next === undefined) return
    const [peer, giving] = next
    // Whoever is next has the next turn.
    this.#giving.delete(peer)
    const { done, value } = giving.next()
    for (const [i, message] of value.entries())
      out.push({ _tag: "Send", peer, message, hasMore: done !== true || i < value.length - 1 })
    if (done === true) out.push({ _tag: "BlockGiven", peer, isSent: true })
    else this.#giving.set(peer, giving)
  }
}
