/** A node's store on the disk: its network's part of a data directory, which is its alone while the scope is open. */
import type { ChainParams } from "@satwire/primitives"
import { DataDirectory, HeaderStore, type StoreError, layerFiles } from "@satwire/store"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** The headers of this network below the data directory `root`, on Node and Deno. */
export const layerOnDisk = (root: string, params: ChainParams): Layer.Layer<HeaderStore, StoreError> =>
  Layer.unwrap(
    Effect.map(DataDirectory, ({ path }) => HeaderStore.layer({ directory: path, networkMagic: params.magic }))
  ).pipe(Layer.provide(DataDirectory.layer({ root, network: params })), Layer.provide(layerFiles))
