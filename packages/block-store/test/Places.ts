/** Where the tests keep blocks. */
import { KvStore } from "@satwire/kv-store"
import type { Files, StoreError } from "@satwire/store"
import type { MemoryDisk } from "@satwire/store/faults"
import { temporaryDirectory as newDirectory } from "@satwire/testkit"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { onTestFinished } from "vitest"
import { BlockStore, type BlockStoreOptions } from "../src/index.ts"

/** A new directory on the disk, gone after the test. */
export const temporaryDirectory = (): string => newDirectory("blocks", onTestFinished)

export const NETWORK_MAGIC = 0xd9b4bef9

/** An index that outlives the layers that it is given to, as one on a disk does. */
export const lastingIndex = (): Layer.Layer<KvStore> => {
  const kv = Effect.runSync(Effect.provide(KvStore, Layer.fresh(KvStore.layerMemory)))
  return Layer.succeed(KvStore, kv)
}

export interface OnDisk {
  readonly faults?: Layer.Layer<Files, never, Files> | undefined
  readonly index?: Layer.Layer<KvStore> | undefined
  readonly maxFileBytes?: number | undefined
  readonly networkMagic?: number | undefined
}

/** Blocks in `/data/blocks` of that disk, behind the faults if any. */
export const onDisk = (disk: MemoryDisk, on: OnDisk = {}): Layer.Layer<BlockStore, StoreError> => {
  const files = on.faults === undefined ? disk.layer : Layer.provide(on.faults, disk.layer)
  const options: BlockStoreOptions = {
    directory: "/data/blocks",
    networkMagic: on.networkMagic ?? NETWORK_MAGIC,
    maxFileBytes: on.maxFileBytes
  }
  return on.index === undefined
    ? Layer.provide(BlockStore.layer(options), files)
    : Layer.provide(BlockStore.layerIndexed(options), [files, on.index])
}
