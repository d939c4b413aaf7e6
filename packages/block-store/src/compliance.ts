/** What every block store must do, as a suite that each of them runs. It takes the test runner's functions as arguments, so it depends on none. */
import { Reader, equals, toHex } from "@satwire/bytes"
import { assert } from "@satwire/machine"
import { BlockHash, BlockView, HEADER_SIZE, Satoshis, Txid, readHeader } from "@satwire/primitives"
import type { StoreError } from "@satwire/store"
import type { SuiteApi } from "@satwire/store/compliance"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type { BlockDamaged } from "./BlockDamage.ts"
import { BlockStore, type BlocksLoaded } from "./BlockStore.ts"
import type { NewBlock } from "./BlockWriter.ts"

export interface BlockStoreUnderTest<E> {
  readonly name: string
  /** A new and empty place each time; its layer, built twice, opens the same place twice. */
  readonly place: () => Layer.Layer<BlockStore, E>
  /** Whether a place keeps blocks when its layer's scope has closed. */
  readonly survives: boolean
}

/** Block number `n`, of `length` bytes: told apart from all others, and always the same. */
export const someBlock = (n: number, length: number = 100 + ((n * 37) % 150), height: number = n): NewBlock => {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = Math.imul(n + 1, 2_654_435_761 + i) >>> 24
  return { hash: someHash(n), height, bytes }
}

/** The hash of block number `n`; blocks are not looked into, so it need not fit. */
export const someHash = (n: number): BlockHash => {
  const hash = new Uint8Array(32)
  const view = new DataView(hash.buffer)
  for (let at = 0; at < 32; at += 4) view.setUint32(at, Math.imul(n + 1, 0x9e3779b1) + at)
  return BlockHash(hash)
}

export const someBlocks = (count: number, first = 0): ReadonlyArray<NewBlock> =>
  Array.from({ length: count }, (_, i) => someBlock(first + i))

/** What `load` says, and all that it hands over. */
export const loadAll: Effect.Effect<
  { readonly hashes: ReadonlyArray<BlockHash>; readonly loaded: BlocksLoaded },
  StoreError,
  BlockStore
> = Effect.gen(function* () {
  const { load } = yield* BlockStore
  const hashes: Array<BlockHash> = []
  const loaded = yield* load((hash, height, sizeBytes) => {
    assert(height >= 0 && sizeBytes > 0, "a block without a height or a size")
    hashes.push(hash)
  })
  assert(new Set(hashes.map(toHex)).size === loaded.count, "the store counts otherwise than it delivers")
  return { hashes, loaded }
})

/** That the store keeps exactly these blocks, and gives them back as they came. */
export const holds = (
  expected: ReadonlyArray<NewBlock>
): Effect.Effect<BlocksLoaded, StoreError | BlockDamaged, BlockStore> =>
  Effect.gen(function* () {
    const { at, has, read } = yield* BlockStore
    const { hashes, loaded } = yield* loadAll
    assert(loaded.count === expected.length, `the store keeps ${loaded.count} blocks and not ${expected.length}`)
    const found = new Set(hashes.map(toHex))
    for (const { bytes, hash, height } of expected) {
      assert(found.has(toHex(hash)), `load does not give block ${height}`)
      assert(yield* has(hash), `the store does not know block ${height}`)
      const block = yield* read(hash)
      assert(block !== undefined && equals(block, bytes), `block ${height} is not what was appended`)
      assert(
        (yield* at(height)).some((other) => equals(other, hash)),
        `block ${height} is not found by its height`
      )
    }
    return loaded
  })

type Alone = (name: string, body: Effect.Effect<unknown, unknown, BlockStore>) => unknown
type WithLayer<E> = (
  name: string,
  body: (layer: Layer.Layer<BlockStore, E>) => Effect.Effect<unknown, unknown>
) => unknown

/** Registers the suite. */
export const blockStoreCompliance = <E>(api: SuiteApi, store: BlockStoreUnderTest<E>): void => {
  const it: WithLayer<E> = (name, body) => api.it(name, () => Effect.runPromise(Effect.asVoid(body(store.place()))))
  const alone: Alone = (name, body) => it(name, (layer) => Effect.provide(body, Layer.fresh(layer)))
  api.describe(`${store.name} is a block store`, () => {
    keepingCases(alone)
    readingCases(alone)
    partCases(alone)
    leavingCases(alone)
    memoryCases(alone)
    if (store.survives) survivalCases(it)
  })
}

