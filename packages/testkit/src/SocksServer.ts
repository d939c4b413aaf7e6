/**
 * A SOCKS5 proxy of the tests' own, after RFC 1928 and not after the code under test. It resolves names from a table, keeps what it was
 * asked, and carries bytes both ways.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { once } from "node:events"
import * as Net from "node:net"
import { Pieces, carry, tcpServer } from "./TcpServer.ts"

interface Endpoint {
  readonly host: string
  readonly port: number
}

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
      carry(socket, far)
    }, options.path)
    return { proxy, asked }
  })

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
