/** The ports that a node listens on, and what a gateway opened for them, in js-libp2p's list of our addresses. */
import { type Multiaddr, multiaddr } from "@multiformats/multiaddr"
import { type Lease, type MappingRequest, type PortMappingOptions, isPublic, keepMapped } from "@satwire/port-mapping"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

type Mapping = [insideHost: string, insidePort: number, host: string, port?: number, protocol?: "tcp" | "udp"]

/** As much of js-libp2p's list as is needed. */
interface AddressList {
  getAddressesWithMetadata(): Array<{ readonly multiaddr: Multiaddr; readonly type: string }>
  addPublicAddressMapping(...mapping: Mapping): void
  removePublicAddressMapping(...mapping: Mapping): void
  confirmObservedAddr(address: Multiaddr, options?: { readonly ttl?: number }): void
}

type ListeningPort = Omit<MappingRequest, "seconds">

/**
 * They are closed again before the node is.
 *
 * @param isBelieved whether an address is told to others without somebody having dialled it
 */
export const mappedPorts = (
  addresses: AddressList,
  options: PortMappingOptions,
  isBelieved: boolean
): Effect.Effect<void, never, Scope.Scope> => {
  const opened = ({ port, protocol }: ListeningPort, lease: Lease): void => {
    if (!isPublic(lease)) return
    const { internalHost, externalHost, externalPort, seconds } = lease
    addresses.addPublicAddressMapping(internalHost, port, externalHost, externalPort, protocol)
    if (!isBelieved) return
    const address = multiaddr(`/ip4/${externalHost}/${protocol}/${externalPort}`)
    addresses.confirmObservedAddr(address, { ttl: seconds * 1000 })
  }
  const closed = ({ port, protocol }: ListeningPort, { internalHost, externalHost, externalPort }: Lease): void =>
    addresses.removePublicAddressMapping(internalHost, port, externalHost, externalPort, protocol)
  const keep = (port: ListeningPort) =>
    keepMapped(options, port, { onLease: (lease) => opened(port, lease), onLost: (lease) => closed(port, lease) })
  return Effect.suspend(() => Effect.forEach(listening(addresses), keep, { discard: true }))
}

/** Ports over IPv4, each once. */
const listening = (addresses: AddressList): ReadonlyArray<ListeningPort> => {
  const ports = new Map<string, ListeningPort>()
  for (const { multiaddr: address, type } of addresses.getAddressesWithMetadata()) {
    const [ip, carrier] = address.getComponents()
    if (type !== "transport" || ip?.name !== "ip4" || carrier?.value === undefined) continue
    if (carrier.name !== "tcp" && carrier.name !== "udp") continue
    ports.set(`${carrier.name} ${carrier.value}`, { port: Number(carrier.value), protocol: carrier.name })
  }
  return [...ports.values()]
}
