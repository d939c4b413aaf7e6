/**
 * The places of the blocks in a {@link KvStore}, so that opening needs no look at the files. It may lag behind them and is never before
 * them: what it does not know is read from the files.
 *
 * ```
 *   f │ file 4                →  salt 8 │ end 4                        up to where the file is known
 *   b │ file 4 │ offset 4     →  a block, and those that were written with it, one after another:
 *                                offset 4 │ hash 32 │ check 8 │ length 4 │ height 4
 * ```
 *
 * The numbers in keys are big-endian, so that blocks come in the order in which they were written. What commits wrote block by block is
 * brought together when a file is full: a start then reads a few thousand values for 900,000 blocks, and not as many as there are blocks.
 */
import { concat, equals } from "@satwire/bytes"
import type { KvChange, KvRange, KvStoreShape } from "@satwire/kv-store"
import type { StoreError } from "@satwire/store"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { BlockFile } from "./BlockDirectory.ts"
import { RECORD_HEAD_BYTES, SALT_BYTES } from "./BlockFormat.ts"
import type { BlockIndex, Place } from "./BlockIndex.ts"

const FILE = 0x66
const BLOCK = 0x62
const HASH_AT = 4
const CHECK_AT = 36
const LENGTH_AT = 44
const HEIGHT_AT = 48
const ENTRY_BYTES = 52
/** How many blocks one value tells of. */
const PACK_BLOCKS = 1024

export class KeptIndex {
  readonly #kv: KvStoreShape
  /** What is not taken in yet: rows in the order in which they came, and their files. */
  #rows: Array<number> = []
  #files: Set<BlockFile> = new Set()
  /** Whether it was said that it lags behind. */
  #hasWarned = false

  constructor(kv: KvStoreShape) {
    this.#kv = kv
  }

  /**
   * Fills `index` with what is known of these files, whose sizes are their `end`; gives up to where each is known. What is known of other
   * files, or of these when they were others, is taken out.
   */
  load(
    files: ReadonlyMap<number, BlockFile>,
    index: BlockIndex
  ): Effect.Effect<ReadonlyMap<number, number>, StoreError> {
    return Effect.gen({ self: this }, function* () {
      const ends = new Map<number, number>()
      const stale: Array<number> = []
      yield* Stream.runForEach(this.#kv.range({ gte: fileKey(0), lt: Uint8Array.of(FILE + 1) }), ({ key, value }) =>
        Effect.sync(() => {
          const number = viewOf(key).getUint32(1)
          const end = viewOf(value).getUint32(SALT_BYTES, true)
          const file = files.get(number)
          const isKnown = file !== undefined && equals(file.salt, value.subarray(0, SALT_BYTES)) && end <= file.end
          if (isKnown) ends.set(number, end)
          else stale.push(number)
        })
      )
      for (const number of stale) yield* this.removeFile(number)
      yield* Stream.runForEachArray(
        this.#kv.range({ gte: Uint8Array.of(BLOCK), lt: Uint8Array.of(BLOCK + 1) }),
        (entries) =>
          Effect.sync(() => {
            for (const { key, value } of entries) {
              const file = files.get(viewOf(key).getUint32(1))
              if (file === undefined || !ends.has(file.number)) continue
              for (let at = 0; at < value.length; at += ENTRY_BYTES)
                put(index, file, value.subarray(at, at + ENTRY_BYTES))
            }
          })
      )
      return ends
    })
  }

  /** Takes in blocks of a file, and that it is known up to its end. Where that fails, they are taken in with the next ones. */
  add(index: BlockIndex, rows: ReadonlyArray<number>, file: BlockFile): Effect.Effect<void> {
    return Effect.suspend(() => {
      for (const row of rows) this.#rows.push(row)
      this.#files.add(file)
      return this.#flush(index).pipe(
        Effect.map(() => {
          this.#rows = []
          this.#files = new Set()
          this.#hasWarned = false
        }),
        Effect.catch((error) => {
          if (this.#hasWarned) return Effect.void
          this.#hasWarned = true
          return Effect.logWarning(`The index of blocks lags behind, and nothing is lost: ${error.message}`).pipe(
            Effect.annotateLogs({ category: "store" })
          )
        })
      )
    })
  }

