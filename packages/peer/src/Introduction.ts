/**
 * What the two sides say of themselves: the `version` that we send, and what is read out of theirs. It judges nothing but what Bitcoin
 * Core judges there.
 *
 * Source: Bitcoin Core 28.1 `net_processing.cpp` (`PushNodeVersion`, `ProcessMessage`), and 31 for private broadcast.
 */
import type { Now } from "@satwire/machine"
import { MIN_PEER_PROTO_VERSION, type NetAddress, NO_ADDRESS, type Version } from "@satwire/wire"
import { type ConnectionKind, KIND_RULES, directionOf } from "./ConnectionKind.ts"
import type { PeerDisconnectReason } from "./DisconnectReason.ts"
import type { PeerIdentity, PeerInfo } from "./PeerEvents.ts"

/** What every node that broadcasts in private says of itself, so that none is known by it (Core 31). */
const PRIVATE_USER_AGENT = "/pynode:0.0.1/"

export interface Introducing {
  readonly kind: ConnectionKind
  readonly identity: PeerIdentity
  /** The other end, where it is one that a `version` may name: routable, not behind a proxy, of a network that `addr` knows. */
  readonly receiver: NetAddress | undefined
}

/** Our `version`. */
export const ourVersion = ({ kind, identity, receiver }: Introducing, nonce: bigint, now: Now): Version => {
  const { protocolVersion, services, userAgent, startHeight, relay } = identity.describe()
  const { isPrivate, refusesTransactions } = KIND_RULES[kind]
  return {
    _tag: "version",
    protocolVersion,
    services: isPrivate ? 0n : services,
    time: isPrivate ? 0n : BigInt(now.unix),
    receiver: isPrivate ? NO_ADDRESS : (receiver ?? NO_ADDRESS),
    sender: NO_ADDRESS,
    nonce,
    userAgent: isPrivate ? PRIVATE_USER_AGENT : userAgent,
    startHeight: isPrivate ? 0 : startHeight,
    relay: relay && !refusesTransactions
  }
}

/** Why a `version` ends the connection, if it does. */
export const versionFault = ({ kind, identity }: Introducing, version: Version): PeerDisconnectReason | undefined => {
  const { services, protocolVersion, nonce, relay } = version
  const rules = KIND_RULES[kind]
  if (rules.expectsServices && identity.wants?.(services) === false) return { _tag: "LacksServices", services }
  if (protocolVersion < MIN_PEER_PROTO_VERSION) return { _tag: "ObsoleteVersion", protocolVersion }
  if (kind === "inbound" && identity.isOwnNonce(nonce)) return { _tag: "SelfConnection" }
  if (rules.isPrivate && !relay) return { _tag: "RefusesTransactions" }
  return undefined
}

/** What a `version` brings to light. */
export const infoOf = (
  { kind, identity }: Introducing,
  version: Version,
  from: Pick<PeerInfo, "transport" | "sessionId">,
  now: Now
): PeerInfo => ({
  kind,
  direction: directionOf(kind),
  transport: from.transport,
  sessionId: from.sessionId,
  protocolVersion: version.protocolVersion,
  commonVersion: Math.min(version.protocolVersion, identity.describe().protocolVersion),
  services: version.services,
  userAgent: shared(version.userAgent),
  startHeight: version.startHeight,
  relay: version.relay,
  wtxidRelay: false,
  addrV2: false,
  reconciliation: undefined,
  features: undefined,
  // Core takes a time before 1970 for 1970.
  timeOffsetSeconds: Math.max(0, Number(version.time)) - now.unix
})

/** Many say the same of themselves. */
const userAgents: Map<string, string> = new Map()
const MOST_USER_AGENTS = 64

/** The same text, in the memory of who said it before. */
const shared = (userAgent: string): string => {
  const known = userAgents.get(userAgent)
  if (known !== undefined) return known
  if (userAgents.size >= MOST_USER_AGENTS) userAgents.clear()
  userAgents.set(userAgent, userAgent)
  return userAgent
}
