/** A reader that pauses holds the writer back. */
import { assert } from "@satwire/machine"
import * as Effect from "effect/Effect"
import { Dialer } from "../Dialer.ts"
import { type Case, type Lacks, MiB, hosted, pair, pattern } from "./Case.ts"

export const flowCases = (it: Case, host: string, bulkMiB: number, { holdingBack }: Lacks): void => {
  if (holdingBack === undefined) holdingCases(it, host, bulkMiB)
  else overrunCase(it, host, bulkMiB, holdingBack)
  pausingCase(it, host)
}

const holdingCases = (it: Case, host: string, bulkMiB: number): void => {
  it(
    "delivers nothing while paused, holds the writer back, and goes on when resumed",
    Effect.gen(function* () {
      const { near, far, signal } = yield* Effect.scoped(pair(host))
      const other = yield* pair(host)
      far.connection.pause()
      const part = pattern(MiB, 6)
      // More than the kernel takes for a reader that does not read.
      for (let i = 0; i < bulkMiB; i++) near.connection.write(part)
      for (let round = 1; round <= 20; round++) {
        other.near.connection.write(Uint8Array.of(round))
        yield* other.signal.until(() => other.far.length === round)
      }
      assert(far.length === 0, `${far.length} bytes were delivered to a paused end`)
      assert(near.connection.bufferedBytes > 0, "the writer was not held back")
      assert(near.drained() === 0, "reported drained with bytes still buffered")
      far.connection.resume()
      yield* signal.until(
        () => far.length === bulkMiB * MiB && near.connection.bufferedBytes === 0 && near.drained() > 0
      )
      assert(near.drained() === 1, `reported drained ${near.drained()} times`)
    })
  )
  it(
    "tells the writer once that all is taken, and each time again",
    Effect.gen(function* () {
      const { near, far, signal } = yield* pair(host)
      for (let round = 1; round <= 2; round++) {
        far.connection.pause()
        for (let i = 0; i < bulkMiB; i++) near.connection.write(new Uint8Array(MiB))
        assert(near.connection.bufferedBytes > 0, `${bulkMiB} MiB went nowhere`)
        far.connection.resume()
        yield* signal.until(() => near.drained() === round)
        assert(near.connection.bufferedBytes === 0, "reported drained with bytes still buffered")
        yield* signal.until(() => far.length === round * bulkMiB * MiB)
      }
    })
  )
}

/** Where nothing can hold the other end back, what waits is bounded at least. */
const overrunCase = (it: Case, host: string, bulkMiB: number, why: string): void => {
  it(
    `delivers nothing while paused, and closes when more comes than may wait, as it cannot hold the writer back: ${why}`,
    Effect.gen(function* () {
      const { near, far, signal } = yield* pair(host)
      far.connection.pause()
      for (let i = 0; i < bulkMiB; i++) near.connection.write(new Uint8Array(MiB))
      yield* signal.until(() => near.closedBy() !== undefined && far.closedBy() !== undefined)
      assert(far.length === 0, `${far.length} bytes were delivered to a paused end`)
      assert(far.closedBy() === "Overrun", `closed with ${far.closedBy()}`)
    })
  )
}

const pausingCase = (it: Case, host: string): void => {
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
}
