/**
 * Listens as long as the scope is open. That it cannot begin is an error; a listening socket that is lost later is opened again, with growing
 * pauses, and what was accepted before lives on.
 */
import { type Connection, type ListenError, type ListenOptions, Listener, type Listening } from "@satwire/transport"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import type { NodeFact } from "./NodeFact.ts"
import { FIRST_PAUSE_MS, nextPauseMs } from "@satwire/runtime"

export const keepListening = (
  options: ListenOptions,
  onConnection: (connection: Connection) => void,
  tell: (fact: NodeFact) => void
): Effect.Effect<Listening, ListenError, Listener | Scope.Scope> =>
  Effect.gen(function* () {
    const listener = yield* Listener
    const outer = yield* Effect.scope
    /** In a scope of its own, which ends with the socket. */
    const opened = (where: ListenOptions) =>
      Effect.gen(function* () {
        const scope = yield* Scope.fork(outer)
        const listening = yield* Scope.provide(listener.listen(where, onConnection), scope).pipe(
          Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
        )
        tell({ _tag: "Listening", endpoint: listening.endpoint })
        return { scope, listening }
      })
    const first = yield* opened(options)
    const { endpoint } = first.listening
    const again = Effect.fnUntraced(function* (why: ListenError) {
      let error = why
      for (let retryInMs = FIRST_PAUSE_MS; ; retryInMs = nextPauseMs(retryInMs)) {
        tell({ _tag: "ListeningLost", endpoint, error, retryInMs })
        yield* Effect.sleep(retryInMs)
        const outcome = yield* Effect.result(opened({ ...options, ...endpoint }))
        if (Result.isSuccess(outcome)) return outcome.success
        error = outcome.failure
      }
    })
    yield* Effect.forkScoped(
      Effect.gen(function* () {
        for (let current = first; ;) {
          const error = yield* current.listening.lost
          yield* Scope.close(current.scope, Exit.void)
          current = yield* again(error)
        }
      })
    )
    return first.listening
  })
