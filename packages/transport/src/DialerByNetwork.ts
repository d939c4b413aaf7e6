/**
 * Which way leads to an endpoint: TCP, a proxy, an I2P router. One dialer for all of them, and the decision apart from it.
 *
 * Specification: an address takes the way of its network, a name that must be resolved the way of names. With a proxy set that is the
 * proxy, so that no name server is asked from here. Hosts that the public network does not lead to (loopback, private networks) are
 * dialled directly whatever is set. A network without a way is not dialled at all.
 *
 * Source: Bitcoin Core 31.99 `init.cpp` (`-proxy`, `-onion`, `-i2psam`), `net.cpp` (`ConnectNode`), `netbase.cpp` (`GetProxy`,
 * `GetNameProxy`).
 */
import { type Network, networkOf, parseHost } from "@satwire/netaddress"
import * as Effect from "effect/Effect"
import { DialError, type DialerShape } from "./Dialer.ts"
import type { Endpoint } from "./Endpoint.ts"

/** Where an endpoint lies: on a network, on this machine or near it, or wherever a name leads. */
export type EndpointNetwork = Network | "unroutable" | "name"

/** The way to each network; what is not there is not dialled. */
export type Routes<Way> = { readonly [N in EndpointNetwork]?: Way | undefined }

const ONION = /\.onion\.?$/
const I2P = /\.i2p\.?$/

/** The network of an endpoint. A name of Tor or I2P counts as such also where it is misspelt: no name server may see it. */
export const endpointNetwork = ({ host }: Endpoint): EndpointNetwork => {
  if (ONION.test(host)) return "torv3"
  if (I2P.test(host)) return "i2p"
  const address = parseHost(host.split("%", 1)[0] ?? host)
  if (address === undefined) return "name"
  const network = networkOf(address)
  return network === "internal" ? "unroutable" : network
}

export interface RoutesGiven<Way> {
  /** Over TCP, from here to there. */
  readonly direct: Way
  /** Core's `-proxy`: to everything that no other way is set for, names and onion services too. */
  readonly proxy?: Way | undefined
  /** Core's `-onion`: to onion services; `"none"` is Core's `-noonion`. The proxy where not given. */
  readonly onion?: Way | "none" | undefined
  /** Core's `-i2psam`. */
  readonly i2p?: Way | undefined
  /** Core's `-cjdnsreachable`: whether `fc00::/8` is CJDNS here, and not somebody's private network. */
  readonly isCjdnsReachable?: boolean
}

/** Core's settings as routes. */
export const routesOf = <Way>(given: RoutesGiven<Way>): Routes<Way> => {
  const { direct, proxy, onion = proxy, i2p } = given
  const open = proxy ?? direct
  return {
    unroutable: direct,
    ipv4: open,
    ipv6: open,
    cjdns: given.isCjdnsReachable === true ? open : direct,
    name: open,
    torv3: onion === "none" ? undefined : onion,
    i2p
  }
}

/** Dials each endpoint over the way of its network. */
export const dialerByNetwork = (routes: Routes<DialerShape>): DialerShape => {
  const dialers = [...new Set(Object.values(routes))].filter((dialer) => dialer !== undefined)
  return {
    connections: () => dialers.reduce((sum, dialer) => sum + dialer.connections(), 0),
    dial: (endpoint, options) => {
      const network = endpointNetwork(endpoint)
      const dialer = routes[network]
      if (dialer !== undefined) return dialer.dial(endpoint, options)
      return Effect.fail(new DialError({ reason: "NoRoute", endpoint, code: "NO_ROUTE", detail: WANTING[network] }))
    }
  }
}

const WANTING: Record<EndpointNetwork, string> = {
  unroutable: "local and private addresses are not dialled",
  ipv4: "IPv4 is not dialled",
  ipv6: "IPv6 is not dialled",
  cjdns: "CJDNS is not dialled",
  name: "names are not resolved",
  torv3: "no proxy to onion services is set",
  i2p: "no I2P router is set"
}
