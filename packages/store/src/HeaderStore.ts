/**
 * Keeps headers: raw, in the order in which they were accepted, parents before children and forks among them. It understands nothing of
 * them but their length.
 */
import { HEADER_SIZE } from "@satwire/primitives"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { StoreError } from "./StoreError.ts"

export interface HeaderStoreShape {
  /** Hands every kept header over, batch by batch: `count` raw headers, one after another, whose memory is the receiver's. */
  readonly load: (
    onBatch: (headers: Uint8Array, count: number) => void
  ) => Effect.Effect<{ readonly count: number }, StoreError>
  /** Keeps `count` raw headers in one commit: when it succeeds they survive any crash. Calls are kept in their order. */
  readonly append: (headers: Uint8Array, count: number) => Effect.Effect<void, StoreError>
}

const HeaderStoreBase: Context.ServiceClass<HeaderStore, "@satwire/store/HeaderStore", HeaderStoreShape> = Context.Service<
  HeaderStore,
  HeaderStoreShape
>()("@satwire/store/HeaderStore")

export class HeaderStore extends HeaderStoreBase {
  /** Headers that last as long as the process. */
  static readonly layerMemory: Layer.Layer<HeaderStore> = Layer.sync(HeaderStore, () => {
    const batches: Array<Uint8Array> = []
    return {
      load: (onBatch) =>
        Effect.sync(() => {
          let count = 0
          for (const batch of batches) {
            onBatch(batch.slice(), batch.length / HEADER_SIZE)
            count += batch.length / HEADER_SIZE
          }
          return { count }
        }),
      append: (headers, count) => Effect.sync(() => void batches.push(headers.slice(0, count * HEADER_SIZE)))
    }
  })
}
