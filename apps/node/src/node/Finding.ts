/**
 * How the node finds peers and is found, from its settings, with Core's parameter interaction: what one option says of another that nobody gave.
 *
 * Source: Bitcoin Core 31.99 `init.cpp` (`InitParameterInteraction`, and `AppInitMain` for networks).
 */
import type { AddressOptions } from "@satwire/node"
import { type NodeAddress, type Network, parseHost } from "@satwire/netaddress"
import * as Result from "effect/Result"
import { ConfigError } from "../config/ConfigError.ts"
import { type Identity, isPublic } from "../config/Identity.ts"
import type { Resolution } from "../config/Settings.ts"
import type { HostPort, NetName } from "../config/Values.ts"
import { withPort } from "../network/Ways.ts"

const NETWORK_OF: { readonly [Name in NetName]: Network } = {
  ipv4: "ipv4",
  ipv6: "ipv6",
  onion: "torv3",
  i2p: "i2p",
  cjdns: "cjdns"
}

/** What leads to a network that is not simply there. */
const NEEDS: { readonly [Name in NetName]?: string } = {
  onion: "--onion or --proxy",
  i2p: "--i2psam",
  cjdns: "--cjdnsreachable"
}

export interface Finding {
  readonly addresses: AddressOptions
  /** Whether it looks for anybody whom nobody named. */
  readonly isAutomatic: boolean
}

/** @param interfaces addresses of this machine's own */
export const findingOf = (
  resolution: Resolution,
  { params }: Identity,
  interfaces: ReadonlyArray<NodeAddress>
): Result.Result<Finding, ConfigError> =>
  Result.gen(function* () {
    const { given, settings } = resolution
    const networks = yield* networksOf(resolution)
    const isAutomatic = !given.has("connect") && settings.maxconnections > 0 && settings.networkactive !== false
    const isProxied = settings.proxy !== undefined && settings.proxy !== "none"
    const discovers = settings.discover ?? (settings.externalip.length === 0 && !isProxied)
    const isClear = networks.includes("ipv4") || networks.includes("ipv6")
    if (settings.dnsseed === true && !isClear) {
      const message = "dnsseed is 1, but DNS seeds know addresses of ipv4 and ipv6 alone, which onlynet leaves out"
      return yield* Result.fail(new ConfigError({ message }))
    }
    const asksDns = settings.dnsseed ?? (isAutomatic && isClear)
    const addresses: AddressOptions = {
      isAutomatic,
      networks,
      // Nobody on regtest has all blocks yet.
      wantedServices: isPublic(params) ? undefined : 0n,
      dnsSeeds: asksDns && settings.forcednsseed === true ? "always" : asksDns,
      resolvesThroughProxy: isProxied,
      seedNodes: settings.seednode.map((peer) => withPort(peer, params.defaultPort)),
      local: [
        ...settings.externalip.map((own) => ({ node: nodeOf(own, params.defaultPort), origin: "manual" as const })),
        ...(discovers ? interfaces.map((node) => ({ node, origin: "interface" as const })) : [])
      ],
      discovers
    }
    return { addresses, isAutomatic }
  })

/** The networks on which peers are found: those of `-onlynet`, or all that can be reached. */
const networksOf = ({ settings }: Resolution): Result.Result<ReadonlyArray<Network>, ConfigError> => {
  const { cjdnsreachable, i2psam, onion, onlynet, proxy } = settings
  const isGiven = (through: typeof proxy): boolean => through !== undefined && through !== "none"
  const leads: { readonly [Name in NetName]: boolean } = {
    ipv4: true,
    ipv6: true,
    onion: onion === undefined ? isGiven(proxy) : isGiven(onion),
    i2p: isGiven(i2psam),
    cjdns: cjdnsreachable === true
  }
  const missing = onlynet.find((name) => !leads[name])
  if (missing !== undefined) {
    const message = `onlynet names ${missing}, but nothing leads there: give ${NEEDS[missing] ?? "another network"} too`
    return Result.fail(new ConfigError({ message }))
  }
  const names = Object.keys(leads) as ReadonlyArray<NetName>
  return Result.succeed(
    names
      .filter((name) => leads[name] && (onlynet.length === 0 || onlynet.includes(name)))
      .map((name) => NETWORK_OF[name])
  )
}

const nodeOf = (own: HostPort, defaultPort: number): NodeAddress => {
  const host = parseHost(own.host)
  if (host === undefined) throw new Error(`${own.host} was let pass and is no address`)
  return { ...host, port: withPort(own, defaultPort).port }
}
