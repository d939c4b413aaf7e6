import { it } from "@effect/vitest"
import { Dialer } from "@satwire/transport"
import { hosted } from "@satwire/transport/compliance"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { readdirSync, readlinkSync } from "node:fs"
import { expect } from "vitest"
import { layerTcp } from "../src/index.ts"

/** What this process has open of the network and of time, by kind. */
const handles = (): Record<string, number> => {
  const counts: Record<string, number> = {}
  const kinds = process.getActiveResourcesInfo().filter((kind) => /^(?:TCP|Timeout)/.test(kind))
  for (const kind of [...kinds, ...sockets()]) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

/** The sockets among the process's file descriptors, where the system shows them. */
const sockets = (): ReadonlyArray<string> => {
  if (process.platform !== "linux") return []
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:") ? ["socket"] : []
    } catch {
      // Closed since it was listed: the descriptor of the listing itself.
      return []
    }
  })
}

it.live("closing the scope of the layer leaves no socket, listener or timer in the process", () =>
  Effect.gen(function* () {
    const before = handles()
    const scope = yield* Scope.make()
    const context = yield* Layer.buildWithScope(Layer.fresh(layerTcp), scope)
    yield* Effect.gen(function* () {
      const { dial } = yield* Dialer
      const { listening, accepted, signal } = yield* hosted("127.0.0.1")
      const made = yield* Effect.forEach(Array.from({ length: 50 }), () => dial(listening.endpoint), {
        concurrency: "unbounded"
      })
      yield* signal.until(() => accepted.length === 50)
      for (const connection of made.slice(0, 10)) connection.write(new Uint8Array(10_000_000))
      for (const connection of made.slice(10, 20)) connection.end()
      yield* Effect.forkIn(dial(listening.endpoint), scope, { startImmediately: true })
    }).pipe(Effect.provideContext(context), Scope.provide(scope))
    expect(handles()).not.toEqual(before)
    yield* Scope.close(scope, Exit.void)
    // No more than before: the test runner's own timers come and go.
    for (const [kind, count] of Object.entries(handles())) expect(count, kind).toBeLessThanOrEqual(before[kind] ?? 0)
  })
)

it.live("an attempt that was interrupted is gone when the interruption is", () =>
  Effect.gen(function* () {
    const { dial, connections } = yield* Dialer
    const { listening } = yield* hosted("127.0.0.1")
    const fibers = yield* Effect.forEach(Array.from({ length: 20 }), () =>
      Effect.forkChild(dial(listening.endpoint), { startImmediately: true })
    )
    expect(connections()).toBe(20)
    yield* Fiber.interruptAll(fibers)
    expect(connections()).toBe(0)
  }).pipe(Effect.scoped, Effect.provide(Layer.fresh(layerTcp)))
)
