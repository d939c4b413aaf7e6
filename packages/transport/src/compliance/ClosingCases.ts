/** Every way in which a connection ends, each told once. */
import { assert } from "@satwire/machine"
import * as Effect from "effect/Effect"
import { Dialer } from "../Dialer.ts"
import { type Case, MiB, hosted, pair, pattern } from "./Case.ts"
import { Observed } from "./Observed.ts"

export const endingCases = (it: Case, host: string): void => {
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
      const { near, far, signal } = yield* Effect.scoped(pair(host))
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
    "closes both ends when one ends, whatever the other had still to say",
    Effect.gen(function* () {
      const { near, far, signal } = yield* pair(host)
      far.connection.write(pattern(2 * MiB, 10))
      near.connection.end()
      yield* signal.until(() => near.closedBy() !== undefined && far.closedBy() !== undefined)
      assert(near.received(pattern(2 * MiB, 10).subarray(0, near.length)), "received something else than was sent")
      assert(near.closedBy() === "Ended", `the ending end closed with ${near.closedBy()}`)
      const tag = far.closedBy()
      assert(tag === "Ended" || tag === "Reset", `the other end closed with ${tag}`)
    })
  )
}

export const destroyingCases = (it: Case, host: string): void => {
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
      const { near, far, signal } = yield* Effect.scoped(pair(host))
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
