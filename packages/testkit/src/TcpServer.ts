/** Servers of the tests' own, which speak what a test lets them: a proxy, a bridge, a peer of ill will. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { once } from "node:events"
import * as Net from "node:net"

/** Reads a socket piece by piece, until it is given back. */
export class Pieces {
  readonly #socket: Net.Socket
  #kept = Buffer.alloc(0)
  #ended = false
  #changed: () => void = () => undefined

  constructor(socket: Net.Socket) {
    this.#socket = socket.on("data", this.#onData).on("close", this.#onClose)
  }

  async read(length: number): Promise<Buffer> {
    while (this.#kept.length < length) await this.#more()
    const piece = this.#kept.subarray(0, length)
    this.#kept = this.#kept.subarray(length)
    return piece
  }

  /** As far as the next line feed, which is left out. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#kept.indexOf(10)
      if (end < 0) await this.#more()
      else return String(await this.read(end + 1)).slice(0, -1)
    }
  }

  /** Leaves the rest to whoever reads the socket next. */
  release(): void {
    this.#socket.pause().off("data", this.#onData)
    if (this.#kept.length > 0) this.#socket.unshift(this.#kept)
  }

  async #more(): Promise<void> {
    if (this.#ended) throw new Error("the socket ended")
    await new Promise<void>((resolve) => (this.#changed = resolve))
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#kept = Buffer.concat([this.#kept, bytes])
    this.#changed()
  }
  readonly #onClose = (): void => {
    this.#ended = true
    this.#changed()
  }
}

/** A server whose sockets close with the scope; what `serve` throws ends its socket. */
export const tcpServer = (
  serve: (socket: Net.Socket) => Promise<void>,
  path?: string
): Effect.Effect<{ readonly host: string; readonly port: number }, never, Scope.Scope> =>
  Effect.gen(function* () {
    const sockets = new Set<Net.Socket>()
    const server = Net.createServer({ noDelay: true }, (socket) => {
      sockets.add(socket)
      socket.on("error", () => undefined).on("close", () => sockets.delete(socket))
      serve(socket).catch(() => socket.destroy())
    })
    yield* Effect.addFinalizer(() =>
      Effect.promise(() => {
        for (const socket of sockets) socket.destroy()
        const closed = once(server, "close")
        server.close()
        return closed
      })
    )
    if (path === undefined) server.listen(0, "127.0.0.1")
    else server.listen(path)
    yield* Effect.promise(() => once(server, "listening"))
    const address = server.address()
    return { host: "127.0.0.1", port: typeof address === "object" ? (address?.port ?? 0) : 0 }
  })

/** What is written to one comes out of the other, and so does its end. */
export const carry = (a: Net.Socket, b: Net.Socket): void => {
  for (const [from, to] of [
    [a, b],
    [b, a]
  ] as const) {
    from.pipe(to)
    from.on("close", () => to.destroySoon())
  }
}
