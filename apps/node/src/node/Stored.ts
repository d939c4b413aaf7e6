/** Where a node keeps what it learns: the headers of its network, in a data directory that is its alone. */
import type { ChainParams } from "@satwire/primitives"
import { DataDirectory, HeaderStore, type StoreError, layerFiles } from "@satwire/store"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** The store of this network below the data directory `root`. */
export const layerStore = (root: string, params: ChainParams): Layer.Layer<HeaderStore, StoreError> =>
  Layer.unwrap(
    Effect.map(DataDirectory, ({ path }) => HeaderStore.layer({ directory: path, networkMagic: params.magic }))
  ).pipe(Layer.provide(DataDirectory.layer({ root, network: params })), Layer.provide(layerFiles))
