/** From what went wrong with a WebSocket to the error of a dial: whose trouble it is depends on whether the server is the endpoint itself. */
import { DialError, type DialReason, type Endpoint } from "@satwire/transport"
import { printable } from "./CloseCodes.ts"
import type { Verdict, WebSocketRoute } from "./WebSocketRoute.ts"

export interface Failure {
  readonly reason: DialReason
  /** The platform's own. */
  readonly code: string
  readonly detail?: string
}

/** The server could not be talked to. */
export const failedDial = (route: WebSocketRoute, endpoint: Endpoint, failure: Failure): DialError => {
  const { reason, code, detail = code } = failure
  if (route.isProxy !== true) return new DialError({ reason, endpoint, code, detail })
  if (reason === "HttpStatus") {
    const meant = code === "403" ? "NotAllowed" : "ProxyFailed"
    return new DialError({ reason: meant, endpoint, code, detail: `HTTP status ${code}` })
  }
  return new DialError({ reason: OF_A_PROXY[reason] ?? reason, endpoint, code, detail })
}

/** What an endpoint's trouble is called when it is the proxy's. */
const OF_A_PROXY: Partial<Record<DialReason, DialReason>> = {
  Refused: "ProxyUnreachable",
  Unreachable: "ProxyUnreachable",
  NameNotFound: "ProxyUnreachable",
  Reset: "ProxyUnreachable",
  TimedOut: "ProxyUnreachable",
  Other: "ProxyUnreachable",
  BadHandshake: "ProxyFailed"
}

/** The server opened the WebSocket and then closed it, as its verdict had said that it would. */
export const refusedDial = (
  endpoint: Endpoint,
  verdict: Exclude<Verdict, { readonly _tag: "Open" }>,
  code: number,
  why: string
): DialError => {
  if (verdict._tag === "Stranger") {
    return new DialError({ reason: "ProxyFailed", endpoint, code: String(code), detail: verdict.detail })
  }
  const detail = why === "" ? "it did not say why" : printable(why)
  return new DialError({ reason: verdict.reasonOf(code), endpoint, code: String(code), detail })
}
