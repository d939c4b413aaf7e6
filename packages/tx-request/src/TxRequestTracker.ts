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
import { WordColumn } from "@satwire/bytes"
import { type SipKey, sipHash24, sipKey } from "@satwire/crypto"
import { Chains, Deadlines, IdMap, type Instant, type PeerId, type Random } from "@satwire/machine"
import { HashNumbers } from "@satwire/primitives"

/**
 * What becomes of an announcement whose turn it is: it is asked for now, it is of no use any more, or nothing yet, until `reconsider`.
 */
export type Verdict = "ask" | "have" | "wait"

/** Told of a hash (a view, good for the call) what is to become of it. */
export type Judge = (hash: Uint8Array, isWtxid: boolean) => Verdict

/** It may be asked for later. */
const CANDIDATE_DELAYED = 0
/** It could be asked for, and another is better or is being asked. */
const CANDIDATE_READY = 1
/** It is the one to be asked next. */
const CANDIDATE_BEST = 2
/** It was asked for, and the answer has time until its deadline. */
const REQUESTED = 3
/** It was answered, or its time is over: kept so that the same peer is not asked again. */
const COMPLETED = 4

/** A row for each announcement, of these words: the numbers of its peer and its hash, its state, its flags, what chance gave it, its place. */
const [PEER, HASH, STATE, FLAGS, CHANCE, SEQUENCE] = [0, 1, 2, 3, 4, 5]
const ROW_WORDS = 6
const BY_WTXID = 1
const PREFERRED = 2

/** A row for each hash: the announcement that is the best or asked for, + 1, and how many are not completed. */
const [SELECTED, OPEN] = [0, 1]
const HASH_WORDS = 2

/** A peer with announcements, under its number. */
interface Announcer {
  readonly id: PeerId
  readonly number: number
  total: number
  requested: number
  completed: number
}

export class TxRequestTracker {
  readonly #hashes: HashNumbers
  /** The numbers of announcements, by the numbers of their peer and hash. */
  readonly #pairs: HashNumbers
  readonly #chanceKey: SipKey
  #rows: WordColumn = new WordColumn(ROW_WORDS)
  #ofHashes: WordColumn = new WordColumn(HASH_WORDS)
  /** Announcements by the number of their hash. */
  readonly #ofHash: Chains = new Chains()
  /** Announcements by the number of their peer. */
  readonly #ofPeer: Chains = new Chains()
  /** Those that are the best, by the number of their peer. */
  readonly #best: Chains = new Chains()
  /** When those that are delayed may be asked, and those that are asked for must have answered. */
  readonly #waiting: Deadlines<number> = new Deadlines(new Places())
  readonly #byId: IdMap<PeerId, Announcer> = new IdMap()
  readonly #byNumber: Array<Announcer | undefined> = []
  readonly #freeNumbers: Array<number> = []
  #sequence = 0
  /** Peers of which something became the best since they were last looked at. */
  readonly #ready: Set<Announcer> = new Set()

  constructor(random: Random) {
    this.#hashes = new HashNumbers(random)
    this.#pairs = new HashNumbers(random, pair.length)
    this.#chanceKey = sipKey(random.bytes(16))
  }

