/** Listens for HTTP on a few addresses and gives what comes to routes, with a limit on everything that a stranger could make grow. */
import { STATUS_CODES, type Server, createServer } from "node:http"
import type { Socket } from "node:net"
import type { Duplex } from "node:stream"
import { make as makeServer } from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import { HttpRouter, make as makeRouter } from "effect/http/HttpRouter"
import type { HttpServer } from "effect/http/HttpServer"
import type { ServeError } from "effect/http/HttpServerError"
import * as Layer from "effect/Layer"
import type { SocketAddress } from "effect/net/NetAddress"
import * as Scope from "effect/Scope"
import { boundConnections } from "./Connections.ts"
import { HttpDoor, type HttpDoorShape, nothing } from "./HttpDoor.ts"

/**
 * As Core.
 *
 * @limit bytes of the head of an HTTP request
 */
export const HTTP_HEAD_BYTES = 8192

/**
 * Those of pages that only listen say nothing at all.
 *
 * @limit bytes of a message that comes over a WebSocket
 */
export const WEBSOCKET_MESSAGE_BYTES = 65_536

export interface HttpAddress {
  readonly host: string
  /** 0 is any free one. */
  readonly port: number
}

export interface ListenOptions {
  /** One of them must be free; those of a network that this machine has not, such as `::1` without IPv6, are passed over. */
  readonly addresses: ReadonlyArray<HttpAddress>
  /** How long a connection may be silent in the middle of a request or after one, and a reply take to be read: `-rpcservertimeout`. */
  readonly timeoutMs?: number
  /** How long requests that are under way have to end once the scope closes; a second. */
  readonly graceMs?: number
}

const TIMEOUT_MS = 30_000
const GRACE_MS = 1000

/** Serves routes until the scope ends. Gives the addresses that are listened on. */
export const listenHttp = <E, R>(
  routes: Layer.Layer<never, E, HttpRouter | R>,
  options: ListenOptions
): Effect.Effect<
  ReadonlyArray<SocketAddress>,
  E | ServeError,
  Scope.Scope | HttpDoor | Exclude<R | HttpRouter, HttpRouter>
> =>
  Effect.gen(function* () {
    const door = yield* HttpDoor
    const router = yield* makeRouter
    yield* Layer.build(Layer.provide(routes, Layer.succeed(HttpRouter, router)))
    // Who asks for what is not there is looked at like the others: else a stranger's page could do so for ever, and nobody were told.
    yield* router.add("*", "/*", door.open(NOT_FOUND))
    const handler = router.asHttpEffect()
    const bound: Array<SocketAddress> = []
    let absent: ServeError | undefined
    for (const address of options.addresses) {
      const inner = yield* Scope.fork(yield* Effect.scope)
      const server = yield* Effect.result(Scope.provide(bind(address, options, door), inner))
      if (server._tag === "Success") {
        yield* Scope.provide(server.success.serve(handler), inner)
        // Scopes close backwards, and the server waits for a WebSocket for as long as that lasts, first of all: so this comes before it.
        yield* Effect.addFinalizer(() => Effect.sync(server.success.closeUpgraded))
        bound.push(server.success.address)
      } else if (isAbsent(server.failure)) absent = server.failure
      else return yield* server.failure
    }
    return bound.length === 0 && absent !== undefined ? yield* absent : bound
  })

const NOT_FOUND = Effect.succeed(nothing(404))

/** What the system says of an address that this machine has not; Deno calls it an argument that is invalid. */
const ABSENT: ReadonlyArray<unknown> = ["EADDRNOTAVAIL", "EAFNOSUPPORT", "EINVAL"]

const isAbsent = ({ cause }: ServeError): boolean =>
  cause instanceof Error && "code" in cause && ABSENT.includes(cause.code)

const bind = (
  { host, port }: HttpAddress,
  { timeoutMs = TIMEOUT_MS, graceMs = GRACE_MS }: ListenOptions,
  door: HttpDoorShape
): Effect.Effect<HttpServer["Service"] & { readonly closeUpgraded: () => void }, ServeError, Scope.Scope> =>
  Effect.gen(function* () {
    const node = nodeServer(timeoutMs)
    const upgraded = new Set<Duplex>()
    node.on("upgrade", (_, socket: Duplex) => {
      upgraded.add(socket)
      socket.once("close", () => upgraded.delete(socket))
    })
    const run = Effect.runForkWith(yield* Effect.context())
    boundConnections(node, ({ remoteAddress: from = "an unknown address" }) => {
      run(door.tell({ reason: "too many", from, why: "there are too many connections, and it is idle for longest" }))
    })
    node.on("clientError", (error: Error & { readonly code?: string }, socket: Duplex) => {
      run(refuseUnread(door, error.code, socket))
    })
    const server = yield* makeServer(() => node, {
      host,
      port,
      gracefulShutdownTimeout: graceMs,
      websocket: { maxPayload: WEBSOCKET_MESSAGE_BYTES }
    })
    // The scope closes backwards: this comes before the server waits for its connections to end.
    yield* Effect.addFinalizer(() => Effect.sync(() => node.closeAllConnections()))
    const closeUpgraded = (): void => {
      for (const socket of upgraded) socket.destroy()
    }
    return { ...server, closeUpgraded }
  })

const nodeServer = (timeoutMs: number): Server => {
  const server = createServer({
    maxHeaderSize: HTTP_HEAD_BYTES,
    headersTimeout: timeoutMs,
    requestTimeout: 0,
    keepAliveTimeout: timeoutMs,
    // The door refuses it, and tells so.
    requireHostHeader: false,
    connectionsCheckingInterval: Math.min(1000, timeoutMs)
  })
  server.on("request", (_, response) => {
    // While a method works nobody need say anything. Once there is a reply, it must be read.
    response.once("prefinish", () => response.socket?.setTimeout(timeoutMs))
  })
  return server
}

/** What could not be read as HTTP, or took too long to come. */
const refuseUnread = (door: HttpDoorShape, code: string | undefined, socket: Duplex): Effect.Effect<void> => {
  const { status, reason, why } = faultOf(code)
  const from = (socket as Partial<Socket>).remoteAddress
  if (from === undefined || code === "ECONNRESET") return Effect.sync(() => socket.destroy())
  const reply = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`
  return Effect.andThen(
    door.tell({ reason, from, why }),
    Effect.sync(() => (socket.writable ? socket.end(reply) : socket.destroy()))
  )
}

const faultOf = (code: string | undefined) => {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return { status: 431, reason: "too long", why: `its head has more than ${HTTP_HEAD_BYTES} bytes` } as const
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return { status: 408, reason: "too slow", why: "it did not come in time" } as const
    default:
      return { status: 400, reason: "malformed", why: "it is not HTTP" } as const
  }
}
