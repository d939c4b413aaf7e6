/** How an endpoint becomes the URL of a WebSocket: a value that a layer is given. */
import { type DialReason, type Endpoint, formatEndpoint } from "@satwire/transport"

export interface WebSocketRoute {
  /** The URL of a WebSocket that leads to `endpoint`. */
  readonly url: (endpoint: Endpoint) => string
  /** Whether the server is somebody in between, so that what is wrong with it is not the endpoint's; no where not given. */
  readonly isProxy?: boolean | undefined
  /** The subprotocols that are offered (RFC 6455 §1.9); none where not given. */
  readonly protocols?: ReadonlyArray<string> | undefined
  /** What the server's choice among them means; any choice is a connection where not given. */
  readonly verdict?: ((protocol: string) => Verdict) | undefined
}

export type Verdict =
  /** It is a connection to the endpoint. */
  | { readonly _tag: "Open" }
  /** It will close in a moment, and its code tells why there is no connection. */
  | { readonly _tag: "Refusal"; readonly reasonOf: (code: number) => DialReason }
  /** The server does something else. */
  | { readonly _tag: "Stranger"; readonly detail: string }

export const OpenToAll: Verdict = { _tag: "Open" }

export interface DirectRouteOptions {
  /** `wss` and not `ws`. */
  readonly secure?: boolean | undefined
  /** Begins with a slash, which it is where not given. */
  readonly path?: string | undefined
}

/** The endpoint is itself a server of WebSockets: `ws://host:port/path`. */
export const directRoute = ({ secure = false, path = "/" }: DirectRouteOptions = {}): WebSocketRoute => ({
  url: (endpoint) => `${secure ? "wss" : "ws"}://${formatEndpoint(endpoint)}${path}`
})
