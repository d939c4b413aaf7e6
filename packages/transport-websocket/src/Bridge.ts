/**
 * What a page and a bridge (`apps/bridge`) say to one another around the bytes, so that a dial through it fails with the same reasons as
 * a dial over TCP. A page is not told the status of a failed handshake, only the code of a close; so a bridge that could not reach the
 * endpoint opens the WebSocket all the same, with the other of two subprotocols, and closes it with a code.
 *
 * ```
 *   GET /?to=203.0.113.5:8333                      GET /?to=203.0.113.5:8333
 *   Sec-WebSocket-Protocol: both                   Sec-WebSocket-Protocol: both
 *        101, satwire-bridge                            101, satwire-bridge-refusal
 *   bytes ◀───────────▶ bytes                      ◀── close, 4403 and one sentence
 * ```
 */
import { type DialReason, formatEndpoint } from "@satwire/transport"
import type { Verdict, WebSocketRoute } from "./WebSocketRoute.ts"

/** The subprotocol of bytes to and from the endpoint. */
export const BRIDGE_PROTOCOL = "satwire-bridge"
/** The subprotocol of a WebSocket that closes at once, to say why there is none of the other kind. */
export const BRIDGE_REFUSAL_PROTOCOL = "satwire-bridge-refusal"
/** Where the URL names the endpoint, as `formatEndpoint` writes it. */
export const BRIDGE_ENDPOINT_PARAMETER = "to"

/** Codes of a refusal: those of HTTP that say the nearest, in the range that RFC 6455 leaves to applications. */
export const BRIDGE_REFUSALS = {
  /** The URL names no endpoint. */
  BadRequest: 4400,
  NotAllowed: 4403,
  NameNotFound: 4404,
  Refused: 4502,
  Unreachable: 4503,
  TimedOut: 4504,
  Reset: 4505,
  Other: 4500
} as const

/** Codes with which a bridge closes what it has carried. */
export const BRIDGE_CLOSES = {
  /** The bridge stops: "going away" (RFC 6455 §7.4.1), which is an orderly end. */
  Stopping: 1001,
  /** Nothing was said for too long, or not a word from the page. */
  Idle: 4408,
  /** It has carried as much as it carries for one connection. */
  Exhausted: 4413,
  /** The page speaks v1, which this bridge does not carry since it could read along. */
  Unencrypted: 4426
} as const

const REASONS: ReadonlyMap<number, DialReason> = new Map([
  [BRIDGE_REFUSALS.NotAllowed, "NotAllowed"],
  [BRIDGE_REFUSALS.NameNotFound, "NameNotFound"],
  [BRIDGE_REFUSALS.Refused, "Refused"],
  [BRIDGE_REFUSALS.Unreachable, "Unreachable"],
  [BRIDGE_REFUSALS.TimedOut, "TimedOut"],
  [BRIDGE_REFUSALS.Reset, "Reset"]
])

const verdict = (protocol: string): Verdict => {
  if (protocol === BRIDGE_PROTOCOL) return { _tag: "Open" }
  if (protocol === BRIDGE_REFUSAL_PROTOCOL) {
    return { _tag: "Refusal", reasonOf: (code) => REASONS.get(code) ?? "ProxyFailed" }
  }
  return { _tag: "Stranger", detail: "what answers there is no bridge" }
}

/** Every endpoint is reached through the bridge at this URL, `wss://…`. */
export const bridgeRoute = (bridge: string): WebSocketRoute => ({
  url: (endpoint) => {
    const url = new URL(bridge)
    url.searchParams.set(BRIDGE_ENDPOINT_PARAMETER, formatEndpoint(endpoint))
    return url.href
  },
  isProxy: true,
  protocols: [BRIDGE_PROTOCOL, BRIDGE_REFUSAL_PROTOCOL],
  verdict
})

const BASE = "ws://bridge"

/** The text after `to=` in the path of a request, whatever a stranger wrote there, or `undefined`. */
export const bridgeEndpointText = (path: string): string | undefined =>
  URL.canParse(path, BASE) ? (new URL(path, BASE).searchParams.get(BRIDGE_ENDPOINT_PARAMETER) ?? undefined) : undefined
