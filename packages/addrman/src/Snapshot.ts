/**
 * All that an address manager knows as plain data: what a file keeps between two runs. A column for each thing that is known, in which the
 * addresses have one order; numbers lie there with their lowest byte first.
 *
 * Places are not written but worked out again from the key, so that no file can put an address where it does not belong. For each address of the
 * new table the buckets are named, because they follow from who told of it, of whom only the first is known. Where what counts as one
 * owner's has changed meanwhile (another AS map), those say nothing any more, and each address is spread anew by its first source.
 */
import {
  INTERNAL_LENGTH,
  type NetAddr,
  NETWORKS,
  type NetworkRow,
  type NodeAddress,
  isRoutable
} from "@satwire/netaddress"
import * as Result from "effect/Result"
import { SET_TRIED_COLLISION_SIZE } from "./AddressRules.ts"
import { NONE } from "./BucketTable.ts"
import { BUCKET_SIZE, KEY_LENGTH, NEW_BUCKET_COUNT } from "./Bucketing.ts"
import { MAX_ENTRIES, NEW_BUCKETS_PER_ADDRESS } from "./Entries.ts"
import { EVERYBODY, type Tables } from "./Tables.ts"

export interface AddrManSnapshot {
  readonly key: Uint8Array
  /** `NetGroups.version` under which the buckets were worked out. */
  readonly groups: Uint8Array
  /** When any node last answered, in seconds since 1970, as all times here. */
  readonly lastGood: number
  readonly count: number
  /** BIP-0155's number of each network; a byte each. */
  readonly network: Uint8Array
  /** Addresses, one behind another, as long as their networks' are. */
  readonly address: Uint8Array
  /** 2 bytes each. */
  readonly port: Uint8Array
  /** 8 bytes each. */
  readonly services: Uint8Array
  /** BIP-0155's number of who told of it first, 0 for a name; a byte each. */
  readonly sourceNetwork: Uint8Array
  readonly source: Uint8Array
  /** Times are floating-point numbers of 8 bytes each. */
  readonly time: Uint8Array
  readonly lastTry: Uint8Array
  readonly lastCountedTry: Uint8Array
  readonly lastSuccess: Uint8Array
  /** 4 bytes each. */
  readonly attempts: Uint8Array
  /** How many buckets of the new table each is in, 0 where it is among the tried; a byte each. */
  readonly refCount: Uint8Array
  /** Those buckets, 2 bytes each. */
  readonly buckets: Uint8Array
  /** Which of the addresses wait for their place among the tried. */
  readonly collisions: ReadonlyArray<number>
}

/** How many addresses found no place any more. */
export interface Lost {
  readonly new: number
  readonly tried: number
}

const COLUMNS = {
  network: 1,
  port: 2,
  services: 8,
  sourceNetwork: 1,
  time: 8,
  lastTry: 8,
  lastCountedTry: 8,
  lastSuccess: 8,
  attempts: 4,
  refCount: 1
} as const

const INTERNAL_ID = 0

const NETWORK_BY_ID: ReadonlyMap<number, NetworkRow> = new Map(NETWORKS.map((row) => [row.id, row]))
const LONGEST_ADDRESS = 32

/** Everything in the tables, for {@link readSnapshot}. */
export const takeSnapshot = (
  tables: Tables,
  kept: { readonly key: Uint8Array; readonly groups: Uint8Array; readonly lastGood: number }
): AddrManSnapshot => {
  const { entries } = tables
  const order = tables.everybody.items(EVERYBODY)
  const column = (width: number, write: (view: DataView, at: number, entry: number) => void): Uint8Array => {
    const bytes = new Uint8Array(order.length * width)
    const view = new DataView(bytes.buffer)
    for (let i = 0; i < order.length; i++) write(view, i * width, order[i] as number)
    return bytes
  }
  const f64 = (values: Float64Array): Uint8Array =>
    column(8, (view, at, entry) => view.setFloat64(at, values[entry] as number, true))
  const joined = (copy: (entry: number, into: Uint8Array, at: number) => number): Uint8Array => {
    const bytes = new Uint8Array(order.length * LONGEST_ADDRESS)
    let end = 0
    for (const entry of order) end = copy(entry, bytes, end)
    return bytes.slice(0, end)
  }
  return {
    ...kept,
    count: order.length,
    network: column(1, (view, at, entry) => view.setUint8(at, NETWORKS[entries.network[entry] as number]?.id ?? 0)),
    address: joined((entry, into, at) => entries.copyAddress(entry, into, at)),
    port: column(2, (view, at, entry) => view.setUint16(at, entries.port[entry] as number, true)),
    services: column(8, (view, at, entry) => view.setBigUint64(at, entries.services[entry] as bigint, true)),
    sourceNetwork: column(1, (view, at, entry) => view.setUint8(at, entries.sourceId(entry))),
    source: joined((entry, into, at) => entries.copySource(entry, into, at)),
    time: f64(entries.time),
    lastTry: f64(entries.lastTry),
    lastCountedTry: f64(entries.lastCountedTry),
    lastSuccess: f64(entries.lastSuccess),
    attempts: column(4, (view, at, entry) => view.setUint32(at, entries.attempts[entry] as number, true)),
    refCount: column(1, (view, at, entry) => view.setUint8(at, entries.refCount[entry] as number)),
    buckets: bucketsOf(tables, order),
    collisions: tables.collisions.filter((entry) => entry !== NONE).map((entry) => order.indexOf(entry))
  }
}

