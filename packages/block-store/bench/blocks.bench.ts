/**
 * How fast blocks go to the disk and come back, and how fast a store of many opens:
 *
 *   node --conditions=@satwire/source --expose-gc packages/block-store/bench/blocks.bench.ts [directory]
 *
 * Everything is synced before it counts; what is read has just been written, so it comes from the system's memory.
 */
import { ChaChaRandom } from "@satwire/crypto"
import type { KvStore } from "@satwire/kv-store"
import { layerLevel } from "@satwire/kv-store/level"
import { layerSqlite } from "@satwire/kv-store/sqlite"
import { layerFiles } from "@satwire/store"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { BlockIndex } from "../src/BlockIndex.ts"
import { someBlock, someHash } from "../src/compliance.ts"
import { BlockStore, type NewBlock } from "../src/index.ts"

const root = mkdtempSync(join(process.argv[2] ?? tmpdir(), "satwire-bench-"))
const LARGE = { count: 150, bytes: 2_000_000 }
const SMALL_BYTES = 250

const row = (what: string, ...figures: ReadonlyArray<string>): void =>
  console.log([what.padEnd(46), ...figures].join("  "))

const seconds = Effect.fnUntraced(function* <A, E, R>(body: Effect.Effect<A, E, R>) {
  const start = performance.now()
  yield* body
  return (performance.now() - start) / 1000
})

let places = 0
const place = (): string => join(root, String(places++))

const indexes: Record<string, (directory: string) => Layer.Layer<KvStore, unknown> | undefined> = {
  "no index": () => undefined,
  level: (directory) => layerLevel({ directory: `${directory}-level` }),
  sqlite: (directory) => layerSqlite({ path: `${directory}.sqlite` })
}

const storeIn = (
  directory: string,
  index: Layer.Layer<KvStore, unknown> | undefined
): Layer.Layer<BlockStore, unknown> => {
  const options = { directory, networkMagic: 1 }
  return index === undefined
    ? Layer.provide(BlockStore.layer(options), layerFiles)
    : Layer.provide(BlockStore.layerIndexed(options), [layerFiles, index])
}

const withHash = (n: number, bytes: Uint8Array): NewBlock => ({ hash: someHash(n), height: n, bytes })

const megabytes = (took: number): string => `${((LARGE.count * LARGE.bytes) / 1e6 / took).toFixed(0).padStart(7)} MB/s`

/** Large blocks, one append each and eight waiting together; then all of them read, one after another and four at once. */
const largeBlocks = Effect.fnUntraced(function* (name: string) {
  const body = someBlock(1, LARGE.bytes).bytes
  for (const together of [1, 8]) {
    const directory = place()
    yield* Effect.gen(function* () {
      const { append, read } = yield* BlockStore
      const numbers = Array.from({ length: LARGE.count }, (_, n) => n)
      const wrote = yield* seconds(
        Effect.forEach(numbers, (n) => append([withHash(n, body)]), { concurrency: together, discard: true })
      )
      const reads = (concurrency: number): Effect.Effect<number, unknown> =>
        seconds(Effect.forEach(numbers, (n) => read(someHash(n)), { concurrency, discard: true }))
      row(`2 MB blocks, ${together} at once, ${name}: append`, megabytes(wrote))
      if (together === 1)
        row(`  read, verified, one by one and 4 at once`, megabytes(yield* reads(1)), megabytes(yield* reads(4)))
    }).pipe(Effect.provide(storeIn(directory, indexes[name]?.(directory)), { local: true }))
    rmSync(directory, { recursive: true, force: true })
  }
})

const smallBlocks = Effect.fnUntraced(function* (name: string) {
  for (const [batch, count] of [
    [1, 1000],
    [16, 8000],
    [256, 64_000]
  ] as const) {
    const directory = place()
    yield* Effect.gen(function* () {
      const { append } = yield* BlockStore
      const blocks = Array.from({ length: count }, (_, n) => someBlock(n, SMALL_BYTES))
      const took = yield* seconds(
        Effect.forEach(
          Array.from({ length: count / batch }, (_, i) => blocks.slice(i * batch, (i + 1) * batch)),
          (some) => append(some),
          { discard: true }
        )
      )
      row(
        `250 byte blocks, batches of ${batch}, ${name}`,
        `${Math.round(count / took)
          .toLocaleString("en-US")
          .padStart(9)} blocks/s`
      )
    }).pipe(Effect.provide(storeIn(directory, indexes[name]?.(directory)), { local: true }))
  }
})

/** 900,000 small blocks: how long a start takes, and what the index weighs. */
const manyBlocks = Effect.fnUntraced(function* (name: string) {
  const count = 900_000
  const directory = place()
  const index = indexes[name]
  yield* Effect.gen(function* () {
    const { append } = yield* BlockStore
    for (let n = 0; n < count; n += 5000)
      yield* append(Array.from({ length: 5000 }, (_, i) => someBlock(n + i, SMALL_BYTES)))
  }).pipe(Effect.provide(storeIn(directory, index?.(directory)), { local: true }))
  for (const round of ["", " again"]) {
    yield* Effect.gen(function* () {
      const { load } = yield* BlockStore
      let scanned = 0
      const took = yield* seconds(
        Effect.map(
          load(() => undefined),
          (loaded) => {
            scanned = loaded.scanned
          }
        )
      )
      row(`open with 900,000 blocks${round}, ${name}`, `${took.toFixed(2).padStart(6)} s`, `${scanned} scanned`)
    }).pipe(Effect.provide(storeIn(directory, index?.(directory)), { local: true }))
  }
  rmSync(directory, { recursive: true, force: true })
})

const memory = Effect.sync(() => {
  const index = new BlockIndex(ChaChaRandom.fromNumber(1))
  const check = new Uint8Array(8)
  for (let n = 0; n < 900_000; n++) index.put(someHash(n), { file: n >> 8, offset: 64, length: 1, height: n }, check)
  row("index of 900,000 blocks in memory", `${(index.bytes / 900_000).toFixed(1)} bytes a block`)
})

const all = Effect.gen(function* () {
  for (const name of Object.keys(indexes)) yield* largeBlocks(name)
  for (const name of Object.keys(indexes)) yield* smallBlocks(name)
  for (const name of Object.keys(indexes)) yield* manyBlocks(name)
  yield* memory
})
await Effect.runPromise(
  Effect.ensuring(
    all,
    Effect.sync(() => rmSync(root, { recursive: true, force: true }))
  )
)
