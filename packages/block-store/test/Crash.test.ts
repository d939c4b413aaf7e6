import { it } from "@effect/vitest"
import { equals, toHex } from "@satwire/bytes"
import { ChaChaRandom } from "@satwire/crypto"
import type { KvStore } from "@satwire/kv-store"
import { type Faults, MemoryDisk, faultyFiles } from "@satwire/store/faults"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { describe, expect } from "vitest"
import { holds, loadAll, someBlock } from "../src/compliance.ts"
import { BlockStore, type NewBlock } from "../src/index.ts"
import { lastingIndex, onDisk } from "./Places.ts"

/** The appends of every history below: blocks of these lengths. The second file begins with the fourth append. */
const BATCHES = [[20], [1, 30], [90], [50, 10], [5]]
const APPENDS: ReadonlyArray<ReadonlyArray<NewBlock>> = BATCHES.map((lengths, batch) =>
  lengths.map((length, i) => someBlock(10 * batch + i, length))
)
const ALL = APPENDS.flat()
/** Forgotten after the third append, and so not there at the end. */
const FORGOTTEN = ALL[1] as NewBlock
const KEPT = ALL.filter((block) => block !== FORGOTTEN)
const MAX_FILE_BYTES = 450

type Told = (what: { readonly kept?: NewBlock; readonly forgotten?: NewBlock }) => void

/** Appends and forgets, and tells what the store has said that it did. */
const history = Effect.fnUntraced(function* (told: Told) {
  const { append, forget } = yield* BlockStore
  for (const [i, blocks] of APPENDS.entries()) {
    yield* append(blocks)
    for (const kept of blocks) told({ kept })
    if (i !== 2) continue
    yield* forget(FORGOTTEN.hash)
    told({ forgotten: FORGOTTEN })
  }
})

interface Crash {
  readonly faults: Faults
  readonly seed: number | undefined
  readonly index?: Layer.Layer<KvStore> | undefined
}

/** That the store keeps at least what was acknowledged, each block as it was, and nothing that was forgotten. */
const checked = Effect.fnUntraced(function* (kept: ReadonlySet<NewBlock>, isForgotten: boolean) {
  const { read } = yield* BlockStore
  const { hashes, loaded } = yield* loadAll
  const found = new Set(hashes.map(toHex))
  for (const block of kept) expect(found.has(toHex(block.hash)) || block === FORGOTTEN).toBe(true)
  if (isForgotten) expect(found.has(toHex(FORGOTTEN.hash))).toBe(false)
  for (const block of ALL) {
    if (!found.has(toHex(block.hash))) continue
    expect(equals((yield* read(block.hash)) ?? new Uint8Array(0), block.bytes)).toBe(true)
  }
  expect(loaded.setAside).toEqual([])
  return loaded
})

/** Runs the history until the fault ends it, lets the power fail, and opens the disk again. */
const crashAndReopen = Effect.fnUntraced(function* ({ faults, index, seed }: Crash) {
  const disk = new MemoryDisk()
  const on = { index, maxFileBytes: MAX_FILE_BYTES }
  const kept = new Set<NewBlock>()
  let isForgotten = false
  const life = history((told) => {
    if (told.kept !== undefined) kept.add(told.kept)
    if (told.forgotten !== undefined) isForgotten = true
  })
  yield* Effect.exit(Effect.provide(life, onDisk(disk, { ...on, faults: faultyFiles(faults) })))
  disk.crash(seed === undefined ? undefined : ChaChaRandom.fromNumber(seed))
  const loaded = yield* Effect.provide(checked(kept, isForgotten), onDisk(disk, on))
  // And it is a store like any other from here on.
  yield* Effect.provide(
    Effect.gen(function* () {
      const { append, forget } = yield* BlockStore
      for (const blocks of APPENDS) yield* append(blocks)
      yield* forget(FORGOTTEN.hash)
    }),
    onDisk(disk, on)
  )
  const after = yield* Effect.provide(holds(KEPT), onDisk(disk, on))
  expect(after).toMatchObject({ tornBytes: 0, setAside: [] })
  // The files alone tell the same.
  if (index !== undefined) yield* Effect.provide(holds(KEPT), onDisk(disk, { maxFileBytes: MAX_FILE_BYTES }))
  return { loaded, disk }
})

const SEEDS = [undefined, 1, 2, 3, 4, 5, 6, 7, 8]
const INDEXES = [
  { name: "without an index", index: () => undefined },
  { name: "with an index", index: lastingIndex }
]