  /** How many announcements there are of all peers. */
  get size(): number {
    return this.#pairs.size
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

  /** Who may still be asked for this, or is. */
  candidatePeers(hash: Uint8Array): ReadonlyArray<PeerId> {
    const peers: Array<PeerId> = []
    const tx = this.#hashes.find(hash)
    if (tx < 0) return peers
    for (let row = this.#ofHash.first(tx); row >= 0; row = this.#ofHash.after(row)) {
      if (this.#rows.get(row, STATE) !== COMPLETED) peers.push(this.#announcerOf(row).id)
    }
    return peers
  }

  /**
   * A peer announced a hash. What it announced already it does not announce again.
   *
   * @param requestAt before this it is not asked
   */
  receivedInv(
    peer: PeerId,
    hash: Uint8Array,
    { isPreferred, isWtxid, requestAt }: { isPreferred: boolean; isWtxid: boolean; requestAt: Instant }
  ): void {
    let tx = this.#hashes.find(hash)
    const known = this.#byId.get(peer)
    if (tx >= 0 && known !== undefined && this.#find(known, tx) >= 0) return
    const announcer = known ?? this.#join(peer)
    if (tx < 0) {
      tx = this.#hashes.add(hash)
      this.#ofHashes.reserve(tx + 1)
      this.#ofHashes.set(tx, SELECTED, 0)
      this.#ofHashes.set(tx, OPEN, 0)
    }
    const row = this.#pairs.add(pairOf(announcer, tx))
    const rows = this.#rows
    rows.reserve(row + 1)
    rows.set(row, PEER, announcer.number)
    rows.set(row, HASH, tx)
    rows.set(row, STATE, CANDIDATE_DELAYED)
    rows.set(row, FLAGS, (isWtxid ? BY_WTXID : 0) | (isPreferred ? PREFERRED : 0))
    rows.set(row, CHANCE, this.#chance(hash, peer))
    // It may begin anew: what is kept at once lies much closer together.
    rows.set(row, SEQUENCE, this.#sequence++ | 0)
    this.#ofHash.append(tx, row)
    this.#ofPeer.append(announcer.number, row)
    this.#ofHashes.set(tx, OPEN, this.#ofHashes.get(tx, OPEN) + 1)
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
      if (this.#rows.get(row, STATE) === CANDIDATE_DELAYED) this.#promote(row)
      else this.#complete(row)
    }
    return (this.#waiting.earliest() ?? Infinity) > now
  }

  /** A peer that `request` may have something for. */
  nextReady(): PeerId | undefined {
    if (this.#ready.size === 0) return undefined
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
    const best: Array<number> = []
    for (let row = this.#best.first(announcer.number); row >= 0; row = this.#best.after(row)) best.push(row)
    best.sort((a, b) => (this.#rows.get(a, SEQUENCE) - this.#rows.get(b, SEQUENCE)) | 0)
    if (best.length > most) this.#ready.add(announcer)
    for (const row of best.slice(0, most)) {
      const tx = this.#rows.get(row, HASH)
      const verdict = judge(this.#hashes.at(tx), (this.#rows.get(row, FLAGS) & BY_WTXID) !== 0)
      if (verdict === "have") this.#forget(tx)
      if (verdict !== "ask") continue
      this.#best.remove(announcer.number, row)
      this.#rows.set(row, STATE, REQUESTED)
      this.#waiting.set(row, expiry)
      announcer.requested += 1
    }
    return Math.min(best.length, most)
  }

  /** Who is the best for this hash is ready for it again, where it had to wait. */
  reconsider(hash: Uint8Array): void {
    const tx = this.#hashes.find(hash)
    const row = tx < 0 ? -1 : this.#ofHashes.get(tx, SELECTED) - 1
    if (row >= 0 && this.#rows.get(row, STATE) === CANDIDATE_BEST) this.#ready.add(this.#announcerOf(row))
  }

  /** The peer sent it, or said that it has it not. */
  receivedResponse(peer: PeerId, hash: Uint8Array): void {
    const announcer = this.#byId.get(peer)
    const tx = announcer === undefined ? -1 : this.#hashes.find(hash)
    const row = announcer === undefined || tx < 0 ? -1 : this.#find(announcer, tx)
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
      if (this.#complete(row)) this.#remove(row)
    }
  }

  #find(announcer: Announcer, tx: number): number {
    return this.#pairs.find(pairOf(announcer, tx))
  }

  #join(id: PeerId): Announcer {
    const number = this.#freeNumbers.pop() ?? this.#byNumber.length
    const announcer = { id, number, total: 0, requested: 0, completed: 0 }
    this.#byNumber[number] = announcer
    this.#byId.set(id, announcer)
    return announcer
  }

  #announcerOf(row: number): Announcer {
    return this.#byNumber[this.#rows.get(row, PEER)] as Announcer
  }

  #promote(row: number): void {
    const tx = this.#rows.get(row, HASH)
    const selected = this.#ofHashes.get(tx, SELECTED) - 1
    this.#rows.set(row, STATE, CANDIDATE_READY)
    if (selected < 0) return this.#select(row)
    if (this.#rows.get(selected, STATE) !== CANDIDATE_BEST || !this.#isBetter(row, selected)) return
    this.#best.remove(this.#rows.get(selected, PEER), selected)
    this.#rows.set(selected, STATE, CANDIDATE_READY)
    this.#select(row)
  }

  #isBetter(row: number, other: number): boolean {
    const rows = this.#rows
    const preferred = (rows.get(row, FLAGS) & PREFERRED) - (rows.get(other, FLAGS) & PREFERRED)
    return preferred > 0 || (preferred === 0 && rows.get(row, CHANCE) > rows.get(other, CHANCE))
  }

  #select(row: number): void {
    this.#rows.set(row, STATE, CANDIDATE_BEST)
    this.#ofHashes.set(this.#rows.get(row, HASH), SELECTED, row + 1)
    this.#best.append(this.#rows.get(row, PEER), row)
    this.#ready.add(this.#announcerOf(row))
  }

  /** Completes a row; where it was the last that could be asked, all of its hash are forgotten. Gives whether it is still there. */
  #complete(row: number): boolean {
    if (this.#rows.get(row, STATE) === COMPLETED) return true
    const tx = this.#rows.get(row, HASH)
    const open = this.#ofHashes.get(tx, OPEN) - 1
    if (open === 0) {
      this.#forget(tx)
      return false
    }
    this.#ofHashes.set(tx, OPEN, open)
    this.#leave(row)
    this.#rows.set(row, STATE, COMPLETED)
    this.#announcerOf(row).completed += 1
    if (this.#ofHashes.get(tx, SELECTED) === row + 1) this.#reselect(tx)
    return true
  }

  #reselect(tx: number): void {
    let best = -1
    for (let row = this.#ofHash.first(tx); row >= 0; row = this.#ofHash.after(row)) {
      if (this.#rows.get(row, STATE) !== CANDIDATE_READY) continue
      if (best < 0 || this.#isBetter(row, best)) best = row
    }
    this.#ofHashes.set(tx, SELECTED, 0)
    if (best >= 0) this.#select(best)
  }

  /** Takes a row out of what belongs to its state. */
  #leave(row: number): void {
    const state = this.#rows.get(row, STATE)
    if (state === CANDIDATE_DELAYED || state === REQUESTED) this.#waiting.set(row, undefined)
    if (state === CANDIDATE_BEST) this.#best.remove(this.#rows.get(row, PEER), row)
    if (state === REQUESTED) this.#announcerOf(row).requested -= 1
    if (state === COMPLETED) this.#announcerOf(row).completed -= 1
  }

  #forget(tx: number): void {
    for (let row = this.#ofHash.first(tx); row >= 0; row = this.#ofHash.first(tx)) this.#remove(row)
    this.#hashes.remove(tx)
    if (this.size > 0) return
    // The last has gone, and all memory with it.
    for (const chains of [this.#ofHash, this.#ofPeer, this.#best]) chains.clear()
    this.#rows = new WordColumn(ROW_WORDS)
    this.#ofHashes = new WordColumn(HASH_WORDS)
  }

  #remove(row: number): void {
    const announcer = this.#announcerOf(row)
    this.#leave(row)
    this.#ofHash.remove(this.#rows.get(row, HASH), row)
    this.#ofPeer.remove(announcer.number, row)
    this.#pairs.remove(row)
    announcer.total -= 1
    if (announcer.total > 0) return
    this.#byId.delete(announcer.id)
    this.#byNumber[announcer.number] = undefined
    this.#freeNumbers.push(announcer.number)
    this.#ready.delete(announcer)
  }

  /** What decides among peers that are equal otherwise: a word that nobody can foresee. */
  #chance(hash: Uint8Array, peer: PeerId): number {
    drawn.set(hash)
    drawnView.setFloat64(32, peer)
    sipHash24(this.#chanceKey, drawn, 0, drawn.length, halves)
    return (halves[0] as number) | 0
  }
}

/** Reused: the numbers of a peer and a hash. */
const pair = new Uint8Array(8)
const pairView = new DataView(pair.buffer)

const pairOf = (announcer: Announcer, tx: number): Uint8Array => {
  pairView.setUint32(0, announcer.number)
  pairView.setUint32(4, tx)
  return pair
}

/** Reused: a hash and a peer. */
const drawn = new Uint8Array(40)
const drawnView = new DataView(drawn.buffer)
/** Reused: what `sipHash24` writes to. */
const halves = new Uint32Array(2)

/** Where each row stands among the deadlines, + 1. An `IdMap` would take its time to forget one of so many that lie side by side. */
class Places {
  #places: WordColumn = new WordColumn(1)
  #rows = 0
  #size = 0

  get(row: number): number | undefined {
    const place = row < this.#rows ? this.#places.get(row, 0) : 0
    return place === 0 ? undefined : place - 1
  }

  set(row: number, place: number): void {
    if (this.get(row) === undefined) this.#size += 1
    this.#rows = Math.max(this.#rows, row + 1)
    this.#places.reserve(this.#rows)
    this.#places.set(row, 0, place + 1)
  }

  delete(row: number): boolean {
    if (this.get(row) === undefined) return false
    this.#places.set(row, 0, 0)
    this.#size -= 1
    if (this.#size > 0) return true
    this.#places = new WordColumn(1)
    this.#rows = 0
    return true
  }
}
