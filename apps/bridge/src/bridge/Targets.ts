/**
 * Where pages may be carried to: a list of addresses, networks and names. What is not on it is refused, so the bridge is no proxy for
 * anything else.
 *
 * ```
 *   203.0.113.5:8333     one node                    node.example:8333     a name, and no other name
 *   203.0.113.0/24       a network, on the ports      [2001:db8::]/32:8333  a network on one port
 *                        that Bitcoin uses
 * ```
 *
 * Specification: a name is resolved only if it stands on the list, once for each connection, and the addresses that come of it are judged
 * before one of them is dialled. An address of a private or otherwise special range is allowed only by an entry that lies within such a
 * range, so neither `0.0.0.0/0` nor a name opens what is behind the bridge.
 *
 * Rationale: whoever runs a name decides what it resolves to, and may decide differently from one moment to the next (DNS rebinding).
 */
import { type Endpoint, formatEndpoint, parseEndpoint } from "@satwire/transport"
import * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import { specialRangeOf } from "./SpecialRanges.ts"

/** The ports of mainnet, testnet3, testnet4, signet and regtest (Bitcoin Core's `nDefaultPort`). */
const BITCOIN_PORTS: ReadonlySet<number> = new Set([8333, 18333, 48333, 38333, 18444])

/** An entry of the list. */
export type Target =
  | { readonly _tag: "Network"; readonly network: IpNetwork.IpNetwork; readonly ports: ReadonlySet<number> }
  | { readonly _tag: "Name"; readonly name: string; readonly ports: ReadonlySet<number> }

/** What {@link parseEndpoint} takes for "no port was given". */
const NO_PORT = -1

/** The entry that `text` writes, or `undefined`. */
export const parseTarget = (text: string): Target | undefined => {
  const slash = /^(\[[^\]]*\]|[^/[\]]*)\/(\d{1,3})(?::(\d{1,5}))?$/.exec(text)
  if (slash !== null) {
    const [, address = "", prefix, port] = slash
    const network = IpNetwork.fromString(`${address.replace(/^\[|\]$/g, "")}/${prefix}`)
    const ports = portsOf(port === undefined ? NO_PORT : Number(port))
    if (Result.isFailure(network) || ports === undefined) return undefined
    return { _tag: "Network", network: network.success, ports }
  }
  const endpoint = Result.getOrUndefined(parseEndpoint(text, NO_PORT))
  const ports = endpoint === undefined ? undefined : portsOf(endpoint.port)
  if (endpoint === undefined || ports === undefined) return undefined
  const address = addressOf(endpoint.host)
  if (address === undefined)
    return endpoint.host.includes("%") ? undefined : { _tag: "Name", name: withoutDot(endpoint.host), ports }
  return { _tag: "Network", network: IpNetwork.makeUnsafe(address, NetAddress.width(address)), ports }
}

const portsOf = (port: number): ReadonlySet<number> | undefined => {
  if (port === NO_PORT) return BITCOIN_PORTS
  return port >= 1 && port <= 65_535 ? new Set([port]) : undefined
}

export class Targets {
  readonly #networks: ReadonlyArray<Extract<Target, { readonly _tag: "Network" }>>
  readonly #names: ReadonlyArray<Extract<Target, { readonly _tag: "Name" }>>

  constructor(entries: ReadonlyArray<Target>) {
    this.#networks = entries.filter((entry) => entry._tag === "Network")
    this.#names = entries.filter((entry) => entry._tag === "Name")
  }

  /** Why `endpoint` may not be asked for, or `undefined` where it may: an address, or a name that may be resolved. */
  refusal({ host, port }: Endpoint): string | undefined {
    const address = addressOf(host)
    if (address !== undefined) return this.#refusalOf(address, port, false)
    const name = withoutDot(host)
    return this.#names.some((entry) => entry.name === name && entry.ports.has(port))
      ? undefined
      : "it is not on the list"
  }

  /** Why an address that a name on the list resolved to may not be dialled, or `undefined` where it may. */
  refusalOfResolved(address: NetAddress.IpAddress, port: number): string | undefined {
    return this.#refusalOf(canonical(address), port, true)
  }

  #refusalOf(address: NetAddress.IpAddress, port: number, isNamed: boolean): string | undefined {
    const listed = this.#networks.filter(
      ({ network, ports }) => ports.has(port) && IpNetwork.contains(network, address)
    )
    const special = specialRangeOf(address)
    if (special === undefined) return isNamed || listed.length > 0 ? undefined : "it is not on the list"
    const [range, what] = special
    if (listed.some(({ network }) => IpNetwork.containsNetwork(range, network))) return undefined
    const text = formatEndpoint({ host: NetAddress.formatIp(address), port })
    return `${isNamed ? `it resolves to ${text}, which is` : "it is"} special (${what}) and not on the list itself`
  }
}

/** The address that a host is, IPv4 where IPv6 only wraps it; `undefined` for a name. */
export const addressOf = (host: string): NetAddress.IpAddress | undefined => {
  const address = NetAddress.ipFromString(host)
  return Result.isFailure(address) ? undefined : canonical(address.success)
}

const canonical = (address: NetAddress.IpAddress): NetAddress.IpAddress => NetAddress.toCanonical(address)

const withoutDot = (name: string): string => (name.endsWith(".") ? name.slice(0, -1) : name)
