/** Nothing is left: of attempts, of many connections, of a closed layer. */
import { assert } from "@satwire/machine"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { Dialer } from "../Dialer.ts"
import { Listener } from "../Listener.ts"
import { type Case, MiB, hosted, pattern } from "./Case.ts"
import { Observed } from "./Observed.ts"

export const crowdCases = (it: Case, host: string): void => {
  it(
    "leaves nothing of an interrupted attempt",
    Effect.gen(function* () {
      const { listening, accepted, signal } = yield* hosted(host)
      const { dial, connections } = yield* Dialer
      for (let hops = 0; hops < 5; hops++) {
        const fiber = yield* Effect.forkChild(dial(listening.endpoint), { startImmediately: true })
        for (let hop = 0; hop < hops; hop++) yield* Effect.yieldNow
        yield* Fiber.interrupt(fiber)
        const exit = yield* Fiber.await(fiber)
        if (Exit.isSuccess(exit)) exit.value.destroy()
      }
      const last = new Observed(yield* dial(listening.endpoint), signal)
      last.connection.write(Uint8Array.of(1))
      yield* signal.until(() => accepted.some((end) => end.length === 1))
      last.connection.destroy()
      yield* signal.until(() => last.closedBy() !== undefined && accepted.every((end) => end.closedBy() !== undefined))
      assert(connections() === 0, `${connections()} attempts are left`)
      assert(listening.connections() === 0, `${listening.connections()} accepted connections are left`)
    })
  )
  it(
    "carries many connections at once",
    Effect.gen(function* () {
      const { listening, accepted, signal } = yield* hosted(host)
      const { dial, connections } = yield* Dialer
      const ends = yield* Effect.forEach(Array.from({ length: 200 }), () => dial(listening.endpoint), {
        concurrency: "unbounded"
      })
      const near = ends.map((end) => new Observed(end, signal))
      yield* signal.until(() => accepted.length === 200)
      assert(connections() === 200 && listening.connections() === 200, "connections are counted wrongly")
      near.forEach((end, i) => end.connection.write(pattern(10_000 + i, i)))
      yield* signal.until(() => accepted.every((end) => end.length >= 10_000))
      const lengths = (): Set<number> => new Set(accepted.map((end) => end.length))
      yield* signal.until(() => lengths().size === 200)
      assert(
        accepted.every((end) => end.received(pattern(end.length, end.length - 10_000))),
        "connections were mixed up"
      )
      for (const end of near) end.connection.end()
      yield* signal.until(() => [...near, ...accepted].every((end) => end.closedBy() !== undefined))
      assert(connections() === 0 && listening.connections() === 0, "closed connections are still counted")
    })
  )
}

export const scopeCases = <E>(it: Case, host: string, layer: Layer.Layer<Dialer | Listener, E>): void => {
  it(
    "closes everything when the scope of its layer closes",
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Layer.fresh(layer), scope)
      const dialer = Context.get(context, Dialer)
      const listener = Context.get(context, Listener)
      const { listening, accepted, signal } = yield* hosted(host).pipe(
        Effect.provideContext(context),
        Scope.provide(scope)
      )
      yield* dialer.dial(listening.endpoint)
      const near = yield* Effect.forEach(Array.from({ length: 10 }), () =>
        Effect.map(dialer.dial(listening.endpoint), (end) => new Observed(end, signal))
      )
      yield* signal.until(() => accepted.length === 11)
      near[0]?.connection.pause()
      near[1]?.connection.write(new Uint8Array(32 * MiB))
      near[2]?.connection.end()
      yield* Scope.close(scope, Exit.void)
      assert(dialer.connections() === 0, `${dialer.connections()} dialled connections are left`)
      assert(listener.connections() === 0, `${listener.connections()} accepted connections are left`)
      assert(
        listening.connections() === 0,
        `the listening endpoint still counts ${listening.connections()} connections`
      )
      for (const end of [...near, ...accepted]) {
        assert(
          end.closedBy() !== undefined && end.late === 0,
          "an end was not told of its close, or told more than once"
        )
      }
      assert(near[0]?.closedBy() === "Destroyed", `closed with ${near[0]?.closedBy()}`)
      const error = yield* Effect.flip(dialer.dial(listening.endpoint))
      assert(error._tag === "DialError", "dialled through a closed layer")
    })
  )
}