  #flush(index: BlockIndex): Effect.Effect<void, StoreError> {
    return Effect.gen({ self: this }, function* () {
      const changes: Array<KvChange> = []
      for (const file of this.#files) {
        const entries = this.#rows.flatMap((row) => {
          const place = index.placeOf(row)
          // It may have gone meanwhile, or be elsewhere.
          return place.file === file.number ? [entryOf(index, row, place)] : []
        })
        changes.push(...packs(file.number, entries), fileChange(file))
      }
      yield* this.#kv.batch(changes, { durable: false })
    })
  }

  /** Brings what is known of a file together, when no more is to come. Where that fails it stays as it is. */
  pack(number: number): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const found = yield* Stream.runCollect(this.#kv.range(rangeOf(number)))
      const entries = found.flatMap(({ value }) => entriesIn(value))
      const gone = found.map(({ key }) => ({ key, value: undefined }))
      yield* this.#kv.batch([...gone, ...packs(number, entries)], { durable: false })
    }).pipe(Effect.ignore)
  }

  /** Takes a block out; after it, no crash brings it back. */
  remove({ file, offset }: Place): Effect.Effect<void, StoreError> {
    return Effect.gen({ self: this }, function* () {
      const upTo = { gte: blockKey(file, 0), lt: blockKey(file, offset + 1), reverse: true, limit: 1 }
      const changes = (yield* Stream.runCollect(this.#kv.range(upTo))).flatMap(({ key, value }) => {
        const left = entriesIn(value).filter((entry) => viewOf(entry).getUint32(0, true) !== offset)
        return [{ key, value: undefined }, ...packs(file, left)]
      })
      yield* this.#kv.batch(changes, { durable: true })
    })
  }

  /** Takes a file and its blocks out. */
  removeFile(number: number): Effect.Effect<void, StoreError> {
    const blocks = this.#kv.range(rangeOf(number))
    return Effect.gen({ self: this }, function* () {
      // The file last, so that a crash between leaves it known as one to take out.
      yield* Stream.runForEachArray(blocks, (entries) =>
        this.#kv.batch(
          entries.map(({ key }) => ({ key, value: undefined })),
          { durable: false }
        )
      )
      yield* this.#kv.batch([{ key: fileKey(number), value: undefined }], { durable: false })
    })
  }
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const fileKey = (number: number): Uint8Array => {
  const key = new Uint8Array(5)
  key[0] = FILE
  viewOf(key).setUint32(1, number)
  return key
}

const blockKey = (number: number, offset: number): Uint8Array => {
  const key = new Uint8Array(9)
  key[0] = BLOCK
  viewOf(key).setUint32(1, number)
  viewOf(key).setUint32(5, offset)
  return key
}

/** All blocks of a file. */
const rangeOf = (number: number): KvRange => ({ gte: blockKey(number, 0), lt: blockKey(number + 1, 0) })

const fileChange = ({ end, number, salt }: BlockFile): KvChange => {
  const value = new Uint8Array(SALT_BYTES + 4)
  value.set(salt)
  viewOf(value).setUint32(SALT_BYTES, end, true)
  return { key: fileKey(number), value }
}

const entryOf = (index: BlockIndex, row: number, { height, length, offset }: Place): Uint8Array => {
  const entry = new Uint8Array(ENTRY_BYTES)
  viewOf(entry).setUint32(0, offset, true)
  entry.set(index.hashOf(row), HASH_AT)
  index.checkTo(row, entry, CHECK_AT)
  viewOf(entry).setUint32(LENGTH_AT, length, true)
  viewOf(entry).setUint32(HEIGHT_AT, height, true)
  return entry
}

const entriesIn = (value: Uint8Array): ReadonlyArray<Uint8Array> =>
  Array.from({ length: Math.floor(value.length / ENTRY_BYTES) }, (_, i) =>
    value.subarray(i * ENTRY_BYTES, (i + 1) * ENTRY_BYTES)
  )

/** Entries of one file, in their order, as values under the keys of their first. */
const packs = (number: number, entries: ReadonlyArray<Uint8Array>): ReadonlyArray<KvChange> => {
  const changes: Array<KvChange> = []
  for (let from = 0; from < entries.length; from += PACK_BLOCKS) {
    const value = concat(entries.slice(from, from + PACK_BLOCKS))
    changes.push({ key: blockKey(number, viewOf(value).getUint32(0, true)), value })
  }
  return changes
}

const put = (index: BlockIndex, file: BlockFile, entry: Uint8Array): void => {
  const view = viewOf(entry)
  const offset = view.getUint32(0, true)
  const length = view.getUint32(LENGTH_AT, true)
  const height = view.getUint32(HEIGHT_AT, true)
  if (offset + RECORD_HEAD_BYTES + length > file.end) return
  file.maxHeight = Math.max(file.maxHeight, height)
  const place = { file: file.number, offset, length, height }
  index.put(entry.subarray(HASH_AT, CHECK_AT), place, entry.subarray(CHECK_AT, LENGTH_AT))
}
