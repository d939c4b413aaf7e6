/**
 * A bound on the peers that a node keeps addresses of. js-libp2p keeps whoever connects and whoever a table tells of for six hours, and a key
 * costs nothing: so beyond the bound the oldest are forgotten, those excepted whom we are connected with or were told to keep.
 */
import type { Libp2p, PeerId } from "@libp2p/interface"

/**
 * @limit peers whose addresses a libp2p node keeps without being told to, unless told otherwise
 */
export const MAX_KNOWN_PEERS = 4096

type Kept = Pick<Libp2p, "peerId" | "peerStore" | "addEventListener" | "getConnections">

export class KnownPeers {
  readonly #node: Kept
  readonly #most: number
  /** In the order in which they came. */
  readonly #strangers: Map<string, PeerId> = new Map()
  readonly #kept: Set<string> = new Set()

  constructor(node: Kept, most: number) {
    this.#node = node
    this.#most = most
    node.addEventListener("peer:discovery", ({ detail }) => this.#came(detail.id))
  }

  /** Never forgotten. */
  keep(peerId: PeerId): void {
    this.#kept.add(peerId.toString())
    this.#strangers.delete(peerId.toString())
  }

  #came(peerId: PeerId): void {
    const key = peerId.toString()
    if (this.#kept.has(key) || this.#node.peerId.equals(peerId)) return
    this.#strangers.set(key, peerId)
    // Each is looked at once: all may be connected, which other limits bound.
    for (let looks = this.#strangers.size; this.#strangers.size > this.#most && looks > 0; looks--) this.#forgetOne()
  }

  #forgetOne(): void {
    const [oldest] = this.#strangers
    if (oldest === undefined) return
    const [key, peerId] = oldest
    this.#strangers.delete(key)
    if (this.#node.getConnections(peerId).length > 0) this.#strangers.set(key, peerId)
    else void this.#node.peerStore.delete(peerId).catch(() => undefined)
  }
}
