/**
 * Whether a request may come in at all, from what its head says, before anybody asks for a password.
 *
 * Specification: who asks stands in `rpcallowip`, or is this machine. The request names a host that this node is called by: an address, a name of
 * this machine, or one that its user allows. If a page sent it, that page came from here.
 * Rationale: a browser on this machine sends requests for any page that it shows. A page of a name that its owner makes point to 127.0.0.1 is, to
 * the browser, of the same origin as this server (DNS rebinding); its requests then say that name. An address in its place cannot be made to
 * point elsewhere, so any will do.
 */
import { type Subnet, containsHost } from "@satwire/connections"
import { type NetworkAddr, parseHost } from "@satwire/netaddress"
import type { Refusal } from "./Refusals.ts"

export interface DoorRules {
  /** Who else than this machine may ask. */
  readonly allowed: ReadonlyArray<Subnet>
  /** Names that this server is called by, other than those of this machine. */
  readonly hostNames: ReadonlyArray<string>
  /** Origins such as `https://wallet.example` whose pages may ask. */
  readonly origins: ReadonlyArray<string>
}

/** What the rules look at. */
export interface RequestHead {
  readonly remoteAddress: string | undefined
  readonly headers: Readonly<Record<string, string | undefined>>
  /** How many hosts it names; `headers` has the first. */
  readonly hosts?: number | undefined
}

/** Why the request is refused, or `undefined` where it may come in. */
export const refusalOf = (head: RequestHead, rules: DoorRules): Refusal | undefined => {
  const from = head.remoteAddress ?? "an unknown address"
  const remote = head.remoteAddress === undefined ? undefined : parseHost(withoutZone(head.remoteAddress))
  if (remote === undefined || !mayAsk(remote, rules.allowed)) {
    return { reason: "address", from, why: "this address may not ask" }
  }
  // RFC 9112 §3.2: whoever looks at the last of two would see another name than we do.
  if ((head.hosts ?? 1) > 1) return { reason: "malformed", from, why: "it names more than one host" }
  const host = head.headers["host"]
  if (host === undefined || !isOurs(host, rules.hostNames)) {
    const name = host === undefined ? "no host" : `the host ${shown(host)}, which this node is not called`
    return { reason: "host", from, why: `it names ${name}` }
  }
  const page = foreignPage(head.headers, host, rules.origins)
  return page === undefined ? undefined : { reason: "origin", from, why: `it comes from a page of ${page}` }
}

/** The same for one request after another, which mostly comes from where the one before came, and goes to the same host. */
export class RulesInTurn {
  readonly #rules: DoorRules
  #remoteAddress: string | undefined = undefined
  #host: string | undefined = undefined

  constructor(rules: DoorRules) {
    this.#rules = rules
  }

  refusalOf(head: RequestHead): Refusal | undefined {
    const { headers, hosts = 1, remoteAddress } = head
    const { host } = headers
    // What a page sent is looked at each time.
    const isPlain = hosts === 1 && headers["origin"] === undefined && headers["sec-fetch-site"] === undefined
    const isKnown = isPlain && host !== undefined && host === this.#host && remoteAddress === this.#remoteAddress
    if (isKnown) return undefined
    const refusal = refusalOf(head, this.#rules)
    if (refusal === undefined) {
      this.#remoteAddress = remoteAddress
      this.#host = host
    }
    return refusal
  }
}

/** `fe80::1%eth0` is an address with the name of a network card. */
const withoutZone = (address: string): string => address.split("%", 1)[0] ?? address

const mayAsk = (remote: NetworkAddr, allowed: ReadonlyArray<Subnet>): boolean =>
  isLoopback(remote) || allowed.some((subnet) => containsHost(subnet, remote))

const isLoopback = ({ network, address }: NetworkAddr): boolean =>
  network === "ipv4"
    ? address[0] === 127
    : network === "ipv6" && address.every((byte, at) => byte === (at === address.length - 1 ? 1 : 0))

const isOurs = (host: string, names: ReadonlyArray<string>): boolean => {
  const name = hostNameOf(host)
  const address = parseHost(name)
  if (address !== undefined && address.network !== "torv3" && address.network !== "i2p") return true
  return name === "localhost" || names.some((known) => known.toLowerCase() === name)
}

/** The name of a `Host` header without its port. `bitcoin-cli` writes an IPv6 address without brackets. */
const hostNameOf = (host: string): string => {
  const lower = host.trim().toLowerCase()
  const bracketed = /^\[([^\]]*)\](?::\d*)?$/.exec(lower)?.[1]
  if (bracketed !== undefined) return bracketed
  const isBareIpv6 = lower.split(":").length > 2
  return isBareIpv6 ? lower : lower.replace(/:\d*$/, "").replace(/\.$/, "")
}

/** Where the page comes from that sent the request, if it is not of here. Only browsers say such things, and they always do. */
const foreignPage = (
  headers: RequestHead["headers"],
  host: string,
  origins: ReadonlyArray<string>
): string | undefined => {
  const origin = headers["origin"]
  if (origin !== undefined) {
    const isHere = origin.toLowerCase() === `http://${host.trim().toLowerCase()}`
    return isHere || origins.includes(origin) ? undefined : shown(origin)
  }
  // A page may load an image or a script from here without an origin; going here by a link is not that.
  const site = headers["sec-fetch-site"]
  const isLoaded = (site === "cross-site" || site === "same-site") && headers["sec-fetch-mode"] !== "navigate"
  return isLoaded ? "another site" : undefined
}

const MOST_SHOWN = 60

/** What somebody else wrote, fit for a line of a log. */
const shown = (text: string): string => text.slice(0, MOST_SHOWN).replace(/[^\w.:[\]/-]/g, "?")