const bucketsOf = ({ entries }: Tables, order: Int32Array): Uint8Array => {
  const bytes = new Uint8Array(order.length * 2 * NEW_BUCKETS_PER_ADDRESS)
  const view = new DataView(bytes.buffer)
  let end = 0
  for (const entry of order) {
    for (let i = 0; i < (entries.refCount[entry] as number); i++, end += 2) {
      const place = entries.places[entry * NEW_BUCKETS_PER_ADDRESS + i] as number
      view.setUint16(end, Math.floor(place / BUCKET_SIZE), true)
    }
  }
  return bytes.slice(0, end)
}

/** The snapshot that `value` is, or what shows that it is none. */
export const readSnapshot = (value: unknown): Result.Result<AddrManSnapshot, string> => {
  if (typeof value !== "object" || value === null) return Result.fail("it is no snapshot")
  const fields = value as Readonly<Record<string, unknown>>
  const { buckets, collisions, count, groups, key, lastGood } = fields
  if (!isCount(count, MAX_ENTRIES)) return Result.fail("its count is out of range")
  for (const [name, width] of Object.entries(COLUMNS)) {
    if (!isBytes(fields[name], count * width)) return Result.fail(`its column "${name}" does not have ${count} entries`)
  }
  const snapshot = value as AddrManSnapshot
  if (!isBytes(key, KEY_LENGTH) || !isBytes(groups, KEY_LENGTH)) return Result.fail("its key is not 32 bytes long")
  if (typeof lastGood !== "number" || !(lastGood >= 0)) return Result.fail("its last success is no time")
  const addressBytes = totalLength(snapshot.network, false)
  const sourceBytes = totalLength(snapshot.sourceNetwork, true)
  if (addressBytes === undefined || sourceBytes === undefined)
    return Result.fail("it names a network that there is not")
  if (!isBytes(fields["address"], addressBytes) || !isBytes(fields["source"], sourceBytes)) {
    return Result.fail("its addresses are not as long as their networks say")
  }
  if (snapshot.refCount.some((refs) => refs > NEW_BUCKETS_PER_ADDRESS)) {
    return Result.fail("an address is in more buckets than it may be")
  }
  const references = snapshot.refCount.reduce((sum, refs) => sum + refs, 0)
  if (!isBytes(buckets, 2 * references)) return Result.fail("its buckets are not as many as it says")
  const areCollisions =
    Array.isArray(collisions) &&
    collisions.length <= SET_TRIED_COLLISION_SIZE &&
    collisions.every((row) => isCount(row, count - 1))
  return areCollisions ? Result.succeed(snapshot) : Result.fail("its collisions are no addresses of its own")
}

const isBytes = (value: unknown, length: number): value is Uint8Array =>
  value instanceof Uint8Array && value.length === length

const isCount = (value: unknown, most: number): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most

const lengthOf = (id: number, mayBeInternal: boolean): number | undefined =>
  id === INTERNAL_ID && mayBeInternal ? INTERNAL_LENGTH : NETWORK_BY_ID.get(id)?.length

const totalLength = (ids: Uint8Array, mayBeInternal: boolean): number | undefined => {
  let total = 0
  for (const id of ids) {
    const length = lengthOf(id, mayBeInternal)
    if (length === undefined) return undefined
    total += length
  }
  return total
}

/**
 * Puts the addresses of a snapshot into empty tables.
 *
 * A time after `now` of something that we did ourselves was written under a clock that was ahead, and counts as now: else the address
 * would never again be terrible, or be tried.
 *
 * @param areGroupsSame whether the buckets that it names are still right
 */
