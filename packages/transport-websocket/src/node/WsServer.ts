/**
 * A server of WebSockets that asks about each one before it opens it.
 *
 * ```
 *   TCP (TLS) ─▶ GET … Upgrade: websocket ─▶ WebSocketRequest ─▶ accept ─▶ Connection
 *      └── too slow, too many: closed          └── another request: 426    └─▶ refuse: an HTTP status
 * ```
 */
import * as Http from "node:http"
import * as Https from "node:https"
import type { Socket } from "node:net"
import { type Endpoint, ListenError, type ListenOptions, type Listening, OpenConnections } from "@satwire/transport"
import { codeOf, endpointOf, listenReasonOf, wordsOf } from "@satwire/transport-tcp"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type WebSocket, WebSocketServer } from "ws"
import { WebSocketConnection, type WebSocketEnd } from "../WebSocketConnection.ts"
import { HANDSHAKE_TIMEOUT_MS, Handshakes } from "./Handshakes.ts"
import { WS_OPTIONS, WsSocket } from "./WsSocket.ts"

/**
 * Half of Node's own.
 *
 * @limit bytes of the head of an HTTP request
 */
const MAX_HEAD_BYTES = 8192

/** As many as Linux allows by default, as over TCP. */
const DEFAULT_BACKLOG = 4096

/** A private key and its certificate, in PEM. */
export interface Certificate {
  readonly key: string
  readonly certificate: string
}

export interface WebSocketServerOptions extends ListenOptions {
  /** `wss` with this certificate, or `ws` where not given. */
  readonly tls?: Certificate | undefined
  /** `MAX_RECEIVED_MESSAGE_BYTES` where not given. */
  readonly maxMessageBytes?: number | undefined
  /** {@link HANDSHAKE_TIMEOUT_MS} where not given. */
  readonly handshakeTimeoutMs?: number | undefined
}

/** Somebody who wants a WebSocket. One of `accept` and `refuse` is to be called, in any turn before the handshake times out. */
export interface WebSocketRequest {
  /** The other end of the TCP connection, which may be somebody in between. */
  readonly remote: Endpoint
  readonly local: Endpoint
  /** What was asked for, with its query: `/path?name=value`. */
  readonly path: string
  /** The page's origin, which every browser names. */
  readonly origin: string | undefined
  /** Another header by its name in lower case; several of one name are joined by commas. */
  readonly header: (name: string) => string | undefined
  /**
   * Opens the WebSocket, with that subprotocol where it is among those that are offered. Gives `undefined` where the other end has gone
   * meanwhile.
   */
  readonly accept: (protocol?: string) => WebSocketEnd | undefined
  /** Answers with an HTTP status and one sentence. */
  readonly refuse: (status: number, sentence: string) => void
}

/** Listens until the scope closes, which closes what was accepted as well. */
export const listenWebSocket = (
  options: WebSocketServerOptions,
  onRequest: (request: WebSocketRequest) => void
): Effect.Effect<Listening, ListenError, Scope.Scope> =>
  Effect.gen(function* () {
    const accepted = new OpenConnections()
    yield* Effect.addFinalizer(() => accepted.closeAll)
    return yield* serve(options, accepted, onRequest)
  })

/** Listens until the scope closes; what was accepted is among `open` and lives on. */
export const serve = (
  options: WebSocketServerOptions,
  open: OpenConnections,
  onRequest: (request: WebSocketRequest) => void
): Effect.Effect<Listening, ListenError, Scope.Scope> =>
  Effect.gen(function* () {
    let count = 0
    const connectionOf: Opens = (socket, remote, local) => {
      const connection = new WebSocketConnection(
        { remote, local, direction: "inbound" },
        (events) => new WsSocket(socket, events),
        (closed) => {
          count--
          open.remove(closed)
        }
      )
      count++
      open.add(connection)
      return connection
    }
    const handshakes = new Handshakes(options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS)
    const server = createServer(options)
    server.on("connection", (socket: Socket) => handshakes.begin(socket))
    server.on("request", refusePlainRequest)
    server.on("upgrade", upgrade(options, handshakes, connectionOf, onRequest))
    const endpoint = yield* Effect.acquireRelease(listening(server, options), () =>
      Effect.sync(() => {
        // Closes the handle now; that accepted connections live on holds up only the callback, which nobody waits for.
        server.close()
        handshakes.closeAll()
      })
    )
    return { endpoint, connections: () => count, lost: lost(server, endpoint) }
  })

