/**
 * The address manager as one would write it from Core's description, with objects, maps and lists: what `AddrMan` is held against. It numbers
 * addresses in the order in which they come, as Core does, from any number on, and draws places by drawing until it hits one.
 */
import { concat, toHex } from "@satwire/bytes"
import { portableSha256, sha256d } from "@satwire/crypto"
import type { Random } from "@satwire/machine"
import {
  type NetAddr,
  type NetGroups,
  type Network,
  type NodeAddress,
  isRoutable,
  netClass,
  nodeKey
} from "@satwire/netaddress"
import type { KnownAddress, Table } from "../src/index.ts"

export interface NaiveInfo {
  readonly node: NodeAddress
  readonly source: NetAddr
  services: bigint
  time: number
  lastTry: number
  lastCountedTry: number
  lastSuccess: number
  attempts: number
  table: Table
  /** As `bucket/position`. */
  places: Set<string>
}

const BUCKETS = { new: 1024, tried: 256 }

export const keyOf = (node: NodeAddress): string => `${node.network} ${toHex(node.address)} ${node.port}`

const little = (value: number, bytes: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** i) % 256)
const counted = (bytes: Uint8Array): Uint8Array => concat([Uint8Array.of(bytes.length), bytes])

export class NaiveAddrMan {
  readonly #key: Uint8Array
  readonly #groups: NetGroups
  readonly #random: Random
  #nextId: bigint
  readonly infos: Map<bigint, NaiveInfo> = new Map()
  readonly #ids: Map<string, bigint> = new Map()
  readonly #tables: Record<Table, Map<string, bigint>> = { new: new Map(), tried: new Map() }
  #collisions: Array<bigint> = []
  #lastGood = 1

  constructor(key: Uint8Array, groups: NetGroups, random: Random, firstId: bigint) {
    this.#key = key
    this.#groups = groups
    this.#random = random
    this.#nextId = firstId
  }

