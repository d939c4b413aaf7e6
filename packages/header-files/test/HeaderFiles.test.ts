import {
  HEADERS_AT_A_TIME,
  type ImportFault,
  type ImportOptions,
  type Imported,
  exportHeaders,
  importHeaders
} from "../src/index.ts"
import { concat } from "@satwire/bytes"
import type { RunFault } from "@satwire/header-sync"
import {
  BlockHash,
  HEADER_BITS,
  HEADER_NONCE,
  HEADER_SIZE,
  genesisHeader,
  mainnet,
  regtest,
  signet
} from "@satwire/primitives"
import { type Files, HeaderStore, type StoreError } from "@satwire/store"
import { type Faults, MemoryDisk, faultyFiles } from "@satwire/store/faults"
import { describeWithData, hashAt, lastOf, regtestChain } from "@satwire/testkit"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"

const COUNT = HEADERS_AT_A_TIME + 2500
const FILE = "/brought/headers.bin"
const MADE = "/taken/headers.bin"

const genesis = genesisHeader(regtest)
const chain = regtestChain(COUNT)
const whole = concat([genesis, chain])
/** Somebody else's chain above height 100. */
const fork = regtestChain(50, { salt: 1, parent: hashOf(whole, 100), time: regtest.genesis.time + 10_000 })

function hashOf(headers: Uint8Array, height: number): BlockHash {
  const hex = hashAt(headers, height)
  return BlockHash(Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)).reverse())
}

const upTo = (height: number): Uint8Array => whole.slice(0, (height + 1) * HEADER_SIZE)

/** The file with another nonce at this height, by which the header has not done its work. */
const workless = (height: number): Uint8Array => {
  const bytes = whole.slice()
  const nonce = height * HEADER_SIZE + HEADER_NONCE
  do bytes[nonce] = (bytes[nonce] ?? 0) + 1
  while ((hashOf(bytes, height)[31] ?? 0) < 0x80)
  return bytes
}

/** The file with a harder target at this height, which the header's hash does not meet either. */
const harder = (height: number): Uint8Array => {
  const bytes = whole.slice()
  bytes[height * HEADER_SIZE + HEADER_BITS + 3] = 0x1f
  return bytes
}

/** A place with a disk of its own, and what can be done there: each time as if it were started anew. */
class Place {
  readonly disk: MemoryDisk = new MemoryDisk()
  readonly faults: Faults = {}
  readonly params: typeof regtest

  constructor(params = regtest) {
    this.params = params
    for (const name of ["/brought/.", "/taken/."]) this.disk.put(name, new Uint8Array(0))
  }

  #run<A, E>(program: Effect.Effect<A, E, HeaderStore | Files>): Effect.Effect<A, E | StoreError> {
    const files = Layer.provide(faultyFiles(this.faults), this.disk.layer)
    const store = HeaderStore.layer({ directory: "/data", networkMagic: this.params.magic })
    return Effect.provide(program, Layer.fresh(Layer.provideMerge(store, files)), { local: true })
  }

  bring(file: Uint8Array, options: Partial<ImportOptions> = {}): Effect.Effect<Imported, unknown> {
    this.disk.put(FILE, file)
    return this.#run(importHeaders({ params: this.params, path: FILE, ...options }))
  }

  /** What is wrong with this file. */
  refused(file: Uint8Array): Effect.Effect<ImportFault> {
    return Effect.flip(this.bring(file)) as Effect.Effect<ImportFault>
  }

  take(overwrites = false) {
    return this.#run(exportHeaders({ params: this.params, path: MADE, overwrites }))
  }

  /** How many headers are kept. */
  get kept(): Effect.Effect<number, StoreError> {
    return Effect.map(this.#run(HeaderStore.use((store) => store.load(() => undefined))), ({ count }) => count)
  }
}

