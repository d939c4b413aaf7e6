/** Dials with the `ws` library. */
import {
  type Connection,
  type DialError,
  type DialerShape,
  type Endpoint,
  type OpenConnections,
  dialWith
} from "@satwire/transport"
import { codeOf, dialReasonOf, endpointOf, wordsOf } from "@satwire/transport-tcp"
import { WebSocket } from "ws"
import { type Failure, failedDial, refusedDial } from "../DialFailure.ts"
import { WebSocketConnection } from "../WebSocketConnection.ts"
import { OpenToAll, type Verdict, type WebSocketRoute } from "../WebSocketRoute.ts"
import { WS_OPTIONS, WsSocket } from "./WsSocket.ts"

export interface WsDialerOptions {
  readonly route: WebSocketRoute
  /** Who vouches for certificates, in PEM; whom the platform trusts where not given. */
  readonly authorities?: string | undefined
}

export const makeDialer = (options: WsDialerOptions, open: OpenConnections): DialerShape => ({
  connections: () => open.count,
  dial: (endpoint, dialOptions) => dialWith(endpoint, dialOptions, (done) => attempt(options, endpoint, open, done))
})

const attempt = (
  { route, authorities }: WsDialerOptions,
  endpoint: Endpoint,
  open: OpenConnections,
  done: (outcome: Connection | DialError) => void
): (() => void) => {
  let socket: WebSocket
  try {
    const ca = authorities === undefined ? {} : { ca: authorities }
    socket = new WebSocket(route.url(endpoint), [...(route.protocols ?? [])], { ...WS_OPTIONS, ...ca })
  } catch (thrown) {
    done(failedDial(route, endpoint, { reason: "Other", code: codeOf(thrown), detail: wordsOf(thrown) }))
    return () => undefined
  }
  const giveUp = { destroy: () => socket.terminate() }
  open.add(giveUp)
  let local = endpointOf(undefined, undefined)
  let failure: Failure | undefined
  let verdict: Verdict | undefined
  socket.on("upgrade", (response) => {
    local = endpointOf(response.socket.localAddress, response.socket.localPort)
  })
  socket.on("unexpected-response", (_, { statusCode }) => {
    failure = { reason: "HttpStatus", code: String(statusCode ?? 0) }
    socket.terminate()
  })
  const onError = (error: unknown): void => {
    failure ??= failureIn(error)
  }
  const onClose = (code: number, why: Buffer): void => {
    open.remove(giveUp)
    if (verdict !== undefined && verdict._tag !== "Open") done(refusedDial(endpoint, verdict, code, why.toString()))
    else done(failedDial(route, endpoint, failure ?? { reason: "Other", code: "ECANCELED" }))
  }
  socket.on("error", onError).on("close", onClose)
  socket.on("open", () => {
    verdict = route.verdict?.(socket.protocol) ?? OpenToAll
    if (verdict._tag === "Stranger") socket.terminate()
    if (verdict._tag !== "Open") return
    socket.off("error", onError).off("close", onClose)
    const connection = new WebSocketConnection(
      { remote: endpoint, local, direction: "outbound" },
      (events) => new WsSocket(socket, events),
      (closed) => open.remove(closed)
    )
    open.add(connection)
    open.remove(giveUp)
    done(connection)
  })
  return () => giveUp.destroy()
}

/** OpenSSL's codes and Node's own about certificates and versions. */
const TLS_CODE = /^(?:EPROTO$|ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH)/
/** Deno has words and no code for the same. */
const TLS_WORDS = /\bcertificate\b/i

const failureIn = (error: unknown): Failure => {
  const [code, detail] = [codeOf(error), wordsOf(error).trim()]
  if (TLS_CODE.test(code) || TLS_WORDS.test(detail)) return { reason: "Tls", code, detail }
  // The library's own errors have no code: a header that is wrong. `HPE_` are those of the HTTP parser.
  if (code === "UNKNOWN" || code.startsWith("HPE_")) return { reason: "BadHandshake", code, detail }
  return { reason: dialReasonOf(code), code }
}