export const fillTables = (tables: Tables, snapshot: AddrManSnapshot, areGroupsSame: boolean, now: number): Lost => {
  const lost = { new: 0, tried: 0 }
  const entries = new Map<number, number>()
  const fortunes = fortunesOf(snapshot, now)
  for (const told of rowsOf(snapshot)) {
    const isTaken = isRoutable(told.node) && tables.entries.find(told.node) === NONE
    const entry = isTaken ? place(tables, told, areGroupsSame, fortunes) : NONE
    if (entry === NONE) lost[told.buckets.length === 0 ? "tried" : "new"]++
    else entries.set(told.row, entry)
  }
  for (const row of snapshot.collisions) {
    const entry = entries.get(row)
    const waits = entry !== undefined && tables.entries.isTried[entry] === 0 && !tables.collisions.includes(entry)
    if (waits) tables.collisions.push(entry)
  }
  return lost
}

/** What is known of an address that has no fixed length. */
interface Told {
  readonly row: number
  readonly node: NodeAddress
  readonly source: NetAddr
  /** None of one that was tried. */
  readonly buckets: ReadonlyArray<number>
}

function* rowsOf(snapshot: AddrManSnapshot): Generator<Told, void> {
  const ports = viewOf(snapshot.port)
  const buckets = viewOf(snapshot.buckets)
  let addressAt = 0
  let sourceAt = 0
  let bucketAt = 0
  for (let row = 0; row < snapshot.count; row++) {
    const network = NETWORK_BY_ID.get(snapshot.network[row] as number) ?? NETWORKS[0]
    const source = NETWORK_BY_ID.get(snapshot.sourceNetwork[row] as number)
    const addressEnd = addressAt + (network?.length ?? 0)
    const sourceEnd = sourceAt + (source?.length ?? INTERNAL_LENGTH)
    const bucketEnd = bucketAt + 2 * (snapshot.refCount[row] as number)
    yield {
      row,
      node: {
        network: network?.network ?? "ipv4",
        address: snapshot.address.subarray(addressAt, addressEnd),
        port: ports.getUint16(2 * row, true)
      },
      source: {
        network: source?.network ?? "internal",
        address: snapshot.source.subarray(sourceAt, sourceEnd)
      },
      buckets: Array.from(
        { length: snapshot.refCount[row] as number },
        (_, i) => buckets.getUint16(bucketAt + 2 * i, true) % NEW_BUCKET_COUNT
      )
    }
    addressAt = addressEnd
    sourceAt = sourceEnd
    bucketAt = bucketEnd
  }
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Copies all else that is known of an address to its entry. */
type Fortunes = (tables: Tables, entry: number, row: number) => void

const fortunesOf = (snapshot: AddrManSnapshot, now: number): Fortunes => {
  const services = viewOf(snapshot.services)
  const attempts = viewOf(snapshot.attempts)
  const time = viewOf(snapshot.time)
  const past = (["lastTry", "lastCountedTry", "lastSuccess"] as const).map(
    (name) => [name, viewOf(snapshot[name])] as const
  )
  return ({ entries }, entry, row) => {
    entries.services[entry] = services.getBigUint64(8 * row, true)
    entries.attempts[entry] = attempts.getUint32(4 * row, true)
    entries.time[entry] = within(time.getFloat64(8 * row, true), 0xffffffff)
    for (const [name, view] of past) entries[name][entry] = within(view.getFloat64(8 * row, true), now)
  }
}

/** `value` between 0 and `most`; 0 where it is no number at all. */
const within = (value: number, most: number): number => (value > 0 ? Math.min(value, most) : 0)

/** Takes in one address and gives it its places; the entry, or {@link NONE} where all of them are taken. */
const place = (
  tables: Tables,
  { buckets, node, row, source }: Told,
  areGroupsSame: boolean,
  fortunes: Fortunes
): number => {
  const { bucketing, entries, tried } = tables
  const entry = tables.register(node, source)
  fortunes(tables, entry, row)
  if (buckets.length === 0 && (entries.lastSuccess[entry] as number) > 0) {
    const triedPlace = bucketing.triedPlace(node)
    if (tried.at(triedPlace) === NONE) {
      tables.putTried(entry, triedPlace)
      return entry
    }
  }
  if (areGroupsSame) for (const bucket of buckets) takeIfFree(tables, entry, bucketing.newPlaceIn(bucket, node))
  // Spread anew; and who lost a place among the tried goes back to the new, as one does who is evicted.
  if (entries.refCount[entry] === 0) takeIfFree(tables, entry, tables.primaryPlace(entry))
  if ((entries.refCount[entry] as number) > 0) return entry
  tables.forget(entry)
  return NONE
}

const takeIfFree = (tables: Tables, entry: number, place: number): void => {
  if (tables.new.at(place) === NONE) tables.putNew(entry, place)
}