const keepingCases = (it: Alone): void => {
  it(
    "holds nothing at first, and nothing after an append of nothing",
    Effect.gen(function* () {
      yield* holds([])
      yield* (yield* BlockStore).append([])
      yield* holds([])
    })
  )
  it(
    "gives back what was appended",
    Effect.gen(function* () {
      const { append } = yield* BlockStore
      for (let i = 0; i < 6; i++) yield* append(someBlocks(2 ** i, 2 ** i))
      yield* holds(someBlocks(63, 1))
    })
  )
  it(
    "keeps appends that come at once",
    Effect.gen(function* () {
      const { append } = yield* BlockStore
      yield* Effect.forEach(Array.from({ length: 100 }), (_, i) => append(someBlocks(3, 3 * i)), {
        concurrency: "unbounded"
      })
      yield* holds(someBlocks(300))
    })
  )
}

const readingCases = (it: Alone): void => {
  it(
    "keeps a block once, however often it comes",
    Effect.gen(function* () {
      const { append, sizeBytes } = yield* BlockStore
      const [first, second] = [someBlock(1), someBlock(2)]
      yield* append([first, second, first])
      const before = yield* sizeBytes
      yield* append([second, first, second])
      yield* Effect.all([append([first]), append([second])], { concurrency: 2 })
      assert((yield* sizeBytes) === before, "a block was written again")
      yield* holds([first, second])
    })
  )
  it(
    "finds all blocks of a height, and none where there are none",
    Effect.gen(function* () {
      const { append, at } = yield* BlockStore
      const same = [someBlock(1, 50, 7), someBlock(2, 60, 7), someBlock(3, 70, 7)]
      yield* append([...same, someBlock(4, 80, 1_000_000)])
      yield* holds([...same, someBlock(4, 80, 1_000_000)])
      assert((yield* at(7)).length === 3, "three blocks have that height")
      assert((yield* at(8)).length === 0 && (yield* at(7 + 1024)).length === 0, "no block has that height")
    })
  )
  it(
    "gives nothing for what it does not keep",
    Effect.gen(function* () {
      const { append, forget, has, read, readRange, readTransaction } = yield* BlockStore
      yield* append([someBlock(1)])
      const hash = someHash(2)
      assert(!(yield* has(hash)) && !(yield* forget(hash)), "a block that never came")
      assert((yield* read(hash)) === undefined && (yield* readRange(hash, 0, 1)) === undefined, "its bytes")
      assert((yield* readTransaction(hash, 0)) === undefined, "its transactions")
      assert((yield* readTransaction(someHash(1), 0)) === undefined, "a transaction of what is no block")
    })
  )
}

const partCases = (it: Alone): void => {
  it(
    "gives any part of a block, cut at its end",
    Effect.gen(function* () {
      const { append, readRange } = yield* BlockStore
      const { bytes, hash, height } = someBlock(5, 100)
      yield* append([someBlock(4), { bytes, hash, height }, someBlock(6)])
      for (const [offset, length] of [
        [0, 100],
        [0, 0],
        [10, 20],
        [99, 1],
        [99, 50],
        [100, 5],
        [500, 5]
      ] as const) {
        const part = yield* readRange(hash, offset, length)
        const expected = bytes.subarray(offset, offset + length)
        assert(part !== undefined && equals(part, expected), `${length} bytes from ${offset} on`)
      }
    })
  )
  it(
    "gives a transaction of a block",
    Effect.gen(function* () {
      const { append, readTransaction } = yield* BlockStore
      const { bytes } = encodeTransactions([30, 200, 5])
      const hash = someHash(9)
      yield* append([{ hash, height: 9, bytes }])
      const view = Result.getOrThrow(BlockView.decode(bytes)).value
      for (let i = 0; i < 3; i++) {
        const found = yield* readTransaction(hash, i)
        assert(found !== undefined && equals(found, view.transaction(i).bytes), `transaction ${i}`)
      }
      for (const i of [3, -1, 0.5]) assert((yield* readTransaction(hash, i)) === undefined, `no transaction ${i}`)
    })
  )
}

