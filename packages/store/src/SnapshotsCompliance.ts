/** What every keeper of snapshots must do: see `compliance.ts`. */
import { equals } from "@satwire/bytes"
import { assert } from "@satwire/machine"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { type SnapshotKind, Snapshots } from "./Snapshots.ts"
import type { StoreError } from "./StoreError.ts"
import type { SuiteApi } from "./SuiteApi.ts"

export interface SnapshotsUnderTest<E> {
  readonly name: string
  /** A new and empty place each time; its layer, built twice, opens the same place twice. */
  readonly place: () => Layer.Layer<Snapshots, E>
  /** Whether a place keeps values when its layer's scope has closed. */
  readonly survives: boolean
}

interface Counted {
  readonly n: number
  readonly bytes: Uint8Array
}

const kindOf = (name: string, magic: string): SnapshotKind<Counted> => ({
  name,
  magic,
  version: 1,
  read: (saved) => {
    const { bytes, n } = saved as Counted
    return bytes instanceof Uint8Array ? Result.succeed({ n, bytes: new Uint8Array(bytes) }) : Result.fail("no bytes")
  }
})
const PEERS = kindOf("peers.dat", "SATWPEER")
const BANS = kindOf("bans.dat", "SATWBANS")

/** Values that are told apart by their number. */
const counted = (n: number): Counted => ({ n, bytes: new Uint8Array(100 * n).fill(n) })

const holds = (kind: SnapshotKind<Counted>, n: number | undefined): Effect.Effect<void, StoreError, Snapshots> =>
  Effect.gen(function* () {
    const { value, setAside } = yield* (yield* Snapshots).open(kind).load
    assert(setAside === undefined, "it found fault with what it wrote itself")
    const isRight =
      n === undefined ? value === undefined : value?.n === n && equals(value.bytes, new Uint8Array(100 * n).fill(n))
    assert(isRight, `it holds ${value?.n} where ${n} was saved last`)
  })

/** Registers the suite. */
export const snapshotsCompliance = <E>(api: SuiteApi, under: SnapshotsUnderTest<E>): void => {
  const it = (name: string, body: (layer: Layer.Layer<Snapshots, E>) => Effect.Effect<void, unknown>): unknown =>
    api.it(name, () => Effect.runPromise(body(under.place())))
  const alone = (name: string, body: Effect.Effect<void, unknown, Snapshots>): unknown =>
    it(name, (layer) => Effect.provide(body, Layer.fresh(layer)))
  api.describe(`${under.name} keeps snapshots`, () => {
    valueCases(alone)
    if (under.survives) survivalCase(it)
  })
}

const valueCases = (it: (name: string, body: Effect.Effect<void, unknown, Snapshots>) => unknown): void => {
  it(
    "and holds nothing at first, the last value then, and nothing when it is removed",
    Effect.gen(function* () {
      const peers = (yield* Snapshots).open(PEERS)
      yield* holds(PEERS, undefined)
      for (const n of [3, 1, 2, 0]) {
        yield* peers.save(counted(n))
        yield* holds(PEERS, n)
      }
      yield* peers.remove
      yield* peers.remove
      yield* holds(PEERS, undefined)
      yield* peers.save(counted(4))
      yield* holds(PEERS, 4)
    })
  )
  it(
    "of each kind apart",
    Effect.gen(function* () {
      const snapshots = yield* Snapshots
      yield* snapshots.open(PEERS).save(counted(1))
      yield* snapshots.open(BANS).save(counted(2))
      yield* holds(PEERS, 1)
      yield* snapshots.open(PEERS).remove
      yield* holds(PEERS, undefined)
      yield* holds(BANS, 2)
    })
  )
  it(
    "and the last of those that are saved at once",
    Effect.gen(function* () {
      const peers = (yield* Snapshots).open(PEERS)
      yield* Effect.forEach([1, 2, 3, 4, 5], (n) => peers.save(counted(n)), { concurrency: "unbounded" })
      yield* holds(PEERS, 5)
    })
  )
  it(
    "with all that is plain data in them",
    Effect.gen(function* () {
      const value = {
        numbers: [0, -1, 0.5, 2 ** 31, 2 ** 53, -(2 ** 40), Number.MAX_VALUE],
        bigints: [2n ** 63n, 2n ** 64n - 1n, -(2n ** 63n)],
        text: ["", "Satwire", "š→𝄞"],
        rest: [true, false, null, [], {}, [[{ a: [] }]]],
        // A key like any other.
        ["constructor"]: 1
      }
      const kind: SnapshotKind<unknown> = { ...PEERS, read: Result.succeed }
      const file = (yield* Snapshots).open(kind)
      yield* file.save(value)
      const loaded = (yield* file.load).value
      assert(text(loaded) === text(value), `it made ${text(loaded)} of ${text(value)}`)
    })
  )
  it(
    "and shares no memory with who saves and who loads",
    Effect.gen(function* () {
      const peers = (yield* Snapshots).open({ ...PEERS, read: (saved) => Result.succeed(saved as Counted) })
      const value = counted(7)
      yield* peers.save(value)
      value.bytes.fill(0)
      yield* holds(PEERS, 7)
      ;(yield* peers.load).value?.bytes.fill(0)
      yield* holds(PEERS, 7)
    })
  )
}

const text = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? `${part}n` : part))

const survivalCase = <E>(
  it: (name: string, body: (layer: Layer.Layer<Snapshots, E>) => Effect.Effect<void, unknown>) => unknown
): void => {
  it("over a restart", (layer) =>
    Effect.gen(function* () {
      for (let n = 1; n < 5; n++) {
        const life = Effect.gen(function* () {
          yield* holds(PEERS, n === 1 ? undefined : n - 1)
          yield* (yield* Snapshots).open(PEERS).save(counted(n))
        })
        yield* Effect.provide(life, Layer.fresh(layer))
      }
    }))
}
