/** Layers of the tests: a dialer through a proxy, beside the listener of TCP that it reaches. */
import { type Dialer, Listener } from "@satwire/transport"
import { layerTcp } from "@satwire/transport-tcp"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { type Socks5Options, layerSocks5 } from "../src/index.ts"

export const through = (options: Socks5Options): Layer.Layer<Dialer | Listener> =>
  Layer.merge(layerSocks5(options), Layer.effect(Listener, Listener).pipe(Layer.provide(layerTcp)))

/** With a proxy that lives as long as the layer. */
export const throughOwn = (
  proxy: Effect.Effect<Socks5Options["proxy"], never, Scope.Scope>
): Layer.Layer<Dialer | Listener> => Layer.unwrap(Effect.map(proxy, (proxy) => through({ proxy })))
