/** The other ends of the tests: the library as it is, and plain sockets, which do what a connection of ours never would. */
import type { Endpoint } from "@satwire/transport"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { once } from "node:events"
import * as Net from "node:net"
import { WebSocket, WebSocketServer } from "ws"

/** A server of another hand, which does with each WebSocket what it likes. */
export const foreignServer = (
  onSocket: (socket: WebSocket) => void,
  protocol?: string
): Effect.Effect<Endpoint, never, Scope.Scope> =>
  Effect.gen(function* () {
    const handleProtocols = (): string | false => protocol ?? false
    const server = yield* Effect.acquireRelease(
      Effect.sync(() => new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false, handleProtocols })),
      (server) =>
        Effect.sync(() => {
          for (const client of server.clients) client.terminate()
          server.close()
        })
    )
    server.on("connection", (socket) => {
      socket.on("error", () => undefined)
      onSocket(socket)
    })
    yield* Effect.promise(() => once(server, "listening"))
    const { port } = server.address() as Net.AddressInfo
    return { host: "127.0.0.1", port }
  })

/** A client of another hand that has begun its handshake. */
export const foreignClientSoon = (
  { port }: Endpoint,
  options: { readonly perMessageDeflate?: boolean } = {}
): Effect.Effect<WebSocket, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new WebSocket(`ws://127.0.0.1:${port}/`, options).on("error", () => undefined)),
    (socket) => Effect.sync(() => socket.terminate())
  )

/** The same, open. */
export const foreignClient = (
  endpoint: Endpoint,
  options: { readonly perMessageDeflate?: boolean } = {}
): Effect.Effect<WebSocket, never, Scope.Scope> =>
  Effect.tap(foreignClientSoon(endpoint, options), (socket) => Effect.promise(() => once(socket, "open")))

/** How a WebSocket of the library closed. */
export const closeOf = (socket: WebSocket): Effect.Effect<{ readonly code: number; readonly why: string }> =>
  Effect.map(
    Effect.promise(() => once(socket, "close") as Promise<[number, Buffer]>),
    ([code, why]) => ({ code, why: why.toString() })
  )

/** A server that answers whatever is asked with `answer`, or that does with its sockets what it likes. */
export const rawServer = (
  answer: string | ((socket: Net.Socket) => void)
): Effect.Effect<Endpoint, never, Scope.Scope> =>
  Effect.gen(function* () {
    const sockets = new Set<Net.Socket>()
    const server = Net.createServer((socket) => {
      sockets.add(socket)
      socket.on("error", () => undefined)
      socket.once("data", () => (typeof answer === "string" ? socket.write(answer) : answer(socket)))
    })
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const socket of sockets) socket.destroy()
        server.close()
      })
    )
    server.listen(0, "127.0.0.1")
    yield* Effect.promise(() => once(server, "listening"))
    return { host: "127.0.0.1", port: (server.address() as Net.AddressInfo).port }
  })

/** A TCP connection, open, that reads all. */
export const rawClient = ({ port }: Endpoint): Effect.Effect<Net.Socket, never, Scope.Scope> =>
  Effect.gen(function* () {
    const socket = yield* Effect.acquireRelease(
      Effect.sync(() => Net.connect(port, "127.0.0.1")),
      (socket) => Effect.sync(() => socket.destroy())
    )
    socket.on("error", () => undefined)
    yield* Effect.promise(() => once(socket, "connect"))
    return socket
  })

/** Everything that the other end says until it closes. */
export const restOf = (socket: Net.Socket): Effect.Effect<string> =>
  Effect.promise(async () => {
    let said = ""
    socket.on("data", (bytes) => (said += bytes.toString("latin1")))
    if (!socket.closed) await once(socket, "close")
    return said
  })

/** The head of a request that opens a WebSocket. */
export const OPENING = [
  "GET / HTTP/1.1",
  "Host: bridge",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "",
  ""
].join("\r\n")
