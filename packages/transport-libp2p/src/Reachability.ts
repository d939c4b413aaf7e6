/** How others reach us where they cannot dial us: relays, ports that a gateway opens, holes punched through what is between. */
import type { PortMappingOptions } from "@satwire/port-mapping"
import type { EngineTransport, Service } from "./Engine.ts"
import { mappedPorts } from "./MappedPorts.ts"
import { RelayPlaces } from "./RelayPlaces.ts"

export interface Reachability {
  /** Dials through relays, and is reached through those given. */
  readonly relayed?: RelayedOptions
  /** Carries connections for others. */
  readonly relay?: RelayOptions
  /**
   * Asks peers whether our addresses can be dialled, and tells them of theirs (AutoNAT v2). Of v1, which js-libp2p has as well, only the asking
   * works: who is asked there takes the connection that stands for the one that it should have made.
   */
  readonly autonat?: boolean
  /** Opens the ports that we listen on at the gateway of this network. */
  readonly portMapping?: PortMappingOptions
  /** Makes a direct connection of one through a relay, where what is between allows it (DCUtR). */
  readonly holePunching?: boolean
}

export interface RelayedOptions {
  /** Multiaddrs of relays, ending in `/p2p/…`, at which a place is reserved at the start, which fails where one of them refuses, and again once lost. */
  readonly at?: ReadonlyArray<string>
  /** Whether places are reserved at relays that are met, too. */
  readonly search?: boolean
}

/** A relay carries what it cannot read, for strangers: every bound is per circuit. */
export interface RelayOptions {
  /** {@link MAX_RESERVATIONS} where not given. */
  readonly maxReservations?: number
  /** How long a connection is carried; two minutes where not given (the specification's). */
  readonly maxDurationMs?: number
  /** How much is carried each way; 128 KiB where not given (the specification's). */
  readonly maxBytes?: bigint
  /** Without bounds: for a relay of one's own, and for long sessions through it. */
  readonly isUnlimited?: boolean
}

export interface ReachabilityParts {
  readonly listen: ReadonlyArray<string>
  readonly transports: ReadonlyArray<EngineTransport>
  readonly services: Record<string, Service>
}

/**
 * js-libp2p's own.
 *
 * @limit peers that have a place at a relay of ours, unless told otherwise
 */
export const MAX_RESERVATIONS = 15

const DEFAULT_DURATION_MS = 120_000
const DEFAULT_BYTES = 131_072n

/** What js-libp2p is given for it; only what is asked for is imported. */
export const reachabilityParts = async (asked: Reachability): Promise<ReachabilityParts> => {
  const { relayed, relay } = asked
  const services: Record<string, Service> = {}
  const transports: Array<EngineTransport> = []
  if (relayed !== undefined) {
    const { circuitRelayTransport } = await import("@libp2p/circuit-relay-v2")
    const [make, places] = [circuitRelayTransport(), new RelayPlaces()]
    transports.push((components) => places.of(make(components)))
    services["places"] = () => places
  }
  if (relay !== undefined) {
    const { circuitRelayServer } = await import("@libp2p/circuit-relay-v2")
    services["relay"] = circuitRelayServer({
      reservations: {
        maxReservations: relay.maxReservations ?? MAX_RESERVATIONS,
        applyDefaultLimit: relay.isUnlimited !== true,
        defaultDurationLimit: relay.maxDurationMs ?? DEFAULT_DURATION_MS,
        defaultDataLimit: relay.maxBytes ?? DEFAULT_BYTES
      }
    })
  }
  if (asked.autonat === true) services["autonat"] = (await import("@libp2p/autonat-v2")).autoNATv2()
  if (asked.holePunching === true) services["dcutr"] = (await import("@libp2p/dcutr")).dcutr()
  const { portMapping } = asked
  if (portMapping !== undefined) {
    services["ports"] = ({ addressManager }) => ({
      keep: mappedPorts(addressManager, portMapping, asked.autonat !== true)
    })
  }
  const at = relayed?.at?.map((relayAddress) => `${relayAddress}/p2p-circuit`) ?? []
  return { listen: relayed?.search === true ? [...at, "/p2p-circuit"] : at, transports, services }
}
