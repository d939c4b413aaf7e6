/**
 * The transport over I2P, by the SAM 3.1 bridge of a router that runs elsewhere: a dialer and a listener under one identity, whose connections
 * close with the layer's scope.
 */
import { seededRandom } from "@satwire/runtime"
import {
  Dialer,
  type DialerShape,
  type Endpoint,
  Listener,
  type ListenerShape,
  OpenConnections
} from "@satwire/transport"
import type { SocketAddress } from "@satwire/transport-tcp"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { makeDialer } from "./I2pDialer.ts"
import { makeListener } from "./I2pListener.ts"
import type { SamFailed } from "./SamFailed.ts"
import { newIdentity, sessions } from "./SamSession.ts"

/** Where a SAM bridge listens, unless it says otherwise. */
export const DEFAULT_SAM_PORT = 7656

export interface I2pOptions {
  /** The SAM bridge; `parseSocketAddress` of `@satwire/transport-tcp` reads it from text. */
  readonly bridge: SocketAddress
  /** The private key of a lasting identity, from {@link makeIdentity}. Where not given there is a new one each time. */
  readonly privateKey?: string | undefined
}

/** A dialer and a listener as long as the scope. The session is made when it is first needed. */
export const i2pTransport = ({
  bridge,
  privateKey
}: I2pOptions): Effect.Effect<{ readonly dialer: DialerShape; readonly listener: ListenerShape }, never, Scope.Scope> =>
  Effect.gen(function* () {
    const [control, open, accepted] = [new OpenConnections(), new OpenConnections(), new OpenConnections()]
    yield* Effect.addFinalizer(() => Effect.andThen(open.closeAll, Effect.andThen(accepted.closeAll, control.closeAll)))
    const session = yield* sessions({ bridge, privateKey, random: yield* seededRandom, control })
    return {
      dialer: makeDialer({ bridge, session, open }),
      listener: makeListener({ bridge, session, control, accepted })
    }
  })

export const layerI2p = (options: I2pOptions): Layer.Layer<Dialer | Listener> =>
  Layer.effectContext(
    Effect.map(i2pTransport(options), ({ dialer, listener }) =>
      Context.make(Dialer, dialer).pipe(Context.add(Listener, listener))
    )
  )

/** A lasting identity: a private key, which is the caller's to keep in secret, and where it can be reached. */
export const makeIdentity = (
  bridge: SocketAddress
): Effect.Effect<{ readonly privateKey: string; readonly endpoint: Endpoint }, SamFailed> =>
  Effect.suspend(() => newIdentity(bridge, new OpenConnections()))
