/** A block store in a directory: the files, where each block lies in them, and who may write. */
import { ChaChaRandom } from "@satwire/crypto"
import { entropy, platformSha256 } from "@satwire/crypto/node"
import type { KvStoreShape } from "@satwire/kv-store"
import { type Random, assert } from "@satwire/machine"
import { type BlockHash, HashIndex } from "@satwire/primitives"
import { type FileError, Files, type OpenFile, type StoreError, storeErrorOf, writeAll } from "@satwire/store"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { BlockDamaged } from "./BlockDamage.ts"
import { type BlockDirectory, type BlockFile, pathOf } from "./BlockDirectory.ts"
import { FORGOTTEN_MARK, MAX_BLOCK_BYTES, MAX_FILE_BYTES, RECORD_HEAD_BYTES, checkOf } from "./BlockFormat.ts"
import { BlockIndex, type Place } from "./BlockIndex.ts"
import { type BlocksFound, recover } from "./BlockRecovery.ts"
import type { BlockStoreOptions, BlockStoreShape, BlocksLoaded, KeepFrom } from "./BlockStore.ts"
import { BlockWriter, type NewBlock } from "./BlockWriter.ts"
import { KeptIndex } from "./KeptIndex.ts"
import { OpenFiles } from "./OpenFiles.ts"
import { transactionIn } from "./TransactionOf.ts"

/**
 * How much is written before it is synced, and before others get their turn; a single append may be more.
 *
 * @limit bytes of blocks in one commit
 */
export const MAX_COMMIT_BYTES = 33_554_432

interface Waiting {
  readonly blocks: ReadonlyArray<NewBlock>
  readonly bytes: number
  readonly done: Deferred.Deferred<void, StoreError>
}

/** The store once it is open. */
interface Opened {
  readonly index: BlockIndex
  readonly files: Map<number, BlockFile>
  readonly writer: BlockWriter
  readonly found: BlocksFound
}

export const makeBlockFiles = (
  options: BlockStoreOptions,
  kv: KvStoreShape | undefined
): Effect.Effect<BlockStoreShape, StoreError, Files | Scope.Scope> =>
  Effect.gen(function* () {
    const files = yield* Files
    yield* Effect.mapError(files.makeDirectory(options.directory), storeErrorOf)
    const store = new BlockFiles(files, options, kv === undefined ? undefined : new KeptIndex(kv))
    yield* Effect.addFinalizer(() => store.close)
    return {
      load: (onBlock) => store.load(onBlock),
      append: (blocks) => store.append(blocks),
      has: (hash) => Effect.map(store.opened, ({ index }) => index.find(hash) >= 0),
      read: (hash) => store.read(hash),
      readRange: (hash, offset, length) => store.readRange(hash, offset, length),
      readTransaction: (hash, number) => Effect.map(store.read(hash), (block) => block && transactionIn(block, number)),
      at: (height) => Effect.map(store.opened, ({ index }) => index.at(height).map((row) => index.hashOf(row))),
      forget: (hash) => store.forget(hash),
      prune: (keepFrom) => store.prune(keepFrom),
      sizeBytes: Effect.map(store.opened, sizeOf)
    }
  })

const sizeOf = ({ files }: Opened): number => [...files.values()].reduce((sum, { end }) => sum + end, 0)

class BlockFiles {
  readonly #directory: BlockDirectory
  readonly #options: BlockStoreOptions
  readonly #kept: KeptIndex | undefined
  readonly #random: Random
  /** Whoever changes anything holds it. */
  readonly #alone: Semaphore.Semaphore = Semaphore.makeUnsafe(1)
  readonly #readers: OpenFiles
  readonly #waiting: Array<Waiting> = []
  #opened: Opened | undefined

  constructor(files: Files["Service"], options: BlockStoreOptions, kept: KeptIndex | undefined) {
    const { directory, networkMagic, random, sha256 = platformSha256 } = options
    this.#directory = { files, path: directory, networkMagic, sha256 }
    this.#options = options
    this.#kept = kept
    this.#random = random ?? new ChaChaRandom(entropy(32))
    this.#readers = new OpenFiles(files, (number) => pathOf(this.#directory, number))
  }

