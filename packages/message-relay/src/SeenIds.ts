/**
 * The ids that were seen, each until it expires, and which peers sent it. So many and no more.
 *
 * ```
 *   ids     │ id at place 0 │ id at place 1 │ …
 *   senders │ bits of peers │ bits of peers │ …
 *   owners  │ a peer        │ a peer, or we │ …
 *   chains    the places of each owner, the oldest first
 *   table     mix of an id → its place
 * ```
 *
 * Specification: an id counts for the peer that brought it, or for the one of several that has the fewest. Where there is no room the oldest of
 * the peer that has the most makes it. Rationale: who sends many new ones has its own forgotten, and not what others brought, which could else be
 * sent once more.
 */
import { Chains, type Random, type UnixSeconds } from "@satwire/machine"
import { HashMix, MixTable } from "@satwire/primitives"

const ID_BYTES = 32
/** A place that holds nothing: no id expires in 1970. */
const EMPTY = 0
const BITS = 32
const FIRST_PLACES = 256

export class SeenIds {
  readonly capacity: number
  readonly #mix: HashMix
  readonly #table: MixTable = new MixTable()
  readonly #senderWords: number
  readonly #chains: Chains = new Chains()
  /** How many ids each owner has: the peers by their numbers, and the last for what we send ourselves. */
  readonly #counts: Int32Array
  readonly #ours: number
  /** They take no memory before the first id, and give it back with the last. */
  #ids: Uint8Array = new Uint8Array(0)
  #expires: Float64Array = new Float64Array(0)
  #senders: Uint32Array = new Uint32Array(0)
  #owners: Int32Array = new Int32Array(0)
  /** Places that hold nothing. */
  #free: Array<number> = []

  /** @param peers how many peers there are at most, each with a number below it */
  constructor(capacity: number, peers: number, random: Random) {
    this.capacity = capacity
    this.#senderWords = Math.ceil(peers / BITS)
    this.#ours = peers
    this.#counts = new Int32Array(peers + 1)
    this.#mix = new HashMix(random, "computed")
  }

  get size(): number {
    return this.#table.size
  }

  /** The place of an id, or -1. */
  find(id: Uint8Array): number {
    if (this.size === 0) return -1
    const mix = this.#mix.of(id, 0, ID_BYTES)
    for (let place = this.#table.first(mix); place >= 0; place = this.#table.next(mix))
      if (this.#is(place, id)) return place
    return -1
  }

  /** Takes in an id that is not there, of a peer or, where none is named, of our own. */
  add(id: Uint8Array, expires: UnixSeconds, peer: number = this.#ours): void {
    const place = this.#freePlace()
    this.#own(place, peer)
    if (peer !== this.#ours) this.#mark(place, peer)
    this.#ids.set(id, place * ID_BYTES)
    this.#expires[place] = Math.max(1, expires)
    this.#table.add(this.#mix.of(id, 0, ID_BYTES), place)
  }

  /** Notes that a peer sent the id at `place`, too; whether it had done so before. */
  sentBy(place: number, peer: number): boolean {
    if (this.#mark(place, peer)) return true
    if (this.#countOf(peer) + 1 < this.#countOf(this.#owners[place] as number)) {
      this.#disown(place)
      this.#own(place, peer)
    }
    return false
  }

  /** Forgets what a peer sent: its number is another's from now on, for which the ids that it brought count until they are forgotten. */
  forgetSender(peer: number): void {
    const word = Math.floor(peer / BITS)
    const bit = 1 << (peer % BITS)
    for (let at = word; at < this.#senders.length; at += this.#senderWords)
      this.#senders[at] = (this.#senders[at] as number) & ~bit
  }

  /** Forgets what has expired. */
  sweep(unix: UnixSeconds): void {
    for (let place = 0; place < this.#expires.length; place++) {
      const expires = this.#expires[place] as number
      if (expires !== EMPTY && expires <= unix) this.#remove(place)
    }
    if (this.size === 0) this.#end()
  }

  #mark(place: number, peer: number): boolean {
    const at = place * this.#senderWords + Math.floor(peer / BITS)
    const bit = 1 << (peer % BITS)
    const before = this.#senders[at] as number
    this.#senders[at] = before | bit
    return (before & bit) !== 0
  }

  #countOf(owner: number): number {
    return this.#counts[owner] as number
  }

  #own(place: number, owner: number): void {
    this.#owners[place] = owner
    this.#counts[owner] = this.#countOf(owner) + 1
    this.#chains.append(owner, place)
  }

  #disown(place: number): void {
    const owner = this.#owners[place] as number
    this.#counts[owner] = this.#countOf(owner) - 1
    this.#chains.remove(owner, place)
  }

  /** Of whoever has the most. */
  #oldest(): number {
    let most = 0
    for (let owner = 1; owner <= this.#ours; owner++) if (this.#countOf(owner) > this.#countOf(most)) most = owner
    return this.#chains.first(most)
  }

  #freePlace(): number {
    if (this.#free.length === 0) {
      if (this.#expires.length < this.capacity) this.#grow()
      else this.#remove(this.#oldest())
    }
    return this.#free.pop() as number
  }

  #grow(): void {
    const places = Math.min(Math.max(FIRST_PLACES, 2 * this.#expires.length), this.capacity)
    const [ids, expires, senders, owners] = [this.#ids, this.#expires, this.#senders, this.#owners]
    this.#ids = new Uint8Array(places * ID_BYTES)
    this.#ids.set(ids)
    this.#expires = new Float64Array(places)
    this.#expires.set(expires)
    this.#senders = new Uint32Array(places * this.#senderWords)
    this.#senders.set(senders)
    this.#owners = new Int32Array(places)
    this.#owners.set(owners)
    for (let place = places - 1; place >= owners.length; place--) this.#free.push(place)
  }

  #end(): void {
    this.#ids = new Uint8Array(0)
    this.#expires = new Float64Array(0)
    this.#senders = new Uint32Array(0)
    this.#owners = new Int32Array(0)
    this.#free = []
    this.#chains.clear()
  }

  #remove(place: number): void {
    const at = place * ID_BYTES
    this.#table.delete(this.#mix.of(this.#ids, at, at + ID_BYTES), place)
    this.#expires[place] = EMPTY
    this.#disown(place)
    this.#free.push(place)
    this.#senders.fill(0, place * this.#senderWords, (place + 1) * this.#senderWords)
  }

  #is(place: number, id: Uint8Array): boolean {
    const at = place * ID_BYTES
    for (let i = 0; i < ID_BYTES; i++) if (this.#ids[at + i] !== id[i]) return false
    return true
  }
}
