/**
 * The transport through a SOCKS5 proxy (RFC 1928), for Node and Deno: a dialer whose connections close with the layer's scope. Who
 * dials through it tells the proxy the name, and so nobody else learns it: `.onion` names, and any other that the proxy knows.
 */
import { seededRandom } from "@satwire/runtime"
import { Dialer, type DialerShape, OpenConnections } from "@satwire/transport"
import type { SocketAddress } from "@satwire/transport-tcp"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { makeDialer } from "./Socks5Dialer.ts"
import { type Credentials, isolatedStreams } from "./StreamIsolation.ts"

/** Tor's, and Bitcoin Core's where `-proxy` and `-onion` name none. */
export const DEFAULT_PROXY_PORT = 9050

export interface Socks5Options {
  /** Where the proxy is; `parseSocketAddress` of `@satwire/transport-tcp` reads it from text. */
  readonly proxy: SocketAddress
  /**
   * Who we say we are where the proxy asks: nobody, one user, or another one at each dial, by which Tor takes another circuit each
   * time (Core's `-proxyrandomize`). `"OnePerDial"` where not given.
   */
  readonly credentials?: Credentials | "OnePerDial" | "None" | undefined
}

/** A dialer as long as the scope. */
export const socks5Dialer = (options: Socks5Options): Effect.Effect<DialerShape, never, Scope.Scope> =>
  Effect.gen(function* () {
    const open = new OpenConnections()
    yield* Effect.addFinalizer(() => open.closeAll)
    const { proxy, credentials = "OnePerDial" } = options
    const isolated = isolatedStreams(yield* seededRandom)
    const byDial = (): Credentials | undefined => {
      if (credentials === "OnePerDial") return isolated()
      return credentials === "None" ? undefined : credentials
    }
    return makeDialer({ proxy, open, credentials: byDial })
  })

export const layerSocks5 = (options: Socks5Options): Layer.Layer<Dialer> => Layer.effect(Dialer, socks5Dialer(options))
