/** What is written arrives: all of it, in order, once. */
import { assert } from "@satwire/machine"
import * as Effect from "effect/Effect"
import type { Connection } from "../Connection.ts"
import { Dialer } from "../Dialer.ts"
import { NOWHERE, formatEndpoint } from "../Endpoint.ts"
import { Listener } from "../Listener.ts"
import { type Case, type Lacks, pair, pattern } from "./Case.ts"
import { Observed, Signal } from "./Observed.ts"

export const bytesCases = (it: Case, host: string, { localEndpoint }: Lacks): void => {
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
    localEndpoint === undefined
      ? "names both ends alike"
      : `names the accepting end alike, and the dialling one not at all: ${localEndpoint}`,
    Effect.gen(function* () {
      const { near, far, listening } = yield* pair(host)
      const [a, b] = [near.connection, far.connection]
      assert(a.direction === "outbound" && b.direction === "inbound", "the directions are wrong")
      assert(formatEndpoint(a.remote) === formatEndpoint(listening.endpoint), "dialled one endpoint and got another")
      assert(formatEndpoint(a.remote) === formatEndpoint(b.local), "the accepting end has two names")
      const own = localEndpoint === undefined ? b.remote : NOWHERE
      assert(formatEndpoint(a.local) === formatEndpoint(own), "the dialling end has two names")
    })
  )
}
