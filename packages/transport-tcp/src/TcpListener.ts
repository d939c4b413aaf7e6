/** Listens over TCP. Host `::` takes IPv4 connections too. */
import * as Net from "node:net"
import {
  type Endpoint,
  ListenError,
  type ListenOptions,
  type ListenerShape,
  type Listening,
  type OpenConnections
} from "@satwire/transport"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { codeOf, listenReasonOf, wordsOf } from "./SystemErrors.ts"
import { SOCKET_OPTIONS } from "./SocketOptions.ts"
import { type Ends, TcpConnection, endpointOf } from "./TcpConnection.ts"

/**
 * As many as Linux allows by default (`net.core.somaxconn`); Node's own default is 511.
 *
 * @limit connections that wait to be accepted
 */
const DEFAULT_BACKLOG = 4096

export const makeListener = (open: OpenConnections): ListenerShape => ({
  connections: () => open.count,
  listen: Effect.fnUntraced(function* (options, onConnection): Effect.fn.Return<Listening, ListenError, Scope.Scope> {
    let count = 0
    /** Whoever is accepted at one address reached that one. */
    let ends: Ends | undefined
    const onClosed = (connection: TcpConnection): void => {
      count--
      open.remove(connection)
    }
    const accept = (socket: Net.Socket): void => {
      const connection = new TcpConnection(socket, { direction: "inbound", onClosed, ends })
      count++
      open.add(connection)
      onConnection(connection)
    }
    const server = yield* Effect.acquireRelease(listening(options, accept), (server) =>
      Effect.sync(() => {
        // Closes the handle now; that accepted connections live on holds up only the callback, which nobody waits for.
        server.close()
      })
    )
    const endpoint = boundTo(server, options)
    const local = endpointOf(endpoint.host, endpoint.port)
    if (!ALL_ADDRESSES.has(local.host)) ends = { local }
    return { endpoint, connections: () => count, lost: lost(server, endpoint) }
  })
})

const listening = (
  options: ListenOptions,
  accept: (socket: Net.Socket) => void
): Effect.Effect<Net.Server, ListenError> =>
  Effect.callback((resume) => {
    const fail = (thrown: unknown): void => {
      const code = codeOf(thrown)
      const endpoint = { host: options.host, port: options.port }
      resume(Effect.fail(new ListenError({ reason: listenReasonOf(code), endpoint, code, detail: wordsOf(thrown) })))
    }
    const server = Net.createServer({ ...SOCKET_OPTIONS, pauseOnConnect: true }, accept)
    server.once("error", fail)
    server.once("listening", () => {
      server.off("error", fail)
      // One connection that could not be accepted; those that stand and the listener go on.
      server.on("error", () => undefined)
      resume(Effect.succeed(server))
    })
    try {
      server.listen({ host: options.host, port: options.port, backlog: options.backlog ?? DEFAULT_BACKLOG })
    } catch (thrown) {
      fail(thrown)
    }
  })

/** Where nobody of ours closed it, the system did. */
const lost = (server: Net.Server, endpoint: Endpoint): Effect.Effect<ListenError> =>
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

const ALL_ADDRESSES: ReadonlySet<string> = new Set(["::", "0.0.0.0"])

const boundTo = (server: Net.Server, options: ListenOptions): Endpoint => {
  const address = server.address()
  return typeof address === "object" && address !== null ? { host: address.address, port: address.port } : options
}
