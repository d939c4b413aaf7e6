/**
 * Keys and values, both bytes, the keys in the order of their bytes: what an index needs of a database, and no more. Where they are
 * kept is a layer: in memory here, in LevelDB behind `./level`, in SQLite behind `./sqlite`. `./compliance` holds all of them to the same.
 */
import type { StoreError } from "@satwire/store"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Stream from "effect/Stream"
import { kvStoreOn } from "./KvPages.ts"
import { memoryPages } from "./MemoryPages.ts"

export interface KvStoreShape {
  /** The value of the key, in memory of its own, or `undefined`. */
  readonly get: (key: Uint8Array) => Effect.Effect<Uint8Array | undefined, StoreError>
  /** The values of the keys, in their order. */
  readonly getMany: (
    keys: ReadonlyArray<Uint8Array>
  ) => Effect.Effect<ReadonlyArray<Uint8Array | undefined>, StoreError>
  /**
   * Makes all the changes or, where it fails, none; of two of one key the later counts. What is durable survives a failing power supply
   * once this has succeeded, and with it everything before; the rest survives the end of the process, however that comes.
   */
  readonly batch: (changes: ReadonlyArray<KvChange>, options: BatchOptions) => Effect.Effect<void, StoreError>
  /** What lies in the range, in order. Of what a batch changes meanwhile it may give either. */
  readonly range: (range: KvRange) => Stream.Stream<KvEntry, StoreError>
}

/** A key and what it shall have: a value, or nothing more where that is `undefined`. */
export interface KvChange {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

export interface KvEntry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

export interface BatchOptions {
  readonly durable: boolean
}

/** All keys from `gte` on and before `lt`, from the lowest to the highest; everything where nothing is said. */
export interface KvRange {
  readonly gte?: Uint8Array | undefined
  readonly lt?: Uint8Array | undefined
  /** At most so many. */
  readonly limit?: number | undefined
  /** From the highest to the lowest. */
  readonly reverse?: boolean | undefined
}

const KvStoreBase: Context.ServiceClass<KvStore, "@satwire/kv-store/KvStore", KvStoreShape> = Context.Service<
  KvStore,
  KvStoreShape
>()("@satwire/kv-store/KvStore")

export class KvStore extends KvStoreBase {
  /** Keys and values that last as long as the layer. */
  static readonly layerMemory: Layer.Layer<KvStore> = Layer.sync(KvStore, () => KvStore.of(kvStoreOn(memoryPages())))
}
