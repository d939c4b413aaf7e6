/**
 * Between block sync and the disk: blocks are checked, in a worker where that pays, kept in the order in which they passed, read for peers,
 * and pruned.
 *
 * ```
 *   CheckBlock ─▶ here, or in a worker ─▶ BlockChecked
 *   StoreBlock ─▶ queue ─▶ BlockStore, all that waits in one commit ─▶ BlocksStored
 *   ReadBlock  ─▶ what was kept last, or the disk ─▶ BlockRead, or BlockLost where it is damaged
 * ```
 */
import { equals } from "@satwire/bytes"
import { type BlockDamaged, BlockStore } from "@satwire/block-store"
import { checkBlock } from "@satwire/consensus"
import { type Sha256, portableSignatures } from "@satwire/crypto"
import type { HeaderTree } from "@satwire/header-sync"
import type { NodeCoreInput, NodeCoreOutput } from "@satwire/node-core"
import { type BlockHash, BlockView } from "@satwire/primitives"
import { WorkerPool } from "@satwire/runtime/workers"
import { type SnapshotFile, type StoreError, type Keeper, type StoreNews, keepInOrder } from "@satwire/store"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { BlockOptions } from "./NodeOptions.ts"
import { type Judgement, keptJudgement } from "./KeptJudgement.ts"
import { snapshotsHere } from "./KeptPeers.ts"

/**
 * How many bytes of blocks may wait for a slow disk. While more do, nothing is read from any peer, until half of it is written.
 *
 * @limit bytes of blocks that wait for the store before reading from peers stops
 */
export const BLOCK_BYTES_WAITING = 64_000_000
/**
 * How many of the blocks that were kept last are at hand in memory: all peers ask for them.
 *
 * @limit blocks in memory that were kept last
 */
const RECENT_BLOCKS = 2
/** Core's `MIN_BLOCKS_TO_KEEP`. */
export const MIN_BLOCKS_TO_KEEP = 288
/** After how many blocks it is looked whether there are too many. */
const PRUNE_EVERY = 16
/** From this size on a check is done in a worker: it takes longer than the way there and back (measured). */
const WORKER_BYTES = 100_000

type Command<Tag extends NodeCoreOutput["_tag"]> = Extract<NodeCoreOutput, { readonly _tag: Tag }>

export interface BlockKeeperOptions extends StoreNews {
  readonly tree: HeaderTree
  readonly sha256: Sha256
  /** Old blocks go when all take more than this. */
  readonly pruneBytes: number | undefined
  /** Hands the machine an answer, between turns. */
  readonly submit: (input: NodeCoreInput) => void
  /** Headers that were accepted so far are safe: a block must not be kept for good before its header is. */
  readonly headersSettled: Effect.Effect<void>
  /** So many blocks are safe. */
  readonly stored: (count: number, bytes: number) => void
  readonly pruned: (count: number) => void
  /** A block on disk is not what it was; it is fetched again. */
  readonly damaged: (error: BlockDamaged) => void
}

export interface BlockKeeper {
  readonly perform: (output: Command<"CheckBlock" | "StoreBlock" | "ReadBlock">) => void
  /** The followed chain moved: something may go. */
  readonly moved: (tip: { readonly height: number; readonly hash: BlockHash }) => void
  /** These scripts matter too from now on. */
  readonly watch: (scripts: ReadonlyArray<Uint8Array>) => void
  /** What all take on the disk. */
  readonly sizeBytes: Effect.Effect<number, StoreError>
  /** Lets files go whose every block lies below a height. */
  readonly pruneBelow: (height: number) => Effect.Effect<void, StoreError>
  /** For who is no peer. */
  readonly read: (hash: BlockHash) => Effect.Effect<BlockView | undefined, StoreError | BlockDamaged>
}

/** What the store had when the node began. */
export interface BlocksAtStart {
  /** By the numbers of their headers. */
  readonly kept: ReadonlyArray<number>
  /** Blocks up to this one are not fetched again: they were pruned, or did not matter. */
  readonly passedTo: number | undefined
}

export interface BlocksHere extends BlocksAtStart {
  readonly store: BlockStore["Service"]
  readonly prunedFile: SnapshotFile<number>
  /** Where only what matters is kept. */
  readonly judgement: Judgement | undefined
}

/**
 * The store of blocks, and what is in it already; one that lasts as long as the process where none is given.
 *
 * @param blocks which are to be kept
 */
