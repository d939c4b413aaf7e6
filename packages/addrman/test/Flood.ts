/**
 * The attack of Heilman and others (2015) on this package alone: an attacker tells a node of nobody but himself, and the question is how
 * much of what it would dial is his. The same on a list without buckets, which keeps as much as the tables do.
 */
import { ChaChaRandom } from "@satwire/crypto"
import { type Random, shuffle } from "@satwire/machine"
import { type AddrMan, GOSSIP_TIME_PENALTY_S, type KnownAddress, MAX_ENTRIES, type Table } from "../src/index.ts"
import { addrMan, at, host, ipv4, known } from "./KnownAddresses.ts"

export interface Attack {
  readonly seed: number
  /** Nodes that are honest, each in a /16 of its own as far as there are so many; told by some hundred sources. */
  readonly honest: number
  /** How many of them have answered before. */
  readonly tried: number
  /** His addresses. */
  readonly addresses: number
  /** The /16s in which they lie. */
  readonly groups: number
  /** The /16s from which he tells of them. */
  readonly sources: number
  /** How often he tells of all of them. */
  readonly rounds: number
}

export interface Shares {
  /** Of the addresses of the table. */
  readonly held: Readonly<Record<Table, number>>
  /** Of the draws. */
  readonly drawn: { readonly newOnly: number; readonly any: number }
  /** Of the draws from a list without buckets. */
  readonly flat: number
  /** How many honest addresses are still known. */
  readonly honest: number
}

/** His networks: 240.0/16 and on, where nobody else lives in these tests. */
const HIS = 240
const isHis = ({ address }: { readonly address: Uint8Array }): boolean => (address[0] as number) >= HIS

const BATCH = 1000
const DRAWS = 20_000

/** A list without buckets: a newcomer takes the place of somebody at random where it is full. */
class FlatList {
  readonly #addresses: Array<KnownAddress> = []
  readonly #known: Set<string> = new Set()
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  add(addresses: ReadonlyArray<KnownAddress>): void {
    for (const address of addresses) {
      const key = address.address.join(".")
      if (this.#known.has(key)) continue
      this.#known.add(key)
      if (this.#addresses.length < MAX_ENTRIES) this.#addresses.push(address)
      else this.#addresses[this.#random.below(MAX_ENTRIES)] = address
    }
  }

  share(): number {
    return this.#addresses.filter(isHis).length / this.#addresses.length
  }
}

export const flood = (attack: Attack): Shares => {
  const random = ChaChaRandom.fromNumber(attack.seed)
  const victim = addrMan(attack.seed)
  const flat = new FlatList(random)
  const honest = Array.from({ length: attack.honest }, () =>
    known(ipv4(0x0100 + random.below(0xde00), 1 + random.below(60_000)))
  ).filter(({ address: [a] }) => a !== 10 && a !== 127)
  for (const one of honest) {
    victim.add([one], host(ipv4(0x0100 + 7 * random.below(200), 1)), at(0), GOSSIP_TIME_PENALTY_S)
    flat.add([one])
  }
  for (const one of honest.slice(0, attack.tried)) victim.good(one, at(0))

  const his = Array.from({ length: attack.addresses }, (_, n) =>
    known(ipv4(HIS * 256 + (n % attack.groups), Math.floor(n / attack.groups)))
  )
  for (let round = 0; round < attack.rounds; round++) {
    shuffle(random, his)
    const now = at(round * 86_400)
    for (let i = 0; i < his.length; i += BATCH) {
      const told = his.slice(i, i + BATCH).map((one) => ({ ...one, time: now }))
      const from = host(ipv4(HIS * 256 + 100 + ((i / BATCH) % attack.sources), 1))
      victim.add(told, from, now, GOSSIP_TIME_PENALTY_S)
      flat.add(told)
    }
  }
  return sharesOf(victim, flat, at((attack.rounds - 1) * 86_400 + 3600))
}

const sharesOf = (victim: AddrMan, flat: FlatList, now: ReturnType<typeof at>): Shares => {
  const all = [...victim.addresses()]
  const share = (table: Table): number => {
    const there = all.filter((info) => info.table === table)
    return there.filter(isHis).length / Math.max(1, there.length)
  }
  const draw = (newOnly: boolean): number => {
    let his = 0
    for (let i = 0; i < DRAWS; i++) if (isHis(victim.select({ newOnly }, now) as KnownAddress)) his++
    return his / DRAWS
  }
  return {
    held: { new: share("new"), tried: share("tried") },
    drawn: { newOnly: draw(true), any: draw(false) },
    flat: flat.share(),
    honest: all.filter((info) => !isHis(info)).length
  }
}
