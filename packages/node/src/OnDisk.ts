/** A node's store on the disk: its network's part of a data directory, which is its alone while the scope is open. */
import type { ChainParams } from "@satwire/primitives"
import { DataDirectory, HeaderStore, Snapshots, type StoreError, layerFiles } from "@satwire/store"
import { BlockStore } from "@satwire/block-store"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** The headers and blocks of this network below the data directory `root`, and what is known of other nodes, on Node and Deno. */
export const layerOnDisk = (
  root: string,
  params: ChainParams
): Layer.Layer<HeaderStore | Snapshots | BlockStore, StoreError> =>
  Layer.unwrap(
    Effect.map(DataDirectory, ({ path }) => {
      const place = { directory: path, networkMagic: params.magic }
      const blocks = { directory: join(path, "blocks"), networkMagic: params.magic }
      return Layer.mergeAll(HeaderStore.layer(place), Snapshots.layer(place), BlockStore.layer(blocks))
    })
  ).pipe(Layer.provide(DataDirectory.layer({ root, network: params })), Layer.provide(layerFiles))
