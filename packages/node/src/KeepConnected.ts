/**
 * Keeps connections to addresses that a person named: dials, waits for the end, dials again with growing delays. An address that broke
 * the rules is given up. (Choosing addresses by oneself is the `connections` machine's work, of a later release.)
 */
import type { PeerId } from "@satwire/machine"
import type { DisconnectCost } from "@satwire/peer"
import { Dialer, type Endpoint, formatEndpoint } from "@satwire/transport"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberMap from "effect/FiberMap"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { Connections } from "./Connections.ts"
import type { NodeFact } from "./NodeFact.ts"

/** The first delay before another try … */
const FIRST_RETRY_MS = 1000
/** … doubled at each failure up to this (Core's pause between tries of `-addnode`). */
const LAST_RETRY_MS = 60_000

export interface KeepConnected {
  /** Keeps a connection to this address from now on; a second call for one address changes nothing. */
  readonly keep: (endpoint: Endpoint) => Effect.Effect<void>
  /** Hears why a peer was disconnected. */
  readonly disconnected: (fact: { readonly peer: PeerId; readonly cost: DisconnectCost }) => void
}

/** Dials from now on, until the scope closes. */
export const keepConnected = (given: {
  readonly connections: Connections
  readonly tell: (fact: NodeFact) => void
  readonly dialTimeoutMs: number
}): Effect.Effect<KeepConnected, never, Dialer | Scope.Scope> =>
  Effect.gen(function* () {
    const { connections, tell, dialTimeoutMs } = given
    const dialer = yield* Dialer
    const fibers = yield* FiberMap.make<string>()
    /** Peers that were dialled here and are connected, with whether they misbehaved. */
    const dialled = new Map<PeerId, boolean>()

    /** One connection from its dial to its end: how long it lived, and whether its peer may be dialled again. */
    const connectOnce = Effect.fnUntraced(function* (endpoint: Endpoint) {
      const connection = yield* dialer.dial(endpoint, { timeoutMs: dialTimeoutMs })
      const gone = yield* Deferred.make<void>()
      const since = yield* Clock.currentTimeMillis
      const peer = connections.add(connection, () => void Deferred.doneUnsafe(gone, Exit.void))
      dialled.set(peer, false)
      yield* Deferred.await(gone)
      const giveUp = dialled.get(peer) === true
      dialled.delete(peer)
      return { livedMs: (yield* Clock.currentTimeMillis) - since, giveUp }
    })

    const keepDialling = Effect.fnUntraced(function* (endpoint: Endpoint) {
      for (let delayMs = FIRST_RETRY_MS; ; delayMs = Math.min(2 * delayMs, LAST_RETRY_MS)) {
        const outcome = yield* Effect.result(connectOnce(endpoint))
        if (Result.isFailure(outcome)) {
          tell({ _tag: "DialFailed", endpoint, error: outcome.failure, retryInMs: delayMs })
        } else if (outcome.success.giveUp) {
          tell({ _tag: "PeerGivenUp", endpoint })
          return
        } else if (outcome.success.livedMs > LAST_RETRY_MS) delayMs = FIRST_RETRY_MS
        yield* Effect.sleep(delayMs)
      }
    })

    return {
      keep: (endpoint) =>
        Effect.asVoid(FiberMap.run(fibers, formatEndpoint(endpoint), keepDialling(endpoint), { onlyIfMissing: true })),
      disconnected: ({ peer, cost }) => {
        if (cost === "discourage" && dialled.has(peer)) dialled.set(peer, true)
      }
    }
  })
