/** What runs in the page: it dials the listener that its address names, and tells how each conversation went. */
import { Dialer } from "@satwire/transport"
import { MiB, Observed, Signal, pattern } from "@satwire/transport/compliance"
import { MAX_WAITING_BYTES, directRoute, layerWebSocketDialer } from "@satwire/transport-websocket"
import * as Effect from "effect/Effect"

export interface PageReport {
  /** Whether 4 MiB came back as they were sent. */
  readonly isEchoed: boolean
  /** How often the connection said that all was taken. */
  readonly drained: number
  readonly endedBy: string | undefined
  /** How a connection closed that asked for more than may wait, and was paused. */
  readonly overrunBy: string | undefined
  readonly refused: { readonly reason: string; readonly message: string }
}

// No types of a page are at hand: whoever serves it says in its address where to dial.
const { search } = (globalThis as unknown as { readonly location: { readonly search: string } }).location
const ports = new URLSearchParams(search)
const at = (name: string) => ({ host: "127.0.0.1", port: Number(ports.get(name)) })

const echoed = Effect.gen(function* () {
  const signal = new Signal()
  const near = new Observed(yield* (yield* Dialer).dial(at("echo")), signal)
  const sent = pattern(4 * MiB, 1)
  near.connection.write(sent)
  yield* signal.until(() => near.length === sent.length && near.drained() > 0)
  const isEchoed = near.received(sent)
  near.connection.end()
  yield* signal.until(() => near.closedBy() !== undefined)
  return { isEchoed, drained: near.drained(), endedBy: near.closedBy() }
})

const overrun = Effect.gen(function* () {
  const signal = new Signal()
  const connection = yield* (yield* Dialer).dial(at("echo"))
  connection.pause()
  const near = new Observed(connection, signal)
  for (let sent = 0; sent <= MAX_WAITING_BYTES; sent += MiB) connection.write(new Uint8Array(MiB))
  yield* signal.until(() => near.closedBy() !== undefined)
  return near.closedBy()
})

const refused = Effect.gen(function* () {
  const { reason, message } = yield* Effect.flip((yield* Dialer).dial(at("nobody")))
  return { reason, message }
})

const report: Effect.Effect<PageReport, unknown> = Effect.gen(function* () {
  return { ...(yield* echoed), overrunBy: yield* overrun, refused: yield* refused }
}).pipe(Effect.provide(layerWebSocketDialer(directRoute())))

/** Where whoever drives the page finds it. */
Object.assign(globalThis, { report: Effect.runPromise(report) })
