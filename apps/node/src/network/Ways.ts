/** The ways to others: TCP, a proxy, an I2P router, as the options set them; and in to us by TCP. */
import {
  Dialer,
  type DialerShape,
  type Endpoint,
  Listener,
  dialerByNetwork,
  endpointNetwork,
  routesOf
} from "@satwire/transport"
import { i2pTransport } from "@satwire/transport-i2p"
import { socks5Dialer } from "@satwire/transport-socks5"
import { type SocketAddress, layerTcp } from "@satwire/transport-tcp"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Settings } from "../config/Options.ts"
import type { HostPort, Through } from "../config/Values.ts"

export type WaySettings = Pick<Settings, "proxy" | "onion" | "i2psam" | "proxyrandomize">

export const layerWays = (settings: WaySettings): Layer.Layer<Dialer | Listener> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const tcp = yield* Layer.build(layerTcp)
      const credentials = settings.proxyrandomize === false ? "None" : "OnePerDial"
      const socks = (proxy: SocketAddress) => Effect.map(socks5Dialer({ proxy, credentials }), inItsOwnTime)
      const i2p = (bridge: SocketAddress) => Effect.map(i2pTransport({ bridge }), ({ dialer }) => inItsOwnTime(dialer))
      const { onion } = settings
      const routes = routesOf<DialerShape>({
        direct: Context.get(tcp, Dialer),
        proxy: yield* made(settings.proxy, socks),
        onion: onion === "none" ? onion : yield* made(onion, socks),
        i2p: yield* made(settings.i2psam, i2p)
      })
      return Context.make(Dialer, dialerByNetwork(routes)).pipe(Context.add(Listener, Context.get(tcp, Listener)))
    })
  )

const made = (
  through: Through | undefined,
  make: (at: SocketAddress) => Effect.Effect<DialerShape, never, Scope.Scope>
): Effect.Effect<DialerShape | undefined, never, Scope.Scope> =>
  through === undefined || through === "none" ? Effect.succeed(undefined) : make(through)

/** `-timeout` is for what is reached directly, as in Core: circuits and tunnels take longer. */
const inItsOwnTime = (dialer: DialerShape): DialerShape => ({ ...dialer, dial: (endpoint) => dialer.dial(endpoint) })

/** With the port that stands where none was given: on I2P that is 0 on every network, as in Core. */
export const withPort = ({ host, port }: HostPort, defaultPort: number): Endpoint => ({
  host,
  port: port ?? (endpointNetwork({ host, port: 0 }) === "i2p" ? 0 : defaultPort)
})
