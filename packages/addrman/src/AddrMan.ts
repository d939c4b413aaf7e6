/**
 * Core's address manager: which nodes are known, how they fared, and whom to try next. It is what stands between a node and an attacker
 * who tells it of nobody but himself: addresses that peers tell of (`new`) and those that have answered (`tried`) lie in tables whose
 * places a secret key gives out by group, so that the owner of a few networks reaches few places.
 *
 * ```
 *   add ──▶ new ──── good ────▶ tried        where its place is taken: a collision
 *            ▲                    │              a feeler to selectTriedCollision, then resolveCollisions
 *            └──── evicted ───────┘
 * ```
 *
 * It dials nobody, reads no message and keeps no file. Whoever has dialled says so by `attempt`, whoever has shaken hands by `good`, and at
 * the end of a connection by `connected`; but of a block-relay-only peer never the last, for nobody may learn of it.
 *
 * Source: Bitcoin Core 31.99 `addrman.cpp`, whose names and numbers these are.
 */
import { copyOut, equals } from "@satwire/bytes"
import type { Sha256 } from "@satwire/crypto"
import { type Random, UnixSeconds, assert } from "@satwire/machine"
import {
  type NetAddr,
  type NetGroups,
  type Network,
  type NodeAddress,
  hasRightLength,
  isRoutable,
  isSameHost
} from "@satwire/netaddress"
import * as Result from "effect/Result"
import {
  CONNECTED_UPDATE_S,
  REPLACEMENT_S,
  SET_TRIED_COLLISION_SIZE,
  TEST_ANSWER_S,
  TEST_WINDOW_S,
  isNews,
  isTerrible
} from "./AddressRules.ts"
import { BUCKET_SIZE, Bucketing, KEY_LENGTH } from "./Bucketing.ts"
import { NONE } from "./BucketTable.ts"
import { assertConsistent } from "./Consistency.ts"
import { NEW_BUCKETS_PER_ADDRESS, networkNumber } from "./Entries.ts"
import { type Selection, networkSet, select } from "./Selecting.ts"
import { type KeptRow, type Lost, fillTables } from "./KeptRow.ts"
import { readPeersDat } from "./PeersDat.ts"
import { type AddrManSnapshot, readSnapshot, rowsOf, takeSnapshot } from "./Snapshot.ts"
import { EVERYBODY, type Table, Tables } from "./Tables.ts"

/** An address as peers tell of it; an entry of `addrv2` is one. */
export interface KnownAddress extends NodeAddress {
  readonly services: bigint
  /** When it was last heard of. */
  readonly time: UnixSeconds
}

/** An address to try. */
export interface Candidate extends KnownAddress {
  /** When it was last tried; 0 where never. */
  readonly lastTry: UnixSeconds
}

/** All that is known of an address. */
export interface AddressInfo extends Candidate {
  /** Who first told of it. */
  readonly source: NetAddr
  /** When it last answered; 0 where never. */
  readonly lastSuccess: UnixSeconds
  /** Failures that count, since it last answered. */
  readonly attempts: number
  readonly table: Table
  /** Its places: one among the tried, or up to eight among the new. */
  readonly places: ReadonlyArray<Place>
}

export interface Place {
  readonly bucket: number
  readonly position: number
}

export interface Answer {
  /** {@link GETADDR_MAX} where not given. */
  readonly maxAddresses?: number
  /** Of all that are known; {@link GETADDR_MAX_PCT} where not given. */
  readonly maxPercent?: number
  /** Only addresses of this network, where IPv6 that stands for IPv4 counts as IPv4. */
  readonly network?: Network | undefined
}

/**
 * How much of what is known one `getaddr` is told: Core's `MAX_PCT_ADDR_TO_SEND`.
 *
 * @limit percent of the known addresses in a `getaddr` answer
 */
export const GETADDR_MAX_PCT = 23
/**
 * Core's `MAX_ADDR_TO_SEND`, which is also what a message may carry.
 *
 * @limit addresses in a `getaddr` answer
 */
export const GETADDR_MAX = 1000

export interface AddrManOptions {
  readonly random: Random
  readonly sha256: Sha256
  /** What counts as one owner's. */
  readonly groups: NetGroups
  /** 32 secret bytes, the same over restarts; drawn where not given. */
  readonly key?: Uint8Array | undefined
}

