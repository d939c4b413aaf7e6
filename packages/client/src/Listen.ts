/**
 * The side that is dialled: a session for each connection that comes, in a fiber of its own that ends with the scope.
 */
import {
  type Connection,
  type Endpoint,
  type ListenError,
  Listener,
  type Listening,
  formatEndpoint
} from "@satwire/transport"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import { type PeerSession, type SessionOptions, overConnection } from "./PeerSession.ts"
import type { RequestFailed } from "./Request.ts"
import type { MessageNotPermitted, SessionEnded } from "./SessionError.ts"

/** Bitcoin Core's `DEFAULT_MAX_PEER_CONNECTIONS` (net.h). */
export const DEFAULT_MAX_SESSIONS = 125

export interface ListenOptions extends SessionOptions {
  /** How many sessions there may be at once, {@link DEFAULT_MAX_SESSIONS} where not given: more are closed as they come. */
  readonly maxSessions?: number | undefined
}

/**
 * Listens until the scope closes, and gives each peer that has shaken hands to `onSession`; when that is done with it, the session is
 * closed. A session's end is nobody's failure here; what else `onSession` fails with or dies of is logged.
 */
export const listen = <R>(
  endpoint: Endpoint,
  options: ListenOptions,
  onSession: (session: PeerSession) => Effect.Effect<void, SessionEnded | RequestFailed | MessageNotPermitted, R>
): Effect.Effect<Listening, ListenError, R | Listener | Scope.Scope> =>
  Effect.gen(function* () {
    const sessions = yield* FiberSet.make<void>()
    const run = yield* FiberSet.runtime(sessions)<R>()
    const talk = (connection: Connection): Effect.Effect<void, never, R> =>
      overConnection(connection, options).pipe(
        Effect.flatMap(onSession),
        Effect.scoped,
        Effect.catchTag("SessionEnded", () => Effect.void),
        Effect.catch((failed) => Effect.logWarning(failed.message)),
        Effect.catchDefect((defect) =>
          Effect.logError(`the session with ${formatEndpoint(connection.remote)} broke`, defect)
        )
      )
    const { listen } = yield* Listener
    const most = options.maxSessions ?? DEFAULT_MAX_SESSIONS
    let open = 0
    return yield* listen(endpoint, (connection) => {
      if (open >= most) return connection.destroy()
      open += 1
      run(
        Effect.ensuring(
          talk(connection),
          Effect.sync(() => (open -= 1))
        )
      )
    })
  })
