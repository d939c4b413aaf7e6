/** A node that a command is given by its address or name. */
import type { Endpoint } from "@satwire/transport"
import * as Effect from "effect/Effect"
import { ConfigError, clipped } from "../config/ConfigError.ts"
import { isSomebodys, parseHostPort } from "../config/Values.ts"
import { withPort } from "./Ways.ts"

/** Without a port, on the network's own. */
export const endpointOf = (target: string, defaultPort: number): Effect.Effect<Endpoint, ConfigError> =>
  Effect.fromResult(parseHostPort(target)).pipe(
    Effect.filterOrFail(isSomebodys, () => ({ message: `"${clipped(target)}" has port 0, which is nobody's` })),
    Effect.mapBoth({
      onSuccess: (peer) => withPort(peer, defaultPort),
      onFailure: ({ message }) => new ConfigError({ message })
    })
  )
