/** The way out of this network: which router leads there, and which of our addresses it knows. */
import { readFile } from "node:fs/promises"
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os"
import * as Effect from "effect/Effect"
import { type PortMappingError, failure } from "./PortMappingError.ts"

const ROUTES = "/proc/net/route"
const DEFAULT_ROUTE = "00000000"

/** The gateway of the default route, as Linux lists it: hexadecimal, lowest byte first. */
export const gatewayIn = (routes: string): string | undefined => {
  for (const line of routes.split("\n").slice(1)) {
    const [, destination, gateway] = line.split("\t")
    if (destination !== DEFAULT_ROUTE || gateway === undefined || !/^[0-9A-F]{8}$/.test(gateway)) continue
    if (gateway === DEFAULT_ROUTE) continue
    return [6, 4, 2, 0].map((at) => Number.parseInt(gateway.slice(at, at + 2), 16)).join(".")
  }
  return undefined
}

/** Linux tells; elsewhere a gateway has to be named, or found by UPnP. */
export const defaultGateway: Effect.Effect<string, PortMappingError> = Effect.tryPromise({
  try: () => readFile(ROUTES, "utf8"),
  catch: () => failure("NoGateway", "This system does not list its routes: name the gateway.")
}).pipe(
  Effect.flatMap((routes) => {
    const gateway = gatewayIn(routes)
    return gateway === undefined
      ? Effect.fail(failure("NoGateway", "There is no default route over IPv4."))
      : Effect.succeed(gateway)
  })
)

const bits = (address: string): number => address.split(".").reduce((sum, part) => ((sum << 8) | Number(part)) >>> 0, 0)

/** Our IPv4 address in the network of `gateway`: the one that it can send to. */
export const addressBeside = (
  gateway: string,
  interfaces: NodeJS.Dict<Array<NetworkInterfaceInfo>> = networkInterfaces()
): string | undefined =>
  Object.values(interfaces)
    .flatMap((some) => some ?? [])
    .find(
      ({ family, address, netmask }) => family === "IPv4" && ((bits(address) ^ bits(gateway)) & bits(netmask)) === 0
    )?.address
