/**
 * The transport over TCP, on `node:net`, for Node and Deno: a dialer and a listener whose connections close with the layer's scope.
 */
import { Dialer, Listener, OpenConnections } from "@satwire/transport"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { makeDialer } from "./TcpDialer.ts"
import { makeListener } from "./TcpListener.ts"

export const layerTcp: Layer.Layer<Dialer | Listener> = Layer.effectContext(
  Effect.gen(function* () {
    const dialled = new OpenConnections()
    const accepted = new OpenConnections()
    yield* Effect.addFinalizer(() => Effect.andThen(dialled.closeAll, accepted.closeAll))
    return Context.make(Dialer, makeDialer(dialled)).pipe(Context.add(Listener, makeListener(accepted)))
  })
)
