/**
 * What is known of each address, in columns of flat memory. An entry is a number, that of its row: when an address is forgotten its row is
 * given to the next one. So no number ever grows beyond the size of the tables, however many addresses peers tell of, and none can
 * overflow (CVE-2024-52919: Core counted them up, in 32 bits).
 *
 * Peers choose the addresses, so they are found by a hash under a key of this process's own.
 */
import { type SipKey, sipHash24, sipKey } from "@satwire/crypto"
import { type Random, assert } from "@satwire/machine"
import { INTERNAL_LENGTH, NETWORKS, type NetAddr, type Network, type NodeAddress } from "@satwire/netaddress"
import { NONE } from "./BucketTable.ts"
import { BUCKET_SIZE, NEW_BUCKET_COUNT, TRIED_BUCKET_COUNT } from "./Bucketing.ts"

/**
 * As many as have places in the tables.
 *
 * @limit addresses that are known
 */
export const MAX_ENTRIES: number = BUCKET_SIZE * (NEW_BUCKET_COUNT + TRIED_BUCKET_COUNT)
/**
 * How many places an address may have in the new table: Core's `ADDRMAN_NEW_BUCKETS_PER_ADDRESS`.
 *
 * @limit places of one address in the new table
 */
export const NEW_BUCKETS_PER_ADDRESS = 8

/** The longest address; each has so much room. */
const ADDRESS_BYTES = 32
/** A network, an address, a port. */
const KEY_BYTES = 1 + ADDRESS_BYTES + 2
/** In the column of sources: no network. */
const INTERNAL: number = NETWORKS.length
const FIRST_ROWS = 256

const NUMBERS: ReadonlyMap<string, number> = new Map([
  ...NETWORKS.map(({ network }, i) => [network, i] as const),
  ["internal", INTERNAL] as const
])

/** The place of a network in `NETWORKS`. */
export const networkNumber = (network: Network): number => NUMBERS.get(network) as number

const lengthOf = (number: number): number => (number === INTERNAL ? INTERNAL_LENGTH : (NETWORKS[number]?.length ?? 0))

export class Entries {
  /** By its place in `NETWORKS`. */
  network: Uint8Array = new Uint8Array(0)
  port: Uint16Array = new Uint16Array(0)
  services: BigUint64Array = new BigUint64Array(0)
  /** The same memory, two words each. */
  serviceWords: Uint32Array = new Uint32Array(0)
  time: Float64Array = new Float64Array(0)
  lastTry: Float64Array = new Float64Array(0)
  lastCountedTry: Float64Array = new Float64Array(0)
  lastSuccess: Float64Array = new Float64Array(0)
  attempts: Uint32Array = new Uint32Array(0)
  isTried: Uint8Array = new Uint8Array(0)
  /** How many places it has in the new table. */
  refCount: Uint8Array = new Uint8Array(0)
  /** Those places, {@link NEW_BUCKETS_PER_ADDRESS} for each; of a tried one the first is its place among the tried. */
  places: Uint16Array = new Uint16Array(0)

  #address: Uint8Array = new Uint8Array(0)
  #sourceNetwork: Uint8Array = new Uint8Array(0)
  #source: Uint8Array = new Uint8Array(0)
  /** Chains of entries whose hashes share their lowest bits; free rows are a chain of their own. */
  #next: Int32Array = new Int32Array(0)
  #hash: Int32Array = new Int32Array(0)
  #heads: Int32Array = new Int32Array(0)
  #free = NONE
  #rows = 0
  #size = 0

  readonly #key: SipKey
  readonly #keyBytes: Uint8Array = new Uint8Array(KEY_BYTES)
  readonly #halves: Uint32Array = new Uint32Array(2)

  constructor(random: Random) {
    this.#key = sipKey(random.bytes(16))
    this.#grow(FIRST_ROWS)
  }

  /** How many addresses are known. */
  get size(): number {
    return this.#size
  }

  /** How many rows there are, free ones included: entries are smaller than that. */
  get rows(): number {
    return this.#rows
  }

