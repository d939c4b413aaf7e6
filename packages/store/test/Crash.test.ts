import { it } from "@effect/vitest"
import { equals } from "@satwire/bytes"
import { ChaChaRandom } from "@satwire/crypto"
import { HEADER_SIZE } from "@satwire/primitives"
import * as Effect from "effect/Effect"
import { describe, expect } from "vitest"
import { loadAll, someHeaders } from "../src/compliance.ts"
import { type Faults, MemoryDisk, faultyFiles } from "../src/faults.ts"
import { HeaderStore } from "../src/index.ts"
import { onDisk } from "./Places.ts"

/** The appends of every history below. */
const BATCHES = [1, 3, 1, 2, 5, 1]
const ALL = someHeaders(BATCHES.reduce((sum, count) => sum + count, 0))

/** Appends the batches that are not there yet, and tells how many headers the store has said that it keeps. */
const history = Effect.fnUntraced(function* (kept: (count: number) => void) {
  const { append } = yield* HeaderStore
  const { loaded } = yield* loadAll
  let first = 0
  for (const count of BATCHES) {
    if (first >= loaded.count) {
      yield* append(someHeaders(count, first), count)
      kept(first + count)
    }
    first += count
  }
})

/** Runs the history until the fault ends it, lets the power fail, and opens the disk again. */
const crashAndReopen = Effect.fnUntraced(function* (faults: Faults, seed: number | undefined) {
  const disk = new MemoryDisk()
  let acknowledged = 0
  const life = history((count) => {
    acknowledged = count
  })
  yield* Effect.exit(Effect.provide(life, onDisk(disk, faultyFiles(faults))))
  disk.crash(seed === undefined ? undefined : ChaChaRandom.fromNumber(seed))
  const { headers, loaded } = yield* Effect.provide(loadAll, onDisk(disk))
  expect(headers.length / HEADER_SIZE).toBeGreaterThanOrEqual(acknowledged)
  expect(equals(headers, ALL.subarray(0, headers.length))).toBe(true)
  // And it is a store like any other from here on.
  yield* Effect.provide(
    history(() => undefined),
    onDisk(disk)
  )
  const after = yield* Effect.provide(loadAll, onDisk(disk))
  expect(equals(after.headers, ALL)).toBe(true)
  expect(after.loaded).toMatchObject({ tornBytes: 0, setAside: undefined })
  return { loaded, disk }
})

const SEEDS = [undefined, 1, 2, 3, 4, 5, 6, 7, 8]

describe("a crash", () => {
  it.effect("at any byte of any append loses nothing that was acknowledged", () =>
    Effect.gen(function* () {
      const whole: Faults = {}
      yield* crashAndReopen(whole, undefined)
      const bytes = whole.written?.bytes ?? 0
      expect(bytes).toBe(24 + BATCHES.length * 16 + ALL.length)
      let torn = 0
      for (let at = 0; at < bytes; at++) {
        for (const seed of [undefined, at]) {
          const { loaded } = yield* crashAndReopen({ crashAfterBytes: at }, seed)
          if (loaded.tornBytes > 0) torn++
        }
      }
      expect(torn).toBeGreaterThan(bytes / 4)
    })
  )

  it.effect("between any two operations loses nothing that was acknowledged", () =>
    Effect.gen(function* () {
      const whole: Faults = {}
      yield* crashAndReopen(whole, undefined)
      const changes = whole.written?.changes ?? 0
      for (let at = 0; at <= changes; at++) {
        for (const seed of SEEDS) yield* crashAndReopen({ crashAfterChanges: at }, seed)
      }
    })
  )

  it.effect("while a crash is being mended loses nothing either", () =>
    Effect.gen(function* () {
      for (let at = 0; at < 12; at++) {
        for (const seed of SEEDS) {
          const { disk } = yield* crashAndReopen({ crashAfterBytes: 700 }, undefined)
          const before = disk.read("/data/headers.dat") as Uint8Array
          // Damage in the middle: mending it writes a second file and renames both.
          const damaged = before.slice()
          damaged[500] = (damaged[500] as number) ^ 1
          disk.put("/data/headers.dat", damaged)
          yield* Effect.exit(Effect.provide(loadAll, onDisk(disk, faultyFiles({ crashAfterChanges: at }))))
          disk.crash(seed === undefined ? undefined : ChaChaRandom.fromNumber(seed))
          const { headers } = yield* Effect.provide(loadAll, onDisk(disk))
          expect(headers.length).toBeGreaterThanOrEqual(4 * HEADER_SIZE)
          expect(equals(headers, ALL.subarray(0, headers.length))).toBe(true)
          const aside = disk.paths().filter((path) => path.includes("damaged"))
          expect(aside.length).toBe(1)
          expect(equals(disk.read(aside[0] as string) as Uint8Array, damaged)).toBe(true)
        }
      }
    })
  )

  it.effect("during short writes loses nothing either", () =>
    Effect.gen(function* () {
      for (let seed = 0; seed < 200; seed++) {
        const random = ChaChaRandom.fromNumber(seed)
        yield* crashAndReopen({ shortWrites: random, crashAfterBytes: random.below(1200) }, seed)
      }
    })
  )
})