/** A block whose transactions have one output each, with scripts of these lengths. */
const encodeTransactions = (lengths: ReadonlyArray<number>): { readonly bytes: Uint8Array } =>
  BlockView.of({
    header: readHeader(new Reader(new Uint8Array(HEADER_SIZE))),
    transactions: lengths.map((length, i) => ({
      version: 1,
      inputs: [
        {
          previousOutput: { txid: Txid(someHash(i).slice()), index: 0 },
          scriptSig: new Uint8Array(4),
          sequence: 0,
          witness: []
        }
      ],
      outputs: [{ amount: Satoshis(1n), scriptPubKey: new Uint8Array(length).fill(i) }],
      lockTime: 0
    }))
  })

const leavingCases = (it: Alone): void => {
  it(
    "forgets a block, and takes it again",
    Effect.gen(function* () {
      const { append, forget } = yield* BlockStore
      yield* append(someBlocks(5))
      assert(yield* forget(someHash(2)), "it was there")
      assert(!(yield* forget(someHash(2))), "it is not there any more")
      yield* holds(someBlocks(5).filter(({ height }) => height !== 2))
      yield* append(someBlocks(5))
      yield* holds(someBlocks(5))
    })
  )
  it(
    "prunes nothing from the height on, and nothing where all fits",
    Effect.gen(function* () {
      const { append, prune, sizeBytes } = yield* BlockStore
      yield* append(someBlocks(100))
      assert((yield* prune({ belowHeight: 0, targetBytes: 0 })).length === 0, "no block is below height 0")
      const targetBytes = yield* sizeBytes
      assert((yield* prune({ belowHeight: 100, targetBytes })).length === 0, "all of it fits")
      yield* holds(someBlocks(100))
    })
  )
  it(
    "prunes until all that is kept fits, and names what is gone",
    Effect.gen(function* () {
      const { append, prune, sizeBytes } = yield* BlockStore
      for (let i = 0; i < 20; i++) yield* append(someBlocks(10, 10 * i))
      const half = Math.floor((yield* sizeBytes) / 2)
      const gone = yield* prune({ belowHeight: 190, targetBytes: half })
      assert(gone.length > 50 && gone.length < 150, `${gone.length} blocks are gone`)
      assert((yield* sizeBytes) <= half, "it does not fit")
      const hashes = new Set(gone.map(toHex))
      assert(hashes.size === gone.length, "a block is gone twice")
      const left = someBlocks(200).filter(({ hash }) => !hashes.has(toHex(hash)))
      yield* holds(left)
      assert(left.filter(({ height }) => height >= 190).length === 10, "a block of the last ten is gone")
      yield* append(someBlocks(200))
      yield* holds(someBlocks(200))
    })
  )
}

const memoryCases = (it: Alone): void => {
  it(
    "does not look at the caller's memory after an append, and gives its own away",
    Effect.gen(function* () {
      const { append, read } = yield* BlockStore
      for (const length of [100, 200_000]) {
        const { bytes, hash, height } = someBlock(length, length)
        const [ours, theirs] = [{ bytes: bytes.slice(), hash: BlockHash(hash.slice()), height }, hash]
        yield* append([ours])
        ours.bytes.fill(0)
        ours.hash.fill(0)
        const given = yield* read(theirs)
        assert(given !== undefined && equals(given, bytes), "the block changed with the caller's memory")
        assert(given.buffer.byteLength === length, "the block is a view into something larger")
        given.fill(0)
        assert(equals((yield* read(theirs)) ?? new Uint8Array(0), bytes), "the block changed with what was given away")
      }
    })
  )
}

const survivalCases = <E>(it: WithLayer<E>): void => {
  it("keeps everything over a restart, and goes on from there", (layer) =>
    Effect.gen(function* () {
      for (let start = 0; start < 4; start++) {
        const life = Effect.gen(function* () {
          if (start % 2 === 0) yield* holds(someBlocks(20 * start))
          yield* (yield* BlockStore).append(someBlocks(20, 20 * start))
        })
        yield* Effect.provide(life, Layer.fresh(layer))
      }
      yield* Effect.provide(holds(someBlocks(80)), Layer.fresh(layer))
    }))
}
