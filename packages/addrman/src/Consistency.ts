/**
 * The proof that all that the tables keep is in agreement: every entry, place, list, count and index. It looks at everything and is for
 * tests; Core has it as `CheckAddrman`.
 */
import { assert } from "@satwire/machine"
import { NETWORKS } from "@satwire/netaddress"
import { SET_TRIED_COLLISION_SIZE } from "./AddressRules.ts"
import { type BucketTable, NONE } from "./BucketTable.ts"
import { BUCKET_SIZE } from "./Bucketing.ts"
import { MAX_ENTRIES, NEW_BUCKETS_PER_ADDRESS } from "./Entries.ts"
import { EVERYBODY, type Tables, classOf } from "./Tables.ts"

/** Throws an `AssertionError` where anything disagrees. */
export const assertConsistent = (tables: Tables): void => {
  const { classes, collisions, entries, everybody } = tables
  const known = [...everybody.items(EVERYBODY)]
  const members = new Set(known)
  assert(members.size === known.length && known.length === entries.size, "everybody is listed once")
  assert(known.length <= MAX_ENTRIES && entries.rows <= MAX_ENTRIES, "no more is known than has places")
  assert(
    NETWORKS.reduce((sum, _, list) => sum + classes.length(list), 0) === known.length,
    "everybody is listed in one class"
  )
  for (const entry of known) assertEntry(tables, entry)

  const networkOf = (entry: number): number => (members.has(entry) ? (entries.network[entry] as number) : NONE)
  for (const table of [tables.new, tables.tried]) {
    assert(table.disagreements(networkOf).length === 0, "what is drawn from agrees with the places")
  }
  const references = known.reduce((sum, entry) => sum + (entries.refCount[entry] as number), 0)
  assert(taken(tables.new) === references, "every place of the new table is known to its entry")
  const tried = known.filter((entry) => entries.isTried[entry] === 1)
  assert(taken(tables.tried) === tried.length, "every place of the tried table is known to its entry")
  for (const [i] of NETWORKS.entries()) {
    const ofNetwork = (entry: number): boolean => entries.network[entry] === i
    assert(tables.count("tried", 1 << i) === tried.filter(ofNetwork).length, "the tried of each network are counted")
    const all = known.filter(ofNetwork).length
    assert(tables.count("new", 1 << i) + tables.count("tried", 1 << i) === all, "each network is counted")
  }

  const waiting = collisions.filter((entry) => entry !== NONE)
  assert(collisions.length <= SET_TRIED_COLLISION_SIZE, "no more collisions wait than may")
  assert(
    new Set(waiting).size === waiting.length && waiting.every((entry) => members.has(entry)),
    "who collides is known, and waits once"
  )
}

const assertEntry = (tables: Tables, entry: number): void => {
  const { bucketing, classes, entries } = tables
  const node = entries.node(entry)
  assert(entries.find(node) === entry, "an address is found by itself")
  assert(classes.has(classOf(node), entry), "an address is listed in its class")
  const refCount = entries.refCount[entry] as number
  if (entries.isTried[entry] === 1) {
    const place = entries.places[entry * NEW_BUCKETS_PER_ADDRESS] as number
    assert(refCount === 0, "who is tried has no place among the new")
    assert((entries.lastSuccess[entry] as number) > 0, "who is tried has answered")
    assert(place === bucketing.triedPlace(node), "who is tried has its own place")
    return assert(tables.tried.at(place) === entry, "a tried place knows its entry")
  }
  assert(refCount >= 1 && refCount <= NEW_BUCKETS_PER_ADDRESS, "who is new has one to eight places")
  const places = entries.newPlaces(entry)
  assert(new Set(places).size === places.length, "no place is noted twice")
  for (const place of places) {
    assert(tables.new.at(place) === entry, "a new place knows its entry")
    const own = bucketing.newPlaceIn(Math.floor(place / BUCKET_SIZE), node)
    assert(place === own, "who is new has its own place in each bucket")
  }
}

const taken = (table: BucketTable): number => {
  let count = 0
  for (let place = 0; place < table.places; place++) if (table.at(place) !== NONE) count++
  return count
}