describe("a file of headers", () => {
  it.live("is taken in by a fresh install, and written again as it was, byte for byte", () =>
    Effect.gen(function* () {
      const place = new Place()
      const heard: Array<readonly [number, number]> = []
      const onProgress = (done: number, of: number) => Effect.sync(() => void heard.push([done, of]))
      const imported = yield* place.bring(whole, { onProgress })
      assert.deepInclude(imported, { count: COUNT + 1, added: COUNT })
      assert.deepStrictEqual(imported.last, imported.tip)
      assert.deepStrictEqual(hashOf(whole, COUNT), imported.tip.hash)
      assert.deepStrictEqual(heard, [
        [HEADERS_AT_A_TIME + 1, COUNT + 1],
        [COUNT + 1, COUNT + 1]
      ])
      assert.strictEqual(yield* place.kept, COUNT)
      const exported = yield* place.take()
      assert.deepInclude(exported, { count: COUNT + 1 })
      assert.deepStrictEqual(exported.tip, imported.tip)
      assert.deepStrictEqual(place.disk.read(MADE), whole)
      assert.isUndefined(place.disk.read(`${MADE}.new`))
    })
  )

  it.live("has genesis alone where nothing is kept, and adds nothing then", () =>
    Effect.gen(function* () {
      const place = new Place()
      assert.deepInclude(yield* place.take(), { count: 1 })
      assert.deepStrictEqual(place.disk.read(MADE), genesis)
      assert.deepInclude(yield* place.bring(genesis), { count: 1, added: 0 })
    })
  )

  it.live("costs nothing on the disk where its headers are known, and else only what is new", () =>
    Effect.gen(function* () {
      const place = new Place()
      assert.deepInclude(yield* place.bring(upTo(3000)), { count: 3001, added: 3000 })
      const before = place.disk.read("/data/headers.dat")
      assert.deepInclude(yield* place.bring(upTo(3000)), { count: 3001, added: 0 })
      assert.deepInclude(yield* place.bring(upTo(10)), { count: 11, added: 0 })
      assert.deepStrictEqual(place.disk.read("/data/headers.dat"), before)
      assert.deepInclude(yield* place.bring(upTo(3005)), { count: 3006, added: 5 })
      assert.strictEqual(yield* place.kept, 3005)
    })
  )

  it.live("of another chain with less work is kept beside the best, which alone is exported", () =>
    Effect.gen(function* () {
      const place = new Place()
      yield* place.bring(upTo(500))
      const imported = yield* place.bring(concat([upTo(100), fork]))
      assert.deepInclude(imported, { count: 151, added: 50 })
      assert.deepStrictEqual([imported.last.height, imported.tip.height], [150, 500])
      yield* place.take()
      assert.deepStrictEqual(place.disk.read(MADE), upTo(500))
    })
  )
})

describe("what is wrong with a file of headers is said, with the height, and what came before is kept", () => {
  const faults: ReadonlyArray<readonly [what: string, file: Uint8Array, height: number, rule: RunFault]> = [
    ["work that was not done", workless(5000), 5000, "high-hash"],
    ["a target that is another than it should be", harder(2), 2, "high-hash"],
    ["another order", swapped(17_000), 17_000, "non-continuous"],
    ["a gap", concat([upTo(1999), chain.subarray(2000 * HEADER_SIZE)]), 2000, "non-continuous"],
    ["a fork behind the chain", concat([upTo(200), fork]), 201, "non-continuous"],
    ["a header twice", concat([upTo(70), chain.subarray(69 * HEADER_SIZE)]), 71, "non-continuous"],
    ["a hole", concat([upTo(9), new Uint8Array(800), chain.subarray(19 * HEADER_SIZE)]), 10, "high-hash"]
  ]
  for (const [what, file, height, rule] of faults) {
    it.live(what, () =>
      Effect.gen(function* () {
        const place = new Place()
        const error = yield* place.refused(file)
        assert.deepInclude(error, { _tag: "HeaderFileBroken", path: FILE, height, rule, isHole: what === "a hole" })
        assert.include(error.message, `${FILE} ${what === "a hole" ? "has a hole" : `breaks the rule ${rule}`}`)
        assert.include(error.message, `the ${height} headers before it are kept`)
        assert.strictEqual(yield* place.kept, height - 1)
        // Told twice, and no less is there; the right file goes on.
        assert.deepInclude(yield* place.refused(file), { height, rule })
        assert.deepInclude(yield* place.bring(whole), { added: COUNT - height + 1 })
      })
    )
  }

  it.effect("a header ahead of the clock, which is not too new where it is kept already", () =>
    Effect.gen(function* () {
      const place = new Place()
      yield* TestClock.setTime((regtest.genesis.time + 600) * 1000)
      // Header h has the time genesis + 599 + h, and two hours are allowed.
      const error = yield* place.refused(whole)
      assert.deepInclude(error, { _tag: "HeaderFileBroken", height: 7202, rule: "time-too-new" })
      assert.include(error.message, "clock of this machine")
      yield* TestClock.setTime(regtest.genesis.time * 1000)
      assert.deepInclude(yield* place.bring(upTo(7201)), { added: 0 })
    })
  )

  it.live("its end in the middle of a header", () =>
    Effect.gen(function* () {
      const place = new Place()
      const error = yield* place.refused(whole.subarray(0, 17_000 * HEADER_SIZE + 37))
      assert.deepInclude(error, { _tag: "HeaderFileTorn", height: 17_000, bytes: 37 })
      assert.strictEqual(
        error.message,
        `${FILE} ends in the middle of the header at height 17000 (37 of 80 bytes): the 17000 headers before it are kept; take the whole file, or go on without.`
      )
      assert.strictEqual(yield* place.kept, 16_999)
    })
  )

  it.live("that it is of another network, of none, empty or not there", () =>
    Effect.gen(function* () {
      const place = new Place()
      const foreign = yield* place.refused(concat([genesisHeader(signet), chain]))
      assert.deepInclude(foreign, { _tag: "HeaderFileForeign", expected: "regtest", found: "signet" })
      assert.include(foreign.message, "begins with the genesis header of signet, not of regtest (height 0)")
      for (const file of [chain, genesis.subarray(0, 79), new Uint8Array(1)]) {
        assert.deepInclude(yield* place.refused(file), { _tag: "HeaderFileForeign", found: undefined })
      }
      assert.deepInclude(yield* place.refused(new Uint8Array(0)), { _tag: "HeaderFileEmpty", path: FILE })
      const missing = yield* Effect.flip(place.bring(whole, { path: "/brought/nothing.bin" }))
      assert.deepInclude(missing, { _tag: "HeaderFileUnreadable", code: "ENOENT", height: 0 })
      assert.strictEqual((missing as Error).message, "/brought/nothing.bin does not exist: look at the name.")
      assert.strictEqual(yield* place.kept, 0)
    })
  )

  it.live("a disk that fails on the way, under the file or under the store", () =>
    Effect.gen(function* () {
      const heights: Array<number> = []
      let place = new Place()
      for (let nth = 1; heights.length < 4; nth++) {
        place = new Place()
        place.faults.failures = [{ operation: "read", nth, code: "EIO" }]
        const error = yield* Effect.flip(place.bring(whole)) as Effect.Effect<ImportFault | StoreError>
        place.faults.failures = undefined
        if (error._tag === "IoFailed") continue
        assert.deepInclude(error, { _tag: "HeaderFileUnreadable", code: "EIO" })
        heights.push("height" in error ? error.height : -1)
        assert.strictEqual(yield* place.kept, Math.max(0, (heights.at(-1) ?? 0) - 1))
        if (heights.at(-1) === HEADERS_AT_A_TIME + 1) break
      }
      // Genesis, the first piece, the second.
      assert.deepStrictEqual(heights, [0, 1, HEADERS_AT_A_TIME + 1])
      place.faults.freeBytes = 100
      assert.deepInclude(yield* Effect.flip(place.bring(whole)), { _tag: "DiskFull", path: "/data/headers.dat" })
      place.faults.freeBytes = undefined
      assert.deepInclude(yield* place.bring(whole), { added: COUNT - HEADERS_AT_A_TIME })
    })
  )
})

