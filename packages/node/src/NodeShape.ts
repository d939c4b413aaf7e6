/** What can be asked of a running node, and how it answers. */
import type { BlockDamaged } from "@satwire/block-store"
import type { BlockPlace, BlockStep } from "@satwire/block-stream"
import { type BlockStreamError, type Changes, blockStream } from "@satwire/block-stream/effect"
import type { HeaderTree } from "@satwire/header-sync"
import type { Now } from "@satwire/machine"
import type { NetGroups } from "@satwire/netaddress"
import type { NodeCore, NodeCoreInput, Queries } from "@satwire/node-core"
import type { Sha256 } from "@satwire/crypto"
import { type BlockHash, type BlockView, HEADER_SIZE, type TransactionView } from "@satwire/primitives"
import type { MachineFailed, TurnsSnapshot } from "@satwire/runtime"
import type { StoreError } from "@satwire/store"
import type { Endpoint } from "@satwire/transport"
import * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import { type AddressDoors, addressDoors } from "./AddressDoors.ts"
import { type ConnectionDoors, connectionDoors } from "./ConnectionDoors.ts"
import { type ChainDoors, chainDoors } from "./ChainDoors.ts"
import type { BlockKeeper } from "./KeptBlocks.ts"
import type { KeptPeers } from "./KeptPeers.ts"
import type { WatchedStream } from "./Messages.ts"
import type { NodeFact } from "./NodeFact.ts"
import type { SubmitRule, Submissions } from "./Submissions.ts"

/**
 * How many facts are kept for a slow reader; the oldest make room.
 *
 * @limit facts kept for a slow reader
 */
export const FACTS_KEPT = 4096
/**
 * How many of the last facts a new reader begins with, so that who reads from the start on misses nothing of it.
 *
 * @limit facts that a new reader begins with
 */
export const FACTS_REPLAYED = 16

/** Why a node cannot go on. */
export type NodeFailure = MachineFailed | StoreError

export interface NodeShape extends ConnectionDoors, AddressDoors, ChainDoors {
  /** Where it can be found, if it listens. */
  readonly listening: Endpoint | undefined
  /**
   * The last {@link FACTS_REPLAYED} facts, and what happens from then on; it ends when the node has, in whatever way. A reader that is
   * more than {@link FACTS_KEPT} facts behind loses the oldest, without a word: facts are news, and state is asked for by `query`.
   */
  readonly facts: Stream.Stream<NodeFact>
  /** How long the machine's turns took so far. */
  readonly turns: Effect.Effect<TurnsSnapshot>
  /** Every message of every connection, from when this is read on; a reader that is behind loses what comes, and is told how much. */
  readonly messages: WatchedStream
  /** Reads state, as of now. */
  readonly query: <Name extends keyof Queries>(name: Name) => Effect.Effect<Queries[Name]>
  /** The node's clock, which the instants in its answers are of: they count from its start. */
  readonly now: Effect.Effect<Now>
  /**
   * Takes in headers from elsewhere: `count` raw headers, each the child of the one before, in one turn. They are copied. What is refused
   * is told as the fact `SubmitRefused`; dies of a `RangeError` where there are fewer bytes than that.
   */
  readonly submitHeaders: (headers: Uint8Array, count: number) => Effect.Effect<void>
  /**
   * Says that a header is invalid, and so all that follow it: the best chain is another then (Core's `invalidateblock`). It holds until it is
   * taken back or the node ends. Gives whether there is such a header; that of genesis cannot be invalid and counts as none.
   */
  readonly invalidateHeader: (hash: BlockHash) => Effect.Effect<boolean>
  /** Takes back that a header, or one before or after it, is invalid (Core's `reconsiderblock`). Gives whether there is such a header. */
  readonly reconsiderHeader: (hash: BlockHash) => Effect.Effect<boolean>
  /**
   * Takes in a block from elsewhere, whose bytes are the node's from then on. What is wrong with its header is told as `SubmitRefused`, with the
   * block as `BlockInvalid`; what follows it, or that it was known, by nothing.
   */
  readonly submitBlock: (block: BlockView) => Effect.Effect<void>
  /** The bytes of a block, or `undefined` where it is not kept. Fails where they are damaged, which the node mends by itself. */
  readonly readBlock: (hash: BlockHash) => Effect.Effect<BlockView | undefined, StoreError | BlockDamaged>
  /**
   * The followed chain, block after block from behind `after` on, and from the first block on where it is not given; where the chain is another,
   * the blocks that are to be taken back come first, the last one first. Blocks that do not matter, where that is judged, are left out. It is read as it is asked for, goes on as blocks come, and ends when
   * the node does.
   */
  readonly blocks: (after?: BlockPlace) => Stream.Stream<BlockStep, BlockStreamError>
  /**
   * Looks for these output scripts too, where only blocks that matter are fetched, in those that are still to come; for those that were looked
   * through start it with all of them.
   */
  readonly watch: (scripts: ReadonlyArray<Uint8Array>) => Effect.Effect<void>
  /**
   * Takes in a transaction of our own, which is passed on where the node relays. Gives why it is not taken, as Bitcoin Core names it
   * (`"missing-inputs"`, `"txn-mempool-conflict"`, …), or `undefined` where it is. Without the role of transactions it is `"no-mempool"`.
   */
  readonly submitTransaction: (tx: TransactionView) => Effect.Effect<SubmitRule>
  /** Makes so many transactions, or as many as there are outputs for that anybody may spend: for regtest, with the role's `makes`. */
  readonly makeTransactions: (count: number) => Effect.Effect<void>
  /** Has a block mined on the best tip, which is told as `BlockMade`. Without the mining role it does nothing. */
  readonly makeBlock: Effect.Effect<void>
  /** Never succeeds. Fails when the node cannot go on; by then everything that it held is closed. */
  readonly failure: Effect.Effect<never, NodeFailure>
}

