/** Runs cases over the memory network and over TCP; after each, no connection may be left at either end. */
import { Dialer, Listener, layerMemory } from "@satwire/transport"
import { layerTcp } from "@satwire/transport-tcp"
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export type Case = <E>(name: string, body: Effect.Effect<void, E, Dialer | Listener | Scope.Scope>) => void

export const TRANSPORTS = [
  { transport: "the memory network", layer: layerMemory() },
  { transport: "TCP", layer: layerTcp }
] as const

export const overEachTransport = (what: string, cases: (session: Case) => void): void => {
  describe.each(TRANSPORTS)(`${what} over $transport`, ({ layer }) => {
    cases((name, body) => {
      it.live(name, () => Effect.provide(leavingNothing(body), layer, { local: true }))
    })
  })
}

/** Runs the body in a scope, after which no connection is left. The listening end learns of it in its own time. */
export const leavingNothing = <E, R>(
  body: Effect.Effect<void, E, R>
): Effect.Effect<void, E, Dialer | Listener | Exclude<R, Scope.Scope>> =>
  Effect.gen(function* () {
    yield* Effect.scoped(body)
    const [dialer, listener] = [yield* Dialer, yield* Listener]
    yield* eventually(() => dialer.connections() === 0 && listener.connections() === 0)
  })

/** Waits until `holds`, looking again each turn of the event loop. */
export const eventually = (holds: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => (holds() ? Effect.void : Effect.andThen(Effect.yieldNow, eventually(holds))))
