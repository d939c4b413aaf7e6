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
import type { BlockPlace, BlockStep } from "../BlockStep.ts"

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
  /** A block; `undefined` where it is not kept. One that is `"awaited"`, or damaged, is looked for again when something has changed. */
  readonly read: (hash: BlockHash) => Effect.Effect<BlockView | "awaited" | undefined, StoreError | BlockDamaged>
  readonly changes: Changes
  /** Whether a block is none of those that the reader wants: it is left out. */
  readonly isPassedOver?: (header: number) => boolean
}

/** How many blocks that are left out are passed over before others have their turn. */
const PASSED_AT_ONCE = 10_000

/** Everything that follows `after`; what follows the first header of the tree where it is not given. */
export const blockStream = (
  source: BlockStreamSource,
  after?: BlockPlace
): Stream.Stream<BlockStep, BlockStreamError> => {
  const { tree } = source
  const begin = Effect.suspend(() => {
    const header = after === undefined ? 0 : tree.find(after.hash)
    if (after !== undefined && (header < 0 || tree.height(header) !== after.height))
      return Effect.fail(new UnknownPlace(after))
    return Effect.succeed(header)
  })
  return Stream.unwrap(Effect.map(begin, (first) => Stream.unfold(first, (at) => nextStep(source, at))))
}

/** A step, and the header to which it leads. */
export type TakenStep = readonly [step: BlockStep, header: number]

/** The next step from header `from`; `undefined` when there is none and none will come. */
export const nextStep = (
  source: BlockStreamSource,
  from: number
): Effect.Effect<TakenStep | undefined, StoreError | BlockUnavailable> =>
  Effect.suspend(() => {
    const { changes, read, tip, tree } = source
    const { next } = changes
    const end = tip()
    const { at, isFarther } = afterPassedOver(source, from, end)
    if (isFarther) return Effect.andThen(Effect.yieldNow, nextStep(source, at))
    const later = Effect.suspend(() => (changes.isOver ? Effect.undefined : Effect.andThen(next, nextStep(source, at))))
    if (at === end) return later
    const isBelow = tree.isAncestor(at, end)
    const header = isBelow ? tree.ancestor(end, tree.height(at) + 1) : at
    const place = { height: tree.height(header), hash: tree.hash(header) }
    return read(place.hash).pipe(
      Effect.catchTag("BlockDamaged", () => Effect.succeed("awaited" as const)),
      Effect.flatMap((block): Effect.Effect<TakenStep | undefined, StoreError | BlockUnavailable> => {
        // Meanwhile the chain may become another.
        if (block === "awaited") return later
        if (!isBelow) return Effect.succeed([{ _tag: "Disconnected", ...place, block }, tree.parent(at)])
        if (block === undefined) return Effect.fail(new BlockUnavailable(place))
        return Effect.succeed([{ _tag: "Connected", ...place, block }, header])
      })
    )
  })

/** The place behind blocks that are left out, on the way from one place to the end of the chain, and whether more of them may follow. */
const afterPassedOver = (
  { isPassedOver, tree }: BlockStreamSource,
  from: number,
  end: number
): { readonly at: number; readonly isFarther: boolean } => {
  if (isPassedOver === undefined) return { at: from, isFarther: false }
  let at = from
  for (let left = PASSED_AT_ONCE; left > 0; left--) {
    if (at === end) return { at, isFarther: false }
    const isBelow = tree.isAncestor(at, end)
    const block = isBelow ? tree.ancestor(end, tree.height(at) + 1) : at
    if (!isPassedOver(block)) return { at, isFarther: false }
    at = isBelow ? block : tree.parent(at)
  }
  return { at, isFarther: true }
}