/** What can be asked of a running node. */
export const doors = ({
  blocks,
  core,
  peers,
  changes,
  sha256,
  submissions,
  submit,
  tree,
  ...more
}: {
  readonly core: NodeCore
  readonly submit: (input: NodeCoreInput) => void
  readonly peers: KeptPeers
  readonly tree: HeaderTree
  readonly blocks: BlockKeeper | undefined
  readonly changes: Changes
  readonly sha256: Sha256
  readonly submissions: Submissions
  readonly groups: NetGroups
  readonly now: () => Now
}): Omit<NodeShape, "facts" | "failure" | "listening" | "messages" | "turns"> => {
  const submitted = (input: NodeCoreInput): Effect.Effect<void> => Effect.sync(() => submit(input))
  const judged = (_tag: "InvalidateHeader" | "ReconsiderHeader") => (hash: BlockHash) =>
    Effect.sync(() => {
      const isThere = tree.find(hash) > 0
      if (isThere) submit({ _tag, hash })
      return isThere
    })
  return {
    ...connectionDoors({ core, peers, submit }),
    ...addressDoors({ peers, submit, ...more }),
    ...chainDoors({ blocks, core, sha256, submissions, submit, tree }),
    query: (name) => Effect.sync(() => core.query(name)),
    now: Effect.sync(more.now),
    submitHeaders: (headers, count) =>
      Effect.sync(() => {
        checkLength(headers, count)
        if (count > 0) submit({ _tag: "SubmitHeaders", headers, count })
      }),
    invalidateHeader: judged("InvalidateHeader"),
    reconsiderHeader: judged("ReconsiderHeader"),
    submitBlock: (block) => submitted({ _tag: "SubmitBlock", block }),
    readBlock: (hash) => blocks?.read(hash) ?? Effect.succeed(undefined),
    blocks: (after) =>
      blockStream(
        {
          tree,
          read: (hash) => blocks?.read(hash) ?? Effect.succeed(undefined),
          changes,
          tip: () => core.blockTip,
          isPassedOver: (header) => core.isPassedOver(header)
        },
        after
      ),
    watch: (scripts) =>
      Effect.sync(() => {
        blocks?.watch(scripts)
        submit({ _tag: "WatchScripts", scripts })
      }),
    submitTransaction: (tx) => {
      if (core.query("pool") === undefined) return Effect.succeed("no-mempool")
      return submissions.transactions.submit(tx.wtxid(sha256), () => submit({ _tag: "SubmitTransaction", tx }))
    },
    makeTransactions: (count) => submitted({ _tag: "MakeTransactions", count }),
    makeBlock: submitted({ _tag: "MakeBlock" })
  }
}

/** A mistake of the caller's, which must not look like one of the machine. */
const checkLength = (headers: Uint8Array, count: number): void => {
  if (Number.isInteger(count) && count >= 0 && headers.length >= count * HEADER_SIZE) return
  throw new RangeError(`${headers.length} bytes are not ${count} headers`)
}
