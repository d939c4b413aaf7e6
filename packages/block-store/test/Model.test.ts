import { it } from "@effect/vitest"
import { equals, toHex } from "@satwire/bytes"
import { ChaChaRandom } from "@satwire/crypto"
import type { KvStore } from "@satwire/kv-store"
import type { Random } from "@satwire/machine"
import { MemoryDisk } from "@satwire/store/faults"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { describe, expect } from "vitest"
import { loadAll, someBlock } from "../src/compliance.ts"
import { BlockStore, type NewBlock } from "../src/index.ts"
import { lastingIndex, onDisk } from "./Places.ts"

/** How many histories: each has its own seed, which a failure names. */
const SEEDS = 60

type Model = Map<string, NewBlock>

/** One step of both, and that they say the same. */
const step = Effect.fnUntraced(function* (model: Model, random: Random) {
  const { append, at, forget, has, prune, read, readRange } = yield* BlockStore
  const block = someBlock(random.below(40), undefined, random.below(40) >> 1)
  const known = model.get(toHex(block.hash))
  const way = random.below(10)
  if (way < 5) {
    const blocks = Array.from({ length: random.below(6) }, () => {
      const n = random.below(40)
      return someBlock(n, undefined, n >> 1)
    })
    yield* append(blocks)
    for (const added of blocks) if (!model.has(toHex(added.hash))) model.set(toHex(added.hash), added)
  } else if (way === 5) {
    expect(yield* forget(block.hash)).toBe(known !== undefined)
    model.delete(toHex(block.hash))
  } else if (way === 6) {
    expect(yield* has(block.hash)).toBe(known !== undefined)
    expect(yield* read(block.hash)).toEqual(known?.bytes)
  } else if (way === 7) {
    const [offset, length] = [random.below(300), random.below(300)]
    expect(yield* readRange(block.hash, offset, length)).toEqual(known?.bytes.slice(offset, offset + length))
  } else if (way === 8) {
    const height = random.below(20)
    const expected = [...model.values()].filter((other) => other.height === height)
    expect((yield* at(height)).map(toHex).sort()).toEqual(expected.map(({ hash }) => toHex(hash)).sort())
  } else {
    const belowHeight = random.below(25)
    // What is gone is the store's to choose, within its word.
    for (const hash of yield* prune({ belowHeight, targetBytes: random.below(3000) })) {
      const gone = model.get(toHex(hash))
      expect(gone?.height ?? belowHeight).toBeLessThan(belowHeight)
      model.delete(toHex(hash))
    }
  }
})

const same = Effect.fnUntraced(function* (model: Model) {
  const { read } = yield* BlockStore
  const { hashes, loaded } = yield* loadAll
  expect(hashes.map(toHex).sort()).toEqual([...model.keys()].sort())
  for (const { bytes, hash } of model.values()) expect(equals((yield* read(hash)) as Uint8Array, bytes)).toBe(true)
  return loaded
})

/** Lives of random steps, each ended by a crash: all that was acknowledged is safe then. */
const history = Effect.fnUntraced(function* (seed: number, index: Layer.Layer<KvStore> | undefined) {
  const random = ChaChaRandom.fromNumber(seed)
  const disk = new MemoryDisk()
  const model: Model = new Map()
  for (let life = 0; life < 4; life++) {
    yield* Effect.gen(function* () {
      const loaded = yield* same(model)
      expect(loaded, `seed ${seed}`).toMatchObject({ tornBytes: 0, setAside: [], damaged: [] })
      if (index !== undefined && life > 0) expect(loaded.scanned).toBe(0)
      for (let i = random.below(40); i > 0; i--) yield* step(model, random)
      yield* same(model)
    }).pipe(Effect.provide(onDisk(disk, { index, maxFileBytes: 600 + random.below(2000) })))
    disk.crash(random)
  }
})

describe("random histories", () => {
  it.effect("in memory are those of a map", () =>
    Effect.gen(function* () {
      for (let seed = 0; seed < SEEDS; seed++) {
        const random = ChaChaRandom.fromNumber(seed)
        const model: Model = new Map()
        yield* Effect.gen(function* () {
          for (let i = 0; i < 60; i++) yield* step(model, random)
          yield* same(model)
        }).pipe(Effect.provide(Layer.fresh(BlockStore.layerMemory)))
      }
    })
  )
  it.effect("in files are those of a map, over crashes too", () =>
    Effect.gen(function* () {
      for (let seed = 0; seed < SEEDS; seed++) yield* history(seed, undefined)
    })
  )
  it.effect("in files with an index are those of a map, and no file is gone through at a start", () =>
    Effect.gen(function* () {
      for (let seed = 0; seed < SEEDS; seed++) yield* history(seed, lastingIndex())
    })
  )
})
