/**
 * Where peers are found, each with the source that told of it: the LAN, a list, a distributed hash table, and what peers say of themselves.
 * Nobody is dialled because it was found (but those of the list, once): that is for whoever reads `found`.
 */
import type { PeerDiscovery, PeerInfo } from "@libp2p/interface"
import type { PeerFinder, Service } from "./Engine.ts"
import { boundFrames } from "@satwire/libp2p-wires"
import { ProviderStore } from "./ProviderStore.ts"

/** Not IPFS's, whose table is of another network. */
export const DHT_PROTOCOL = "/satwire/kad/1.0.0"

/** Not libp2p's own `_p2p._udp.local`, under which all that is on a LAN answers. */
export const MDNS_SERVICE = "_satwire._udp.local"

export interface Discovery {
  /** Peers of this LAN, by multicast DNS. */
  readonly mdns?: MdnsOptions
  /** Multiaddrs that end in `/p2p/…`: kept, and dialled once. */
  readonly bootstrap?: ReadonlyArray<string>
  /** A Kademlia table of peers and of who provides what; it keeps no values. */
  readonly dht?: DhtOptions
}

export interface MdnsOptions {
  /** {@link MDNS_SERVICE} where not given. */
  readonly service?: string
  readonly intervalMs?: number
  /** The port of multicast DNS where not given: another one finds those only who do the same. */
  readonly port?: number
}

export interface DhtOptions {
  /** A client asks, a server answers as well. */
  readonly mode: "client" | "server"
  /** {@link DHT_PROTOCOL} where not given. */
  readonly protocol?: string
  /** Whether private addresses are told and believed, which makes sense on a private network only. */
  readonly privateAddresses?: boolean
}

/** `identify` is what a connected peer said of itself. */
export type PeerSource = "mdns" | "bootstrap" | "dht" | "identify"

export interface FoundPeer {
  readonly peerId: string
  /** Multiaddrs, as they were told: nobody has been there. */
  readonly addresses: ReadonlyArray<string>
  readonly source: PeerSource
}

/**
 * @limit addresses of one found peer that are passed on
 */
export const MAX_FOUND_ADDRESSES = 16
/**
 * @limit characters of an address of a found peer; longer ones are passed over
 */
export const MAX_ADDRESS_LENGTH = 256

/**
 * Questions have a key, and who provides something says where it is.
 *
 * @limit bytes of a message that somebody sends to a server of the hash table
 */
export const MAX_DHT_REQUEST_BYTES: number = 16 * 1024
/**
 * @limit bytes of an answer of the hash table
 */
export const MAX_DHT_ANSWER_BYTES: number = 256 * 1024

export const foundPeer = ({ id, multiaddrs }: PeerInfo, source: PeerSource): FoundPeer => ({
  peerId: id.toString(),
  addresses: multiaddrs
    .slice(0, 4 * MAX_FOUND_ADDRESSES)
    .map(String)
    .filter((address) => address.length <= MAX_ADDRESS_LENGTH)
    .slice(0, MAX_FOUND_ADDRESSES),
  source
})

export interface DiscoveryParts {
  readonly finders: Array<PeerFinder>
  readonly services: Record<string, Service>
}

type OnFound = (peer: FoundPeer) => void

const DEFAULT_MDNS_INTERVAL_MS = 10_000
const MDNS_PORT = 5353

/** How soon a table is looked for again while it is empty; js-libp2p's second makes every first question wait for one. */
const FIRST_LOOK_MS = 100

/** What js-libp2p is given for it; only what is asked for is imported. */
export const discoveryParts = async (
  { mdns, bootstrap, dht }: Discovery,
  onFound: OnFound
): Promise<DiscoveryParts> => {
  const finders: Array<PeerFinder> = []
  const services: Record<string, Service> = {}
  const told = (source: PeerSource, make: PeerFinder): PeerFinder =>
    ((components: never): PeerDiscovery => {
      const finder = (make as (components: never) => PeerDiscovery)(components)
      finder.addEventListener("peer", ({ detail }) => onFound(foundPeer(detail, source)))
      return finder
    }) as PeerFinder
  if (mdns !== undefined) {
    const module = await import("@libp2p/mdns")
    const { service = MDNS_SERVICE, intervalMs = DEFAULT_MDNS_INTERVAL_MS, port = MDNS_PORT } = mdns
    finders.push(told("mdns", module.mdns({ serviceTag: service, interval: intervalMs, port })))
  }
  if (bootstrap !== undefined && bootstrap.length > 0) {
    const module = await import("@libp2p/bootstrap")
    finders.push(told("bootstrap", module.bootstrap({ list: [...bootstrap], timeout: 0 })))
  }
  if (dht !== undefined) services["dht"] = await dhtService(dht)
  return { finders, services }
}

const dhtService = async ({
  mode,
  protocol = DHT_PROTOCOL,
  privateAddresses = false
}: DhtOptions): Promise<Service> => {
  const { kadDHT, passthroughMapper, removePrivateAddressesMapper } = await import("@libp2p/kad-dht")
  const make = kadDHT({
    protocol,
    clientMode: mode === "client",
    peerInfoMapper: privateAddresses ? passthroughMapper : removePrivateAddressesMapper,
    initialQuerySelfInterval: FIRST_LOOK_MS,
    // A record without its validator is refused: nobody can store values here.
    validators: {},
    selectors: {}
  })
  const service = (components: Parameters<typeof make>[0]) => {
    const { registrar, connectionManager } = components
    const handle: typeof registrar.handle = (name, handler, options) => {
      const bounded: typeof handler = (stream, connection) => {
        boundFrames(stream, MAX_DHT_REQUEST_BYTES)
        return handler(stream, connection)
      }
      return registrar.handle(name, bounded, options)
    }
    const openStream: typeof connectionManager.openStream = async (...to) => {
      const stream = await connectionManager.openStream(...to)
      boundFrames(stream, MAX_DHT_ANSWER_BYTES)
      return stream
    }
    // All others are as they were.
    return make(
      Object.create(components, {
        datastore: { value: new ProviderStore(components.peerId.toString()) },
        registrar: { value: Object.create(registrar, { handle: { value: handle } }) },
        connectionManager: { value: Object.create(connectionManager, { openStream: { value: openStream } }) }
      })
    )
  }
  return service as unknown as Service
}
