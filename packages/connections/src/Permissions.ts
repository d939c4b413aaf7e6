/**
 * What our user allows to peers from some addresses, by Core's names and with its implications.
 *
 * Source: Bitcoin Core 28.1 `net_permissions.h`, `net_permissions.cpp`, `net.cpp` (who they hold for).
 */
import type { NetAddr } from "@satwire/netaddress"
import { type Subnet, containsHost, formatSubnet, parseSubnet } from "./Subnet.ts"

export type Permission = "bloomfilter" | "relay" | "forcerelay" | "noban" | "mempool" | "download" | "addr"

/** What each means, and which others come with it. */
const IMPLIED: { readonly [Name in Permission]: ReadonlyArray<Permission> } = {
  /** May set bloom filters though we do not offer them (BIP-0037). */
  bloomfilter: ["bloomfilter"],
  /** Transactions are taken from it though we want none. */
  relay: ["relay"],
  /** They are passed on though they are known already. */
  forcerelay: ["forcerelay", "relay"],
  /** Is not evicted, discouraged or banned, whatever it does. */
  noban: ["noban", "download"],
  /** May ask for the mempool (BIP-0035). */
  mempool: ["mempool"],
  /** May have blocks though the upload target is reached. */
  download: ["download"],
  /** Its addresses are taken without a limit to their rate, and `getaddr` is answered without a cache. */
  addr: ["addr"]
}

const NAMES: ReadonlyArray<Permission> = Object.keys(IMPLIED) as ReadonlyArray<Permission>

/** What `-whitelist` gives where it names no permissions (Core's implicit ones). */
const IMPLICIT: ReadonlyArray<Permission> = ["relay", "noban", "mempool", "download"]

/** Whom a rule is about: those that dial us, or those that we dial because our user named them. */
export type RuleDirection = "in" | "out"

const DIRECTIONS: ReadonlyArray<RuleDirection> = ["in", "out"]

export interface PermissionRule {
  readonly permissions: ReadonlySet<Permission>
  readonly subnet: Subnet
  /** Those that dial us alone where not given. */
  readonly directions?: ReadonlySet<RuleDirection> | undefined
}

/** `noban,relay@192.0.2.0/24`, `noban,in,out@10.0.0.0/8`, `all@10.0.0.1`, or a subnet alone; or what is wrong with the text. */
export const parsePermissionRule = (text: string): PermissionRule | string => {
  const [directions, rest] = withoutDirections(text)
  const [permissions, where] = parsePermissions(rest)
  const subnet = parseSubnet(where)
  if (subnet === undefined) return `"${where}" is neither an address nor a subnet`
  if (typeof permissions === "string") return permissions
  return directions.size === 0 ? { subnet, permissions } : { subnet, permissions, directions }
}

/** The text of a rule again. */
export const formatPermissionRule = ({ directions, permissions, subnet }: PermissionRule): string =>
  `${[...permissions, ...(directions ?? [])].join(",")}@${formatSubnet(subnet)}`

const isDirection = (name: string): name is RuleDirection => (DIRECTIONS as ReadonlyArray<string>).includes(name)

const withoutDirections = (text: string): readonly [ReadonlySet<RuleDirection>, string] => {
  const at = text.indexOf("@")
  const names = at < 0 ? [] : text.slice(0, at).split(",")
  const directions = new Set(names.filter(isDirection))
  if (directions.size === 0) return [directions, text]
  return [directions, `${names.filter((name) => !isDirection(name)).join(",")}${text.slice(at)}`]
}

/** Who comes in at one of our own sockets, by Core's `-whitebind`. */
export interface SocketRule {
  readonly permissions: ReadonlySet<Permission>
  /** As connections name it: `127.0.0.1:8335`; or `:8335` where it is on all addresses of this machine. */
  readonly socket: string
}

/** What stands before an `@`, or what is wrong with it, and what stands behind; Core's implicit permissions where there is none. */
export const parsePermissions = (text: string): readonly [ReadonlySet<Permission> | string, string] => {
  const at = text.indexOf("@")
  return [at < 0 ? new Set(IMPLICIT) : permissionsNamed(text.slice(0, at)), text.slice(at + 1)]
}

const permissionsNamed = (text: string): ReadonlySet<Permission> | string => {
  const permissions = new Set<Permission>()
  for (const name of text.split(",")) {
    if (name === "all") for (const each of NAMES) permissions.add(each)
    else if (name === "bloom") permissions.add("bloomfilter")
    else if (Object.hasOwn(IMPLIED, name)) for (const each of IMPLIED[name as Permission]) permissions.add(each)
    else if (name !== "") return `there is no permission "${name}": take some of ${NAMES.join(", ")}, all`
  }
  return permissions
}

/** What nearly everybody has: one set for all of them, since a set of its own costs as much as the rest of what is kept of a peer. */
export const NO_PERMISSIONS: ReadonlySet<Permission> = new Set()

const INBOUND_ONLY: ReadonlySet<RuleDirection> = new Set(["in"])

/** Everything that some rule gives to this host. */
export const permissionsOf = (
  rules: ReadonlyArray<PermissionRule>,
  host: NetAddr,
  direction: RuleDirection = "in"
): ReadonlySet<Permission> => {
  let all: Set<Permission> | undefined
  for (const { directions = INBOUND_ONLY, permissions, subnet } of rules) {
    if (directions.has(direction) && containsHost(subnet, host)) all = new Set([...(all ?? []), ...permissions])
  }
  return all ?? NO_PERMISSIONS
}

/** Everything that some rule gives to whoever came in at this socket. */
export const permissionsAt = (rules: ReadonlyArray<SocketRule>, socket: string): ReadonlySet<Permission> => {
  const matching = rules.filter((rule) =>
    rule.socket.startsWith(":") ? socket.endsWith(rule.socket) : rule.socket === socket
  )
  return matching.length === 0 ? NO_PERMISSIONS : new Set(matching.flatMap(({ permissions }) => [...permissions]))
}
