import { it } from "@effect/vitest"
import { Dialer } from "@satwire/transport"
import { hosted } from "@satwire/transport/compliance"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { readdirSync, readlinkSync } from "node:fs"
import { expect } from "vitest"
import { layerWebSocket } from "../src/node.ts"

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

/** Deno 2.9 now and then keeps one pair of the fifty, both ends of which were closed (measured, in whole runs of all suites). */
const KEPT_BY_DENO = "Deno" in globalThis ? 2 : 0

/** What there is more of than before. The test runner's own timers come and go. */
const leftOver = (before: Record<string, number>): ReadonlyArray<readonly [kind: string, count: number]> =>
  Object.entries(handles()).filter(
    ([kind, count]) => count > (before[kind] ?? 0) + (kind === "socket" ? KEPT_BY_DENO : 0)
  )

it.live("closing the scope of the layer leaves no socket, listener or timer in the process", () =>
  Effect.gen(function* () {
    const before = handles()
    const scope = yield* Scope.make()
    const context = yield* Layer.buildWithScope(Layer.fresh(layerWebSocket()), scope)
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
    // Deno gives a socket back to the system a moment after it was closed (measured), so what was left is looked at again.
    yield* Effect.repeat(Effect.sleep(10), { until: () => leftOver(before).length === 0, times: 500 })
    expect(leftOver(before)).toEqual([])
  })
)