describe("an export", () => {
  it.live("overwrites nothing, unless it is asked to", () =>
    Effect.gen(function* () {
      const place = new Place()
      yield* place.bring(upTo(30))
      place.disk.put(MADE, new Uint8Array(7))
      const error = yield* Effect.flip(place.take())
      assert.deepInclude(error, { _tag: "HeaderFileExists", path: MADE })
      assert.deepStrictEqual(place.disk.read(MADE), new Uint8Array(7))
      yield* place.take(true)
      assert.deepStrictEqual(place.disk.read(MADE), upTo(30))
    })
  )

  it.live("says that there is no such directory, or that the disk is full, and leaves nothing behind", () =>
    Effect.gen(function* () {
      const place = new Place()
      yield* place.bring(upTo(30))
      place.faults.freeBytes = 1000
      assert.deepInclude(yield* Effect.flip(place.take()), { _tag: "HeaderFileUnwritable", code: "ENOSPC" })
      assert.deepStrictEqual(
        place.disk.paths().filter((path) => path.startsWith(MADE)),
        []
      )
    })
  )

  it.live("is under its name whole or not at all, whenever the power fails", () =>
    Effect.gen(function* () {
      const old = new Uint8Array(7)
      const outcomes = new Set<number | undefined>()
      for (let changes = 0; ; changes++) {
        const place = new Place()
        yield* place.bring(upTo(30))
        place.disk.put(MADE, old)
        place.faults.crashAfterChanges = changes
        const exit = yield* Effect.exit(place.take(true))
        place.disk.crash()
        const found = place.disk.read(MADE)
        outcomes.add(found?.length)
        assert.deepInclude([old, upTo(30)], found)
        if (exit._tag === "Success") {
          assert.deepStrictEqual(found, upTo(30))
          break
        }
      }
      assert.deepStrictEqual([...outcomes], [7, 31 * HEADER_SIZE])
    })
  )
})

describeWithData(describe, "real headers in a file", (data) => {
  it.live("of mainnet's beginning need no minimum of work, and come out as they went in", () =>
    Effect.gen(function* () {
      const segment = data.headerSegments("mainnet").find(({ firstHeight }) => firstHeight === 0)
      if (segment === undefined) throw new RangeError("no segment begins at genesis")
      const file = segment.read()
      const { hash, height } = lastOf(file, 0)
      const place = new Place(mainnet)
      const imported = yield* place.bring(file)
      assert.deepStrictEqual([imported.added, imported.tip.height], [height, height])
      assert.deepStrictEqual(imported.tip.hash, hashOf(file, height))
      assert.isAbove(hash.length, 0)
      yield* place.take()
      assert.deepStrictEqual(place.disk.read(MADE), file)
    })
  )
})

/** The file with the headers at this height and the next one changed for each other. */
function swapped(height: number): Uint8Array {
  const at = height * HEADER_SIZE
  const [first, second] = [whole.slice(at, at + HEADER_SIZE), whole.slice(at + HEADER_SIZE, at + 2 * HEADER_SIZE)]
  const bytes = whole.slice()
  bytes.set(second, at)
  bytes.set(first, at + HEADER_SIZE)
  return bytes
}