  get close(): Effect.Effect<void> {
    return Effect.andThen(
      this.#readers.closeAll,
      Effect.suspend(() => this.#opened?.writer.close ?? Effect.void)
    )
  }

  /** The open store; opens it where it is not. */
  get opened(): Effect.Effect<Opened, StoreError> {
    return Effect.suspend(() =>
      this.#opened === undefined ? this.#exclusive(this.#ready) : Effect.succeed(this.#opened)
    )
  }

  /** One change at a time, none left half done. */
  #exclusive<A, E>(body: Effect.Effect<A, E>): Effect.Effect<A, E> {
    return this.#alone.withPermit(Effect.uninterruptible(body))
  }

  get #ready(): Effect.Effect<Opened, StoreError> {
    return Effect.suspend(() => {
      if (this.#opened !== undefined) return Effect.succeed(this.#opened)
      const index = new BlockIndex(this.#random)
      return recover(this.#directory, index, this.#kept).pipe(
        Effect.tap(({ found }) => report(found)),
        Effect.map(({ files, found }) => {
          const { maxFileBytes = MAX_FILE_BYTES } = this.#options
          const writer = new BlockWriter({ directory: this.#directory, files, maxFileBytes, random: this.#random })
          this.#opened = { index, files, writer, found }
          return this.#opened
        })
      )
    })
  }

  load(onBlock: (hash: BlockHash, height: number, sizeBytes: number) => void): Effect.Effect<BlocksLoaded, StoreError> {
    return Effect.map(this.opened, (opened) => {
      const { found, index } = opened
      for (const row of index.rows()) {
        const { height, length } = index.placeOf(row)
        onBlock(index.hashOf(row), height, length)
      }
      return { ...found, count: index.count, sizeBytes: sizeOf(opened) }
    })
  }

  append(blocks: ReadonlyArray<NewBlock>): Effect.Effect<void, StoreError> {
    return Effect.suspend(() => {
      let bytes = 0
      for (const block of blocks) {
        const { length } = block.bytes
        assert(length > 0 && length <= MAX_BLOCK_BYTES, "a block has from 1 byte to 4,000,000")
        assert(block.hash.length === 32 && block.height >= 0 && block.height < 2 ** 31, "no block is so high")
        bytes += length
      }
      const entry: Waiting = { blocks, bytes, done: Deferred.makeUnsafe<void, StoreError>() }
      this.#waiting.push(entry)
      // Whoever comes first commits for all that wait; the others find their entry gone, and its outcome there.
      return this.#exclusive(this.#commitUntil(entry)).pipe(
        Effect.onInterrupt(() => Effect.sync(() => this.#withdraw(entry))),
        Effect.andThen(Deferred.await(entry.done))
      )
    })
  }

  #withdraw(entry: Waiting): void {
    const at = this.#waiting.indexOf(entry)
    if (at >= 0) this.#waiting.splice(at, 1)
  }

  #commitUntil(mine: Waiting): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      while (this.#waiting.includes(mine)) {
        const batch = this.#takeBatch()
        const blocks = batch.flatMap((entry) => entry.blocks)
        const outcome = yield* Effect.exit(Effect.flatMap(this.#ready, (opened) => this.#commit(opened, blocks)))
        for (const { done } of batch) yield* Deferred.done(done, outcome)
      }
    })
  }

  /** The appends that one commit holds; one that is larger than that comes alone. */
  #takeBatch(): Array<Waiting> {
    let bytes = 0
    let count = 0
    for (const entry of this.#waiting) {
      bytes += entry.bytes
      if (count > 0 && bytes > MAX_COMMIT_BYTES) break
      count++
    }
    return this.#waiting.splice(0, count)
  }

