/**
 * Which address is drawn to be tried next. The tables are as likely as one another, however full; in a table a bucket is drawn, then an
 * address in it (`Occupancy.ts`), which is taken with its chance, and more readily the longer the search takes.
 *
 * Source: Bitcoin Core 31.99 `addrman.cpp`, `Select_`; for services `net.cpp`, `ThreadOpenConnections`.
 */
import type { Random } from "@satwire/machine"
import type { Network } from "@satwire/netaddress"
import { chanceOf } from "./AddressRules.ts"
import { ALL_NETWORKS, NONE } from "./BucketTable.ts"
import { networkNumber } from "./Entries.ts"
import type { Tables } from "./Tables.ts"

export interface Selection {
  /** Only addresses that have never answered us, for which feelers are. */
  readonly newOnly?: boolean
  /** Only addresses of these networks; of all where not given or empty. */
  readonly networks?: ReadonlyArray<Network> | undefined
  /** Only addresses that claim all these services. */
  readonly services?: bigint | undefined
}

/**
 * After so many draws without the services that are asked for, all addresses are looked through. Core gives up there.
 *
 * @limit draws of a selection by services
 */
export const SERVICE_DRAWS = 100

/** A set of networks, in which bit i is that of `NETWORKS[i]`. */
export const networkSet = (networks: ReadonlyArray<Network> | undefined): number =>
  networks === undefined || networks.length === 0
    ? ALL_NETWORKS
    : networks.reduce((set, network) => set | (1 << networkNumber(network)), 0)

/** The entry that is drawn, or {@link NONE} where there is none such. */
export const select = (tables: Tables, selection: Selection, random: Random, now: number): number => {
  const networks = networkSet(selection.networks)
  const isNewOnly = selection.newOnly === true
  const { services } = selection
  if (services === undefined || services === 0n) return draw(tables, networks, isNewOnly, random, now)
  wanted[0] = services
  for (let draws = 0; draws < SERVICE_DRAWS; draws++) {
    const entry = draw(tables, networks, isNewOnly, random, now)
    if (entry === NONE || hasServices(tables, entry)) return entry
  }
  return sift(tables, networks, isNewOnly, random, now)
}

/** Reused: the services that are asked for, and the same as two words. */
const wanted = new BigUint64Array(1)
const wantedWords = new Uint32Array(wanted.buffer)

const hasServices = ({ entries }: Tables, entry: number): boolean => {
  const first = wantedWords[0] as number
  const second = wantedWords[1] as number
  return (
    ((entries.serviceWords[2 * entry] as number) & first) >>> 0 === first &&
    ((entries.serviceWords[2 * entry + 1] as number) & second) >>> 0 === second
  )
}

const draw = (tables: Tables, networks: number, isNewOnly: boolean, random: Random, now: number): number => {
  const { entries } = tables
  const newCount = tables.count("new", networks)
  const triedCount = isNewOnly ? 0 : tables.count("tried", networks)
  if (newCount + triedCount === 0) return NONE
  const isFromTried = triedCount > 0 && (newCount === 0 || random.u32() % 2 === 0)
  const table = isFromTried ? tables.tried : tables.new
  for (let eagerness = 1; ; eagerness *= 1.2) {
    const entry = table.draw(networks, random)
    const chance = chanceOf(entries, entry, now) * eagerness
    if (chance >= 1 || random.u32() < chance * 2 ** 32) return entry
  }
}

/** Draws one of all that are wanted, each by its chance. It goes through the rows in order, which memory likes best. */
const sift = (tables: Tables, networks: number, isNewOnly: boolean, random: Random, now: number): number => {
  const { entries } = tables
  let drawn = NONE
  let total = 0
  for (let entry = 0; entry < entries.rows; entry++) {
    if (!hasServices(tables, entry) || (networks & (1 << (entries.network[entry] as number))) === 0) continue
    const isTried = entries.isTried[entry] === 1
    // A row that is neither is free.
    if (isTried ? isNewOnly : entries.refCount[entry] === 0) continue
    const chance = chanceOf(entries, entry, now)
    total += chance
    if (random.unit() * total < chance) drawn = entry
  }
  return drawn
}