/** Where nobody of ours closed it, the system did. */
const lost = (server: Http.Server, endpoint: Endpoint): Effect.Effect<ListenError> =>
  Effect.callback((resume) => {
    const closed = (): void =>
      resume(
        Effect.succeed(
          new ListenError({ reason: "Other", endpoint, code: "ECLOSED", detail: "the listening socket was closed" })
        )
      )
    if (!server.listening) return closed()
    server.once("close", closed)
    return Effect.sync(() => server.off("close", closed))
  })

type Opens = (socket: WebSocket, remote: Endpoint, local: Endpoint) => WebSocketEnd

const createServer = ({ tls, handshakeTimeoutMs }: WebSocketServerOptions): Http.Server => {
  const options = { maxHeaderSize: MAX_HEAD_BYTES, noDelay: true, keepAlive: true, keepAliveInitialDelay: 120_000 }
  if (tls === undefined) return Http.createServer(options)
  const handshakeTimeout = handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS
  return Https.createServer({ ...options, key: tls.key, cert: tls.certificate, handshakeTimeout })
}

const refusePlainRequest = (_: Http.IncomingMessage, response: Http.ServerResponse): void => {
  response.writeHead(426, { connection: "close", upgrade: "websocket", "content-type": "text/plain" })
  response.end("This is a server of WebSockets.\n")
}

/** Lets the library judge the head of the request first: only then somebody is asked about it. */
const upgrade = (
  options: WebSocketServerOptions,
  handshakes: Handshakes,
  connectionOf: Opens,
  onRequest: (request: WebSocketRequest) => void
) => {
  const chosen = new WeakMap<Http.IncomingMessage, string>()
  const library = new WebSocketServer({
    ...WS_OPTIONS,
    maxPayload: options.maxMessageBytes ?? WS_OPTIONS.maxPayload,
    noServer: true,
    clientTracking: false,
    handleProtocols: (offered, request) => {
      const protocol = chosen.get(request)
      return protocol !== undefined && offered.has(protocol) ? protocol : false
    },
    verifyClient: ({ req }, decide) => onRequest(requestOf(req, decide))
  })
  const opened = new WeakMap<Http.IncomingMessage, WebSocketEnd>()
  type Decide = (isAccepted: boolean, status?: number, sentence?: string, headers?: Http.OutgoingHttpHeaders) => void
  const requestOf = (request: Http.IncomingMessage, decide: Decide): WebSocketRequest => {
    const { socket, headers } = request
    return {
      remote: endpointOf(socket.remoteAddress, socket.remotePort),
      local: endpointOf(socket.localAddress, socket.localPort),
      path: request.url ?? "/",
      origin: headers.origin,
      header: (name) => {
        const value = headers[name]
        return Array.isArray(value) ? value.join(",") : value
      },
      accept(protocol) {
        if (protocol !== undefined) chosen.set(request, protocol)
        // Decides within the call.
        decide(true)
        return opened.get(request)
      },
      refuse: (status, sentence) => decide(false, status, `${sentence}\n`, { "Content-Type": "text/plain" })
    }
  }
  return (request: Http.IncomingMessage, socket: Socket, head: Buffer): void => {
    const { remoteAddress, remotePort, localAddress, localPort } = socket
    library.handleUpgrade(request, socket, head, (webSocket) => {
      handshakes.finish(socket)
      const [remote, local] = [endpointOf(remoteAddress, remotePort), endpointOf(localAddress, localPort)]
      opened.set(request, connectionOf(webSocket, remote, local))
    })
  }
}

const listening = (server: Http.Server, { host, port, backlog }: ListenOptions): Effect.Effect<Endpoint, ListenError> =>
  Effect.callback((resume) => {
    const fail = (thrown: unknown): void => {
      const code = codeOf(thrown)
      const endpoint = { host, port }
      resume(Effect.fail(new ListenError({ reason: listenReasonOf(code), endpoint, code, detail: wordsOf(thrown) })))
    }
    server.once("error", fail)
    server.once("listening", () => {
      server.off("error", fail)
      // One connection that could not be accepted; those that stand and the listener go on.
      server.on("error", () => undefined)
      const address = server.address()
      const isBound = typeof address === "object" && address !== null
      resume(Effect.succeed(isBound ? { host: address.address, port: address.port } : { host, port }))
    })
    try {
      server.listen({ host, port, backlog: backlog ?? DEFAULT_BACKLOG })
    } catch (thrown) {
      fail(thrown)
    }
  })
