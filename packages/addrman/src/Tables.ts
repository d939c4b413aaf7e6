/**
 * The two tables with all that is kept beside them, and the moves between them. Every move leaves all of it in agreement, which
 * `Consistency.ts` proves. It has no rules: when an address moves is `AddrMan`'s to say.
 *
 * ```
 *   forgotten ──▶ new (1 to 8 places) ──▶ tried (1 place)
 *       ▲              │    ▲                 │
 *       └──────────────┘    └─────────────────┘
 * ```
 */
import type { Random } from "@satwire/machine"
import { type NetAddr, NETWORKS, type Network, type NodeAddress, netClass } from "@satwire/netaddress"
import { BucketTable, NONE } from "./BucketTable.ts"
import { type Bucketing, NEW_BUCKET_COUNT, TRIED_BUCKET_COUNT } from "./Bucketing.ts"
import { Entries, NEW_BUCKETS_PER_ADDRESS, networkNumber } from "./Entries.ts"
import { EntryLists } from "./EntryLists.ts"

export type Table = "new" | "tried"

/** The one list that everybody is on. */
export const EVERYBODY = 0

export class Tables {
  readonly bucketing: Bucketing
  readonly entries: Entries
  readonly new: BucketTable = new BucketTable(NEW_BUCKET_COUNT)
  readonly tried: BucketTable = new BucketTable(TRIED_BUCKET_COUNT)
  readonly everybody: EntryLists = new EntryLists(1)
  /** By net class, in which IPv6 that stands for IPv4 is IPv4. */
  readonly classes: EntryLists = new EntryLists(NETWORKS.length)
  readonly #counts: Readonly<Record<Table, Uint32Array>> = {
    new: new Uint32Array(NETWORKS.length),
    tried: new Uint32Array(NETWORKS.length)
  }
  /** Newcomers whose places among the tried are taken. One that was forgotten leaves a {@link NONE} until it is looked at, as in Core. */
  readonly collisions: Array<number> = []

  constructor(bucketing: Bucketing, random: Random) {
    this.bucketing = bucketing
    this.entries = new Entries(random)
  }

  /** How many addresses of a set of networks (bit i for `NETWORKS[i]`) are in a table. */
  count(table: Table, networks: number): number {
    const counts = this.#counts[table]
    let sum = 0
    for (let i = 0; i < counts.length; i++) if ((networks & (1 << i)) !== 0) sum += counts[i] as number
    return sum
  }

  /** Takes in an address that is not known, at a place of the new table that is free. */
  create(node: NodeAddress, source: NetAddr, place: number): number {
    const entry = this.register(node, source)
    this.putNew(entry, place)
    return entry
  }

  /** Takes in an address that is not known, and that is nowhere until it is given a place. */
  register(node: NodeAddress, source: NetAddr): number {
    const entry = this.entries.add(node, source)
    this.everybody.add(EVERYBODY, entry)
    this.classes.add(classOf(node), entry)
    return entry
  }

  /** Puts an address that is not tried at one more place of the new table, which must be free. */
  putNew(entry: number, place: number): void {
    const network = this.#network(entry)
    if (this.entries.refCount[entry] === 0) this.#add("new", network, 1)
    this.entries.addPlace(entry, place)
    this.new.put(place, entry, network)
  }

  /** Frees a place of the new table. Who had no other is forgotten. */
  clearNew(place: number): void {
    const entry = this.new.at(place)
    if (entry === NONE) return
    this.#leaveNew(entry, place)
    if (this.entries.refCount[entry] === 0) this.forget(entry)
  }

  /** Moves an address from the new table to the tried one. Whoever has its place there goes back to the new table. */
  makeTried(entry: number): void {
    for (const place of this.entries.newPlaces(entry)) this.#leaveNew(entry, place)
    const place = this.bucketing.triedPlace(this.entries.node(entry))
    const before = this.tried.at(place)
    if (before !== NONE) {
      this.#leaveTried(before, place)
      const returning = this.primaryPlace(before)
      this.clearNew(returning)
      this.putNew(before, returning)
    }
    this.putTried(entry, place)
  }

  /** Puts an address that is nowhere at a place among the tried that is free. */
  putTried(entry: number, place: number): void {
    const network = this.#network(entry)
    this.entries.isTried[entry] = 1
    this.entries.places[entry * NEW_BUCKETS_PER_ADDRESS] = place
    this.tried.put(place, entry, network)
    this.#add("tried", network, 1)
  }

  /** Its place in the new table for having been told of by who told of it first. */
  primaryPlace(entry: number): number {
    const source = this.bucketing.group(this.entries.source(entry))
    return this.bucketing.newPlace(this.entries.node(entry), source)
  }

  /** Forgets an address that is nowhere. */
  forget(entry: number): void {
    const collision = this.collisions.indexOf(entry)
    if (collision >= 0) this.collisions[collision] = NONE
    this.everybody.remove(EVERYBODY, entry)
    this.classes.remove(classOf(this.entries.node(entry)), entry)
    this.entries.remove(entry)
  }

  #leaveNew(entry: number, place: number): void {
    const network = this.#network(entry)
    this.entries.removePlace(entry, place)
    this.new.clear(place, network)
    if (this.entries.refCount[entry] === 0) this.#add("new", network, -1)
  }

  #leaveTried(entry: number, place: number): void {
    const network = this.#network(entry)
    this.entries.isTried[entry] = 0
    this.tried.clear(place, network)
    this.#add("tried", network, -1)
  }

  #network(entry: number): number {
    return this.entries.network[entry] as number
  }

  #add(table: Table, network: number, by: number): void {
    this.#counts[table][network] = (this.#counts[table][network] as number) + by
  }
}

/** The list of {@link Tables.classes} on which an address stands. */
export const classOf = (node: NodeAddress): number => networkNumber(netClass(node) as Network)
