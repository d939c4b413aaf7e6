/**
 * What every transport must do, as a suite that each of them runs. It takes the test runner's functions as arguments, so it depends
 * on none:
 *
 * ```ts
 * transportCompliance({ describe, it }, { name: "memory", layer: layerMemory(), host: "127.0.0.1" })
 * ```
 */
import { assert } from "@satwire/machine"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { Connection } from "./Connection.ts"
import { DialError, Dialer } from "./Dialer.ts"
import { formatEndpoint } from "./Endpoint.ts"
import { ListenError, Listener, type Listening } from "./Listener.ts"
import { Observed, Signal } from "./Observed.ts"

/** What the suite needs of a test runner; vitest's functions fit. */
export interface SuiteApi {
  readonly describe: (name: string, body: () => void) => unknown
  readonly it: (name: string, body: () => Promise<void>) => unknown
}

export interface TransportUnderTest<E> {
  readonly name: string
  readonly layer: Layer.Layer<Dialer | Listener, E>
  /** Where the suite listens, on free ports. */
  readonly host: string
  /** An address that no listener of this transport can have; 192.0.2.1 (RFC 5737) where not given. */
  readonly foreignHost?: string | undefined
}

/** Registers the suite. */
export const transportCompliance = <E>(api: SuiteApi, transport: TransportUnderTest<E>): void => {
  const { host } = transport
  const it = (name: string, body: Effect.Effect<void, unknown, Dialer | Listener | Scope.Scope>): unknown =>
    api.it(name, () => Effect.runPromise(body.pipe(Effect.provide(transport.layer, { local: true }), Effect.scoped)))
  api.describe(`${transport.name} is a transport`, () => {
    bytesCases(it, host)
    flowCases(it, host)
    closingCases(it, host)
    endpointCases(it, host, transport.foreignHost ?? "192.0.2.1")
    scopeCases(it, host, transport.layer)
  })
}

type Case = (name: string, body: Effect.Effect<void, unknown, Dialer | Listener | Scope.Scope>) => unknown

interface Hosted {
  readonly listening: Listening
  readonly accepted: Array<Observed>
  readonly signal: Signal
}

/** Listens on a free port and starts whatever comes. */
const hosted = Effect.fnUntraced(function* (
  host: string
): Effect.fn.Return<Hosted, ListenError, Listener | Scope.Scope> {
  const { listen } = yield* Listener
  const signal = new Signal()
  const accepted: Array<Observed> = []
  const listening = yield* listen({ host, port: 0 }, (connection) => {
    accepted.push(new Observed(connection, signal))
    signal.changed()
  })
  return { listening, accepted, signal }
})

interface Pair {
  readonly near: Observed
  readonly far: Observed
  readonly signal: Signal
  readonly listening: Listening
}

/** Both ends of a new connection, started. */
const pair = Effect.fnUntraced(function* (
  host: string
): Effect.fn.Return<Pair, ListenError | DialError, Dialer | Listener | Scope.Scope> {
  const { listening, accepted, signal } = yield* hosted(host)
  const { dial } = yield* Dialer
  const near = new Observed(yield* dial(listening.endpoint), signal)
  yield* signal.until(() => accepted.length === 1)
  return { near, far: accepted[0] as Observed, signal, listening }
})

