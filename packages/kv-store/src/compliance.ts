/** What every store of keys and values must do, as a suite that each of them runs. It takes the test runner's functions as arguments. */
import { equals, toHex } from "@satwire/bytes"
import { assert } from "@satwire/machine"
import type { StoreError } from "@satwire/store"
import type { SuiteApi } from "@satwire/store/compliance"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { compareKeys } from "./KvPages.ts"
import { type KvChange, type KvEntry, type KvRange, KvStore } from "./KvStore.ts"

export interface KvStoreUnderTest<E> {
  readonly name: string
  /** A new and empty place each time; its layer, built twice, opens the same place twice. */
  readonly place: () => Layer.Layer<KvStore, E>
  /** Whether a place keeps its content when its layer's scope has closed. */
  readonly survives: boolean
}

type Body = Effect.Effect<unknown, unknown, KvStore>
type Alone = (name: string, body: Body) => unknown
type WithLayer<E> = (name: string, body: (layer: Layer.Layer<KvStore, E>) => Effect.Effect<unknown, unknown>) => unknown

/** Registers the suite. */
export const kvStoreCompliance = <E>(api: SuiteApi, store: KvStoreUnderTest<E>): void => {
  const it: WithLayer<E> = (name, body) => api.it(name, () => Effect.runPromise(Effect.asVoid(body(store.place()))))
  const alone: Alone = (name, body) => it(name, (layer) => Effect.provide(body, Layer.fresh(layer)))
  api.describe(`${store.name} is a store of keys and values`, () => {
    batchCases(alone)
    wholeCases(alone)
    rangeCases(alone)
    memoryCases(alone)
    if (store.survives) survivalCases(it)
  })
}

/** Bytes from numbers. */
const b = (...bytes: ReadonlyArray<number>): Uint8Array => Uint8Array.from(bytes)
const put = (key: Uint8Array, value: Uint8Array = key): KvChange => ({ key, value })
const shown = (bytes: Uint8Array | undefined): string => (bytes === undefined ? "nothing" : toHex(bytes))
const del = (key: Uint8Array): KvChange => ({ key, value: undefined })

/** The key of number `n`, so that numbers and keys have one order. */
const numbered = (n: number): Uint8Array => b(n >>> 24, n >>> 16, n >>> 8, n)

const write = (...changes: ReadonlyArray<KvChange>): Effect.Effect<void, StoreError, KvStore> =>
  KvStore.use((store) => store.batch(changes, { durable: true }))

const entriesOf = (range: KvRange): Effect.Effect<ReadonlyArray<KvEntry>, StoreError, KvStore> =>
  KvStore.use((store) => Stream.runCollect(store.range(range)))

/** That the range gives these keys and no others, in this order. */
const gives = (
  range: KvRange,
  expected: ReadonlyArray<Uint8Array>
): Effect.Effect<ReadonlyArray<KvEntry>, StoreError, KvStore> =>
  Effect.tap(entriesOf(range), (found) =>
    Effect.sync(() => {
      const said = `${found.length} keys [${found.map(({ key }) => shown(key)).join(" ")}]`
      assert(found.length === expected.length, `${said} and not ${expected.length}`)
      for (const [i, key] of expected.entries()) {
        assert(equals(found[i]?.key ?? b(), key), `${said}: at ${i} stands not ${shown(key)}`)
      }
    })
  )

const hasValue = (key: Uint8Array, expected: Uint8Array | undefined): Effect.Effect<void, StoreError, KvStore> =>
  KvStore.use((store) =>
    Effect.map(store.get(key), (value) => {
      const isRight = expected === undefined ? value === undefined : value !== undefined && equals(value, expected)
      assert(isRight, `${shown(key)} has ${shown(value)} and not ${shown(expected)}`)
    })
  )

