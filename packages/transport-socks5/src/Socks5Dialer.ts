/** Dials through a SOCKS5 proxy. Names go to the proxy as they are: no name server is asked from here. */
import {
  type Connection,
  DialError,
  type DialerShape,
  type Endpoint,
  NOWHERE,
  type OpenConnections,
  dialWith
} from "@satwire/transport"
import { HandshakeSocket, type SocketAddress, type SocketLoss, formatSocketAddress } from "@satwire/transport-tcp"
import { ProxyTalk } from "./ProxyTalk.ts"
import type { Credentials } from "./StreamIsolation.ts"

/**
 * Bitcoin Core's 5 s for reaching the proxy and 20 s for its answer, "ample time for negotiation for very slow proxies such as Tor"
 * (netbase.cpp).
 *
 * @limit milliseconds of a dial through a SOCKS5 proxy, unless it says otherwise
 */
export const DEFAULT_SOCKS5_TIMEOUT_MS = 25_000

/** What RFC 1928 and RFC 1929 give one byte for the length of. */
const MAX_FIELD_BYTES = 255

export interface Socks5DialerOptions {
  readonly proxy: SocketAddress
  /** Called for each dial. */
  readonly credentials: () => Credentials | undefined
  readonly open: OpenConnections
}

export const makeDialer = (given: Socks5DialerOptions): DialerShape => ({
  connections: () => given.open.count,
  dial: (endpoint, options) => {
    const timeoutMs = options?.timeoutMs ?? DEFAULT_SOCKS5_TIMEOUT_MS
    return dialWith(endpoint, { timeoutMs }, (done) => attempt(given, endpoint, timeoutMs, done))
  }
})

const attempt = (
  given: Socks5DialerOptions,
  endpoint: Endpoint,
  timeoutMs: number,
  done: (outcome: Connection | DialError) => void
): (() => void) => {
  const credentials = given.credentials()
  const unspeakable = unspeakableIn(endpoint, credentials)
  if (unspeakable !== undefined) {
    done(new DialError({ reason: "Other", endpoint, code: "EINVAL", detail: unspeakable }))
    return () => undefined
  }
  const proxy = formatSocketAddress(given.proxy)
  let failure: DialError | undefined
  const socket: HandshakeSocket = new HandshakeSocket(given.proxy, given.open, {
    onConnect: () => talk.begin(),
    onBytes: (bytes) => talk.received(bytes),
    // A failed attempt is reported when its handle is gone, so that it is not counted.
    onLost(loss) {
      talk.giveUp()
      done(failure ?? proxyLost(endpoint, proxy, loss))
    }
  })
  const talk = new ProxyTalk({
    endpoint,
    credentials,
    proxy,
    timeoutMs,
    send: (bytes) => socket.write(bytes),
    onAgreed(unread) {
      socket.pause(unread)
      done(socket.become({ direction: "outbound", ends: { remote: endpoint, local: NOWHERE } }))
    },
    onRefused(error) {
      failure = error
      socket.destroy()
    }
  })
  return () => socket.destroy()
}

/** What cannot be said to a proxy, or would be said differently from what was meant. */
const unspeakableIn = ({ host, port }: Endpoint, credentials: Credentials | undefined): string | undefined => {
  if (!/^[\x21-\x7e]{1,255}$/.test(host)) return "its name is not 1 to 255 letters of ASCII"
  if (host.includes("%")) return "a zone of this machine means nothing to a proxy"
  if (!Number.isInteger(port) || port < 0 || port > 65_535) return `its port is not 0 to 65535: ${port}`
  const fields = credentials === undefined ? [] : [credentials.username, credentials.password]
  if (fields.some((field) => new TextEncoder().encode(field).length > MAX_FIELD_BYTES)) {
    return `the proxy's user name or password is longer than ${MAX_FIELD_BYTES} bytes`
  }
  return undefined
}

const proxyLost = (endpoint: Endpoint, proxy: string, { code, message }: SocketLoss): DialError =>
  new DialError({ reason: "ProxyUnreachable", endpoint, code, detail: `${proxy}: ${message}` })
