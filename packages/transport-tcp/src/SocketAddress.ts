/** Where a program on this or another machine is spoken to: a TCP endpoint, or a Unix socket, as Bitcoin Core writes them. */
import { type Endpoint, type EndpointError, formatEndpoint, parseEndpoint } from "@satwire/transport"
import * as Result from "effect/Result"

export type SocketAddress =
  | Endpoint
  /** A Unix socket, by its path. */
  | { readonly path: string }

/** Core's `ADDR_PREFIX_UNIX` (netbase.h). */
const UNIX_PREFIX = "unix:"

/** `127.0.0.1:9050`, `[::1]:9050`, `localhost`, `unix:/run/tor/socks`. */
export const parseSocketAddress = (text: string, defaultPort: number): Result.Result<SocketAddress, EndpointError> =>
  text.startsWith(UNIX_PREFIX) && text.length > UNIX_PREFIX.length
    ? Result.succeed({ path: text.slice(UNIX_PREFIX.length) })
    : parseEndpoint(text, defaultPort)

/** The text that {@link parseSocketAddress} reads back. */
export const formatSocketAddress = (address: SocketAddress): string =>
  "path" in address ? `${UNIX_PREFIX}${address.path}` : formatEndpoint(address)