const batchCases = (it: Alone): void => {
  it(
    "has nothing at first, and nothing after a batch of nothing",
    Effect.gen(function* () {
      yield* write()
      yield* (yield* KvStore).batch([], { durable: false })
      yield* hasValue(b(1), undefined)
      yield* gives({}, [])
    })
  )
  it(
    "gives each key its value, and `undefined` where there is none",
    Effect.gen(function* () {
      yield* write(put(b(1), b(10)), put(b(2), b(20)), put(b(), b(30)))
      const values = yield* (yield* KvStore).getMany([b(2), b(9), b(1), b(2), b()])
      const expected = [b(20), undefined, b(10), b(20), b(30)]
      assert(values.length === expected.length, "as many values as keys")
      for (const [i, value] of expected.entries()) {
        assert(value === undefined ? values[i] === undefined : equals(values[i] ?? b(), value), `value ${i} is wrong`)
      }
      assert((yield* (yield* KvStore).getMany([])).length === 0, "no values of no keys")
    })
  )
  it(
    "makes all changes of a batch, and of two of one key the later",
    Effect.gen(function* () {
      yield* write(put(b(1)), put(b(2)), put(b(3)))
      yield* write(del(b(1)), put(b(2), b(99)), put(b(4)), del(b(4)), del(b(5)), put(b(5)), put(b(2), b(98)))
      yield* gives({}, [b(2), b(3), b(5)])
      yield* hasValue(b(2), b(98))
      yield* hasValue(b(4), undefined)
    })
  )
  it(
    "tells an empty value from none",
    Effect.gen(function* () {
      yield* write(put(b(1), b()))
      yield* hasValue(b(1), b())
      yield* gives({}, [b(1)])
      yield* write(del(b(1)))
      yield* hasValue(b(1), undefined)
    })
  )
}

const wholeCases = (it: Alone): void => {
  it(
    "shows a batch whole or not at all to who reads meanwhile",
    Effect.gen(function* () {
      const { batch, getMany } = yield* KvStore
      const keys = Array.from({ length: 50 }, (_, i) => numbered(i))
      yield* batch(
        keys.map((key) => put(key, b(0))),
        { durable: false }
      )
      const look = Effect.map(getMany(keys), (values) => {
        assert(new Set(values.map(String)).size === 1, "half a batch was seen")
      })
      const writes = Effect.forEach(Array.from({ length: 20 }), (_, i) =>
        batch(
          keys.map((key) => put(key, b(i))),
          { durable: i % 2 === 0 }
        )
      )
      yield* Effect.all([writes, Effect.replicateEffect(look, 20)], { concurrency: 2 })
    })
  )
  it(
    "takes values of a megabyte and keys of a thousand bytes",
    Effect.gen(function* () {
      const long = new Uint8Array(1000).fill(7)
      const large = new Uint8Array(1_000_000).map((_, i) => i)
      yield* write(put(long, large), put(long.subarray(1), b(1)))
      yield* hasValue(long, large)
      yield* gives({}, [long.subarray(1), long])
    })
  )
}

