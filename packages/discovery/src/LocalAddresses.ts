/**
 * Where we can be found ourselves, and which of it a peer is told. It asks no interface and opens no port: the edge says what it has found,
 * and peers what they see.
 *
 * Specification: an address of one of the networks that hide their users is told on that network alone, and on it no other. Rationale: who
 * hears both knows that both are one node.
 *
 * Source: Bitcoin Core 31.99 `net.cpp` (`AddLocal`, `SeenLocal`, `GetLocal`, `GetLocalAddrForPeer`), `netaddress.cpp` (`GetReachabilityFrom`).
 */
import { copyOut } from "@satwire/bytes"
import type { Random } from "@satwire/machine"
import {
  type NetAddr,
  type Network,
  type NodeAddress,
  isRoutable,
  isSameHost,
  isTeredo,
  isTunnelled,
  netClass,
  networkOf
} from "@satwire/netaddress"
import type { AddressedPeer, OwnAddress } from "./AddressBook.ts"

/** How we know of an address, and how sure that is: Core's `LOCAL_IF` to `LOCAL_MANUAL`. Peers who see us there add to it. */
export const LOCAL_SCORES = {
  /** An interface has it. */
  interface: 1,
  /** We were told to listen on it. */
  bind: 2,
  /** A router gave it to us. */
  mapped: 3,
  /** Our user says so. */
  manual: 4
} as const

export type LocalOrigin = keyof typeof LOCAL_SCORES

/**
 * Few hosts have more than a handful.
 *
 * @limit addresses of our own
 */
export const MAX_LOCAL_ADDRESSES = 64

export interface LocalAddressesOptions {
  readonly random: Random
  /** The networks on which we can be dialled and dial. */
  readonly reachable: ReadonlySet<Network>
  /** Whether what interfaces and peers say counts (`-discover`), or only what our user does. */
  readonly discovers: boolean
  /** The port on which we listen; `undefined` where we do not, and then there is nothing to tell. */
  readonly port: number | undefined
}

/** An address of ours, as `getnetworkinfo` shows it. */
export interface LocalAddress {
  readonly node: NodeAddress
  readonly score: number
}

export class LocalAddresses implements OwnAddress {
  readonly #options: LocalAddressesOptions
  #locals: ReadonlyArray<LocalAddress> = []

  constructor(options: LocalAddressesOptions) {
    this.#options = options
  }

  list(): ReadonlyArray<LocalAddress> {
    return this.#locals
  }

  /** Takes in an address of ours; `false` where nobody could reach it, or there are too many. */
  add(address: NodeAddress, origin: LocalOrigin): boolean {
    const node = asCjdns(address)
    if (!this.#isReachable(node)) return false
    if (!this.#options.discovers && origin !== "manual") return false
    const score = LOCAL_SCORES[origin]
    const known = this.#find(node)
    if (known === undefined) {
      if (this.#locals.length >= MAX_LOCAL_ADDRESSES) return false
      this.#locals = [...this.#locals, { node: { ...node, address: copyOut(node.address) }, score }]
    } else if (score >= known.score)
      this.#replace(known, { node: { ...known.node, port: node.port }, score: score + 1 })
    return true
  }

  /** Forgets an address, such as one that a router gave for a time. */
  remove(host: NetAddr): void {
    this.#locals = this.#locals.filter(({ node }) => !isSameHost(node, host))
  }

  /** Whether this is one of ours, and so nobody to dial. */
  has(host: NetAddr): boolean {
    return this.#find(host) !== undefined
  }

  seen(host: NetAddr): void {
    const known = this.#find(host)
    if (known !== undefined) this.#replace(known, { ...known, score: known.score + 1 })
  }

  forPeer(peer: AddressedPeer): NodeAddress | undefined {
    const { port } = this.#options
    if (port === undefined) return undefined
    const best = this.#best(peer)
    const { seenAs } = peer
    if (seenAs === undefined || !this.#isOfUse(peer, seenAs)) return best?.node
    // Who may know better than we do sometimes hears what it said itself.
    const sureness = (best?.score ?? 0) > LOCAL_SCORES.manual ? 8 : 2
    if (best !== undefined && this.#options.random.below(sureness) !== 0) return best.node
    // Whom we dialled cannot have seen the port on which we listen.
    return peer.isInbound ? seenAs : { ...seenAs, port: best?.node.port ?? port }
  }

  /** Of those that may be told on the peer's network, the one that it can best reach; of equals the surest. */
  #best(peer: AddressedPeer): LocalAddress | undefined {
    const { host } = peer
    const network = peer.network ?? (host === undefined ? "unroutable" : netClass(host))
    let best: LocalAddress | undefined
    let bestReach = -1
    for (const local of this.#locals) {
      const { node, score } = local
      if (node.network !== network && (isHiding(node.network) || isHiding(network))) continue
      const reach = reachability(node, host)
      if (reach > bestReach || (reach === bestReach && score > (best?.score ?? 0))) [best, bestReach] = [local, reach]
    }
    return best
  }

  #isOfUse(peer: AddressedPeer, seenAs: NodeAddress): boolean {
    const { host } = peer
    return this.#options.discovers && host !== undefined && isRoutable(host) && this.#isReachable(seenAs)
  }

  #isReachable(node: NodeAddress): boolean {
    return isRoutable(node) && this.#options.reachable.has(node.network)
  }

  #find(host: NetAddr): LocalAddress | undefined {
    return this.#locals.find(({ node }) => isSameHost(node, host))
  }

  #replace(old: LocalAddress, by: LocalAddress): void {
    this.#locals = this.#locals.map((local) => (local === old ? by : local))
  }
}

const CJDNS_PREFIX = 0xfc

/** Interfaces know CJDNS as IPv6, which has no public address there. */
const asCjdns = (node: NodeAddress): NodeAddress =>
  node.network === "ipv6" && node.address[0] === CJDNS_PREFIX ? { ...node, network: "cjdns" } : node

/** The networks that hide who uses them. */
const isHiding = (network: string): boolean => network === "torv3" || network === "i2p"

/** How well somebody reaches us: Core's order. */
const REACH = { default: 1, teredo: 2, ipv6Weak: 3, ipv4: 4, ipv6Strong: 5, same: 6 } as const

type Place = Network | "internal" | "unroutable" | "teredo"

const placeOf = (host: NetAddr): Place => (isTeredo(host) ? "teredo" : networkOf(host))

/** What each of our places is worth to each of theirs; {@link REACH.default} where nothing is said. */
const REACHED_FROM: { readonly [Theirs in Place]: { readonly [Ours in Place]?: number } } = {
  ipv4: { ipv4: REACH.ipv4 },
  ipv6: { teredo: REACH.teredo, ipv4: REACH.ipv4, ipv6: REACH.ipv6Strong },
  cjdns: { cjdns: REACH.same },
  teredo: { teredo: REACH.teredo, ipv6: REACH.ipv6Weak, ipv4: REACH.ipv4 },
  unroutable: { teredo: REACH.teredo, ipv6: REACH.ipv6Weak, ipv4: REACH.ipv4 },
  // They are told what we have on their network, and nothing else.
  torv3: {},
  i2p: {},
  internal: {}
}

const reachability = (ours: NodeAddress, theirs: NetAddr | undefined): number => {
  const reach = REACHED_FROM[theirs === undefined ? "unroutable" : placeOf(theirs)][placeOf(ours)] ?? REACH.default
  // A tunnel is a detour, and IPv4 the better way.
  return reach === REACH.ipv6Strong && isTunnelled(ours) ? REACH.ipv6Weak : reach
}