  #hash(...parts: ReadonlyArray<Uint8Array>): bigint {
    const digest = sha256d(portableSha256, concat([this.#key, ...parts]))
    return new DataView(digest.buffer).getBigUint64(0, true)
  }

  #triedPlace(node: NodeAddress): string {
    const spread = Number(this.#hash(counted(nodeKey(node))) % 8n)
    const bucket = Number(this.#hash(counted(this.#groups.group(node)), little(spread, 8)) % 256n)
    return this.#placeIn("K", bucket, node)
  }

  #newPlace(node: NodeAddress, source: NetAddr): string {
    const sourceGroup = counted(this.#groups.group(source))
    const spread = Number(this.#hash(counted(this.#groups.group(node)), sourceGroup) % 64n)
    return this.#placeIn("N", Number(this.#hash(sourceGroup, little(spread, 8)) % 1024n), node)
  }

  #placeIn(table: string, bucket: number, node: NodeAddress): string {
    const letter = Uint8Array.of(table.charCodeAt(0))
    return `${bucket}/${this.#hash(letter, little(bucket, 4), counted(nodeKey(node))) % 64n}`
  }

  isTerrible(info: NaiveInfo, now: number): boolean {
    if (now - info.lastTry <= 60) return false
    if (info.time > now + 600) return true
    if (now - info.time > 30 * 86_400) return true
    if (info.lastSuccess === 0 && info.attempts >= 3) return true
    return now - info.lastSuccess > 7 * 86_400 && info.attempts >= 10
  }

  info(node: NodeAddress): NaiveInfo | undefined {
    const id = this.#ids.get(keyOf(node))
    return id === undefined ? undefined : this.infos.get(id)
  }

  #clearNew(place: string): void {
    const id = this.#tables.new.get(place)
    if (id === undefined) return
    const info = this.infos.get(id) as NaiveInfo
    info.places.delete(place)
    this.#tables.new.delete(place)
    if (info.places.size > 0) return
    this.infos.delete(id)
    this.#ids.delete(keyOf(info.node))
  }

  add(addresses: ReadonlyArray<KnownAddress>, source: NetAddr, now: number, penalty: number): number {
    return addresses.filter((address) => this.#addOne(address, source, now, penalty)).length
  }

  #addOne(address: KnownAddress, source: NetAddr, now: number, gossipPenalty: number): boolean {
    if (!isRoutable(address)) return false
    const isSelf = address.network === source.network && toHex(address.address) === toHex(source.address)
    const penalty = isSelf ? 0 : gossipPenalty
    let id = this.#ids.get(keyOf(address))
    let info = id === undefined ? undefined : this.infos.get(id)
    if (info !== undefined) {
      const interval = now - address.time < 86_400 ? 3600 : 86_400
      if (info.time < address.time - interval - penalty) info.time = Math.max(0, address.time - penalty)
      info.services |= address.services
      if (address.time <= info.time || info.table === "tried" || info.places.size === 8) return false
      if (this.#random.below(2 ** info.places.size) !== 0) return false
    } else {
      id = this.#nextId++
      const { network, address: bytes, port, services } = address
      const never = { lastTry: 0, lastCountedTry: 0, lastSuccess: 0, attempts: 0 }
      const time = Math.max(0, address.time - penalty)
      info = {
        node: { network, address: bytes, port },
        source,
        services,
        time,
        ...never,
        table: "new",
        places: new Set()
      }
    }
    const place = this.#newPlace(address, source)
    const occupant = this.#tables.new.get(place)
    if (occupant === id) return false
    if (occupant !== undefined) {
      const there = this.infos.get(occupant) as NaiveInfo
      if (!this.isTerrible(there, now) && !(there.places.size > 1 && info.places.size === 0)) return false
    }
    this.#clearNew(place)
    this.infos.set(id as bigint, info)
    this.#ids.set(keyOf(address), id as bigint)
    info.places.add(place)
    this.#tables.new.set(place, id as bigint)
    return true
  }

  good(node: NodeAddress, now: number): boolean {
    this.#lastGood = now
    const id = this.#ids.get(keyOf(node))
    return id !== undefined && this.#answered(id, true, now)
  }

  #answered(id: bigint, tests: boolean, now: number): boolean {
    const info = this.infos.get(id) as NaiveInfo
    this.#lastGood = now
    info.lastSuccess = now
    info.lastTry = now
    info.attempts = 0
    if (info.table === "tried") return false
    if (tests && this.#tables.tried.has(this.#triedPlace(info.node))) {
      if (this.#collisions.length < 10 && !this.#collisions.includes(id)) this.#collisions.push(id)
      return false
    }
    this.#makeTried(id, info)
    return true
  }

  #makeTried(id: bigint, info: NaiveInfo): void {
    for (const place of info.places) this.#tables.new.delete(place)
    const place = this.#triedPlace(info.node)
    const evicted = this.#tables.tried.get(place)
    if (evicted !== undefined) {
      const old = this.infos.get(evicted) as NaiveInfo
      const back = this.#newPlace(old.node, old.source)
      this.#clearNew(back)
      old.table = "new"
      old.places = new Set([back])
      this.#tables.new.set(back, evicted)
    }
    info.table = "tried"
    info.places = new Set([place])
    this.#tables.tried.set(place, id)
  }

  attempt(node: NodeAddress, counts: boolean, now: number): void {
    const info = this.info(node)
    if (info === undefined) return
    info.lastTry = now
    if (!counts || info.lastCountedTry >= this.#lastGood) return
    info.lastCountedTry = now
    info.attempts++
  }

  connected(node: NodeAddress, now: number): void {
    const info = this.info(node)
    if (info !== undefined && now - info.time > 1200) info.time = now
  }

  setServices(node: NodeAddress, services: bigint): void {
    const info = this.info(node)
    if (info !== undefined) info.services = services
  }

  resolveCollisions(now: number): void {
    for (const id of [...this.#collisions]) if (this.#isDecided(id, now)) this.#drop(id)
  }

  #isDecided(id: bigint, now: number): boolean {
    const info = this.infos.get(id)
    if (info === undefined) return true
    const occupant = this.#tables.tried.get(this.#triedPlace(info.node))
    if (occupant !== undefined) {
      const old = this.infos.get(occupant) as NaiveInfo
      if (now - old.lastSuccess < 4 * 3600) return true
      if (now - old.lastTry < 4 * 3600) {
        if (now - old.lastTry <= 60) return false
      } else if (now - info.lastSuccess <= 2400) return false
    }
    this.#answered(id, false, now)
    return true
  }

  #drop(id: bigint): void {
    this.#collisions = this.#collisions.filter((one) => one !== id)
  }

  /** What may be drawn to be tested: the address for each collision, nothing for one that was forgotten. */
  get colliding(): ReadonlyArray<{ readonly id: bigint; readonly old: NaiveInfo | undefined }> {
    return this.#collisions.map((id) => {
      const info = this.infos.get(id)
      const occupant = info === undefined ? undefined : this.#tables.tried.get(this.#triedPlace(info.node))
      return { id, old: occupant === undefined ? undefined : this.infos.get(occupant) }
    })
  }

  /** Forgets about a collision whose newcomer was forgotten: what drawing it does. */
  dropForgotten(): void {
    const forgotten = this.#collisions.find((id) => !this.infos.has(id))
    if (forgotten !== undefined) this.#drop(forgotten)
  }

  /** A restart: what was forgotten no longer waits. */
  restart(): void {
    this.#collisions = this.#collisions.filter((id) => this.infos.has(id))
  }

  /** Draws as Core does, from what is known now. There must be somebody to draw. */
  drawer(random: Random, now: number, networks: ReadonlyArray<Network>, newOnly = false): () => NaiveInfo {
    const isWanted = (info: NaiveInfo): boolean => networks.length === 0 || networks.includes(info.node.network)
    const boards = { new: this.#board("new"), tried: this.#board("tried") }
    const has = (table: Table): boolean => boards[table].some((info) => info !== undefined && isWanted(info))
    const [hasNew, hasTried] = [has("new"), has("tried")]
    return () => {
      const isFromTried = !newOnly && hasTried && (!hasNew || random.below(2) === 0)
      const board = boards[isFromTried ? "tried" : "new"]
      for (let factor = 1; ;) {
        const bucket = random.below(board.length / 64)
        const start = random.below(64)
        let found: NaiveInfo | undefined
        for (let i = 0; i < 64 && found === undefined; i++) {
          const info = board[64 * bucket + ((start + i) % 64)]
          if (info !== undefined && isWanted(info)) found = info
        }
        if (found === undefined) continue
        const chance = 0.66 ** Math.min(found.attempts, 8) * (now - found.lastTry < 600 ? 0.01 : 1)
        if (random.unit() < chance * factor) return found
        factor *= 1.2
      }
    }
  }

  #board(table: Table): ReadonlyArray<NaiveInfo | undefined> {
    const board = new Array<NaiveInfo | undefined>(64 * BUCKETS[table]).fill(undefined)
    for (const [place, id] of this.#tables[table]) {
      const [bucket = 0, position = 0] = place.split("/").map(Number)
      board[64 * bucket + position] = this.infos.get(id)
    }
    return board
  }

  count(table: Table, network: Network): number {
    return [...this.infos.values()].filter((info) => info.table === table && info.node.network === network).length
  }

  /** Whom a `getaddr` may be told. */
  tellable(now: number, network: Network | undefined): ReadonlyArray<NaiveInfo> {
    return [...this.infos.values()].filter(
      (info) => !this.isTerrible(info, now) && (network === undefined || netClass(info.node) === network)
    )
  }
}