describe.each(INDEXES)("a crash $name", ({ index }) => {
  it.effect("at any byte loses nothing that was acknowledged", () =>
    Effect.gen(function* () {
      const whole: Faults = {}
      yield* crashAndReopen({ faults: whole, seed: undefined, index: index() })
      const bytes = whole.written?.bytes ?? 0
      // Two heads, the blocks with theirs, one mark.
      expect(bytes).toBe(2 * 64 + ALL.reduce((sum, block) => sum + 60 + block.bytes.length, 0) + 4)
      let torn = 0
      for (let at = 0; at < bytes; at++) {
        for (const seed of [undefined, at]) {
          if (seed !== undefined && at % 3 !== 0) continue
          const { loaded } = yield* crashAndReopen({ faults: { crashAfterBytes: at }, seed, index: index() })
          if (loaded.tornBytes > 0) torn++
        }
      }
      expect(torn).toBeGreaterThan(bytes / 8)
    })
  )

  it.effect("between any two operations loses nothing that was acknowledged", () =>
    Effect.gen(function* () {
      const whole: Faults = {}
      yield* crashAndReopen({ faults: whole, seed: undefined, index: index() })
      const changes = whole.written?.changes ?? 0
      for (let at = 0; at <= changes; at++) {
        for (const seed of SEEDS) {
          yield* crashAndReopen({ faults: { crashAfterChanges: at }, seed, index: index() })
        }
      }
    })
  )

  it.effect("during short writes loses nothing either", () =>
    Effect.gen(function* () {
      for (let seed = 0; seed < 200; seed++) {
        const random = ChaChaRandom.fromNumber(seed)
        const faults = { shortWrites: random, crashAfterBytes: random.below(800) }
        yield* crashAndReopen({ faults, seed, index: index() })
      }
    })
  )

  it.effect("while damage is being mended loses nothing either, nor the damaged bytes", () =>
    Effect.gen(function* () {
      for (let at = 0; at < 12; at++) {
        for (const seed of SEEDS) {
          const disk = new MemoryDisk()
          yield* Effect.provide(
            history(() => undefined),
            onDisk(disk, { maxFileBytes: MAX_FILE_BYTES })
          )
          const path = "/data/blocks/blk00000.dat"
          const damaged = disk.read(path) as Uint8Array
          // The head of the third block, in the first file.
          const place = 64 + 80 + 61 + 20
          damaged[place] = (damaged[place] as number) ^ 1
          disk.put(path, damaged)
          const on = { index: index(), maxFileBytes: MAX_FILE_BYTES }
          const faults = faultyFiles({ crashAfterChanges: at })
          yield* Effect.exit(Effect.provide(loadAll, onDisk(disk, { ...on, faults })))
          disk.crash(seed === undefined ? undefined : ChaChaRandom.fromNumber(seed))
          yield* Effect.provide(holds(KEPT.filter((block) => block !== ALL[2])), onDisk(disk, on))
          const aside = disk.paths().filter((other) => other.includes("damaged"))
          expect(aside.length).toBeGreaterThan(0)
          const part = damaged.subarray(64 + 80 + 61, 64 + 80 + 61 + 90)
          const copies = aside.map((other) => disk.read(other) as Uint8Array)
          expect(copies.some((copy) => equals(copy, part))).toBe(true)
        }
      }
    })
  )
})

describe("a failing operation", () => {
  for (const operation of [
    "open",
    "write",
    "sync",
    "rename",
    "syncDirectory",
    "truncate",
    "list",
    "read",
    "size"
  ] as const) {
    it.effect(`(${operation}) fails what it belongs to alone, and the next try goes on`, () =>
      Effect.gen(function* () {
        for (let nth = 1; nth < 14; nth++) {
          for (const code of ["EIO", "ENOSPC"]) {
            const disk = new MemoryDisk()
            const faults = faultyFiles({ failures: [{ operation, nth, code }] })
            yield* Effect.gen(function* () {
              const { append, forget } = yield* BlockStore
              for (const blocks of APPENDS) {
                const first = yield* Effect.exit(append(blocks))
                if (first._tag === "Failure") yield* append(blocks)
              }
              const first = yield* Effect.exit(forget(FORGOTTEN.hash))
              if (first._tag === "Failure") yield* forget(FORGOTTEN.hash)
              yield* Effect.retry(holds(KEPT), { times: 1 })
            }).pipe(Effect.provide(onDisk(disk, { faults, maxFileBytes: MAX_FILE_BYTES })))
            disk.crash()
            const loaded = yield* Effect.provide(holds(KEPT), onDisk(disk, { maxFileBytes: MAX_FILE_BYTES }))
            expect(loaded).toMatchObject({ tornBytes: 0, setAside: [], damaged: [] })
          }
        }
      })
    )
  }
})
