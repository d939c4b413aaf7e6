/** What the cases of the suite are made of: a listener that starts what comes, a connection by both its ends, bytes to send. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type DialError, Dialer } from "../Dialer.ts"
import { type ListenError, Listener, type Listening } from "../Listener.ts"
import { Observed, Signal } from "./Observed.ts"

/** Registers one case; its layer is fresh. */
export type Case = (name: string, body: Effect.Effect<void, unknown, Dialer | Listener | Scope.Scope>) => unknown

/** What a transport cannot do, each with the reason. */
export interface Lacks {
  /** The dialling end does not know its own endpoint. */
  readonly localEndpoint?: string | undefined
  /** A dial that fails does not know why: its reason is `Other`. */
  readonly dialReasons?: string | undefined
  /** Nobody refuses where nobody listens: the reason is `Unreachable`. */
  readonly refusals?: string | undefined
  /** What is dialled is one protocol of a peer, and no port that nobody has: the reason is `UnsupportedProtocol`. */
  readonly ports?: string | undefined
  /** A writer is not held back by a reader that pauses: the connection closes with `Overrun` then. */
  readonly holdingBack?: string | undefined
}

export interface Hosted {
  readonly listening: Listening
  readonly accepted: Array<Observed>
  readonly signal: Signal
}

/** Listens on a free port and starts whatever comes. */
export const hosted: (host: string) => Effect.Effect<Hosted, ListenError, Listener | Scope.Scope> = Effect.fnUntraced(
  function* (host) {
    const { listen } = yield* Listener
    const signal = new Signal()
    const accepted: Array<Observed> = []
    const listening = yield* listen({ host, port: 0 }, (connection) => {
      accepted.push(new Observed(connection, signal))
      signal.changed()
    })
    return { listening, accepted, signal }
  }
)

export interface Pair {
  readonly near: Observed
  readonly far: Observed
  readonly signal: Signal
  readonly listening: Listening
}

/** Both ends of a new connection, started. Some transports have one endpoint to listen on: whoever wants a second pair scopes the first. */
export const pair: (host: string) => Effect.Effect<Pair, ListenError | DialError, Dialer | Listener | Scope.Scope> =
  Effect.fnUntraced(function* (host) {
    const { listening, accepted, signal } = yield* hosted(host)
    const { dial } = yield* Dialer
    const near = new Observed(yield* dial(listening.endpoint), signal)
    yield* signal.until(() => accepted.length === 1)
    return { near, far: accepted[0] as Observed, signal, listening }
  })

/** Bytes that show a lost, doubled or exchanged stretch. */
export const pattern = (length: number, seed: number): Uint8Array => {
  const bytes = new Uint8Array(length)
  for (let i = 0, state = seed >>> 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

export const MiB: number = 1024 * 1024
