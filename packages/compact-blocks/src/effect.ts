/**
 * The Effect door: a block put together of what somebody sent in short, and the machine as a scoped service.
 *
 * ```ts
 * const { block } = yield* rebuild({ message, pools: [mempool], hasWitness: true, fetch: (missing) => askForThem(missing) })
 * ```
 */
import type { Sha256 } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"
import type { TransactionView } from "@satwire/primitives"
import { type MachineFailed, type MachineService, machineService, seededRandom } from "@satwire/runtime"
import type { CmpctBlock } from "@satwire/wire"
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { CompactBlocks, type CompactBlocksOptions } from "./CompactBlocks.ts"
import type { CompactInput, CompactOutput, CompactSnapshot } from "./CompactBlocksEvents.ts"
import { type Completed, PartialBlock } from "./PartialBlock.ts"
import type { TransactionPool } from "./TransactionPool.ts"

interface NotRebuiltFields {
  /**
   * `invalid` and `wrong-count` are what no honest peer sends; `short-ids`, `weight` and `mutated` may happen to honest ones, and then the whole
   * block is to be asked for.
   */
  readonly because: "invalid" | "wrong-count" | "short-ids" | "weight" | "mutated"
  /** One sentence. */
  readonly message: string
}

const NotRebuiltBase: new (
  fields: NotRebuiltFields
) => Cause.YieldableError & { readonly _tag: "NotRebuilt" } & NotRebuiltFields = Data.TaggedError("NotRebuilt")

/** A block that could not be put together of what came in short. */
export class NotRebuilt extends NotRebuiltBase {}

const SENTENCES: { readonly [Because in NotRebuiltFields["because"]]: string } = {
  invalid: "a cmpctblock has transactions for which there is no place in its block (BIP-0152)",
  "wrong-count": "a blocktxn has more or fewer transactions than were asked for (BIP-0152)",
  "short-ids": "short ids of a cmpctblock cannot be told apart: the whole block is to be asked for",
  weight: "what a cmpctblock names weighs more than a block may",
  mutated: "the transactions that were found are not those of the block: the whole one is to be asked for"
}

const notRebuilt = (because: NotRebuiltFields["because"]): NotRebuilt =>
  new NotRebuilt({ because, message: SENTENCES[because] })

export interface RebuildOptions<E, R> {
  readonly message: CmpctBlock
  /** Looked through in this order. */
  readonly pools: ReadonlyArray<TransactionPool>
  /** Whether segwit is active for the block. */
  readonly hasWitness: boolean
  /** Gets the transactions with these numbers in the block, rising, in this order (`getblocktxn`); not called where none is missing. */
  readonly fetch: (missing: ReadonlyArray<number>) => Effect.Effect<ReadonlyArray<TransactionView>, E, R>
}

/** A whole block, with both roots checked. */
export type Rebuilt = Extract<Completed, { readonly _tag: "Whole" }>

/** Puts a block together of its short form, of pools, and of what `fetch` brings. */
export const rebuild = <E = never, R = never>(
  options: RebuildOptions<E, R>,
  sha256: Sha256 = platformSha256
): Effect.Effect<Rebuilt, NotRebuilt | E, R> =>
  Effect.gen(function* () {
    const { fetch, hasWitness, message, pools } = options
    const begun = PartialBlock.begin({ sha256, message, pools, hasWitness })
    if (begun._tag === "Invalid") return yield* notRebuilt("invalid")
    if (begun._tag === "Failed") return yield* notRebuilt(begun.because)
    const { partial } = begun
    const completed = partial.complete(partial.missing.length === 0 ? [] : yield* fetch(partial.missing))
    if (completed._tag === "Whole") return completed
    return yield* notRebuilt(completed._tag === "Failed" ? completed.because : "wrong-count")
  })

export interface CompactBlocksServiceOptions extends Omit<CompactBlocksOptions, "random" | "sha256"> {
  /** Does what the machine asks for, in order, within the turn. */
  readonly perform: (output: CompactOutput) => void
  /** That of the platform where not given. */
  readonly sha256?: Sha256 | undefined
}

export interface CompactBlocksServiceShape extends Pick<
  MachineService<CompactInput, CompactOutput>,
  "submit" | "outputs"
> {
  readonly snapshot: Effect.Effect<CompactSnapshot>
  /** Never succeeds; fails when the machine has, which is a bug of ours. */
  readonly failure: Effect.Effect<never, MachineFailed>
}

const ServiceBase: Context.ServiceClass<
  CompactBlocksService,
  "@satwire/compact-blocks/CompactBlocksService",
  CompactBlocksServiceShape
> = Context.Service<CompactBlocksService, CompactBlocksServiceShape>()("@satwire/compact-blocks/CompactBlocksService")

/** The machine of compact blocks, which runs while the layer's scope is open. */
export class CompactBlocksService extends ServiceBase {
  static readonly layer = (options: CompactBlocksServiceOptions): Layer.Layer<CompactBlocksService> =>
    Layer.effect(CompactBlocksService, acquire(options))
}

const acquire = ({
  perform,
  sha256 = platformSha256,
  ...options
}: CompactBlocksServiceOptions): Effect.Effect<CompactBlocksServiceShape, never, Scope.Scope> =>
  Effect.gen(function* () {
    const machine = new CompactBlocks({ ...options, sha256, random: yield* seededRandom })
    const { failure, outputs, submit } = yield* machineService({ machine, perform })
    return CompactBlocksService.of({ submit, outputs, failure, snapshot: Effect.sync(() => machine.snapshot()) })
  })
