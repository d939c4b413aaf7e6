/** Dials with the platform's `WebSocket`: in a page, and as well on Node and Deno. */
import {
  type Connection,
  DialError,
  Dialer,
  type DialerShape,
  type Endpoint,
  OpenConnections,
  dialWith
} from "@satwire/transport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { printable } from "./CloseCodes.ts"
import { type Failure, failedDial, refusedDial } from "./DialFailure.ts"
import { type PlatformCloseEvent, PlatformSocket, type PlatformWebSocket } from "./PlatformSocket.ts"
import { WebSocketConnection } from "./WebSocketConnection.ts"
import { OpenToAll, type Verdict, type WebSocketRoute } from "./WebSocketRoute.ts"

export interface PlatformDialerOptions {
  /** What opens a WebSocket: `new WebSocket(url, protocols)` of the platform where not given. */
  readonly open?: ((url: string, protocols: Array<string>) => PlatformWebSocket) | undefined
}

/**
 * A dialer over the platform's `WebSocket`, for pages, Node and Deno. Why a dial failed is the platform's to tell, and pages and Node
 * tell nothing: `Other` then. On Node and Deno `@satwire/transport-websocket/node` knows more.
 */
export const layerWebSocketDialer = (route: WebSocketRoute, options: PlatformDialerOptions = {}): Layer.Layer<Dialer> =>
  Layer.effect(
    Dialer,
    Effect.gen(function* () {
      const open = new OpenConnections()
      yield* Effect.addFinalizer(() => open.closeAll)
      return dialerOf(route, options.open ?? openPlatform, open)
    })
  )

const openPlatform = (url: string, protocols: Array<string>): PlatformWebSocket => {
  if (typeof WebSocket === "undefined") throw new Error("this platform has no WebSocket")
  return new WebSocket(url, protocols)
}

type Opens = (url: string, protocols: Array<string>) => PlatformWebSocket

const dialerOf = (route: WebSocketRoute, opens: Opens, open: OpenConnections): DialerShape => ({
  connections: () => open.count,
  dial: (endpoint, options) =>
    dialWith(endpoint, options, (done) => {
      let socket: PlatformWebSocket
      try {
        socket = opens(route.url(endpoint), [...(route.protocols ?? [])])
      } catch (thrown) {
        done(new DialError({ reason: "Other", endpoint, code: "UNKNOWN", detail: wordsOf(thrown) }))
        return () => undefined
      }
      return attempt(socket, route, endpoint, open, done)
    })
})

const attempt = (
  socket: PlatformWebSocket,
  route: WebSocketRoute,
  endpoint: Endpoint,
  open: OpenConnections,
  done: (outcome: Connection | DialError) => void
): (() => void) => {
  let said = ""
  let verdict: Verdict | undefined
  const giveUp = { destroy: () => socket.close() }
  socket.binaryType = "arraybuffer"
  socket.onerror = ({ message }: { readonly message?: unknown }) => {
    said = typeof message === "string" ? message : ""
  }
  socket.onclose = ({ code, reason }: PlatformCloseEvent) => {
    open.remove(giveUp)
    if (verdict === undefined || verdict._tag === "Open") done(failedDial(route, endpoint, failureIn(code, said)))
    else done(refusedDial(endpoint, verdict, code, reason))
  }
  socket.onopen = () => {
    verdict = route.verdict?.(socket.protocol) ?? OpenToAll
    if (verdict._tag === "Stranger") socket.close()
    if (verdict._tag !== "Open") return
    const connection = new WebSocketConnection(
      { remote: endpoint, local: NOWHERE, direction: "outbound" },
      (events) => new PlatformSocket(socket, events),
      (closed) => open.remove(closed)
    )
    open.add(connection)
    open.remove(giveUp)
    done(connection)
  }
  // Last, since it may be given up within this call, and Node tells of that within the call as well.
  open.add(giveUp)
  return () => giveUp.destroy()
}

/** The platform does not tell where our end is. */
const NOWHERE: Endpoint = { host: "0.0.0.0", port: 0 }

/** What can be told of a handshake that failed: on Deno its words, elsewhere nothing. */
const failureIn = (code: number, said: string): Failure => {
  const status = /Invalid status code: (\d+)/.exec(said)?.[1]
  if (status !== undefined) return { reason: "HttpStatus", code: status }
  const detail = said === "" ? "the platform does not say why" : printable(said)
  return { reason: /dns error/.test(said) ? "NameNotFound" : "Other", code: String(code), detail }
}

const wordsOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown))
