/**
 * Who may come and be gone to: the ban list, and how many may come. Asked as early as the answer is known, and again when the key is.
 *
 * Specification: js-libp2p's own deny lists refuse only at accept, and a ban that comes later leaves what stands alone. So what stands is asked
 * about again by `dropBanned`, and closed without a farewell.
 */
import type { Connection, ConnectionGater, Libp2p, MultiaddrConnection, PeerId } from "@libp2p/interface"
import type { Multiaddr } from "@multiformats/multiaddr"
import { sourceKey } from "@satwire/netaddress"
import { directEndpoint, peerOfAddress } from "./Addresses.ts"
import type { NodeLimits, Remote } from "./NodeOptions.ts"

export interface Gate {
  readonly isBanned: (who: Remote) => boolean
  readonly inbound: Inbound
  readonly shakingHands: ShakingHands
}

/** What counts as one host; nothing where a relay is between, which has let in whom it would. */
const sourceOf = (address: Multiaddr): string | undefined => {
  const host = directEndpoint(address)?.host
  return host === undefined ? undefined : sourceKey(host)
}

/** Of the places for handshakes, and of those for who has come, one host has this part. */
const PART_OF_A_HOST = 1 / 4

/**
 * Those of each host who have come and are not through with their handshake. Who says nothing keeps his place until it ends, and one host that comes
 * with a few such a second would have all of them, and let nobody else in.
 */
export class ShakingHands {
  readonly #most: number
  readonly #mostASecond: number
  readonly #timeoutMs: number
  /** By host, whoever it is by address, and since when. */
  readonly #hosts: Map<string, Map<string, number>> = new Map()

  /** Who came in this second, by host. */
  readonly #came: Map<string, number> = new Map()
  #second = 0

  constructor(limits: Pick<NodeLimits, "handshakeTimeoutMs" | "maxPending" | "maxPerHostASecond">) {
    this.#mostASecond = limits.maxPerHostASecond
    this.#most = Math.max(1, Math.floor(limits.maxPending * PART_OF_A_HOST))
    this.#timeoutMs = limits.handshakeTimeoutMs
  }

  watch(node: Pick<Libp2p, "addEventListener">): void {
    node.addEventListener("connection:open", ({ detail: { remoteAddr } }) => this.#left(remoteAddr))
  }

  /** Whether there is a place for one more, which is taken then. */
  begin(connection: MultiaddrConnection): boolean {
    const { remoteAddr } = connection
    const host = sourceOf(remoteAddr)
    if (host === undefined) return true
    const now = performance.now()
    // js-libp2p counts those of a second as well, by the whole address.
    if (host !== directEndpoint(remoteAddr)?.host && !this.#isSlow(host, now)) return false
    const others = this.#hosts.get(host) ?? new Map<string, number>()
    for (const [address, since] of others) if (now - since > this.#timeoutMs) others.delete(address)
    if (others.size >= this.#most) return false
    this.#hosts.set(host, others.set(remoteAddr.toString(), now))
    connection.addEventListener("close", () => this.#left(remoteAddr))
    return true
  }

  #isSlow(host: string, now: number): boolean {
    const second = Math.floor(now / 1000)
    if (second !== this.#second) this.#came.clear()
    this.#second = second
    const came = (this.#came.get(host) ?? 0) + 1
    this.#came.set(host, came)
    return came <= this.#mostASecond
  }

  #left(address: Multiaddr): void {
    const host = sourceOf(address) ?? ""
    const others = this.#hosts.get(host)
    if (others?.delete(address.toString()) === true && others.size === 0) this.#hosts.delete(host)
  }
}

/** Of this machine itself, and through relays, as many may come as may come at all. */
const THIS_MACHINE: ReadonlySet<string | undefined> = new Set([undefined, "127.0.0.1", "::1"])
/** And of one host a few in any case. */
const FEW_OF_A_HOST = 8

/**
 * Counts those whom others dialled, and closes at once what is too many, of all or of one host: several may shake hands at the same time, and js-libp2p
 * asks about each before any of them is counted.
 */
export class Inbound {
  readonly #most: number
  readonly #mostOfHost: number
  /** With the host that they come from. */
  readonly #standing: Map<Connection, string | undefined> = new Map()

  constructor(most: number) {
    this.#most = most
    this.#mostOfHost = Math.max(FEW_OF_A_HOST, Math.floor(most * PART_OF_A_HOST))
  }

  watch(node: Pick<Libp2p, "addEventListener">): void {
    node.addEventListener("connection:close", ({ detail }) => this.#standing.delete(detail))
    node.addEventListener("connection:open", ({ detail }) => {
      if (detail.direction !== "inbound") return
      if (this.isFull(detail.remoteAddr)) detail.abort(new Error("too many connections"))
      else this.#standing.set(detail, sourceOf(detail.remoteAddr))
    })
  }

  /** Whether nobody more may come from there. */
  isFull(address: Multiaddr): boolean {
    if (this.#standing.size >= this.#most) return true
    if (THIS_MACHINE.has(directEndpoint(address)?.host) || this.#standing.size < this.#mostOfHost) return false
    const host = sourceOf(address)
    let there = 0
    for (const each of this.#standing.values()) if (each === host) there++
    return there >= this.#mostOfHost
  }
}

/** Somebody as he is told of. */
const remoteOf = (address: Multiaddr | undefined, peerId: PeerId | undefined): Remote => ({
  host: address === undefined ? undefined : directEndpoint(address)?.host,
  peerId: peerId?.toString(),
  isProven: false
})

/** Somebody whose bytes come from there, and who has proven his key. */
const provenAt = (address: Multiaddr, peerId: PeerId): Remote => ({ ...remoteOf(address, peerId), isProven: true })

export const remoteOfConnection = ({ remoteAddr, remotePeer }: Connection): Remote => provenAt(remoteAddr, remotePeer)

export const gaterOf = ({ isBanned, inbound, shakingHands }: Gate): ConnectionGater => {
  const denied = (peerId: PeerId, { remoteAddr }: MultiaddrConnection): boolean =>
    isBanned(provenAt(remoteAddr, peerId))
  return {
    denyDialPeer: (peerId) => isBanned(remoteOf(undefined, peerId)),
    denyDialMultiaddr: (address) => isBanned(remoteOf(address, peerOfAddress(address))),
    denyInboundConnection: (connection) =>
      inbound.isFull(connection.remoteAddr) ||
      isBanned(remoteOf(connection.remoteAddr, undefined)) ||
      !shakingHands.begin(connection),
    denyInboundEncryptedConnection: denied,
    denyOutboundEncryptedConnection: denied,
    // Asked again, since a handshake takes as long as the other end likes, and a ban that comes meanwhile does not see it.
    denyInboundUpgradedConnection: denied,
    denyOutboundUpgradedConnection: denied,
    denyInboundRelayReservation: (source) => isBanned(remoteOf(undefined, source)),
    denyOutboundRelayedConnection: (source, destination) =>
      isBanned(remoteOf(undefined, source)) || isBanned(remoteOf(undefined, destination)),
    denyInboundRelayedConnection: (_relay, peerId) => isBanned(remoteOf(undefined, peerId))
  }
}