export const blocksHere = (
  tree: HeaderTree,
  sha256: Sha256,
  blocks: BlockOptions
): Effect.Effect<BlocksHere, StoreError | PrunedBefore, Scope.Scope> =>
  Effect.gen(function* () {
    const here = yield* Effect.serviceOption(BlockStore)
    const store = Option.isSome(here)
      ? here.value
      : Context.get(yield* Layer.build(Layer.fresh(BlockStore.layerMemory)), BlockStore)
    const kept: Array<number> = []
    // A block without a header is of no use until that comes, and is then not written again.
    yield* store.load((hash) => {
      const header = tree.find(hash)
      if (header >= 0) kept.push(header)
    })
    const file = (yield* snapshotsHere).open(PRUNED)
    const prunedBelow = (yield* file.load).value ?? 0
    const { best } = tree
    const prunedTo = prunedBelow === 0 ? undefined : tree.ancestor(best, Math.min(prunedBelow - 1, tree.height(best)))
    const scripts = blocks.matching?.scripts
    if (prunedBelow > 0 && scripts === undefined && blocks.pruneBytes === undefined) {
      return yield* new PrunedBefore(prunedBelow)
    }
    const judgement = scripts === undefined ? undefined : yield* keptJudgement(tree, sha256, scripts)
    const passedTo = judgement === undefined ? prunedTo : judgement.passedTo
    return { store, kept, passedTo, prunedFile: file, judgement }
  })

/** Below which height blocks were pruned: so many are not fetched again. */
const PRUNED = {
  name: "pruned.dat",
  magic: "SATWPRUN",
  version: 1,
  read: (value: unknown): Result.Result<number, string> =>
    typeof value === "number" && Number.isSafeInteger(value) && value >= 0
      ? Result.succeed(value)
      : Result.fail("it is no height")
} as const

interface PrunedBeforeFields {
  readonly belowHeight: number
  readonly message: string
}
const PrunedBeforeBase: new (
  fields: PrunedBeforeFields
) => Cause.YieldableError & { readonly _tag: "PrunedBefore" } & PrunedBeforeFields = Data.TaggedError("PrunedBefore")

/** Blocks were pruned here once, and now all are to be kept: peers would be promised what is gone. */
export class PrunedBefore extends PrunedBeforeBase {
  constructor(belowHeight: number) {
    const message = `blocks below height ${belowHeight} were pruned here: prune on, as before, or begin with another data directory to have them all`
    super({ belowHeight, message })
  }
}

interface Passed {
  readonly header: number
  readonly hash: BlockHash
  readonly height: number
  readonly block: BlockView
}

/** Checks, keeps, reads and prunes until the scope closes; what waits to be kept then is kept before it has closed. */
export const keepBlocks = (
  { judgement, prunedFile, store }: BlocksHere,
  options: BlockKeeperOptions
): Effect.Effect<BlockKeeper, never, Scope.Scope> =>
  Effect.gen(function* () {
    const workers = Option.getOrUndefined(yield* Effect.serviceOption(WorkerPool))
    const run = Effect.runForkWith(yield* Effect.context())
    const scope = yield* Effect.scope
    const fork = (effect: Effect.Effect<void>): void => {
      // What dies here is a bug of ours, and somebody would wait for its answer for ever.
      const watched = Effect.catchCause(effect, (cause) =>
        Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.sync(() => options.failed(cause))
      )
      run(Effect.forkIn(watched, scope))
    }
    const recent: Array<Passed> = []
    const keeper: Keeper<Passed> = yield* keepInOrder<Passed>({
      ...options,
      bytesOf: ({ block }) => block.bytes.length,
      mostBytes: BLOCK_BYTES_WAITING,
      append: (passed, outlast) =>
        Effect.andThen(
          options.headersSettled,
          outlast(store.append(passed.map(({ block, hash, height }) => ({ hash, height, bytes: block.bytes }))))
        ),
      stored(passed) {
        recent.push(...passed.slice(-RECENT_BLOCKS))
        recent.splice(0, recent.length - RECENT_BLOCKS)
        options.stored(
          passed.length,
          passed.reduce((sum, { block }) => sum + block.bytes.length, 0)
        )
        options.submit({ _tag: "BlocksStored", headers: passed.map(({ header }) => header) })
      }
    })
    let prunedAt = -PRUNE_EVERY
    const check = checker(options, workers, fork)
    const read = reader(options, store, recent)
    const give = giver(options, read)
    const prune = pruner(options, store, prunedFile)
    const pruneToSize = (tipHeight: number): Effect.Effect<void> =>
      Effect.gen(function* () {
        const { pruneBytes = Infinity } = options
        if ((yield* store.sizeBytes) > pruneBytes) yield* prune(tipHeight - MIN_BLOCKS_TO_KEEP, pruneBytes)
      }).pipe(Effect.catch((error) => Effect.logWarning(error.message)))
    return {
      perform(output) {
        switch (output._tag) {
          case "CheckBlock":
            return check(output)
          case "StoreBlock":
            return keeper.keep(output)
          case "ReadBlock":
            return fork(give(output))
        }
      },
      read,
      sizeBytes: store.sizeBytes,
      pruneBelow: (height) => prune(height, 0),
      watch: (scripts) => judgement?.watch(scripts),
      moved: ({ hash, height: tipHeight }) => {
        judgement?.moved(hash)
        // What frees a file frees many blocks: it is looked at now and then.
        if (options.pruneBytes === undefined || tipHeight < prunedAt + PRUNE_EVERY) return
        prunedAt = tipHeight
        fork(pruneToSize(tipHeight))
      }
    }
  })

