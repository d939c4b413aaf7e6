/** One address as it was kept, wherever that was, and how all that was kept gets its places again. */
import { type NetAddr, type NodeAddress, isRoutable } from "@satwire/netaddress"
import { NONE } from "./BucketTable.ts"
import type { Tables } from "./Tables.ts"

export interface KeptRow {
  readonly node: NodeAddress
  readonly source: NetAddr
  readonly services: bigint
  readonly time: number
  readonly lastTry: number
  readonly lastCountedTry: number
  readonly lastSuccess: number
  readonly attempts: number
  /** Of the new table; none of an address that was tried. */
  readonly buckets: ReadonlyArray<number>
  /** How many wait for their place among the tried before it does; `undefined` where it does not wait. */
  readonly waitsBehind: number | undefined
}

/** How many addresses found no place any more. */
export interface Lost {
  readonly new: number
  readonly tried: number
}

/**
 * Puts addresses into empty tables.
 *
 * A time after `now` of something that we did ourselves was written under a clock that was ahead, and counts as now: else the address
 * would never again be terrible, or be tried.
 *
 * @param areGroupsSame whether the buckets that they name are still right
 */
export const fillTables = (tables: Tables, rows: Iterable<KeptRow>, areGroupsSame: boolean, now: number): Lost => {
  const lost = { new: 0, tried: 0 }
  const { collisions, entries } = tables
  const line: Array<{ readonly entry: number; readonly behind: number }> = []
  for (const row of rows) {
    const isTaken = isRoutable(row.node) && entries.find(row.node) === NONE
    const entry = isTaken ? place(tables, row, areGroupsSame, now) : NONE
    if (entry === NONE) lost[row.buckets.length === 0 ? "tried" : "new"]++
    else if (row.waitsBehind !== undefined && entries.isTried[entry] === 0)
      line.push({ entry, behind: row.waitsBehind })
  }
  for (const { entry } of line.sort((a, b) => a.behind - b.behind)) collisions.push(entry)
  return lost
}

/** Takes in one address and gives it its places; the entry, or {@link NONE} where all of them are taken. */
const place = (tables: Tables, row: KeptRow, areGroupsSame: boolean, now: number): number => {
  const { bucketing, entries, tried } = tables
  const { buckets, node } = row
  const entry = tables.register(node, row.source)
  entries.services[entry] = row.services
  entries.time[entry] = within(row.time, 0xffffffff)
  entries.lastTry[entry] = within(row.lastTry, now)
  entries.lastCountedTry[entry] = within(row.lastCountedTry, now)
  entries.lastSuccess[entry] = within(row.lastSuccess, now)
  entries.attempts[entry] = row.attempts
  if (buckets.length === 0 && row.lastSuccess > 0) {
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

/** `value` between 0 and `most`; 0 where it is no number at all. */
const within = (value: number, most: number): number => (value > 0 ? Math.min(value, most) : 0)

const takeIfFree = (tables: Tables, entry: number, place: number): void => {
  if (tables.new.at(place) === NONE) tables.putNew(entry, place)
}
