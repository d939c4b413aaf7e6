/**
 * A bound on the addresses that are kept of one peer, whoever tells of them. js-libp2p keeps all that it is told, by the table, by other peers and by
 * the peer itself, and compares each with all: 50,000 of one peer in one message stopped a node for 16 seconds (measured).
 */
import type { Address, PeerData, PeerId, PeerStore } from "@libp2p/interface"
import { MAX_ADDRESS_LENGTH, MAX_FOUND_ADDRESSES } from "./Discovery.ts"

/**
 * @limit addresses that a libp2p node keeps of one peer; those that the peer signed go last, and those told at last before them
 */
export const MAX_KEPT_ADDRESSES = 32

type Multiaddr = Address["multiaddr"]

const few = <Each>(all: ReadonlyArray<Each>, addressOf: (each: Each) => Multiaddr): Array<Each> => {
  const taken: Array<Each> = []
  for (const each of all) {
    if (addressOf(each).bytes.length <= MAX_ADDRESS_LENGTH) taken.push(each)
    if (taken.length === MAX_FOUND_ADDRESSES) break
  }
  return taken
}

const bounded = ({ multiaddrs, addresses, ...others }: PeerData): PeerData => ({
  ...others,
  ...(multiaddrs === undefined ? {} : { multiaddrs: few(multiaddrs, (address) => address) }),
  ...(addresses === undefined ? {} : { addresses: few(addresses, ({ multiaddr }) => multiaddr) })
})

/** Signed ones first, then new ones. */
const mostOf = (all: ReadonlyArray<Address>, { multiaddrs = [], addresses = [] }: PeerData): Array<Address> => {
  const told = new Set([...multiaddrs, ...addresses.map(({ multiaddr }) => multiaddr)].map(String))
  const worth = ({ isCertified, multiaddr }: Address): number =>
    isCertified ? 2 : Number(told.has(multiaddr.toString()))
  return all.toSorted((one, other) => worth(other) - worth(one)).slice(0, MAX_KEPT_ADDRESSES)
}

type Bounded = Pick<PeerStore, "save" | "patch" | "merge">

/** All that is told passes here, from its making on. */
export const boundAddresses = (store: Bounded): void => {
  const [save, patch, merge] = [store.save.bind(store), store.patch.bind(store), store.merge.bind(store)]
  store.save = (id, data, options) => save(id, bounded(data), options)
  store.patch = (id, data, options) => patch(id, bounded(data), options)
  store.merge = async (id: PeerId, data, options) => {
    const told = bounded(data)
    const peer = await merge(id, told, options)
    if (peer.addresses.length <= MAX_KEPT_ADDRESSES) return peer
    return patch(id, { addresses: mostOf(peer.addresses, told) }, options)
  }
}
