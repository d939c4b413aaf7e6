/**
 * The bridge: pages on one side by WebSocket, nodes on the other by TCP. It passes on bytes that it cannot read, and decides only who may
 * be joined with whom, how many, and how fast.
 */
import type { Dialer, ListenError, Listening } from "@satwire/transport"
import { type WebSocketServerOptions, listenWebSocket } from "@satwire/transport-websocket/node"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Dns from "effect/net/Dns"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { Desk, type DeskOptions } from "./Desk.ts"

export interface BridgeOptions extends DeskOptions {
  readonly server: WebSocketServerOptions
}

export interface Bridge extends Listening {
  /** How many are connected to a node, or about to be. */
  readonly guests: () => number
}

/** How often what is carried is looked after. */
const TICK_MS = 100

/** Runs a bridge until the scope closes. */
export const makeBridge = (
  options: BridgeOptions
): Effect.Effect<Bridge, ListenError, Dialer | Dns.Dns | Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const nowMs = (): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
    const searches = yield* FiberSet.make<void>()
    const runBeside = yield* FiberSet.runtime(searches)<Dialer | Dns.Dns>()
    const desk = new Desk(options, nowMs, runBeside)
    const listening = yield* listenWebSocket(options.server, (request) => desk.receive(request))
    // Before the listener's scope cuts off what it accepted, so that pages learn why.
    yield* Effect.addFinalizer(() => desk.stop(FiberSet.clear(searches)))
    yield* Effect.forkScoped(
      Effect.repeat(
        Effect.sync(() => desk.tick()),
        Schedule.spaced(TICK_MS)
      )
    )
    options.tell({ _tag: "Listening", endpoint: listening.endpoint })
    return { ...listening, guests: () => desk.guests }
  })
