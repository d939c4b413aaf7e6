/** The hooks of an overlay over a network: they hear what comes to us alone, and what goes around. */
import { serveHooks } from "@satwire/overlay"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { NetworkError } from "./NetworkError.ts"
import type { NetworkManagerShape } from "./NetworkManager.ts"

/**
 * `serveHooks` for a network that runs, until the scope closes; after a stop and a start it is to be called anew. `peer` is who wrote a message: of a
 * broadcast its author, whoever passed it on.
 */
export const serveNetworkHooks = (network: NetworkManagerShape): Effect.Effect<void, NetworkError, Scope.Scope> =>
  Effect.flatMap(network.parts, ({ overlay }) =>
    serveHooks({
      ...overlay,
      messages: (kind) =>
        Stream.map(network.subscribe(kind), ({ from, message, signer }) => ({ peer: from, signer, message }))
    })
  )
