/**
 * What every header store must do, and every keeper of snapshots, as suites that each of them runs. They take the test runner's functions as
 * arguments, so they depend on none.
 */
import { equals } from "@satwire/bytes"
import { assert } from "@satwire/machine"
import { HEADER_SIZE } from "@satwire/primitives"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { HeaderStore, type HeadersLoaded } from "./HeaderStore.ts"
import type { StoreError } from "./StoreError.ts"
import type { SuiteApi } from "./SuiteApi.ts"

export { type SnapshotsUnderTest, snapshotsCompliance } from "./SnapshotsCompliance.ts"
export type { SuiteApi } from "./SuiteApi.ts"

export interface HeaderStoreUnderTest<E> {
  readonly name: string
  /** A new and empty place each time; its layer, built twice, opens the same place twice. */
  readonly place: () => Layer.Layer<HeaderStore, E>
  /** Whether a place keeps headers when its layer's scope has closed. */
  readonly survives: boolean
}

/** `count` headers that are told apart by `first` and their number. */
export const someHeaders = (count: number, first = 0): Uint8Array => {
  const headers = new Uint8Array(count * HEADER_SIZE)
  const view = new DataView(headers.buffer)
  for (let i = 0; i < count; i++) {
    for (let at = 0; at < HEADER_SIZE; at += 4)
      view.setUint32(i * HEADER_SIZE + at, Math.imul(first + i + 1, 2_654_435_761) + at)
  }
  return headers
}

/** All that the store holds, and what `load` said. */
export const loadAll: Effect.Effect<
  { readonly headers: Uint8Array; readonly loaded: HeadersLoaded },
  StoreError,
  HeaderStore
> = Effect.gen(function* () {
  const { load } = yield* HeaderStore
  const batches: Array<Uint8Array> = []
  const loaded = yield* load((headers, count) => {
    assert(headers.length === count * HEADER_SIZE && count > 0, "a batch is not as long as it says")
    batches.push(headers)
  })
  const headers = new Uint8Array(batches.reduce((sum, batch) => sum + batch.length, 0))
  let at = 0
  for (const batch of batches) {
    headers.set(batch, at)
    at += batch.length
  }
  assert(headers.length === loaded.count * HEADER_SIZE, "the store counts otherwise than it delivers")
  return { headers, loaded }
})

/** Registers the suite. */
export const headerStoreCompliance = <E>(api: SuiteApi, store: HeaderStoreUnderTest<E>): void => {
  const it = (name: string, body: (layer: Layer.Layer<HeaderStore, E>) => Effect.Effect<void, unknown>): unknown =>
    api.it(name, () => Effect.runPromise(body(store.place())))
  const alone = (name: string, body: Effect.Effect<void, unknown, HeaderStore>): unknown =>
    it(name, (layer) => Effect.provide(body, Layer.fresh(layer)))
  api.describe(`${store.name} is a header store`, () => {
    orderCases(alone)
    memoryCases(alone)
    if (store.survives) survivalCases(it)
  })
}

type Alone = (name: string, body: Effect.Effect<void, unknown, HeaderStore>) => unknown

const holds = (expected: Uint8Array): Effect.Effect<void, StoreError, HeaderStore> =>
  Effect.map(loadAll, ({ headers, loaded }) => {
    assert(equals(headers, expected), "the store holds something else than was appended")
    assert(loaded.setAside === undefined && loaded.tornBytes === 0, "the store found fault with what it wrote itself")
  })

const orderCases = (it: Alone): void => {
  it(
    "holds nothing at first, and nothing after an append of nothing",
    Effect.gen(function* () {
      yield* holds(new Uint8Array(0))
      yield* (yield* HeaderStore).append(new Uint8Array(0), 0)
      yield* holds(new Uint8Array(0))
    })
  )
  it(
    "gives back what was appended, in its order",
    Effect.gen(function* () {
      const { append } = yield* HeaderStore
      for (let i = 0; i < 10; i++) yield* append(someHeaders(2 ** i, 2 ** i), 2 ** i)
      yield* holds(someHeaders(1023, 1))
    })
  )
  it(
    "keeps appends that come at once in the order of their calls",
    Effect.gen(function* () {
      const { append } = yield* HeaderStore
      yield* Effect.forEach(Array.from({ length: 200 }), (_, i) => append(someHeaders(3, 3 * i), 3), {
        concurrency: "unbounded"
      })
      yield* holds(someHeaders(600))
    })
  )
  it(
    "can be loaded before, between and after appends",
    Effect.gen(function* () {
      const { append } = yield* HeaderStore
      for (let i = 0; i < 5; i++) {
        yield* holds(someHeaders(2000 * i))
        yield* append(someHeaders(2000, 2000 * i), 2000)
      }
      yield* holds(someHeaders(10_000))
    })
  )
  it(
    "takes more at once than one commit holds",
    Effect.gen(function* () {
      const { append } = yield* HeaderStore
      yield* append(someHeaders(250_000), 250_000)
      yield* append(someHeaders(1, 250_000), 1)
      yield* holds(someHeaders(250_001))
    })
  )
}

const memoryCases = (it: Alone): void => {
  it(
    "does not look at the caller's memory after an append",
    Effect.gen(function* () {
      const { append } = yield* HeaderStore
      const headers = someHeaders(7)
      yield* append(headers, 7)
      headers.fill(0)
      yield* holds(someHeaders(7))
    })
  )
  it(
    "takes no more of the caller's memory than it is told",
    Effect.gen(function* () {
      yield* (yield* HeaderStore).append(someHeaders(7), 5)
      yield* holds(someHeaders(5))
    })
  )
  it(
    "gives the memory of what is loaded away",
    Effect.gen(function* () {
      const { append, load } = yield* HeaderStore
      yield* append(someHeaders(7), 7)
      yield* append(someHeaders(7, 7), 7)
      const kept: Array<Uint8Array> = []
      yield* load((headers) => kept.push(headers))
      assert(equals(kept[0] as Uint8Array, someHeaders(7)), "a batch was overwritten by the next one")
      for (const batch of kept) batch.fill(0)
      yield* holds(someHeaders(14))
    })
  )
}

const survivalCases = <E>(
  it: (name: string, body: (layer: Layer.Layer<HeaderStore, E>) => Effect.Effect<void, unknown>) => unknown
): void => {
  it("keeps everything over a restart, and goes on from there", (layer) =>
    Effect.gen(function* () {
      for (let start = 0; start < 4; start++) {
        const life = Effect.gen(function* () {
          if (start % 2 === 0) yield* holds(someHeaders(20 * start))
          const { append } = yield* HeaderStore
          yield* append(someHeaders(20, 20 * start), 20)
        })
        yield* Effect.provide(life, Layer.fresh(layer))
      }
      yield* Effect.provide(holds(someHeaders(80)), Layer.fresh(layer))
    }))
}