  #commit({ index, writer }: Opened, blocks: ReadonlyArray<NewBlock>): Effect.Effect<void, StoreError> {
    return Effect.gen({ self: this }, function* () {
      let left = this.#missing(index, blocks)
      while (left.length > 0) {
        const before = writer.current
        const written = yield* Effect.mapError(writer.write(left), storeErrorOf)
        const rows: Array<number> = []
        for (const { block, check, file, offset } of written) {
          const { bytes, hash, height } = block
          rows.push(index.put(hash, { file: file.number, offset, length: bytes.length, height }, check))
        }
        const [first] = written
        if (this.#kept !== undefined && first !== undefined) {
          yield* this.#kept.add(index, rows, first.file)
          if (before >= 0 && before !== writer.current) yield* this.#kept.pack(before)
        }
        left = left.slice(written.length)
      }
    })
  }

  /** The blocks that are not kept yet, each once. */
  #missing(index: BlockIndex, blocks: ReadonlyArray<NewBlock>): ReadonlyArray<NewBlock> {
    const taken = new HashIndex(this.#random)
    return blocks.filter(({ hash }) => {
      if (index.find(hash) >= 0 || taken.find(hash) >= 0) return false
      taken.add(hash)
      return true
    })
  }

  read(hash: BlockHash): Effect.Effect<Uint8Array | undefined, StoreError | BlockDamaged> {
    return Effect.flatMap(this.opened, ({ index }) => {
      const row = index.find(hash)
      if (row < 0) return Effect.succeed(undefined)
      const place = index.placeOf(row)
      return Effect.flatMap(this.#bytesOf(place, 0, place.length), (block) => {
        // It may have gone meanwhile, and its file with it.
        if (index.find(hash) !== row) return Effect.succeed(undefined)
        if (!index.isAt(row, place)) return this.read(hash)
        const { sha256 } = this.#directory
        const isWhole = block?.length === place.length && index.hasCheck(row, checkOf(sha256, block, 0, block.length))
        return isWhole ? Effect.succeed(block) : this.#damaged(hash, place)
      })
    })
  }

  readRange(
    hash: BlockHash,
    offset: number,
    length: number
  ): Effect.Effect<Uint8Array | undefined, StoreError | BlockDamaged> {
    return Effect.flatMap(this.opened, ({ index }) => {
      const row = index.find(hash)
      if (row < 0) return Effect.succeed(undefined)
      const place = index.placeOf(row)
      const from = Math.min(Math.max(offset, 0), place.length)
      const count = Math.min(Math.max(length, 0), place.length - from)
      return Effect.flatMap(this.#bytesOf(place, from, count), (part) => {
        if (index.find(hash) !== row) return Effect.succeed(undefined)
        if (!index.isAt(row, place)) return this.readRange(hash, offset, length)
        return part?.length === count ? Effect.succeed(part) : this.#damaged(hash, place)
      })
    })
  }

  /** A part of a block, as far as the file goes; `undefined` where the file is gone. */
  #bytesOf(place: Place, from: number, length: number): Effect.Effect<Uint8Array | undefined, StoreError> {
    const read = (file: OpenFile): Effect.Effect<Uint8Array, FileError> => {
      const bytes = new Uint8Array(length)
      return Effect.map(file.read(bytes, place.offset + RECORD_HEAD_BYTES + from), (count) => bytes.subarray(0, count))
    }
    return this.#readers.use(place.file, read).pipe(
      Effect.catchIf(
        ({ code }) => code === "ENOENT",
        () => Effect.succeed(undefined)
      ),
      Effect.mapError(storeErrorOf)
    )
  }

  /** Forgets a block that cannot be read, and says so. */
  #damaged(hash: BlockHash, place: Place): Effect.Effect<never, BlockDamaged> {
    const { height, offset } = place
    const damaged = new BlockDamaged({ hash, height, path: pathOf(this.#directory, place.file), offset })
    const forgotten = Effect.flatMap(this.#ready, (opened) => this.#forgetAt(opened, hash, place))
    return this.#exclusive(forgotten).pipe(
      // Where the disk does not even take that, it is forgotten for now, and found again after the next start.
      Effect.catch(() => Effect.sync(() => this.#drop(hash, place))),
      Effect.andThen(Effect.logWarning(damaged.message).pipe(Effect.annotateLogs({ category: "store" }))),
      Effect.andThen(Effect.fail(damaged))
    )
  }

  #drop(hash: BlockHash, place: Place): void {
    const { index } = this.#opened as Opened
    const row = index.find(hash)
    if (row >= 0 && index.isAt(row, place)) index.drop(row)
  }

  forget(hash: BlockHash): Effect.Effect<boolean, StoreError> {
    return this.#exclusive(
      Effect.flatMap(this.#ready, (opened) => {
        const row = opened.index.find(hash)
        if (row < 0) return Effect.succeed(false)
        return Effect.as(this.#forgetAt(opened, hash, opened.index.placeOf(row)), true)
      })
    )
  }

  #forgetAt({ index }: Opened, hash: BlockHash, place: Place): Effect.Effect<void, StoreError> {
    return Effect.gen({ self: this }, function* () {
      const row = index.find(hash)
      if (row < 0 || !index.isAt(row, place)) return
      // The file first: what the index knows and the file has forgotten is no more than a block that was not forgotten yet.
      yield* Effect.mapError(this.#mark(place), storeErrorOf)
      if (this.#kept !== undefined) yield* this.#kept.remove(place)
      index.drop(row)
    })
  }

  #mark(place: Place): Effect.Effect<void, FileError> {
    return this.#directory.files.open(pathOf(this.#directory, place.file), "existing").pipe(
      Effect.flatMap((file) =>
        writeAll(file, FORGOTTEN_MARK, place.offset).pipe(Effect.andThen(file.sync), Effect.ensuring(file.close))
      ),
      Effect.catchIf(
        ({ code }) => code === "ENOENT",
        () => Effect.void
      )
    )
  }

  prune(keepFrom: KeepFrom): Effect.Effect<ReadonlyArray<BlockHash>, StoreError> {
    return this.#exclusive(Effect.flatMap(this.#ready, (opened) => this.#prune(opened, keepFrom)))
  }

  #prune(opened: Opened, { belowHeight, targetBytes }: KeepFrom): Effect.Effect<ReadonlyArray<BlockHash>, StoreError> {
    return Effect.gen({ self: this }, function* () {
      const { files, index, writer } = opened
      const gone = new Set<number>()
      let size = sizeOf(opened)
      for (const { end, maxHeight, number } of [...files.values()].sort((a, b) => a.number - b.number)) {
        if (size <= targetBytes) break
        if (number === writer.current || maxHeight >= belowHeight) continue
        gone.add(number)
        size -= end
      }
      const hashes: Array<BlockHash> = []
      for (const number of gone) {
        yield* this.#readers.close(number)
        const failure = yield* Effect.flip(removeFile(this.#directory, number)).pipe(
          Effect.orElseSucceed(() => undefined)
        )
        if (failure !== undefined) {
          // What is gone must be told; the failure comes again with the next call.
          if (hashes.length > 0) break
          return yield* Effect.fail(storeErrorOf(failure))
        }
        files.delete(number)
        for (const row of [...index.rows()]) {
          if (index.placeOf(row).file !== number) continue
          hashes.push(index.hashOf(row))
          index.drop(row)
        }
        // A file that a crash brings back is pruned again; what the index knows of one that is gone is not believed.
        if (this.#kept !== undefined) yield* Effect.ignore(this.#kept.removeFile(number))
      }
      yield* Effect.ignore(this.#directory.files.syncDirectory(this.#directory.path))
      return hashes
    })
  }
}

const removeFile = (directory: BlockDirectory, number: number): Effect.Effect<void, FileError> =>
  directory.files.remove(pathOf(directory, number)).pipe(
    Effect.catchIf(
      ({ code }) => code === "ENOENT",
      () => Effect.void
    )
  )

const report = ({ damaged, setAside, tornBytes }: BlocksFound): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (const { message } of [...setAside, ...damaged]) yield* Effect.logWarning(message)
    if (tornBytes > 0) yield* Effect.logInfo(`Cut off ${tornBytes} bytes of blocks that a crash had left half written.`)
  }).pipe(Effect.annotateLogs({ category: "store" }))
