/**
 * All that an address manager knows as plain data: what a file keeps between two runs. A column for each thing that is known, in which the
 * addresses have one order; numbers lie there with their lowest byte first.
 *
 * Places are not written but worked out again from the key, so that no file can put an address where it does not belong. For each address of the
 * new table the buckets are named, because they follow from who told of it, of whom only the first is known. Where what counts as one
 * owner's has changed meanwhile (another AS map), those say nothing any more, and each address is spread anew by its first source.
 */
import { INTERNAL_LENGTH, NETWORKS, type NetworkRow } from "@satwire/netaddress"
import * as Result from "effect/Result"
import { SET_TRIED_COLLISION_SIZE } from "./AddressRules.ts"
import { NONE } from "./BucketTable.ts"
import { BUCKET_SIZE, KEY_LENGTH, NEW_BUCKET_COUNT } from "./Bucketing.ts"
import { MAX_ENTRIES, NEW_BUCKETS_PER_ADDRESS } from "./Entries.ts"
import type { KeptRow } from "./KeptRow.ts"
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
  /** Which of the addresses wait for their place among the tried, the first of them first. */
  readonly collisions: ReadonlyArray<number>
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

/** The addresses of a snapshot that was read, one after another. */
export function* rowsOf(snapshot: AddrManSnapshot): Generator<KeptRow, void> {
  const ports = viewOf(snapshot.port)
  const services = viewOf(snapshot.services)
  const attempts = viewOf(snapshot.attempts)
  const buckets = viewOf(snapshot.buckets)
  const time = viewOf(snapshot.time)
  const lastTry = viewOf(snapshot.lastTry)
  const lastCountedTry = viewOf(snapshot.lastCountedTry)
  const lastSuccess = viewOf(snapshot.lastSuccess)
  const waiting = new Map(snapshot.collisions.map((row, behind) => [row, behind]))
  let addressAt = 0
  let sourceAt = 0
  let bucketAt = 0
  for (let row = 0; row < snapshot.count; row++) {
    const network = NETWORK_BY_ID.get(snapshot.network[row] as number) as NetworkRow
    const source = NETWORK_BY_ID.get(snapshot.sourceNetwork[row] as number)
    const addressFrom = addressAt
    const sourceFrom = sourceAt
    const bucketFrom = bucketAt
    addressAt += network.length
    sourceAt += source?.length ?? INTERNAL_LENGTH
    bucketAt += 2 * (snapshot.refCount[row] as number)
    yield {
      node: {
        network: network.network,
        address: snapshot.address.subarray(addressFrom, addressAt),
        port: ports.getUint16(2 * row, true)
      },
      source: {
        network: source?.network ?? "internal",
        address: snapshot.source.subarray(sourceFrom, sourceAt)
      },
      services: services.getBigUint64(8 * row, true),
      time: time.getFloat64(8 * row, true),
      lastTry: lastTry.getFloat64(8 * row, true),
      lastCountedTry: lastCountedTry.getFloat64(8 * row, true),
      lastSuccess: lastSuccess.getFloat64(8 * row, true),
      attempts: attempts.getUint32(4 * row, true),
      buckets: Array.from(
        { length: snapshot.refCount[row] as number },
        (_, i) => buckets.getUint16(bucketFrom + 2 * i, true) % NEW_BUCKET_COUNT
      ),
      waitsBehind: waiting.get(row)
    }
  }
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
