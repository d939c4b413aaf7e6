/**
 * Which peer is asked for which announced transaction, and when. It decides; who calls it asks, and tells it what came of it.
 *
 * ```
 *   receivedInv ─▶ CANDIDATE_DELAYED ─(its time)─▶ READY ─(the best)─▶ BEST ─(request)─▶ REQUESTED ─(response, time over)─▶ COMPLETED
 *                                                                       one of both for each transaction
 * ```
 *
 * Specification: a transaction is asked of one peer at a time. Rationale: one copy is enough.
 *
 * Specification: no peer is asked twice for what it announced; only what is forgotten may be announced anew, which is when the peer goes, when
 * nobody is left to ask, and when the caller needs the transaction no more. Rationale: who announces and does not answer keeps us from a
 * transaction (CVE-2024-52913), and must not be able to do so again and again.
 *
 * Specification: among those whose time has come preferred peers go first, and among equals chance decides, by a salted hash of the peer and
 * the transaction. Rationale: who announces first, or most often, gains nothing by it.
 *
 * Time must not go back.
 *
 * Source: Bitcoin Core 31.99 `txrequest.h`, `txrequest.cpp`.
 */
import { type SipKey, sipHash24, sipKey } from "@satwire/crypto"
import { Deadlines, IdMap, type Instant, type PeerId, type Random } from "@satwire/machine"
import {
  Announcements,
  CANDIDATE_BEST,
  CANDIDATE_DELAYED,
  CANDIDATE_READY,
  COMPLETED,
  REQUESTED
} from "./Announcements.ts"
import { Chains, roomFor } from "./Chains.ts"
import { HashNumbers } from "./HashNumbers.ts"

/**
 * What becomes of an announcement whose turn it is: it is asked for now, it is of no use any more, or nothing yet, until `reconsider`.
 */
export type Verdict = "ask" | "have" | "wait"

/** Told of a hash (a view, good for the call) what is to become of it. */
export type Judge = (hash: Uint8Array, isWtxid: boolean) => Verdict

/** A peer with announcements, under its number. */
interface Announcer {
  readonly id: PeerId
  readonly number: number
  total: number
  requested: number
  completed: number
}

/** Above every priority of a peer that is not preferred. */
const PREFERRED = 2 ** 32

export class TxRequestTracker {
  readonly #hashes: HashNumbers
  readonly #rows: Announcements
  readonly #priorityKey: SipKey
  /** Rows by the number of their hash. */
  readonly #ofHash: Chains = new Chains()
  /** Rows by the number of their peer. */
  readonly #ofPeer: Chains = new Chains()
  /** Rows that are the best, by the number of their peer. */
  readonly #best: Chains = new Chains()
  /** Of each hash: the row that is the best or asked for, or -1. */
  #selected: Int32Array = new Int32Array(0)
  /** Of each hash: how many rows are not completed. */
  #open: Int32Array = new Int32Array(0)
  /** When those that are delayed may be asked, and those that are asked for must have answered. */
  readonly #waiting: Deadlines<number> = new Deadlines(new RowPlaces())
  readonly #byId: IdMap<PeerId, Announcer> = new IdMap()
  readonly #byNumber: Array<Announcer | undefined> = []
  readonly #freeNumbers: Array<number> = []
  /** Peers of which something became the best since they were last looked at. */
  readonly #ready: Set<Announcer> = new Set()

  constructor(random: Random) {
    this.#hashes = new HashNumbers(random)
    this.#rows = new Announcements(random)
    this.#priorityKey = sipKey(random.bytes(16))
  }

  /** How many announcements there are of all peers. */
  get size(): number {
    return this.#rows.size
  }

  /** When `advance` has something to do next. */
  nextTimeout(): Instant | undefined {
    return this.#waiting.earliest()
  }

  /** How many announcements of a peer are kept. */
  count(peer: PeerId): number {
    return this.#byId.get(peer)?.total ?? 0
  }

  /** How many it was asked for, whose answer is waited for. */
  countInFlight(peer: PeerId): number {
    return this.#byId.get(peer)?.requested ?? 0
  }

  /** How many it may still be asked for. */
  countCandidates(peer: PeerId): number {
    const announcer = this.#byId.get(peer)
    return announcer === undefined ? 0 : announcer.total - announcer.requested - announcer.completed
  }

