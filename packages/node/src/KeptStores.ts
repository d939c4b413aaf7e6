/** What a node keeps of its chain: headers and, where it has the role, blocks. While either store is behind, nothing is read from any peer. */
import { Changes } from "@satwire/block-stream/effect"
import type { Sha256 } from "@satwire/crypto"
import type { HeaderTree } from "@satwire/header-sync"
import type { NodeCoreInput } from "@satwire/node-core"
import type { DiskFull, HeaderStore, Keeper, StoreNews } from "@satwire/store"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Connections } from "./Connections.ts"
import { type BlockKeeper, type BlocksHere, keepBlocks } from "./KeptBlocks.ts"
import { type HeaderBatch, keepHeaders } from "./KeptHeaders.ts"
import type { NodeFact } from "./NodeFact.ts"
import type { NodeOptions } from "./NodeOptions.ts"
import type { NodeFailure } from "./NodeShape.ts"
import type { Submissions } from "./Submissions.ts"

/** What there is from the first moment of a node on. */
export interface Running {
  readonly options: NodeOptions
  readonly sha256: Sha256
  readonly tell: (fact: NodeFact) => void
  /** The node cannot go on. */
  readonly fail: (cause: Cause.Cause<NodeFailure>) => void
}

export interface KeptStores {
  readonly headers: Keeper<HeaderBatch>
  readonly blocks: BlockKeeper | undefined
  /** Of the followed chain, for those that read it. */
  readonly changes: Changes
}

export const keepStores = (
  { fail, options, sha256, tell }: Running,
  {
    blocks,
    connections,
    submissions,
    submit,
    tree
  }: {
    readonly tree: HeaderTree
    readonly blocks: BlocksHere | undefined
    readonly connections: Connections
    readonly submissions: Submissions
    readonly submit: (input: NodeCoreInput) => void
  }
): Effect.Effect<KeptStores, never, HeaderStore | Scope.Scope> =>
  Effect.gen(function* () {
    const changes = new Changes()
    yield* Effect.addFinalizer(() => Effect.sync(() => changes.end()))
    let howManyAreBehind = 0
    const room = (fact: NodeFact, full?: DiskFull): void => {
      submissions.blocks.fails(full)
      tell(fact)
    }
    const news = (hold: (held: boolean) => void): StoreNews => ({
      behind(isBehind) {
        howManyAreBehind += isBehind ? 1 : -1
        hold(isBehind)
        connections.hold(howManyAreBehind > 0)
        tell({ _tag: "StoreBehind", isBehind })
      },
      full: (error, retryInMs) => room({ _tag: "StoreFull", error, retryInMs }, error),
      roomAgain: () => room({ _tag: "StoreHasRoom" }),
      failed: fail
    })
    const headers = yield* keepHeaders({ ...news(() => {}), stored: (count) => tell({ _tag: "HeadersStored", count }) })
    if (blocks === undefined) return { headers, blocks: undefined, changes }
    const keeper = yield* keepBlocks(blocks, {
      ...news((held) => submit({ _tag: "HoldBlocks", held })),
      tree,
      sha256,
      pruneBytes: options.blocks?.pruneBytes,
      submit,
      headersSettled: headers.settled,
      stored(count, bytes) {
        changes.tell()
        tell({ _tag: "BlocksStored", count, bytes })
      },
      pruned: (count) => tell({ _tag: "BlocksPruned", count }),
      damaged: (error) => tell({ _tag: "BlockDamaged", error })
    })
    return { headers, blocks: keeper, changes }
  })
