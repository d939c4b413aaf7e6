/** The other end of a node's connection, by hand: a plain socket, and frames that no code of ours would make. */
import { type Endpoint, formatEndpoint } from "@satwire/transport"
import { NODE_NETWORK, NO_ADDRESS, PROTOCOL_VERSION, VERACK, type Version } from "@satwire/wire"
import { framed } from "@satwire/testkit"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { once } from "node:events"
import * as Net from "node:net"
import { LOOPBACK } from "./TestNode.ts"

export { type FrameOptions, frame, framed } from "@satwire/testkit"

/** A `version` as an ordinary node sends it. */
export const versionOf = (fields: Partial<Version> = {}): Version => ({
  _tag: "version",
  protocolVersion: PROTOCOL_VERSION,
  services: NODE_NETWORK,
  time: 1_700_000_000n,
  receiver: NO_ADDRESS,
  sender: NO_ADDRESS,
  nonce: 0x1234_5678_9abc_def0n,
  userAgent: "/raw:1.0/",
  startHeight: 7,
  relay: true,
  ...fields
})

/** All that a peer has to say to shake hands. */
export const HANDSHAKE: Uint8Array = framed(versionOf(), VERACK)

export class RawPeer {
  readonly #socket: Net.Socket
  readonly #closed: Promise<void>
  /** As the node sees it. */
  readonly address: string
  #received = 0
  #isClosed = false

  constructor(socket: Net.Socket) {
    this.#socket = socket
    this.address = formatEndpoint({ host: LOOPBACK, port: socket.localPort ?? 0 })
    this.#closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.#isClosed = true
        resolve()
      })
    })
    socket.on("error", () => undefined)
  }

  /** How many bytes came. */
  get received(): number {
    return this.#received
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Says all that there is to say, and reads. */
  shakeHands(): void {
    this.write(HANDSHAKE)
    this.read()
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** Each byte in a segment of its own, and in a turn of its own. */
  trickle(bytes: Uint8Array): Effect.Effect<void> {
    this.#socket.setNoDelay()
    return Effect.forEach(
      bytes,
      (byte) =>
        Effect.andThen(
          Effect.promise(() => this.#written(Uint8Array.of(byte))),
          Effect.yieldNow
        ),
      { discard: true }
    )
  }

  /** Reads and counts what comes; before, nothing is read. */
  read(): void {
    this.#socket.on("data", (chunk: Uint8Array) => (this.#received += chunk.length))
  }

  /** Reads, and hands on what comes. */
  onData(take: (chunk: Uint8Array) => void): void {
    this.#socket.on("data", take)
  }

  /** Sends as fast as it can, and gives how many bytes were taken until `total` were or the node cut the connection off. */
  flood(total: number): Effect.Effect<number> {
    const socket = this.#socket
    const chunk = new Uint8Array(65_536)
    socket.resume()
    return Effect.callback((resume) => {
      let taken = 0
      const sendMore = (): void => {
        if (taken >= total || socket.destroyed) return resume(Effect.succeed(taken))
        socket.write(chunk, (error) => {
          if (error !== null && error !== undefined) return resume(Effect.succeed(taken))
          taken += chunk.length
          sendMore()
        })
      }
      sendMore()
    })
  }

  end(): void {
    this.#socket.resume()
    this.#socket.end()
  }

  reset(): void {
    this.#socket.resetAndDestroy()
  }

  readonly closed: Effect.Effect<void> = Effect.suspend(() => {
    this.#socket.resume()
    return Effect.promise(() => this.#closed)
  })

  #written(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => this.#socket.write(bytes, () => resolve()))
  }
}

/** Connects to a node; when the scope closes, the socket is gone. One that is half open does not end when the node does. */
export const rawPeer = (
  { host, port }: Endpoint,
  options: { readonly allowHalfOpen?: boolean } = {}
): Effect.Effect<RawPeer, never, Scope.Scope> =>
  Effect.gen(function* () {
    const socket = Net.connect({ host, port, ...options })
    yield* Effect.addFinalizer(() => Effect.sync(() => socket.destroy()))
    yield* Effect.promise(() => once(socket, "connect"))
    return new RawPeer(socket)
  })

export interface RawServer {
  readonly endpoint: Endpoint
  /** Who connected, in order. */
  readonly peers: ReadonlyArray<RawPeer>
}

/** Listens and does nothing else, until the scope closes. */
export const rawServer: Effect.Effect<RawServer, never, Scope.Scope> = Effect.gen(function* () {
  const sockets: Array<Net.Socket> = []
  const peers: Array<RawPeer> = []
  const server = Net.createServer((socket) => {
    sockets.push(socket)
    peers.push(new RawPeer(socket))
  })
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
  )
  server.listen(0, LOOPBACK)
  yield* Effect.promise(() => once(server, "listening"))
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  return { endpoint: { host: LOOPBACK, port }, peers }
})
