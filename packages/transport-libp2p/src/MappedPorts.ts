/** The ports that a node listens on, and what a gateway opened for them, in js-libp2p's list of our addresses. */
import { type Multiaddr, multiaddr } from "@multiformats/multiaddr"
import { type Lease, type MappingRequest, isPublic } from "@satwire/port-mapping"

type Mapping = [insideHost: string, insidePort: number, host: string, port?: number, protocol?: "tcp" | "udp"]

/** As much of js-libp2p's list as is needed. */
interface AddressList {
  getAddressesWithMetadata(): Array<{ readonly multiaddr: Multiaddr; readonly type: string }>
  addPublicAddressMapping(...mapping: Mapping): void
  removePublicAddressMapping(...mapping: Mapping): void
  confirmObservedAddr(address: Multiaddr, options?: { readonly ttl?: number }): void
}

export type ListeningPort = Omit<MappingRequest, "seconds">

export class MappedPorts {
  readonly #addresses: AddressList
  readonly #isBelieved: boolean

  /** @param isBelieved whether an address is told to others without somebody having dialled it */
  constructor(addresses: AddressList, isBelieved: boolean) {
    this.#addresses = addresses
    this.#isBelieved = isBelieved
  }

  /** Ports over IPv4, each once. */
  listening(): ReadonlyArray<ListeningPort> {
    const ports = new Map<string, ListeningPort>()
    for (const { multiaddr: address, type } of this.#addresses.getAddressesWithMetadata()) {
      const [ip, carrier] = address.getComponents()
      if (type !== "transport" || ip?.name !== "ip4" || carrier?.value === undefined) continue
      if (carrier.name !== "tcp" && carrier.name !== "udp") continue
      ports.set(`${carrier.name} ${carrier.value}`, { port: Number(carrier.value), protocol: carrier.name })
    }
    return [...ports.values()]
  }

  opened({ port, protocol }: ListeningPort, lease: Lease): void {
    if (!isPublic(lease)) return
    const { internalHost, externalHost, externalPort, seconds } = lease
    this.#addresses.addPublicAddressMapping(internalHost, port, externalHost, externalPort, protocol)
    if (!this.#isBelieved) return
    const address = multiaddr(`/ip4/${externalHost}/${protocol}/${externalPort}`)
    this.#addresses.confirmObservedAddr(address, { ttl: seconds * 1000 })
  }

  closed({ port, protocol }: ListeningPort, { internalHost, externalHost, externalPort }: Lease): void {
    this.#addresses.removePublicAddressMapping(internalHost, port, externalHost, externalPort, protocol)
  }
}