  /** Whether a peer may still be asked for this, or is. */
  candidatePeers(hash: Uint8Array): ReadonlyArray<PeerId> {
    const peers: Array<PeerId> = []
    const tx = this.#hashes.find(hash)
    if (tx < 0) return peers
    for (let row = this.#ofHash.first(tx); row >= 0; row = this.#ofHash.after(row)) {
      if (this.#rows.state(row) !== COMPLETED) peers.push(this.#announcerOf(row).id)
    }
    return peers
  }

  /**
   * A peer announced the hash at `offset` of `bytes`. What it announced already it does not announce again.
   *
   * @param requestAt before this it is not asked
   */
  receivedInv(
    peer: PeerId,
    bytes: Uint8Array,
    offset: number,
    { isPreferred, isWtxid, requestAt }: { isPreferred: boolean; isWtxid: boolean; requestAt: Instant }
  ): void {
    let tx = this.#hashes.find(bytes, offset)
    const known = this.#byId.get(peer)
    if (tx >= 0 && known !== undefined && this.#rows.find(known.number, tx) >= 0) return
    const announcer = known ?? this.#join(peer)
    if (tx < 0) {
      tx = this.#hashes.add(bytes, offset)
      this.#selected = roomFor(this.#selected, tx)
      this.#open = roomFor(this.#open, tx)
      this.#selected[tx] = -1
      this.#open[tx] = 0
    }
    const priority = (isPreferred ? PREFERRED : 0) + this.#chance(bytes, offset, peer)
    const row = this.#rows.add(announcer.number, tx, isWtxid, priority)
    this.#ofHash.append(tx, row)
    this.#ofPeer.append(announcer.number, row)
    this.#open[tx] = (this.#open[tx] as number) + 1
    announcer.total += 1
    this.#waiting.set(row, requestAt)
  }

  /**
   * Goes to `now`: those whose time has come may be asked, and those that were asked and had their time are completed. Gives whether all of it
   * is done.
   *
   * @param most how many of them at most
   */
  advance(now: Instant, most: number = Infinity): boolean {
    for (let done = 0; done < most; done++) {
      const row = this.#waiting.takeDue(now)
      if (row === undefined) return true
      if (this.#rows.state(row) === CANDIDATE_DELAYED) this.#promote(row)
      else this.#complete(row)
    }
    return (this.#waiting.earliest() ?? Infinity) > now
  }

  /** A peer that `request` has something for. */
  nextReady(): PeerId | undefined {
    const [announcer] = this.#ready
    return announcer?.id
  }

  /**
   * Goes through what this peer is the best for, in the order in which it announced them. What is asked for must be answered until `expiry`.
   * Gives how many it looked at.
   *
   * @param most how many of them at most; the peer is ready again for the rest
   */
  request(peer: PeerId, expiry: Instant, judge: Judge, most: number = Infinity): number {
    const announcer = this.#byId.get(peer)
    if (announcer === undefined) return 0
    this.#ready.delete(announcer)
    const rows: Array<number> = []
    for (let row = this.#best.first(announcer.number); row >= 0; row = this.#best.after(row)) rows.push(row)
    rows.sort((a, b) => this.#rows.sequence(a) - this.#rows.sequence(b))
    if (rows.length > most) this.#ready.add(announcer)
    for (const row of rows.slice(0, most)) {
      const verdict = judge(this.#hashes.at(this.#rows.hash(row)), this.#rows.isWtxid(row))
      if (verdict === "have") this.#forget(this.#rows.hash(row))
      if (verdict !== "ask") continue
      this.#best.remove(announcer.number, row)
      this.#rows.setState(row, REQUESTED)
      this.#waiting.set(row, expiry)
      announcer.requested += 1
    }
    return Math.min(rows.length, most)
  }

  /** Who is the best for this hash is ready for it again, where it had to wait. */
  reconsider(hash: Uint8Array): void {
    const tx = this.#hashes.find(hash)
    const row = tx < 0 ? -1 : (this.#selected[tx] as number)
    if (row >= 0 && this.#rows.state(row) === CANDIDATE_BEST) this.#ready.add(this.#announcerOf(row))
  }

  /** The peer sent it, or said that it has it not. */
  receivedResponse(peer: PeerId, bytes: Uint8Array, offset: number = 0): void {
    const announcer = this.#byId.get(peer)
    const tx = announcer === undefined ? -1 : this.#hashes.find(bytes, offset)
    if (announcer === undefined || tx < 0) return
    const row = this.#rows.find(announcer.number, tx)
    if (row >= 0) this.#complete(row)
  }

  /** Nobody needs to be asked for it any more. */
  forget(hash: Uint8Array): void {
    const tx = this.#hashes.find(hash)
    if (tx >= 0) this.#forget(tx)
  }

  disconnected(peer: PeerId): void {
    const announcer = this.#byId.get(peer)
    if (announcer === undefined) return
    const { number } = announcer
    for (let row = this.#ofPeer.first(number); row >= 0; row = this.#ofPeer.first(number)) {
      if (this.#complete(row)) this.#release(row)
    }
  }

  #join(id: PeerId): Announcer {
    const number = this.#freeNumbers.pop() ?? this.#byNumber.length
    const announcer = { id, number, total: 0, requested: 0, completed: 0 }
    this.#byNumber[number] = announcer
    this.#byId.set(id, announcer)
    return announcer
  }

  #announcerOf(row: number): Announcer {
    return this.#byNumber[this.#rows.peer(row)] as Announcer
  }

  #promote(row: number): void {
    const rows = this.#rows
    const tx = rows.hash(row)
    const selected = this.#selected[tx] as number
    rows.setState(row, CANDIDATE_READY)
    if (selected < 0) return this.#select(row)
    if (rows.state(selected) !== CANDIDATE_BEST || rows.priority(row) <= rows.priority(selected)) return
    this.#best.remove(rows.peer(selected), selected)
    rows.setState(selected, CANDIDATE_READY)
    this.#select(row)
  }

  #select(row: number): void {
    const announcer = this.#announcerOf(row)
    this.#rows.setState(row, CANDIDATE_BEST)
    this.#selected[this.#rows.hash(row)] = row
    this.#best.append(announcer.number, row)
    this.#ready.add(announcer)
  }

  /** Completes a row; where it was the last that could be asked, all of its hash are forgotten. Gives whether it is still there. */
  #complete(row: number): boolean {
    const state = this.#rows.state(row)
    if (state === COMPLETED) return true
    const tx = this.#rows.hash(row)
    const open = (this.#open[tx] as number) - 1
    if (open === 0) {
      this.#forget(tx)
      return false
    }
    this.#open[tx] = open
    this.#leave(row)
    this.#rows.setState(row, COMPLETED)
    this.#announcerOf(row).completed += 1
    if (this.#selected[tx] === row) this.#reselect(tx)
    return true
  }

  /** Takes a row out of what belongs to its state. */
  #leave(row: number): void {
    const announcer = this.#announcerOf(row)
    switch (this.#rows.state(row)) {
      case CANDIDATE_DELAYED:
        return this.#waiting.set(row, undefined)
      case CANDIDATE_BEST:
        this.#best.remove(announcer.number, row)
        if (this.#best.first(announcer.number) < 0) this.#ready.delete(announcer)
        return
      case REQUESTED:
        this.#waiting.set(row, undefined)
        announcer.requested -= 1
        return
      case COMPLETED:
        announcer.completed -= 1
        return
    }
  }

  #reselect(tx: number): void {
    const rows = this.#rows
    let best = -1
    for (let row = this.#ofHash.first(tx); row >= 0; row = this.#ofHash.after(row)) {
      if (rows.state(row) !== CANDIDATE_READY) continue
      if (best < 0 || rows.priority(row) > rows.priority(best)) best = row
    }
    this.#selected[tx] = -1
    if (best >= 0) this.#select(best)
  }

  #forget(tx: number): void {
    for (let row = this.#ofHash.first(tx); row >= 0; row = this.#ofHash.first(tx)) {
      this.#leave(row)
      this.#release(row, true)
    }
    this.#hashes.remove(tx)
    if (this.#rows.size > 0) return
    // The last has gone, and all memory with it.
    for (const chains of [this.#ofHash, this.#ofPeer, this.#best]) chains.clear()
    this.#selected = new Int32Array(0)
    this.#open = new Int32Array(0)
  }

  /** Lets go of a row that is completed, or has left. */
  #release(row: number, hasLeft: boolean = false): void {
    const announcer = this.#announcerOf(row)
    if (!hasLeft) this.#leave(row)
    this.#ofHash.remove(this.#rows.hash(row), row)
    this.#ofPeer.remove(announcer.number, row)
    this.#rows.remove(row)
    announcer.total -= 1
    if (announcer.total > 0) return
    this.#byId.delete(announcer.id)
    this.#byNumber[announcer.number] = undefined
    this.#freeNumbers.push(announcer.number)
    this.#ready.delete(announcer)
  }

  /** What decides among peers that are equal otherwise: 32 bits that nobody can foresee. */
  #chance(bytes: Uint8Array, offset: number, peer: PeerId): number {
    for (let i = 0; i < 32; i++) pair[i] = bytes[offset + i] as number
    pairView.setFloat64(32, peer)
    sipHash24(this.#priorityKey, pair, 0, pair.length, halves)
    return halves[0] as number
  }
}

/** Reused: a hash and a peer. */
const pair = new Uint8Array(40)
const pairView = new DataView(pair.buffer)
/** Reused: what `sipHash24` writes to. */
const halves = new Uint32Array(2)

/** Where each row stands among the deadlines. */
class RowPlaces {
  #places: Int32Array = new Int32Array(0)
  #size = 0

  get(row: number): number | undefined {
    const place = this.#places[row] ?? -1
    return place < 0 ? undefined : place
  }

  set(row: number, place: number): void {
    this.#places = roomFor(this.#places, row)
    if ((this.#places[row] as number) < 0) this.#size += 1
    this.#places[row] = place
  }

  delete(row: number): boolean {
    if (this.get(row) === undefined) return false
    this.#places[row] = -1
    this.#size -= 1
    if (this.#size === 0) this.#places = new Int32Array(0)
    return true
  }
}
