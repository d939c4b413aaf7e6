/** Both ends as a layer. */
import { Dialer, Listener, OpenConnections } from "@satwire/transport"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type WebSocketRoute, directRoute } from "../WebSocketRoute.ts"
import { makeDialer } from "./WsDialer.ts"
import { type WebSocketServerOptions, serve } from "./WsServer.ts"

export interface NodeWebSocketOptions extends Pick<
  WebSocketServerOptions,
  "tls" | "maxMessageBytes" | "handshakeTimeoutMs"
> {
  /** How an endpoint is dialled; `ws://host:port/` where not given. */
  readonly route?: WebSocketRoute | undefined
  /** Who vouches for the certificates of those who are dialled, in PEM; whom the platform trusts where not given. */
  readonly authorities?: string | undefined
}

/** A dialer and a listener that accepts everybody, whatever path and origin they name; all connections close with the layer's scope. */
export const layerWebSocket = (options: NodeWebSocketOptions = {}): Layer.Layer<Dialer | Listener> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const dialled = new OpenConnections()
      const accepted = new OpenConnections()
      yield* Effect.addFinalizer(() => Effect.andThen(dialled.closeAll, accepted.closeAll))
      const { route = directRoute(), authorities, tls, maxMessageBytes, handshakeTimeoutMs } = options
      const server = { tls, maxMessageBytes, handshakeTimeoutMs }
      return Context.make(Dialer, makeDialer({ route, authorities }, dialled)).pipe(
        Context.add(Listener, {
          connections: () => accepted.count,
          listen: (where, onConnection) =>
            serve({ ...where, ...server }, accepted, (request) => {
              const connection = request.accept()
              if (connection !== undefined) onConnection(connection)
            })
        })
      )
    })
  )
