/**
 * The address list that nodes without Core's defences keep: one list, in which the oldest or any make room for the newest, and from which
 * one is drawn as likely as another. It is here to show what the address manager is for.
 */
import type { Random, UnixSeconds } from "@satwire/machine"
import { type NetAddr, type Network, type NodeAddress, formatNode } from "@satwire/netaddress"
import type { AddressBook, Drawn } from "@satwire/connections"

interface Row {
  readonly node: NodeAddress
  readonly services: bigint
  lastTry: UnixSeconds
}

export class FlatList implements AddressBook {
  readonly #random: Random
  readonly #most: number
  readonly #rows: Array<Row> = []
  readonly #places: Map<string, number> = new Map()

  constructor(random: Random, most: number) {
    this.#random = random
    this.#most = most
  }

  count(): number {
    return this.#rows.length
  }

  add(
    addresses: ReadonlyArray<NodeAddress & { readonly services: bigint }>,
    _source: NetAddr,
    now: UnixSeconds
  ): number {
    let added = 0
    for (const node of addresses) {
      const key = formatNode(node)
      if (this.#places.has(key)) continue
      const row = { node, services: node.services, lastTry: 0 as typeof now }
      const place = this.#rows.length < this.#most ? this.#rows.length : this.#random.below(this.#most)
      const before = this.#rows[place]
      if (before !== undefined) this.#places.delete(formatNode(before.node))
      this.#rows[place] = row
      this.#places.set(key, place)
      added += 1
    }
    return added
  }

  select({ networks }: { readonly networks?: ReadonlyArray<Network> | undefined }): Drawn | undefined {
    const row = this.#rows.length === 0 ? undefined : this.#rows[this.#random.below(this.#rows.length)]
    if (row === undefined || networks?.includes(row.node.network) === false) return undefined
    return { ...row.node, services: row.services, lastTry: row.lastTry }
  }

  selectTriedCollision(): undefined {
    return undefined
  }

  resolveCollisions(): void {}

  attempt(node: NodeAddress, _countsFailure: boolean, now: UnixSeconds): void {
    const place = this.#places.get(formatNode(node))
    const row = place === undefined ? undefined : this.#rows[place]
    if (row !== undefined) row.lastTry = now
  }

  good(): boolean {
    return false
  }

  connected(): void {}

  setServices(): void {}

  /** Every address. */
  *addresses(): Generator<NodeAddress, void> {
    for (const { node } of this.#rows) yield node
  }
}
