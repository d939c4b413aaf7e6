/**
 * Several filters of one block, each said to be the one by some peers: the filters are fetched, and the block, which may show some to be false.
 * It sends nothing.
 */
import { equals } from "@satwire/bytes"
import type { GcsFilter } from "@satwire/filters"
import type { Instant, PeerId } from "@satwire/machine"
import type { BlockView } from "@satwire/primitives"
import { isFalseFilter } from "./FalseFilter.ts"

export interface Version {
  readonly hash: Uint8Array
  /** Those who say so. The first of them is asked for the filter. */
  readonly peers: Array<PeerId>
  filter: GcsFilter | undefined
}

export class Dispute {
  readonly header: number
  readonly height: number
  readonly versions: Array<Version> = []
  until: Instant
  block: BlockView | undefined = undefined

  constructor(header: number, height: number, until: Instant) {
    this.header = header
    this.height = height
    this.until = until
  }

  add(peer: PeerId, hash: Uint8Array): void {
    const same = this.versions.find((version) => equals(version.hash, hash))
    if (same === undefined) this.versions.push({ hash, peers: [peer], filter: undefined })
    else same.peers.push(peer)
  }

  /** The version of which this peer is to send the filter. */
  askedOf(peer: PeerId): Version | undefined {
    return this.versions.find(({ filter, peers }) => filter === undefined && peers[0] === peer)
  }

  /** What the peer says counts no more. Gives the version whose filter another has to be asked for now. */
  drop(peer: PeerId): Version | undefined {
    const version = this.versions.find(({ peers }) => peers.includes(peer))
    if (version === undefined) return undefined
    const wasFirst = version.peers[0] === peer
    version.peers.splice(version.peers.indexOf(peer), 1)
    if (version.peers.length === 0) this.versions.splice(this.versions.indexOf(version), 1)
    return wasFirst && version.filter === undefined && version.peers.length > 0 ? version : undefined
  }

  /** Whether all is here by which it can be judged, or there is nothing left to judge. */
  get isReady(): boolean {
    if (this.versions.length < 2) return true
    return this.block !== undefined && this.versions.every(({ filter }) => filter !== undefined)
  }

  /** Versions that the block shows to be false. */
  falseOnes(): ReadonlyArray<Version> {
    const { block } = this
    if (block === undefined) return []
    return this.versions.filter(({ filter }) => filter !== undefined && isFalseFilter(filter, block))
  }
}
