/**
 * The followed chain as a stream: block after block from a place on, and where the chain is another, the way back first. It reads when it is
 * asked to, so that a slow reader costs nothing, and goes on where another one stopped.
 *
 * ```
 *   place ─▶ on the followed chain? ─ no ──▶ Disconnected, one block back
 *                    │ yes
 *                    ├─ more above ──▶ Connected, one block on
 *                    └─ none ──▶ wait until the chain is another
 * ```
 */
import type { BlockDamaged } from "@satwire/block-store"
import type { HeaderTree } from "@satwire/header-sync"
import { type BlockHash, type BlockView, toHex } from "@satwire/primitives"
import type { StoreError } from "@satwire/store"
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/** Where a reader stands: the last block that it has taken in. */
export interface BlockPlace {
  readonly height: number
  readonly hash: BlockHash
}

export type BlockStep =
  /** The next block of the followed chain. */
  | ({ readonly _tag: "Connected"; readonly block: BlockView } & BlockPlace)
  /** The last block is followed no more; what came of it is to be taken back. Without its bytes where they are kept no more. */
  | ({ readonly _tag: "Disconnected"; readonly block: BlockView | undefined } & BlockPlace)

interface UnavailableFields extends BlockPlace {
  readonly message: string
}
const BlockUnavailableBase: new (
  fields: UnavailableFields
) => Cause.YieldableError & { readonly _tag: "BlockUnavailable" } & UnavailableFields =
  Data.TaggedError("BlockUnavailable")

/** The next block is not kept: it was pruned, or lies below what is fetched. */
export class BlockUnavailable extends BlockUnavailableBase {
  constructor({ hash, height }: BlockPlace) {
    const message = `block ${height} (${toHex(hash)}) is not kept here: begin above it, or keep more blocks`
    super({ height, hash, message })
  }
}

const UnknownPlaceBase: new (
  fields: UnavailableFields
) => Cause.YieldableError & { readonly _tag: "UnknownPlace" } & UnavailableFields = Data.TaggedError("UnknownPlace")

/** No header is known with this hash at this height: the place is of another chain, or of a time that is still to come. */
export class UnknownPlace extends UnknownPlaceBase {
  constructor({ hash, height }: BlockPlace) {
    const message = `no header ${toHex(hash)} is known at height ${height}: the place is of another network, or the headers up to it are still to come`
    super({ height, hash, message })
  }
}

export type BlockStreamError = BlockUnavailable | UnknownPlace | StoreError

/** Tells those that wait that the chain, or what is kept of it, is another. */
export class Changes {
  /** Nothing changes any more. */
  isOver = false
  #next: Deferred.Deferred<void> = Deferred.makeUnsafe()

  /** Done at the next change; to be looked at before what may change is read. */
  get next(): Effect.Effect<void> {
    return Deferred.await(this.#next)
  }

  /** Streams that have come to the tip end. */
  end(): void {
    this.isOver = true
    this.tell()
  }

  /** Not within a turn: it wakes fibers. */
  tell(): void {
    const before = this.#next
    this.#next = Deferred.makeUnsafe()
    Deferred.doneUnsafe(before, Effect.void)
  }
}

export interface BlockStreamSource {
  readonly tree: HeaderTree
  /** The end of the followed chain. */
  readonly tip: () => number
  readonly read: (hash: BlockHash) => Effect.Effect<BlockView | undefined, StoreError | BlockDamaged>
  readonly changes: Changes
  /** Whether a block is none of those that the reader wants: it is left out. */
  readonly isPassedOver?: (header: number) => boolean
}

/** How many blocks that are left out are passed over before others have their turn. */
const PASSED_AT_ONCE = 10_000

/** Everything that follows `after`; what follows the first header of the tree where it is not given. */
export const blockStream = (
  { changes, isPassedOver = () => false, read, tip, tree }: BlockStreamSource,
  after?: BlockPlace
): Stream.Stream<BlockStep, BlockStreamError> => {
  const placeOf = (header: number): BlockPlace => ({ height: tree.height(header), hash: tree.hash(header) })
  const begin = Effect.suspend(() => {
    const header = after === undefined ? 0 : tree.find(after.hash)
    if (after !== undefined && (header < 0 || tree.height(header) !== after.height))
      return Effect.fail(new UnknownPlace(after))
    return Effect.succeed(header)
  })
  /** Bytes that were found damaged are fetched again, which is waited for. */
  const patient = (hash: BlockHash): Effect.Effect<BlockView | undefined, StoreError> =>
    Effect.suspend(() => {
      const { next } = changes
      return read(hash).pipe(Effect.catchTag("BlockDamaged", () => Effect.andThen(next, patient(hash))))
    })
  const connected = (above: number): Effect.Effect<BlockStep, BlockStreamError> => {
    const place = placeOf(above)
    return Effect.flatMap(patient(place.hash), (block) =>
      block === undefined
        ? Effect.fail(new BlockUnavailable(place))
        : Effect.succeed<BlockStep>({ _tag: "Connected", ...place, block })
    )
  }
  const disconnected = (at: number): Effect.Effect<BlockStep, BlockStreamError> => {
    const place = placeOf(at)
    return Effect.map(patient(place.hash), (block) => ({ _tag: "Disconnected", ...place, block }))
  }
  /** The place behind blocks that are left out, on the way from one place to the end of the chain. */
  const afterPassedOver = (from: number, end: number): number => {
    let at = from
    for (let left = PASSED_AT_ONCE; left > 0 && at !== end; left--) {
      const isBelow = tree.isAncestor(at, end)
      const block = isBelow ? tree.ancestor(end, tree.height(at) + 1) : at
      if (!isPassedOver(block)) return at
      at = isBelow ? block : tree.parent(at)
    }
    return at
  }
  const step = (from: number): Effect.Effect<readonly [BlockStep, number] | undefined, BlockStreamError> =>
    Effect.suspend(() => {
      const { next } = changes
      const end = tip()
      const at = afterPassedOver(from, end)
      if (at === end) return changes.isOver ? Effect.undefined : Effect.andThen(next, step(at))
      const isBelow = tree.isAncestor(at, end)
      const to = isBelow ? tree.ancestor(end, tree.height(at) + 1) : tree.parent(at)
      return Effect.map(isBelow ? connected(to) : disconnected(at), (taken) => [taken, to] as const)
    })
  return Stream.unwrap(Effect.map(begin, (first) => Stream.unfold(first, step)))
}
