/**
 * UPnP's Internet Gateway Device, as far as a port is opened by it: a search, a description, two questions.
 *
 * ```
 *   M-SEARCH ─▶ (multicast)        LOCATION: http://gateway/description.xml ◀─ whoever answers
 *   GET the description            a service WAN(IP|PPP)Connection, its controlURL
 *   POST GetExternalIPAddress, AddPortMapping … DeletePortMapping
 * ```
 *
 * Specification: of the answers to a search four are looked at, each for 512 characters of a LOCATION; it must be on the host that answered, and
 * so must the control URL, so that nobody on a LAN makes us talk to somebody else. Answers over HTTP are bounded in bytes and time, and no XML is
 * parsed: the few values that are wanted stand between known tags. The library that js-libp2p would use bounds none of these.
 *
 * Source: UPnP Forum "WANIPConnection:1", "UPnP Device Architecture" 1.0 §1.2; CVE-2024-52917 of Bitcoin Core for what a gateway can do.
 */
import { createSocket } from "node:dgram"
import * as Effect from "effect/Effect"
import { askHttp } from "./BoundedHttp.ts"
import { addressBeside } from "./Gateway.ts"
import type { Lease, MappingRequest } from "./PortMapping.ts"
import { type PortMappingError, failure } from "./PortMappingError.ts"

/** Where devices are asked for. */
export const SSDP = { host: "239.255.255.250", port: 1900 } as const

/**
 * @limit milliseconds of a search for a gateway by UPnP
 */
export const SEARCH_MS = 2000

/**
 * @limit answers to a search for a gateway that are looked at
 */
export const MAX_SEARCH_ANSWERS = 4

const MAX_LOCATION = 512
const DEVICE = "urn:schemas-upnp-org:device:InternetGatewayDevice:1"
const SERVICES = [
  "urn:schemas-upnp-org:service:WANIPConnection:2",
  "urn:schemas-upnp-org:service:WANIPConnection:1",
  "urn:schemas-upnp-org:service:WANPPPConnection:1"
]

export interface SearchAt {
  readonly host: string
  readonly port: number
}

/** The place of a description in an answer to a search; `undefined` where it is not on the host that answered. */
export const locationIn = (answer: string, from: string): URL | undefined => {
  if (!answer.startsWith("HTTP/1.1 200")) return undefined
  const line = answer.split("\r\n").find((text) => /^location:/i.test(text))
  const text = line?.slice("location:".length).trim() ?? ""
  if (text.length > MAX_LOCATION || !URL.canParse(text)) return undefined
  const url = new URL(text)
  return url.protocol === "http:" && url.hostname === from ? url : undefined
}

/** What stands between the first such tags; what they mean in XML is not asked. */
export const between = (xml: string, tag: string): string | undefined => {
  const start = xml.indexOf(`<${tag}>`)
  const end = start < 0 ? -1 : xml.indexOf(`</${tag}>`, start)
  return end < 0 ? undefined : xml.slice(start + tag.length + 2, end).trim()
}

export interface Control {
  readonly url: URL
  readonly service: string
}

/** The service that opens ports, in a description; `undefined` where there is none, or on another host. */
export const controlIn = (description: string, location: URL): Control | undefined => {
  for (const part of description.split("<service>").slice(1)) {
    const service = between(part, "serviceType") ?? ""
    const path = between(part, "controlURL") ?? ""
    if (!SERVICES.includes(service) || !URL.canParse(path, location.href)) continue
    const url = new URL(path, location)
    if (url.origin === location.origin) return { url, service }
  }
  return undefined
}

const searching = (at: SearchAt): Effect.Effect<URL, PortMappingError> =>
  Effect.callback<URL, PortMappingError>((resume) => {
    const socket = createSocket("udp4")
    let answers = 0
    socket.on("error", ({ message }) => resume(Effect.fail(failure("NoGateway", message))))
    socket.on("message", (bytes, from) => {
      if (++answers > MAX_SEARCH_ANSWERS) return
      const location = locationIn(bytes.toString("latin1", 0, 2048), from.address)
      if (location !== undefined) resume(Effect.succeed(location))
    })
    const lines = [
      "M-SEARCH * HTTP/1.1",
      `HOST: ${SSDP.host}:${SSDP.port}`,
      'MAN: "ssdp:discover"',
      "MX: 1",
      `ST: ${DEVICE}`
    ]
    // What goes wrong with it is told by the error above, or by nothing coming back.
    socket.send(`${lines.join("\r\n")}\r\n\r\n`, at.port, at.host, () => undefined)
    return Effect.sync(() => socket.close())
  }).pipe(
    Effect.timeoutOrElse({
      duration: SEARCH_MS,
      orElse: () => Effect.fail(failure("NoGateway", "No gateway answers a search by UPnP."))
    })
  )

const invoke = (
  { url, service }: Control,
  action: string,
  values: Record<string, string | number> = {}
): Effect.Effect<string, PortMappingError> => {
  const given = Object.entries(values).map(([name, value]) => `<${name}>${value}</${name}>`)
  const body = `<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body><u:${action} xmlns:u="${service}">${given.join("")}</u:${action}></s:Body></s:Envelope>`
  const headers = {
    "Content-Type": 'text/xml; charset="utf-8"',
    "Content-Length": String(body.length),
    SOAPAction: `"${service}#${action}"`
  }
  return askHttp(url, { method: "POST", headers, body }).pipe(
    Effect.mapError(({ reason, message }) =>
      failure(reason === "TimedOut" ? reason : "Refused", `${action}: ${message}`)
    )
  )
}

const IPV4 = /^(?:\d{1,3}\.){3}\d{1,3}$/

/** Searches the gateway and asks it for a port. */
export const mapByUpnp = (
  at: SearchAt,
  { port, protocol, seconds }: MappingRequest
): Effect.Effect<Lease, PortMappingError> =>
  Effect.gen(function* () {
    const location = yield* searching(at)
    const control = controlIn(yield* askHttp(location, { method: "GET" }), location)
    if (control === undefined) {
      return yield* Effect.fail(
        failure("Malformed", `The gateway at ${location.host} describes nothing that opens ports.`)
      )
    }
    const internalHost = addressBeside(location.hostname)
    const externalHost = between(yield* invoke(control, "GetExternalIPAddress"), "NewExternalIPAddress") ?? ""
    if (internalHost === undefined || !IPV4.test(externalHost)) {
      return yield* Effect.fail(failure("Malformed", `The gateway at ${location.host} does not know its address.`))
    }
    const mapping = { NewRemoteHost: "", NewExternalPort: port, NewProtocol: protocol.toUpperCase() }
    yield* invoke(control, "AddPortMapping", {
      ...mapping,
      NewInternalPort: port,
      NewInternalClient: internalHost,
      NewEnabled: 1,
      NewPortMappingDescription: "satwire",
      NewLeaseDuration: seconds
    })
    const release = Effect.ignore(invoke(control, "DeletePortMapping", mapping))
    return { by: "UPnP", internalHost, externalHost, externalPort: port, seconds, release }
  })
