/**
 * A SOCKS5 proxy of the tests' own, after RFC 1928 and not after the code under test. It resolves names from a table, keeps what it was
 * asked, and carries bytes both ways.
 */
import type { Endpoint } from "@satwire/transport"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { once } from "node:events"
import * as Net from "node:net"

export interface Asked {
  /** 1 for IPv4, 3 for a name, 4 for IPv6. */
  readonly addressType: number
  readonly host: string
  readonly port: number
  readonly username: string | undefined
  readonly password: string | undefined
}

export interface SocksServer {
  readonly proxy: Endpoint
  /** Every request for a connection, in order. */
  readonly asked: Array<Asked>
}

export interface SocksServerOptions {
  /** Where the names that it knows lead. */
  readonly names?: Readonly<Record<string, Endpoint>>
  /** Who may use it; anybody where not given, with credentials or without. */
  readonly user?: { readonly username: string; readonly password: string }
  /** A Unix socket to listen on instead of a port. */
  readonly path?: string
}

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
    while (this.#kept.length < length) {
      if (this.#ended) throw new Error("the socket ended")
      await new Promise<void>((resolve) => (this.#changed = resolve))
    }
    const piece = this.#kept.subarray(0, length)
    this.#kept = this.#kept.subarray(length)
    return piece
  }

  /** Leaves the rest to whoever reads the socket next. */
  release(): void {
    this.#socket.pause().off("data", this.#onData)
    if (this.#kept.length > 0) this.#socket.unshift(this.#kept)
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
): Effect.Effect<Endpoint, never, Scope.Scope> =>
  Effect.gen(function* () {
    const sockets = new Set<Net.Socket>()
    const server = Net.createServer((socket) => {
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

export const socksServer = (options: SocksServerOptions = {}): Effect.Effect<SocksServer, never, Scope.Scope> =>
  Effect.gen(function* () {
    const asked: Array<Asked> = []
    const proxy = yield* tcpServer(async (socket) => {
      const pieces = new Pieces(socket)
      const request = await negotiate(socket, pieces, options)
      asked.push(request)
      pieces.release()
      const to = options.names?.[request.host] ?? request
      const far = Net.connect({ host: to.host, port: to.port })
      far.on("error", () => undefined)
      try {
        await once(far, "connect")
      } catch (refused) {
        const code = (refused as NodeJS.ErrnoException).code === "ECONNREFUSED" ? 5 : 4
        socket.end(Buffer.of(5, code, 0, 1, 0, 0, 0, 0, 0, 0))
        return
      }
      socket.write(Buffer.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0))
      join(socket, far)
    }, options.path)
    return { proxy, asked }
  })

/** What is written to one comes out of the other, and so does its end. */
const join = (a: Net.Socket, b: Net.Socket): void => {
  for (const [from, to] of [
    [a, b],
    [b, a]
  ] as const) {
    from.pipe(to)
    from.on("close", () => to.destroySoon())
  }
}

const negotiate = async (socket: Net.Socket, pieces: Pieces, { user }: SocksServerOptions): Promise<Asked> => {
  const [version, count = 0] = await pieces.read(2)
  const methods = await pieces.read(count)
  if (version !== 5) throw new Error("not SOCKS5")
  const method = methods.includes(2) ? 2 : user === undefined && methods.includes(0) ? 0 : 255
  socket.write(Buffer.of(5, method))
  let credentials: Pick<Asked, "username" | "password"> = { username: undefined, password: undefined }
  if (method === 2) {
    await pieces.read(1)
    const username = String(await pieces.read((await pieces.read(1))[0] ?? 0))
    const password = String(await pieces.read((await pieces.read(1))[0] ?? 0))
    credentials = { username, password }
    const isWelcome = user === undefined || (user.username === username && user.password === password)
    socket.write(Buffer.of(1, isWelcome ? 0 : 1))
  }
  const [, command, , addressType = 0] = await pieces.read(4)
  if (command !== 1) throw new Error("only CONNECT")
  const host = await readHost(addressType, pieces)
  return { addressType, host, port: (await pieces.read(2)).readUInt16BE(), ...credentials }
}

const readHost = async (addressType: number, pieces: Pieces): Promise<string> => {
  switch (addressType) {
    case 1:
      return (await pieces.read(4)).join(".")
    case 3:
      return String(await pieces.read((await pieces.read(1))[0] ?? 0))
    case 4: {
      const bytes = await pieces.read(16)
      return new URL(
        `http://[${[0, 2, 4, 6, 8, 10, 12, 14].map((at) => bytes.readUInt16BE(at).toString(16)).join(":")}]`
      ).hostname.slice(1, -1)
    }
    default:
      throw new Error("no such type of address")
  }
}
