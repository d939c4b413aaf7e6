/**
 * Who may come and be gone to: the ban list, and how many may come. Asked as early as the answer is known, and again when the key is.
 *
 * Specification: js-libp2p's own deny lists refuse only at accept, and a ban that comes later leaves what stands alone. So what stands is asked
 * about again by `dropBanned`, and closed without a farewell.
 */
import type { Connection, ConnectionGater, Libp2p, MultiaddrConnection, PeerId } from "@libp2p/interface"
import type { Multiaddr } from "@multiformats/multiaddr"
import { directEndpoint, parsePeer } from "./Addresses.ts"
import type { NodeLimits, Remote } from "./NodeOptions.ts"

export interface Gate {
  readonly isBanned: (who: Remote) => boolean
  readonly maxInbound: number
  /** How many stand that others dialled. */
  readonly inbound: () => number
  readonly shakingHands: ShakingHands
}

/** Of the places for handshakes one host has this part. */
const PART_OF_A_HOST = 1 / 4

/**
 * Those of each host who have come and are not through with their handshake. Who says nothing keeps his place until it ends, and one host that comes
 * with a few such a second would have all of them, and let nobody else in.
 */
export class ShakingHands {
  readonly #most: number
  readonly #timeoutMs: number
  /** By host, whoever it is by address, and since when. */
  readonly #hosts: Map<string, Map<string, number>> = new Map()

  constructor({ handshakeTimeoutMs, maxPending }: Pick<NodeLimits, "handshakeTimeoutMs" | "maxPending">) {
    this.#most = Math.max(1, Math.floor(maxPending * PART_OF_A_HOST))
    this.#timeoutMs = handshakeTimeoutMs
  }

  watch(node: Pick<Libp2p, "addEventListener">): void {
    node.addEventListener("connection:open", ({ detail: { remoteAddr } }) => this.#left(remoteAddr))
  }

  /** Whether there is a place for one more, which is taken then. */
  begin(connection: MultiaddrConnection): boolean {
    const { remoteAddr } = connection
    const host = directEndpoint(remoteAddr)?.host
    // Through a relay comes only whom the relay has let in.
    if (host === undefined) return true
    const others = this.#hosts.get(host) ?? new Map<string, number>()
    const now = performance.now()
    for (const [address, since] of others) if (now - since > this.#timeoutMs) others.delete(address)
    if (others.size >= this.#most) return false
    this.#hosts.set(host, others.set(remoteAddr.toString(), now))
    connection.addEventListener("close", () => this.#left(remoteAddr))
    return true
  }

  #left(address: Multiaddr): void {
    const host = directEndpoint(address)?.host ?? ""
    const others = this.#hosts.get(host)
    if (others?.delete(address.toString()) === true && others.size === 0) this.#hosts.delete(host)
  }
}

/**
 * Counts those whom others dialled, and closes at once what is too many: several may shake hands at the same time, and js-libp2p asks about each
 * before any of them is counted.
 */
export class Inbound {
  readonly #standing: Set<Connection> = new Set()

  get count(): number {
    return this.#standing.size
  }

  watch(node: Pick<Libp2p, "addEventListener">, most: number): void {
    node.addEventListener("connection:close", ({ detail }) => this.#standing.delete(detail))
    node.addEventListener("connection:open", ({ detail }) => {
      if (detail.direction !== "inbound") return
      if (this.#standing.size >= most) detail.abort(new Error("too many connections"))
      else this.#standing.add(detail)
    })
  }
}

const remoteOf = (address: Multiaddr | undefined, peerId: PeerId | undefined): Remote => ({
  host: address === undefined ? undefined : directEndpoint(address)?.host,
  peerId: peerId?.toString()
})

export const remoteOfConnection = ({ remoteAddr, remotePeer }: Connection): Remote => remoteOf(remoteAddr, remotePeer)

export const gaterOf = ({ isBanned, maxInbound, inbound, shakingHands }: Gate): ConnectionGater => {
  const denied = (peerId: PeerId, { remoteAddr }: MultiaddrConnection): boolean =>
    isBanned(remoteOf(remoteAddr, peerId))
  const isFull = (): boolean => inbound() >= maxInbound
  return {
    denyDialPeer: (peerId) => isBanned(remoteOf(undefined, peerId)),
    denyDialMultiaddr: (address) => {
      const peer = address.getComponents().findLast(({ name }) => name === "p2p")?.value
      return isBanned(remoteOf(address, peer === undefined ? undefined : parsePeer(peer)))
    },
    denyInboundConnection: (connection) =>
      isFull() || isBanned(remoteOf(connection.remoteAddr, undefined)) || !shakingHands.begin(connection),
    denyInboundEncryptedConnection: denied,
    denyOutboundEncryptedConnection: denied,
    denyInboundRelayReservation: (source) => isBanned(remoteOf(undefined, source)),
    denyOutboundRelayedConnection: (source, destination) =>
      isBanned(remoteOf(undefined, source)) || isBanned(remoteOf(undefined, destination)),
    denyInboundRelayedConnection: (_relay, peerId) => isBanned(remoteOf(undefined, peerId))
  }
}