/** Small blocks are checked at once; a big one moves to a worker and back. */
const checker = (
  { sha256, submit }: BlockKeeperOptions,
  workers: WorkerPool["Service"] | undefined,
  fork: (effect: Effect.Effect<void>) => void
): ((output: Command<"CheckBlock">) => void) => {
  const here = ({ block, context, header }: Command<"CheckBlock">): void =>
    submit({ _tag: "BlockChecked", header, block, fault: checkBlock(sha256, block, context, portableSignatures) })
  return (output) => {
    const { block, context, header } = output
    if (workers === undefined || block.bytes.length < WORKER_BYTES) return here(output)
    const bytes = block.bytes as Uint8Array<ArrayBuffer>
    fork(
      workers.run({ _tag: "CheckBlock", bytes, context }).pipe(
        Effect.map((answer) => {
          submit({ _tag: "BlockChecked", header, block: block.movedTo(answer.bytes), fault: answer.fault })
        }),
        // The block went with the worker that died: it is as if it had not come.
        Effect.catch((lost) =>
          Effect.andThen(
            Effect.logWarning(lost.message),
            Effect.sync(() => submit({ _tag: "BlockDropped", header }))
          )
        )
      )
    )
  }
}

/** A block as it was kept. One that is damaged is told of, and fetched again. */
const reader =
  ({ damaged, submit, tree }: BlockKeeperOptions, store: BlockStore["Service"], recent: ReadonlyArray<Passed>) =>
  (hash: BlockHash): Effect.Effect<BlockView | undefined, StoreError | BlockDamaged> => {
    const known = recent.findLast((passed) => equals(passed.hash, hash))
    if (known !== undefined) return Effect.succeed(known.block)
    return store.read(hash).pipe(
      Effect.map((bytes) => (bytes === undefined ? undefined : decoded(bytes))),
      Effect.tapError((error) =>
        Effect.sync(() => {
          if (error._tag !== "BlockDamaged") return
          damaged(error)
          submit({ _tag: "BlockLost", header: tree.find(error.hash) })
        })
      )
    )
  }

/** Reads a block for a peer. */
const giver =
  ({ submit }: BlockKeeperOptions, read: BlockKeeper["read"]) =>
  ({ hasWitness, hash, isForTransactions = false, peer }: Command<"ReadBlock">): Effect.Effect<void> =>
    read(hash).pipe(
      Effect.tapErrorTag("IoFailed", (error) => Effect.logWarning(`${error.message} A peer waits for it.`)),
      Effect.result,
      Effect.map((result) => {
        const block = Result.isSuccess(result) ? result.success : undefined
        const given = hasWitness ? block : block?.withoutWitness()
        submit({ _tag: "BlockRead", peer, block: given, isForTransactions })
      })
    )

/** What is checked by a sum over all of its bytes can be decoded, as it was before it was kept. */
const decoded = (bytes: Uint8Array): BlockView => Result.getOrThrow(BlockView.decode(bytes)).value

/**
 * Core's way: whole files, whose every block is deep enough. How far it came is noted afterwards: where a crash comes between, some blocks are
 * fetched once more.
 */
const pruner =
  ({ pruned, submit, tree }: BlockKeeperOptions, store: BlockStore["Service"], file: SnapshotFile<number>) =>
  (belowHeight: number, targetBytes: number): Effect.Effect<void, StoreError> =>
    Effect.gen(function* () {
      const hashes = yield* store.prune({ belowHeight: Math.max(0, belowHeight), targetBytes })
      const headers = hashes.map((hash) => tree.find(hash)).filter((header) => header >= 0)
      if (headers.length === 0) return
      submit({ _tag: "BlocksPruned", headers })
      pruned(headers.length)
      yield* file.save(1 + Math.max(...headers.map((header) => tree.height(header))))
    })
