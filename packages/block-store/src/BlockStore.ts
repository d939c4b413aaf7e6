/**
 * Keeps blocks, as the bytes in which they came, and finds them by hash and by height. It understands nothing of them but their length.
 *
 * ```
 *   blocks/blk00000.dat              files of 128 MiB, under Bitcoin Core's names and in our own format (BlockFormat.ts)
 *   blocks/blk00001.dat.new          a file in the making
 *   blocks/blk00000.dat.damaged-1    a copy of a part that was damaged, or a whole file
 *   blocks/blk00000.dat.foreign-1    another program's, another network's, a newer version's
 * ```
 *
 * The files are the truth. Where every block lies is known in memory; an index in a `KvStore` makes that known at once after a start and
 * can be deleted at any time, for what it does not know is read from the files.
 */
import type { Sha256 } from "@satwire/crypto"
import { KvStore } from "@satwire/kv-store"
import type { BlockHash } from "@satwire/primitives"
import type { Random } from "@satwire/machine"
import { type Files, type StoreError } from "@satwire/store"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { BlockDamaged } from "./BlockDamage.ts"
import { makeBlockFiles } from "./BlockFiles.ts"
import type { BlocksFound } from "./BlockRecovery.ts"
import type { NewBlock } from "./BlockWriter.ts"
import { makeBlockMemory } from "./BlockMemory.ts"

export interface BlockStoreShape {
  /**
   * Hands every kept block over, in any order. The first call opens the store, mends what a crash left, and says so; what else is called
   * before opens it too.
   */
  readonly load: (
    onBlock: (hash: BlockHash, height: number, sizeBytes: number) => void
  ) => Effect.Effect<BlocksLoaded, StoreError>
  /**
   * Keeps the blocks: when it succeeds they survive any crash. Calls that wait for the disk become one write and one sync. A block that
   * is kept already is not written again. Where it fails, some may be kept, and it may be tried again.
   */
  readonly append: (blocks: ReadonlyArray<NewBlock>) => Effect.Effect<void, StoreError>
  readonly has: (hash: BlockHash) => Effect.Effect<boolean, StoreError>
  /** The block, in memory of its own and verified. One that is damaged is forgotten. */
  readonly read: (hash: BlockHash) => Effect.Effect<Uint8Array | undefined, StoreError | BlockDamaged>
  /** A part of the block, cut at its end, without reading the rest of it; so it cannot be verified. */
  readonly readRange: (
    hash: BlockHash,
    offset: number,
    length: number
  ) => Effect.Effect<Uint8Array | undefined, StoreError | BlockDamaged>
  /** The bytes of transaction `index` of the block, from 0 (the coinbase) on; `undefined` where either is not there. */
  readonly readTransaction: (
    hash: BlockHash,
    index: number
  ) => Effect.Effect<Uint8Array | undefined, StoreError | BlockDamaged>
  /** The hashes of the blocks that are kept at that height. */
  readonly at: (height: number) => Effect.Effect<ReadonlyArray<BlockHash>, StoreError>
  /** Lets a block go: after it, no crash brings it back. Its room is free when its file is pruned. Whether it was there. */
  readonly forget: (hash: BlockHash) => Effect.Effect<boolean, StoreError>
  /**
   * Removes whole files whose every block lies below a height, the oldest first, until all that is kept fits in `targetBytes`; gives
   * the blocks that are gone. The file that grows stays.
   */
  readonly prune: (keepFrom: KeepFrom) => Effect.Effect<ReadonlyArray<BlockHash>, StoreError>
  /** What all files take on the disk. */
  readonly sizeBytes: Effect.Effect<number, StoreError>
}

export interface BlocksLoaded extends BlocksFound {
  readonly count: number
  readonly sizeBytes: number
}

export interface KeepFrom {
  readonly belowHeight: number
  readonly targetBytes: number
}

export interface BlockStoreOptions {
  /** Where the files lie, such as `blocks` in the network's folder; made where it is not there. */
  readonly directory: string
  /** The magic of the network's messages. A file of another network is set aside. */
  readonly networkMagic: number
  /** How large a file grows; {@link MAX_FILE_BYTES} where not given. */
  readonly maxFileBytes?: number | undefined
  /** The platform's own where not given. */
  readonly sha256?: Sha256 | undefined
  /** Where salts come from; from the platform's entropy where not given. */
  readonly random?: Random | undefined
}

const BlockStoreBase: Context.ServiceClass<BlockStore, "@satwire/block-store/BlockStore", BlockStoreShape> =
  Context.Service<BlockStore, BlockStoreShape>()("@satwire/block-store/BlockStore")

export class BlockStore extends BlockStoreBase {
  /** Blocks in a directory, whose files are gone through at each start. Who holds the directory's lock is the caller's business. */
  static readonly layer = (options: BlockStoreOptions): Layer.Layer<BlockStore, StoreError, Files> =>
    Layer.effect(BlockStore, makeBlockFiles(options, undefined))

  /** The same with an index in a `KvStore` that is its own, for a fast start. */
  static readonly layerIndexed = (options: BlockStoreOptions): Layer.Layer<BlockStore, StoreError, Files | KvStore> =>
    Layer.effect(
      BlockStore,
      Effect.flatMap(KvStore, (kv) => makeBlockFiles(options, kv))
    )

  /** Blocks that last as long as the layer. */
  static readonly layerMemory: Layer.Layer<BlockStore> = Layer.sync(BlockStore, makeBlockMemory)
}