const rangeCases = (it: Alone): void => {
  const keys = [b(), b(0), b(0, 0), b(0, 255), b(1), b(1, 0), b(1, 1), b(127), b(128), b(254, 255), b(255), b(255, 255)]
  it(
    "gives keys in the order of their bytes, the shorter first where one begins with the other",
    Effect.gen(function* () {
      yield* write(...keys.toReversed().map((key) => put(key)))
      yield* gives({}, keys)
      yield* gives({ reverse: true }, keys.toReversed())
    })
  )
  it(
    "gives what lies from the lower bound on and before the upper, in both directions and up to a limit",
    Effect.gen(function* () {
      yield* write(...keys.map((key) => put(key)))
      for (const gte of [undefined, ...keys, b(2)]) {
        for (const lt of [undefined, ...keys, b(2)]) {
          const expected = keys.filter(
            (key) => (gte === undefined || compareKeys(key, gte) >= 0) && (lt === undefined || compareKeys(key, lt) < 0)
          )
          yield* gives({ gte, lt }, expected)
          yield* gives({ gte, lt, limit: 2 }, expected.slice(0, 2))
          yield* gives({ gte, lt, limit: 3, reverse: true }, expected.toReversed().slice(0, 3))
        }
      }
      yield* gives({ limit: 0 }, [])
    })
  )
  it(
    "keeps neighbours of a prefix apart from it",
    Effect.gen(function* () {
      const within = [b(5), b(5, 0), b(5, 7, 7), b(5, 255), b(5, 255, 255, 255)]
      yield* write(...[b(4, 255, 255), b(6), b(6, 0), ...within].map((key) => put(key)))
      yield* gives({ gte: b(5), lt: b(6) }, within)
      yield* gives({ gte: b(5), lt: b(6), reverse: true }, within.toReversed())
    })
  )
  it(
    "goes through ten thousand keys, more than one page, in both directions",
    Effect.gen(function* () {
      const many = Array.from({ length: 10_000 }, (_, i) => numbered(i * 3))
      yield* (yield* KvStore).batch(
        many.map((key) => put(key)),
        { durable: false }
      )
      yield* gives({}, many)
      yield* gives({ reverse: true, limit: 5000 }, many.toReversed().slice(0, 5000))
      yield* gives({ gte: numbered(1), lt: numbered(6001) }, many.slice(1, 2001))
      yield* write(...many.slice(1000).map(del))
      yield* gives({}, many.slice(0, 1000))
    })
  )
  it(
    "lets a reader of a range change what it has read",
    Effect.gen(function* () {
      const store = yield* KvStore
      const many = Array.from({ length: 3000 }, (_, i) => numbered(i))
      yield* write(...many.map((key) => put(key)))
      yield* Stream.runForEachArray(store.range({}), (page) =>
        store.batch(
          page.map(({ key }) => del(key)),
          { durable: false }
        )
      )
      yield* gives({}, [])
    })
  )
}

const memoryCases = (it: Alone): void => {
  it(
    "does not look at the caller's memory after a batch, and gives its own away",
    Effect.gen(function* () {
      const { batch, get, range } = yield* KvStore
      const key = b(1, 2)
      const value = b(3, 4)
      yield* batch([put(key, value)], { durable: false })
      key.fill(0)
      value.fill(0)
      yield* hasValue(b(1, 2), b(3, 4))
      ;(yield* get(b(1, 2)))?.fill(0)
      for (const entry of yield* Stream.runCollect(range({}))) {
        entry.key.fill(0)
        entry.value.fill(0)
      }
      yield* hasValue(b(1, 2), b(3, 4))
      yield* gives({}, [b(1, 2)])
    })
  )
}

const survivalCases = <E>(it: WithLayer<E>): void => {
  it("keeps what it holds over a restart, and gives everything back when it closes", (layer) =>
    Effect.gen(function* () {
      const keys: Array<Uint8Array> = []
      for (let start = 0; start < 10; start++) {
        const life = Effect.gen(function* () {
          yield* gives({}, keys)
          const key = numbered(start)
          yield* (yield* KvStore).batch([put(key)], { durable: start % 2 === 0 })
          keys.push(key)
        })
        yield* Effect.provide(life, Layer.fresh(layer))
      }
    }))
  it("refuses a second opener in one sentence, and lets it in when the first has closed", (layer) =>
    Effect.gen(function* () {
      const second = Effect.provide(gives({}, [b(1)]), Layer.fresh(layer))
      yield* Effect.gen(function* () {
        yield* write(put(b(1)))
        const refused = (yield* Effect.flip(second)) as { readonly _tag?: string; readonly message?: string }
        assert(refused._tag === "DirectoryLocked", `refused with ${refused._tag}`)
        assert(/ is in use by another process: /.test(refused.message ?? ""), `refused with "${refused.message}"`)
        // And the first goes on.
        yield* hasValue(b(1), b(1))
      }).pipe(Effect.provide(Layer.fresh(layer)))
      yield* second
    }))
}
