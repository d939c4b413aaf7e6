/**
 * A port of the gateway that leads to one of ours, kept open as long as the scope: by NAT-PMP, else by UPnP. Renewed when half of its time is
 * over, sought again after growing pauses while nobody opens one, given back at the end.
 *
 * Rationale: what answers on a LAN is a stranger (ATTACKS: CVE-2015-20111, an overflow in the UPnP of Bitcoin Core; CVE-2024-52917, a gateway
 * that never ends). So every reply is bounded in bytes and time, and what a gateway says is a claim: an address that the public network does not
 * lead to is not told to anybody, and AutoNAT, where it is on, has to confirm it.
 */
import { networkOf, parseHost } from "@satwire/netaddress"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { defaultGateway } from "./Gateway.ts"
import { NAT_PMP_PORT, type PmpServer, mapByPmp } from "./NatPmp.ts"
import type { PortMappingError } from "./PortMappingError.ts"
import { SSDP, type SearchAt, mapByUpnp } from "./Upnp.ts"

/** RFC 6886 §3.3. */
const LEASE_SECONDS = 7200
/** A gateway that grants a second would have us ask every half of one. */
const LEAST_RENEWAL_MS = 60_000
const MOST_RENEWAL_MS = 3_600_000
const FIRST_PAUSE_MS = 30_000
const GIVING_BACK_MS = 1000

export interface PortMappingOptions {
  /** The gateway that NAT-PMP is asked of; that of the default route where not given, which Linux alone tells. `"none"` asks none. */
  readonly natPmp?: PmpServer | "none"
  /** Where UPnP is searched; by multicast where not given. `"none"` searches nowhere. */
  readonly upnp?: SearchAt | "none"
}

export interface MappingRequest {
  readonly port: number
  readonly protocol: "tcp" | "udp"
  readonly seconds: number
}

/** A port of the gateway that leads to ours for a while. */
export interface Lease {
  readonly by: "NAT-PMP" | "UPnP"
  readonly internalHost: string
  readonly externalHost: string
  readonly externalPort: number
  readonly seconds: number
  /** Gives it back, as far as that goes. */
  readonly release: Effect.Effect<void>
}

/** Whether the public network leads to what a gateway calls its own address. */
export const isPublic = ({ externalHost }: Pick<Lease, "externalHost">): boolean => {
  const address = parseHost(externalHost)
  return address !== undefined && networkOf(address) === "ipv4"
}

/** Asks for a port once: by NAT-PMP, and by UPnP where that does not work. */
export const mapPort = (
  { natPmp, upnp }: PortMappingOptions,
  asked: Omit<MappingRequest, "seconds">
): Effect.Effect<Lease, PortMappingError> => {
  const request = { ...asked, seconds: LEASE_SECONDS }
  const byUpnp = mapByUpnp(upnp === undefined || upnp === "none" ? SSDP : upnp, request)
  if (natPmp === "none") return byUpnp
  const byPmp =
    natPmp === undefined
      ? Effect.flatMap(defaultGateway, (host) => mapByPmp({ host, port: NAT_PMP_PORT }, request))
      : mapByPmp(natPmp, request)
  return upnp === "none" ? byPmp : Effect.catchTag(byPmp, "PortMappingError", () => byUpnp)
}

export interface Mapped {
  /** A lease began, or changed. */
  readonly onLease: (lease: Lease) => void
  /** It ended, or another took its place. */
  readonly onLost: (lease: Lease) => void
}

/** Keeps a port open as long as the scope. */
export const keepMapped = (
  options: PortMappingOptions,
  asked: Omit<MappingRequest, "seconds">,
  mapped: Mapped
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    let lease: Lease | undefined
    const replace = (next: Lease | undefined): void => {
      const last = lease
      lease = next
      if (last !== undefined && (next === undefined || !isSame(last, next))) mapped.onLost(last)
      if (next !== undefined && (last === undefined || !isSame(last, next))) mapped.onLease(next)
    }
    yield* Effect.addFinalizer(() =>
      Effect.suspend(() => {
        const last = lease
        replace(undefined)
        return last === undefined ? Effect.void : Effect.ignore(Effect.timeout(last.release, GIVING_BACK_MS))
      })
    )
    let pauseMs = FIRST_PAUSE_MS
    const turn = mapPort(options, asked).pipe(
      Effect.match({
        onFailure: () => {
          replace(undefined)
          pauseMs = Math.min(pauseMs * 2, MOST_RENEWAL_MS)
          return pauseMs / 2
        },
        onSuccess: (next) => {
          replace(next)
          pauseMs = FIRST_PAUSE_MS
          return Math.min(Math.max(next.seconds * 500, LEAST_RENEWAL_MS), MOST_RENEWAL_MS)
        }
      }),
      Effect.flatMap((waitMs) => Effect.sleep(waitMs))
    )
    yield* Effect.forkScoped(Effect.forever(turn))
  })

const isSame = (a: Lease, b: Lease): boolean =>
  a.externalHost === b.externalHost && a.externalPort === b.externalPort && a.internalHost === b.internalHost
