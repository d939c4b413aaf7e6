/**
 * Who may come and be gone to: the ban list, and how many may come. Asked as early as the answer is known, and again when the key is.
 *
 * Specification: js-libp2p's own deny lists refuse only at accept, and a ban that comes later leaves what stands alone. So what stands is asked
 * about again by `dropBanned`, and closed without a farewell.
 */
import type { Connection, ConnectionGater, Libp2p, MultiaddrConnection, PeerId } from "@libp2p/interface"
import type { Multiaddr } from "@multiformats/multiaddr"
import { directEndpoint, parsePeer } from "./Addresses.ts"
import type { Remote } from "./NodeOptions.ts"

export interface Gate {
  readonly isBanned: (who: Remote) => boolean
  readonly maxInbound: number
  /** How many stand that others dialled. */
  readonly inbound: () => number
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

export const gaterOf = ({ isBanned, maxInbound, inbound }: Gate): ConnectionGater => {
  const denied = (peerId: PeerId, { remoteAddr }: MultiaddrConnection): boolean =>
    isBanned(remoteOf(remoteAddr, peerId))
  const isFull = (): boolean => inbound() >= maxInbound
  return {
    denyDialPeer: (peerId) => isBanned(remoteOf(undefined, peerId)),
    denyDialMultiaddr: (address) => {
      const peer = address.getComponents().findLast(({ name }) => name === "p2p")?.value
      return isBanned(remoteOf(address, peer === undefined ? undefined : parsePeer(peer)))
    },
    denyInboundConnection: ({ remoteAddr }) => isFull() || isBanned(remoteOf(remoteAddr, undefined)),
    denyInboundEncryptedConnection: denied,
    denyOutboundEncryptedConnection: denied,
    denyInboundRelayReservation: (source) => isBanned(remoteOf(undefined, source)),
    denyOutboundRelayedConnection: (source, destination) =>
      isBanned(remoteOf(undefined, source)) || isBanned(remoteOf(undefined, destination)),
    denyInboundRelayedConnection: (_relay, peerId) => isBanned(remoteOf(undefined, peerId))
  }
}