  /** The entry of an address, or {@link NONE}. */
  find(node: NodeAddress): number {
    const hash = this.#hashOf(node)
    let entry = this.#heads[hash & (this.#heads.length - 1)] as number
    while (entry !== NONE && !(this.#hash[entry] === hash && this.#is(entry, node))) entry = this.#next[entry] as number
    return entry
  }

  /** Takes in an address that is not known, with nothing known of it but its source, and gives its entry. */
  add(node: NodeAddress, source: NetAddr): number {
    if (this.#free === NONE) this.#grow(Math.min(2 * this.#rows, MAX_ENTRIES))
    assert(this.#free !== NONE, "more addresses are known than have places")
    const entry = this.#free
    this.#free = this.#next[entry] as number
    this.network[entry] = networkNumber(node.network)
    this.#address.set(node.address, entry * ADDRESS_BYTES)
    this.port[entry] = node.port
    this.#sourceNetwork[entry] = NUMBERS.get(source.network) as number
    this.#source.set(source.address, entry * ADDRESS_BYTES)
    this.services[entry] = 0n
    for (const column of [this.time, this.lastTry, this.lastCountedTry, this.lastSuccess, this.attempts])
      column[entry] = 0
    this.isTried[entry] = 0
    this.refCount[entry] = 0
    this.#link(entry, this.#hashOf(node))
    this.#size++
    return entry
  }

  /** Forgets an address. */
  remove(entry: number): void {
    const bucket = (this.#hash[entry] as number) & (this.#heads.length - 1)
    if (this.#heads[bucket] === entry) this.#heads[bucket] = this.#next[entry] as number
    else {
      let before = this.#heads[bucket] as number
      while (this.#next[before] !== entry) before = this.#next[before] as number
      this.#next[before] = this.#next[entry] as number
    }
    this.#next[entry] = this.#free
    this.#free = entry
    this.#size--
  }

  /** Writes the address to `into` at `at`; gives where it ends. */
  copyAddress(entry: number, into: Uint8Array, at: number): number {
    return copyBytes(this.#address, entry * ADDRESS_BYTES, lengthOf(this.network[entry] as number), into, at)
  }

  /** Writes the address of who first told of it to `into` at `at`; gives where it ends. */
  copySource(entry: number, into: Uint8Array, at: number): number {
    return copyBytes(this.#source, entry * ADDRESS_BYTES, lengthOf(this.#sourceNetwork[entry] as number), into, at)
  }

  /** BIP-0155's number of the network of who first told of it; 0 for a name. */
  sourceId(entry: number): number {
    return NETWORKS[this.#sourceNetwork[entry] as number]?.id ?? 0
  }

  /** The address in memory of its own. */
  node(entry: number): NodeAddress {
    const row = NETWORKS[this.network[entry] as number]
    assert(row !== undefined, "an entry has no network")
    const at = entry * ADDRESS_BYTES
    return { network: row.network, address: this.#address.slice(at, at + row.length), port: this.port[entry] as number }
  }

  /** Who first told of the address, in memory of its own. */
  source(entry: number): NetAddr {
    const number = this.#sourceNetwork[entry] as number
    const at = entry * ADDRESS_BYTES
    return {
      network: NETWORKS[number]?.network ?? "internal",
      address: this.#source.slice(at, at + lengthOf(number))
    }
  }

  /** Notes another place in the new table. */
  addPlace(entry: number, place: number): void {
    const count = this.refCount[entry] as number
    this.places[entry * NEW_BUCKETS_PER_ADDRESS + count] = place
    this.refCount[entry] = count + 1
  }

  /** Takes back a place in the new table. */
  removePlace(entry: number, place: number): void {
    const first = entry * NEW_BUCKETS_PER_ADDRESS
    const last = first + (this.refCount[entry] as number) - 1
    const at = this.places.indexOf(place, first)
    assert(at >= first && at <= last, "an entry does not know of its place")
    this.places[at] = this.places[last] as number
    this.refCount[entry] = last - first
  }

  /** The places in the new table. */
  newPlaces(entry: number): Uint16Array {
    const first = entry * NEW_BUCKETS_PER_ADDRESS
    return this.places.slice(first, first + (this.refCount[entry] as number))
  }

  #is(entry: number, { address, network, port }: NodeAddress): boolean {
    if (this.port[entry] !== port || this.network[entry] !== networkNumber(network)) return false
    const at = entry * ADDRESS_BYTES
    for (let i = 0; i < address.length; i++) if (this.#address[at + i] !== address[i]) return false
    return true
  }

  #hashOf({ address, network, port }: NodeAddress): number {
    const key = this.#keyBytes
    key[0] = networkNumber(network)
    key.set(address, 1)
    key[1 + address.length] = port
    key[2 + address.length] = port >>> 8
    sipHash24(this.#key, key, 0, 3 + address.length, this.#halves)
    return (this.#halves[0] as number) | 0
  }

  #link(entry: number, hash: number): void {
    const bucket = hash & (this.#heads.length - 1)
    this.#hash[entry] = hash
    this.#next[entry] = this.#heads[bucket] as number
    this.#heads[bucket] = entry
  }

  #grow(rows: number): void {
    const before = this.#rows
    const widened = <A extends Column>(column: A, width = 1): A => widen(column, rows * width)
    this.network = widened(this.network)
    this.port = widened(this.port)
    this.services = widened(this.services)
    this.serviceWords = new Uint32Array(this.services.buffer)
    this.time = widened(this.time)
    this.lastTry = widened(this.lastTry)
    this.lastCountedTry = widened(this.lastCountedTry)
    this.lastSuccess = widened(this.lastSuccess)
    this.attempts = widened(this.attempts)
    this.isTried = widened(this.isTried)
    this.refCount = widened(this.refCount)
    this.places = widened(this.places, NEW_BUCKETS_PER_ADDRESS)
    this.#address = widened(this.#address, ADDRESS_BYTES)
    this.#sourceNetwork = widened(this.#sourceNetwork)
    this.#source = widened(this.#source, ADDRESS_BYTES)
    this.#next = widened(this.#next)
    this.#hash = widened(this.#hash)
    this.#heads = new Int32Array(2 ** Math.ceil(Math.log2(rows))).fill(NONE)
    this.#rows = rows
    // Nothing is free where it grows: every row before is linked anew, and all behind are free.
    for (let entry = 0; entry < before; entry++) this.#link(entry, this.#hash[entry] as number)
    for (let entry = rows - 1; entry >= before; entry--) {
      this.#next[entry] = this.#free
      this.#free = entry
    }
  }
}

/** A loop, because `set` of a subarray costs more than so few bytes do. */
const copyBytes = (from: Uint8Array, start: number, length: number, into: Uint8Array, at: number): number => {
  for (let i = 0; i < length; i++) into[at + i] = from[start + i] as number
  return at + length
}

type Column = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array | BigUint64Array

/** A longer column that begins with this one. */
const widen = <A extends Column>(column: A, length: number): A => {
  const wider = new (column.constructor as new (length: number) => A)(length)
  // Both are of one kind: `set` of a union cannot say so.
  ;(wider as Uint8Array).set(column as Uint8Array)
  return wider
}