interface Kept {
  readonly key: Uint8Array
  readonly groups: Uint8Array
  readonly rows: Iterable<KeptRow>
}

/** What became of a snapshot. */
export interface Restored {
  readonly addrman: AddrMan
  readonly lost: Lost
}

export class AddrMan {
  readonly #random: Random
  readonly #key: Uint8Array
  readonly #groups: NetGroups
  readonly #tables: Tables
  /** When any node last answered. Begins at 1, so that "never" is before it. */
  #lastGood = 1

  constructor({ groups, key, random, sha256 }: AddrManOptions) {
    this.#random = random
    this.#key = key ?? random.bytes(KEY_LENGTH)
    this.#groups = groups
    this.#tables = new Tables(new Bucketing(this.#key, sha256, groups), random)
  }

  /**
   * An address manager that knows what a snapshot holds, under its key; or what shows that `snapshot` is none. Under another AS map than
   * before, all addresses are spread anew, and those whose places are taken then are lost, as in Core.
   */
  static restore(
    options: Omit<AddrManOptions, "key">,
    snapshot: unknown,
    now: UnixSeconds
  ): Result.Result<Restored, string> {
    return Result.map(readSnapshot(snapshot), (whole) =>
      AddrMan.#fill(options, { ...whole, rows: rowsOf(whole) }, Math.min(Math.max(whole.lastGood, 1), now), now)
    )
  }

