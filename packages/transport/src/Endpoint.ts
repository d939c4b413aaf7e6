/**
 * Where the other end is, as people write it: `203.0.113.5:8333`, `[2001:db8::1]:8333`, `seed.example:8333`, `abc….onion:8333`.
 * A host may be a name: who dials it decides what resolves it (the system, a proxy). An IP address is kept in its canonical form,
 * so that two endpoints are the same exactly when their texts are.
 */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Result from "effect/Result"
import * as NetAddress from "effect/net/NetAddress"

export interface Endpoint {
  /** An IPv4 address, an IPv6 address without brackets, or a name in lower case. */
  readonly host: string
  /** 0 .. 65535, where 0 asks a listener for any free port. */
  readonly port: number
}

/** What stands for an end that has no endpoint, or none that is known here. */
export const NOWHERE: Endpoint = { host: "0.0.0.0", port: 0 }

interface EndpointErrorFields {
  /** What was given, cut short where it is long. */
  readonly text: string
  /** One sentence that names the text and what is wrong with it. */
  readonly message: string
}

const EndpointErrorBase: new (
  fields: EndpointErrorFields
) => Cause.YieldableError & { readonly _tag: "EndpointError" } & EndpointErrorFields = Data.TaggedError("EndpointError")

/** Text that names no endpoint. */
export class EndpointError extends EndpointErrorBase {}

/** RFC 1035 §2.3.4; Tor and I2P names are shorter. */
const MAX_NAME_LENGTH = 253
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/
const NUMERIC = /^[0-9.]*$/

/**
 * The endpoint that `text` names. Where it names no port, `defaultPort` is taken, if given; 0 on I2P, which has no ports (Core's
 * `I2P_SAM31_PORT`).
 */
export const parseEndpoint = (text: string, defaultPort?: number): Result.Result<Endpoint, EndpointError> => {
  const parts = split(text)
  if (parts === undefined) return fail(text, "has a [ without its ], or text between ] and the port")
  const host = parts.bracketed ? canonicalIpv6(parts.host) : canonicalHost(parts.host)
  if (parts.host === "") return fail(text, "names no host")
  if (host === undefined) return fail(text, `has a host that is neither an address nor a name: "${clip(parts.host)}"`)
  if (parts.port === undefined) {
    const port = host.endsWith(".i2p") ? 0 : defaultPort
    return port === undefined ? fail(text, "names no port") : Result.succeed({ host, port })
  }
  const port = /^[0-9]{1,5}$/.test(parts.port) ? Number(parts.port) : -1
  if (port < 0 || port > 65535) return fail(text, `has a port that is not 0 to 65535: "${clip(parts.port)}"`)
  return Result.succeed({ host, port })
}

/** The text that {@link parseEndpoint} reads back: an IPv6 host stands in brackets. */
export const formatEndpoint = (endpoint: Endpoint): string =>
  endpoint.host.includes(":") ? `[${endpoint.host}]:${endpoint.port}` : `${endpoint.host}:${endpoint.port}`

interface Parts {
  readonly host: string
  readonly bracketed: boolean
  readonly port: string | undefined
}

const split = (text: string): Parts | undefined => {
  if (text.startsWith("[")) {
    const close = text.indexOf("]")
    const rest = text.slice(close + 1)
    if (close < 0 || (rest !== "" && !rest.startsWith(":"))) return undefined
    return { host: text.slice(1, close), bracketed: true, port: rest === "" ? undefined : rest.slice(1) }
  }
  const colon = text.indexOf(":")
  // Two colons outside brackets are an IPv6 address that has no port.
  if (colon < 0 || text.includes(":", colon + 1)) return { host: text, bracketed: false, port: undefined }
  return { host: text.slice(0, colon), bracketed: false, port: text.slice(colon + 1) }
}

const canonicalHost = (text: string): string | undefined => {
  if (text.includes(":")) return canonicalIpv6(text)
  if (NUMERIC.test(text)) {
    const ipv4 = NetAddress.ipv4FromString(text)
    return Result.isSuccess(ipv4) ? NetAddress.formatIp(ipv4.success) : undefined
  }
  const name = text.toLowerCase()
  const labels = (name.endsWith(".") ? name.slice(0, -1) : name).split(".")
  return name.length <= MAX_NAME_LENGTH && labels.every((label) => LABEL.test(label)) ? name : undefined
}

const canonicalIpv6 = (text: string): string | undefined => {
  const [address = "", zone, ...more] = text.split("%")
  const ipv6 = NetAddress.ipv6FromString(address)
  if (Result.isFailure(ipv6) || more.length > 0) return undefined
  if (zone === undefined) return NetAddress.formatIp(ipv6.success)
  return /^[\w.-]{1,15}$/.test(zone) ? `${NetAddress.formatIp(ipv6.success)}%${zone}` : undefined
}

const clip = (text: string): string => (text.length <= 80 ? text : `${text.slice(0, 80)}…`)

const fail = (text: string, what: string): Result.Result<never, EndpointError> =>
  Result.fail(
    new EndpointError({
      text: clip(text),
      message: `"${clip(text)}" ${what}; write host:port, or [address]:port for IPv6`
    })
  )
