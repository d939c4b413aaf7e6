/**
 * Keeps connections to addresses that a person named: dials, waits for the end, dials again with growing delays. An address that broke
 * the rules, or at which this very node answers, is given up. (Choosing addresses by oneself is the `connections` machine's work, of a
 * later release.)
 */
import { Dialer, type Endpoint, formatEndpoint } from "@satwire/transport"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberMap from "effect/FiberMap"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { ConnectionEnd, Connections } from "./Connections.ts"
import type { GivenUpBecause, NodeFact } from "./NodeFact.ts"

/** The first delay before another try … */
export const FIRST_RETRY_MS = 1000
/** … doubled at each failure up to this (Core's pause between tries of `-addnode`). A connection that lasted longer starts anew. */
export const LAST_RETRY_MS = 60_000

const NANOS_PER_MS = 1_000_000n

/**
 * Dials from now on, until the scope closes. What it gives keeps a connection to one more address; a second call for it changes nothing,
 * and so does one after the end.
 */
export const keepConnected = (given: {
  readonly connections: Connections
  readonly tell: (fact: NodeFact) => void
  readonly dialTimeoutMs: number
}): Effect.Effect<(endpoint: Endpoint) => Effect.Effect<void>, never, Dialer | Scope.Scope> =>
  Effect.gen(function* () {
    const { connections, tell, dialTimeoutMs } = given
    const dialer = yield* Dialer
    const fibers = yield* FiberMap.make<string>()
    let isOver = false
    yield* Effect.addFinalizer(() => Effect.sync(() => (isOver = true)))

    /** One connection, from its dial to its end. */
    const connectOnce = (endpoint: Endpoint, transport: "v1" | undefined) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          tell({ _tag: "PeerConnecting", endpoint })
          const connection = yield* restore(dialer.dial(endpoint, { timeoutMs: dialTimeoutMs }))
          const since = yield* Clock.monotonicTimeNanos
          const gone = yield* Deferred.make<ConnectionEnd | undefined>()
          connections.add(connection, {
            transport,
            onGone: (end) => void Deferred.doneUnsafe(gone, Exit.succeed(end))
          })
          const end = yield* restore(Deferred.await(gone))
          return { end, livedMs: Number(((yield* Clock.monotonicTimeNanos) - since) / NANOS_PER_MS) }
        })
      )

    const keepDialling = Effect.fnUntraced(function* (endpoint: Endpoint) {
      let delayMs = FIRST_RETRY_MS
      let transport: "v1" | undefined = undefined
      while (true) {
        const outcome = yield* Effect.result(connectOnce(endpoint, transport))
        transport = undefined
        if (Result.isFailure(outcome)) {
          tell({ _tag: "DialFailed", endpoint, error: outcome.failure, retryInMs: delayMs })
        } else {
          const { end, livedMs } = outcome.success
          const because = end === undefined ? undefined : givenUpBecause(end)
          if (because !== undefined) return tell({ _tag: "PeerGivenUp", endpoint, because })
          if (end?.retryAsV1 === true) {
            // The same dialer, so the same proxy, and at once: nobody is kept waiting for what he does not speak.
            transport = "v1"
            continue
          }
          if (livedMs > LAST_RETRY_MS) delayMs = FIRST_RETRY_MS
        }
        yield* Effect.sleep(delayMs)
        delayMs = Math.min(2 * delayMs, LAST_RETRY_MS)
      }
    })

    return (endpoint) =>
      Effect.suspend(() => {
        // A map that is closed would interrupt whoever asks.
        if (isOver) return Effect.void
        return FiberMap.run(fibers, formatEndpoint(endpoint), keepDialling(endpoint), { onlyIfMissing: true })
      }).pipe(Effect.asVoid)
  })

const givenUpBecause = (end: ConnectionEnd): GivenUpBecause | undefined => {
  if (end.reachedItself) return "OurOwnAddress"
  return end.cost === "discourage" ? "BrokeTheRules" : undefined
}