  /**
   * An address manager that knows what Bitcoin Core kept in its `peers.dat`, under its key; or what shows that the file is none.
   *
   * @param magic the network's four bytes, as `ChainParams.magic`
   */
  static fromPeersDat(
    options: Omit<AddrManOptions, "key">,
    file: Uint8Array,
    magic: number,
    now: UnixSeconds
  ): Result.Result<Restored, string> {
    return Result.map(readPeersDat(file, magic, options.sha256), (kept) => AddrMan.#fill(options, kept, 1, now))
  }

  static #fill(options: Omit<AddrManOptions, "key">, kept: Kept, lastGood: number, now: UnixSeconds): Restored {
    const addrman = new AddrMan({ ...options, key: copyOut(kept.key) })
    addrman.#lastGood = lastGood
    const areGroupsSame = equals(kept.groups, options.groups.version)
    return { addrman, lost: fillTables(addrman.#tables, kept.rows, areGroupsSame, now) }
  }

  /** All that is known, as plain data in memory of its own. Its key is a secret. */
  snapshot(): AddrManSnapshot {
    const [key, groups] = [copyOut(this.#key), copyOut(this.#groups.version)]
    return takeSnapshot(this.#tables, { key, groups, lastGood: this.#lastGood })
  }

  /** How many addresses are known, of a network and in a table where given. */
  count(of: { readonly network?: Network; readonly table?: Table } = {}): number {
    const networks = networkSet(of.network === undefined ? [] : [of.network])
    const inNew = of.table === "tried" ? 0 : this.#tables.count("new", networks)
    return inNew + (of.table === "new" ? 0 : this.#tables.count("tried", networks))
  }

  /**
   * Takes in addresses that `source` told of; gives how many have a place now that they had not. What the public network does not lead to
   * is passed over, and so is what finds its place taken by somebody who is not terrible.
   *
   * @param timePenaltyS taken off the time of all but the source's own address; `GOSSIP_TIME_PENALTY_S` for what peers tell
   */
  add(addresses: ReadonlyArray<KnownAddress>, source: NetAddr, now: UnixSeconds, timePenaltyS: number = 0): number {
    assert(hasRightLength(source), "a source has the length of its network's addresses")
    const group = this.#tables.bucketing.group(source)
    let added = 0
    for (const address of addresses) {
      assert(hasRightLength(address), "an address has the length of its network's")
      if (!isRoutable(address)) continue
      const penalty = isSameHost(address, source) ? 0 : timePenaltyS
      if (this.#addOne(address, source, group, penalty, now)) added++
    }
    return added
  }

  #addOne(address: KnownAddress, source: NetAddr, group: Uint8Array, penaltyS: number, now: number): boolean {
    const { bucketing, entries, new: table } = this.#tables
    const time = Math.max(0, address.time - penaltyS)
    let entry = entries.find(address)
    if (entry !== NONE && !this.#hearAgain(entry, address, time, penaltyS, now)) return false
    const place = bucketing.newPlace(address, group)
    const occupant = table.at(place)
    if (occupant !== NONE) {
      // Who has no place yet takes one of somebody who has more of them.
      const yields = (entries.refCount[occupant] as number) > 1 && entry === NONE
      if (occupant === entry || !(yields || this.#isTerrible(occupant, now))) return false
      this.#tables.clearNew(place)
    }
    if (entry === NONE) {
      entry = this.#tables.create(address, source, place)
      entries.time[entry] = time
      entries.services[entry] = address.services
    } else this.#tables.putNew(entry, place)
    return true
  }

  /** Takes in what is new about an address that is known; gives whether it may have another place. */
  #hearAgain(entry: number, address: KnownAddress, time: number, penaltyS: number, now: number): boolean {
    const { entries } = this.#tables
    if (isNews(entries.time[entry] as number, address.time, penaltyS, now)) entries.time[entry] = time
    entries.services[entry] = (entries.services[entry] as bigint) | address.services
    if (address.time <= (entries.time[entry] as number) || entries.isTried[entry] === 1) return false
    const places = entries.refCount[entry] as number
    // Each place more is half as likely: what is told often does not fill the table.
    return places < NEW_BUCKETS_PER_ADDRESS && this.#random.below(1 << places) === 0
  }

  /** Notes that the node answered as a Bitcoin node; gives whether it moved to the tried. */
  good(node: NodeAddress, now: UnixSeconds): boolean {
    this.#lastGood = now
    const entry = this.#tables.entries.find(node)
    return entry !== NONE && this.#answered(entry, true, now)
  }

  #answered(entry: number, testsBeforeEvicting: boolean, now: number): boolean {
    const { bucketing, collisions, entries, tried } = this.#tables
    this.#lastGood = now
    entries.lastSuccess[entry] = now
    entries.lastTry[entry] = now
    entries.attempts[entry] = 0
    // Its time stays, or `getaddr` would show to whom we are connected.
    if (entries.isTried[entry] === 1) return false
    const occupant = tried.at(bucketing.triedPlace(entries.node(entry)))
    if (testsBeforeEvicting && occupant !== NONE) {
      if (collisions.length < SET_TRIED_COLLISION_SIZE && !collisions.includes(entry)) collisions.push(entry)
      return false
    }
    this.#tables.makeTried(entry)
    return true
  }

  /**
   * Notes that a connection is tried.
   *
   * @param countsFailure whether a failure would be the node's own. Core says so while it has outbound peers of two groups: with fewer, it may
   * be our own network that is down
   */
  attempt(node: NodeAddress, countsFailure: boolean, now: UnixSeconds): void {
    const { entries } = this.#tables
    const entry = entries.find(node)
    if (entry === NONE) return
    entries.lastTry[entry] = now
    // Once between two successes of anybody: while nobody answers, a failure says nothing of the node.
    if (!countsFailure || (entries.lastCountedTry[entry] as number) >= this.#lastGood) return
    entries.lastCountedTry[entry] = now
    entries.attempts[entry] = (entries.attempts[entry] as number) + 1
  }

  /** Notes that the node was connected until now. Never to be said of a block-relay-only peer: others learn the time by `getaddr`. */
  connected(node: NodeAddress, now: UnixSeconds): void {
    const { entries } = this.#tables
    const entry = entries.find(node)
    if (entry !== NONE && now - (entries.time[entry] as number) > CONNECTED_UPDATE_S) entries.time[entry] = now
  }

  /** Notes the services that the node itself has named. */
  setServices(node: NodeAddress, services: bigint): void {
    const entry = this.#tables.entries.find(node)
    if (entry !== NONE) this.#tables.entries.services[entry] = services
  }

  /** Draws an address to try; `undefined` where there is none such. */
  select(selection: Selection, now: UnixSeconds): Candidate | undefined {
    const entry = select(this.#tables, selection, this.#random, now)
    return entry === NONE ? undefined : this.#candidate(entry)
  }

  /** Draws a tried address whose place a newcomer wants, to be tested by a feeler; `undefined` where nobody waits. */
  selectTriedCollision(): Candidate | undefined {
    const { bucketing, collisions, entries, tried } = this.#tables
    if (collisions.length === 0) return undefined
    const drawn = this.#random.below(collisions.length)
    const newcomer = collisions[drawn] as number
    if (newcomer === NONE) {
      collisions.splice(drawn, 1)
      return undefined
    }
    const occupant = tried.at(bucketing.triedPlace(entries.node(newcomer)))
    return occupant === NONE ? undefined : this.#candidate(occupant)
  }

  /**
   * Decides the collisions that can be decided: a newcomer has the place where whoever has it was tested and did not answer, or could not be
   * tested in time.
   */
  resolveCollisions(now: UnixSeconds): void {
    const { collisions } = this.#tables
    for (let i = 0; i < collisions.length;) {
      const newcomer = collisions[i] as number
      if (newcomer === NONE || this.#isDecided(newcomer, now)) collisions.splice(i, 1)
      else i++
    }
  }

  #isDecided(newcomer: number, now: number): boolean {
    const { bucketing, entries, tried } = this.#tables
    const occupant = tried.at(bucketing.triedPlace(entries.node(newcomer)))
    if (occupant !== NONE) {
      const sinceTry = now - (entries.lastTry[occupant] as number)
      if (now - (entries.lastSuccess[occupant] as number) < REPLACEMENT_S) return true
      const wasTested = sinceTry < REPLACEMENT_S
      if (wasTested && sinceTry <= TEST_ANSWER_S) return false
      if (!wasTested && now - (entries.lastSuccess[newcomer] as number) <= TEST_WINDOW_S) return false
    }
    this.#answered(newcomer, false, now)
    return true
  }

  /** What a `getaddr` is told: addresses that are not terrible, each as likely. */
  getAddr(answer: Answer, now: UnixSeconds): Array<KnownAddress> {
    const { classes, entries, everybody } = this.#tables
    const { maxAddresses = GETADDR_MAX, maxPercent = GETADDR_MAX_PCT, network } = answer
    const most = Math.min(maxAddresses, Math.floor((Math.min(maxPercent, 100) * entries.size) / 100))
    const isWanted = (entry: number): boolean => !this.#isTerrible(entry, now)
    const drawn =
      network === undefined
        ? everybody.sample(EVERYBODY, most, isWanted, this.#random)
        : classes.sample(networkNumber(network), most, isWanted, this.#random)
    return drawn.map((entry) => this.#known(entry))
  }

  /** What is known of an address. */
  find(node: NodeAddress): AddressInfo | undefined {
    const entry = this.#tables.entries.find(node)
    return entry === NONE ? undefined : this.#info(entry)
  }

  /** All that is known, in no order. Nothing may be told to the manager meanwhile. */
  *addresses(): Generator<AddressInfo, void> {
    for (const entry of this.#tables.everybody.items(EVERYBODY)) yield this.#info(entry)
  }

  /** Throws where what is kept disagrees with itself. For tests: it looks at every place. */
  check(): void {
    assertConsistent(this.#tables)
  }

  #isTerrible(entry: number, now: number): boolean {
    return isTerrible(this.#tables.entries, entry, now)
  }

  #known(entry: number): KnownAddress {
    const { entries } = this.#tables
    const { address, network, port } = entries.node(entry)
    return {
      network,
      address,
      port,
      services: entries.services[entry] as bigint,
      time: UnixSeconds(entries.time[entry] as number)
    }
  }

  #candidate(entry: number): Candidate {
    return { ...this.#known(entry), lastTry: UnixSeconds(this.#tables.entries.lastTry[entry] as number) }
  }

  #info(entry: number): AddressInfo {
    const { entries } = this.#tables
    const isTried = entries.isTried[entry] === 1
    const first = entry * NEW_BUCKETS_PER_ADDRESS
    const places = isTried ? entries.places.subarray(first, first + 1) : entries.newPlaces(entry)
    return {
      ...this.#candidate(entry),
      source: entries.source(entry),
      lastSuccess: UnixSeconds(entries.lastSuccess[entry] as number),
      attempts: entries.attempts[entry] as number,
      table: isTried ? "tried" : "new",
      places: Array.from(places, (place) => ({
        bucket: Math.floor(place / BUCKET_SIZE),
        position: place % BUCKET_SIZE
      }))
    }
  }
}