/** Bytes that show a lost, doubled or exchanged stretch. */
const pattern = (length: number, seed: number): Uint8Array => {
  const bytes = new Uint8Array(length)
  for (let i = 0, state = seed >>> 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

const MiB = 1024 * 1024

const bytesCases = (it: Case, host: string): void => {
  it(
    "delivers bytes in order and complete, both ways at once",
    Effect.gen(function* () {
      const { near, far, signal } = yield* pair(host)
      const there = pattern(300_000, 1)
      const back = pattern(500_000, 2)
      for (let at = 0; at < there.length; at += 7919) near.connection.write(there.slice(at, at + 7919))
      for (let at = 0; at < back.length; at += 70_001) far.connection.write(back.slice(at, at + 70_001))
      yield* signal.until(() => far.length >= there.length && near.length >= back.length)
      assert(far.received(there), "the accepting end received something else than was sent")
      assert(near.received(back), "the dialling end received something else than was sent")
    })
  )
  it(
    "delivers writes of one byte",
    Effect.gen(function* () {
      const { near, far, signal } = yield* pair(host)
      const sent = pattern(5000, 3)
      for (const byte of sent) near.connection.write(Uint8Array.of(byte))
      yield* signal.until(() => far.length >= sent.length)
      assert(far.received(sent), "received something else than was sent")
    })
  )
  it(
    "delivers a write of 4 MB, and one of nothing",
    Effect.gen(function* () {
      const { near, far, signal } = yield* pair(host)
      const sent = pattern(4_000_000, 4)
      near.connection.write(new Uint8Array(0))
      near.connection.write(sent)
      yield* signal.until(() => far.length >= sent.length)
      assert(far.received(sent), "received something else than was sent")
    })
  )
  it(
    "keeps what arrives before the start",
    Effect.gen(function* () {
      const { listen } = yield* Listener
      const { dial } = yield* Dialer
      const signal = new Signal()
      let waiting: Connection | undefined
      const listening = yield* listen({ host, port: 0 }, (connection) => {
        waiting = connection
        signal.changed()
      })
      const near = new Observed(yield* dial(listening.endpoint), signal)
      near.connection.write(pattern(1000, 5))
      yield* signal.until(() => waiting !== undefined)
      const far = new Observed(waiting as Connection, signal)
      yield* signal.until(() => far.length === 1000)
      assert(far.received(pattern(1000, 5)), "received something else than was sent")
    })
  )
  it(
    "names both ends alike",
    Effect.gen(function* () {
      const { near, far, listening } = yield* pair(host)
      const [a, b] = [near.connection, far.connection]
      assert(a.direction === "outbound" && b.direction === "inbound", "the directions are wrong")
      assert(formatEndpoint(a.remote) === formatEndpoint(listening.endpoint), "dialled one endpoint and got another")
      assert(formatEndpoint(a.remote) === formatEndpoint(b.local), "the accepting end has two names")
      assert(formatEndpoint(a.local) === formatEndpoint(b.remote), "the dialling end has two names")
    })
  )
}

const flowCases = (it: Case, host: string): void => {
  it(
    "delivers nothing while paused, holds the writer back, and goes on when resumed",
    Effect.gen(function* () {
      const { near, far, signal } = yield* pair(host)
      const other = yield* pair(host)
      far.connection.pause()
      const part = pattern(MiB, 6)
      // More than the kernel takes for a reader that does not read.
      for (let i = 0; i < 64; i++) near.connection.write(part)
      for (let round = 1; round <= 20; round++) {
        other.near.connection.write(Uint8Array.of(round))
        yield* other.signal.until(() => other.far.length === round)
      }
      assert(far.length === 0, `${far.length} bytes were delivered to a paused end`)
      assert(near.connection.bufferedBytes > 0, "the writer was not held back")
      assert(near.drained() === 0, "reported drained with bytes still buffered")
      far.connection.resume()
      yield* signal.until(() => far.length === 64 * MiB && near.connection.bufferedBytes === 0 && near.drained() > 0)
      assert(near.drained() === 1, `reported drained ${near.drained()} times`)
    })
  )
  it(
    "stops at once when paused by the handler of bytes",
    Effect.gen(function* () {
      const { listening, signal, accepted } = yield* hosted(host)
      const near = yield* (yield* Dialer).dial(listening.endpoint)
      let calls = 0
      let length = 0
      near.start({
        onBytes(bytes) {
          calls++
          length += bytes.length
          near.pause()
          signal.changed()
        },
        onDrain: () => undefined,
        onClose: () => undefined
      })
      yield* signal.until(() => accepted.length === 1)
      accepted[0]?.connection.write(pattern(MiB, 7))
      for (let turn = 1; length < MiB; turn++) {
        yield* signal.until(() => calls === turn)
        yield* Effect.yieldNow
        assert(calls === turn, "delivered while paused")
        near.resume()
      }
    })
  )
  it(
    "tells the writer once that all is taken, and each time again",
    Effect.gen(function* () {
      const { near, far, signal } = yield* pair(host)
      for (let round = 1; round <= 3; round++) {
        far.connection.pause()
        for (let i = 0; i < 64; i++) near.connection.write(new Uint8Array(MiB))
        assert(near.connection.bufferedBytes > 0, "64 MiB went nowhere")
        far.connection.resume()
        yield* signal.until(() => near.drained() === round)
        assert(near.connection.bufferedBytes === 0, "reported drained with bytes still buffered")
        yield* signal.until(() => far.length === round * 64 * MiB)
      }
    })
  )
}

const closingCases = (it: Case, host: string): void => {
  it(
    "delivers everything that was written before an end, and closes both ends",
    Effect.gen(function* () {
      const { near, far, signal } = yield* pair(host)
      const sent = pattern(3 * MiB, 8)
      near.connection.write(sent)
      near.connection.end()
      near.connection.write(Uint8Array.of(1))
      yield* signal.until(() => near.closedBy() !== undefined && far.closedBy() !== undefined)
      assert(far.received(sent), "received something else than was sent")
      assert(far.closedBy() === "Ended", `the other end closed with ${far.closedBy()}`)
      assert(near.closedBy() === "Ended", `the ending end closed with ${near.closedBy()}`)
    })
  )
  it(
    "does not report the end before paused bytes are delivered",
    Effect.gen(function* () {
      const { near, far, signal } = yield* pair(host)
      far.connection.pause()
      near.connection.write(pattern(1000, 9))
      near.connection.end()
      const other = yield* pair(host)
      other.near.connection.write(Uint8Array.of(1))
      yield* other.signal.until(() => other.far.length === 1)
      assert(far.length === 0 && far.closedBy() === undefined, "an end overtook the bytes before it")
      far.connection.resume()
      yield* signal.until(() => far.closedBy() !== undefined)
      assert(far.received(pattern(1000, 9)), "the end lost bytes")
    })
  )
  it(
    "delivers to the end that ended first what the other had still to say",
    Effect.gen(function* () {
      const { near, far, signal } = yield* pair(host)
      far.connection.write(pattern(2 * MiB, 10))
      near.connection.end()
      yield* signal.until(() => near.closedBy() !== undefined && far.closedBy() !== undefined)
      assert(near.received(pattern(2 * MiB, 10)), "an end cut off the other direction")
      assert(near.closedBy() === "Ended", `closed with ${near.closedBy()}`)
    })
  )
  it(
    "closes now when destroyed, and the other end learns it",
    Effect.gen(function* () {
      const { near, far, signal } = yield* pair(host)
      near.connection.destroy()
      assert(near.closedBy() === undefined, "onClose was called from inside destroy")
      yield* signal.until(() => near.closedBy() !== undefined && far.closedBy() !== undefined)
      assert(near.closedBy() === "Destroyed", `the destroyed end closed with ${near.closedBy()}`)
      const tag = far.closedBy()
      assert(tag === "Ended" || tag === "Reset", `the other end closed with ${tag}`)
    })
  )
  it(
    "calls nothing after the close, whatever is done to the connection",
    Effect.gen(function* () {
      const { near, far, signal } = yield* pair(host)
      const poke = ({ connection }: Observed): void => {
        connection.write(Uint8Array.of(1))
        connection.pause()
        connection.resume()
        connection.end()
        connection.destroy()
        connection.destroy()
      }
      far.connection.write(new Uint8Array(MiB))
      poke(near)
      yield* signal.until(() => near.closedBy() !== undefined && far.closedBy() !== undefined)
      for (const end of [near, far]) poke(end)
      const other = yield* pair(host)
      other.near.connection.write(Uint8Array.of(1))
      yield* other.signal.until(() => other.far.length === 1)
      assert(near.late === 0 && far.late === 0, "a handler was called after the close")
      assert(near.connection.bufferedBytes === 0, "a closed connection has buffered bytes")
    })
  )
  it(
    "reports a close that came before the start",
    Effect.gen(function* () {
      const { listening, signal } = yield* hosted(host)
      const connection = yield* (yield* Dialer).dial(listening.endpoint)
      connection.destroy()
      yield* Effect.yieldNow
      const near = new Observed(connection, signal)
      assert(near.closedBy() === undefined, "onClose was called from inside start")
      yield* signal.until(() => near.closedBy() !== undefined)
      assert(near.closedBy() === "Destroyed", `closed with ${near.closedBy()}`)
    })
  )
}

const endpointCases = (it: Case, host: string, foreignHost: string): void => {
  it(
    "is refused where nobody listens",
    Effect.gen(function* () {
      const free = yield* Effect.scoped(hosted(host))
      const { dial, connections } = yield* Dialer
      const error = yield* Effect.flip(dial(free.listening.endpoint))
      assert(error instanceof DialError && error.reason === "Refused", `failed with ${String(error)}`)
      assert(error.message.includes(formatEndpoint(free.listening.endpoint)), "the error does not name the endpoint")
      assert(connections() === 0, "a refused attempt is still counted")
    })
  )
  it(
    "frees the endpoint when the listener's scope closes, and keeps the connections",
    Effect.gen(function* () {
      const { dial } = yield* Dialer
      const { listen } = yield* Listener
      const scope = yield* Scope.make()
      const first = yield* Scope.provide(hosted(host), scope)
      const near = new Observed(yield* dial(first.listening.endpoint), first.signal)
      yield* first.signal.until(() => first.accepted.length === 1)
      yield* Scope.close(scope, Exit.void)
      yield* listen({ host, port: first.listening.endpoint.port }, () => undefined)
      near.connection.write(Uint8Array.of(1))
      yield* first.signal.until(() => first.accepted[0]?.length === 1)
    })
  )
  it(
    "says that an endpoint is in use",
    Effect.gen(function* () {
      const { listening } = yield* hosted(host)
      const { listen } = yield* Listener
      const error = yield* Effect.flip(listen({ host, port: listening.endpoint.port }, () => undefined))
      assert(error instanceof ListenError && error.reason === "AddressInUse", `failed with ${String(error)}`)
      assert(error.message.includes(formatEndpoint(listening.endpoint)), "the error does not name the endpoint")
    })
  )
  it(
    "says that an address is not one of this machine",
    Effect.gen(function* () {
      const { listen } = yield* Listener
      const error = yield* Effect.flip(listen({ host: foreignHost, port: 0 }, () => undefined))
      assert(error.reason === "AddressNotAvailable", `failed with ${String(error)}`)
    })
  )
}

const scopeCases = <E>(it: Case, host: string, layer: Layer.Layer<Dialer | Listener, E>): void => {
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
      assert(listening.connections() === 0, "the listening endpoint still counts connections")
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
