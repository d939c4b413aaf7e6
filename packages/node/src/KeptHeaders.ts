/** Between the header tree and the store: what is accepted is written in the order of its acceptance. */
import { concat } from "@satwire/bytes"
import { HEADER_SIZE } from "@satwire/primitives"
import { HeaderStore, MAX_COMMIT_HEADERS, type Keeper, type StoreNews, keepInOrder } from "@satwire/store"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/**
 * How many bytes of accepted headers may wait for a slow disk. While more do, nothing is read from any peer, until half of it is written;
 * what peers sent before is still taken in.
 *
 * @limit bytes of headers that wait for the store before reading from peers stops
 */
export const HEADER_BYTES_WAITING = 4_000_000

/** Headers one after another, whose memory is the keeper's. */
export interface HeaderBatch {
  readonly headers: Uint8Array
  readonly count: number
}

export interface HeaderKeeperOptions extends StoreNews {
  /** So many more headers are safe. */
  readonly stored: (count: number) => void
}

/** Writes headers to the store in order, all that wait in one commit. What waits when the scope closes is written before it has closed. */
export const keepHeaders = (
  options: HeaderKeeperOptions
): Effect.Effect<Keeper<HeaderBatch>, never, HeaderStore | Scope.Scope> =>
  Effect.gen(function* () {
    const store = yield* HeaderStore
    return yield* keepInOrder<HeaderBatch>({
      ...options,
      bytesOf: ({ headers }) => headers.length,
      mostBytes: HEADER_BYTES_WAITING,
      stored: (batches) => options.stored(countOf(batches)),
      append: Effect.fnUntraced(function* (batches, outlast) {
        const headers = joined(batches)
        const count = countOf(batches)
        // One commit each: of a longer run a part would be there already when it is tried again.
        for (let from = 0; from < count; from += MAX_COMMIT_HEADERS) {
          const run = Math.min(count - from, MAX_COMMIT_HEADERS)
          const bytes = headers.subarray(from * HEADER_SIZE, (from + run) * HEADER_SIZE)
          yield* outlast(store.append(bytes, run))
        }
      })
    })
  })

const countOf = (batches: ReadonlyArray<HeaderBatch>): number => batches.reduce((sum, { count }) => sum + count, 0)

const joined = (batches: ReadonlyArray<HeaderBatch>): Uint8Array => {
  const [only] = batches
  return batches.length === 1 && only !== undefined ? only.headers : concat(batches.map(({ headers }) => headers))
}
