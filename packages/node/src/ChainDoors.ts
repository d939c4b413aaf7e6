/** What a running node is asked about its chain and its pool, and what it is told to do with its blocks. */
import type { Sha256 } from "@satwire/crypto"
import type { HeaderTree } from "@satwire/header-sync"
import type { ChainLookups, NodeCore, NodeCoreInput } from "@satwire/node-core"
import type { BlockView } from "@satwire/primitives"
import type { DiskFull, StoreError } from "@satwire/store"
import * as Effect from "effect/Effect"
import { type BlockKeeper, MIN_BLOCKS_TO_KEEP } from "./KeptBlocks.ts"
import type { SubmitRule, Submissions } from "./Submissions.ts"

export interface ChainDoors {
  /** Looks one thing up of the chain or the pool, as of now. */
  readonly lookup: Lookup
  /**
   * Takes in a block from elsewhere, as `submitBlock` does, and waits for what becomes of it, as BIP-0022 names it: `undefined` where it is
   * kept and is part of the followed chain, `"inconclusive"` where it is kept and another chain is followed, `"duplicate"`, or the rule that it
   * breaks. While the disk is full it fails and takes none in.
   */
  readonly submitBlockAndWait: (block: BlockView) => Effect.Effect<SubmitRule, DiskFull>
  /** What all kept blocks take on the disk; 0 where none are kept. */
  readonly blocksSizeBytes: Effect.Effect<number, StoreError>
  /** Lets files go whose every block lies below a height, but none of the last 288 blocks. Nothing happens where none are kept. */
  readonly pruneBlocks: (belowHeight: number) => Effect.Effect<void, StoreError>
}

/** Looks up by the name of what is looked up. */
export type Lookup = <Name extends keyof ChainLookups>(
  name: Name,
  ...args: Parameters<ChainLookups[Name]>
) => Effect.Effect<ReturnType<ChainLookups[Name]>>

const lookupIn =
  (lookups: ChainLookups): Lookup =>
  <Name extends keyof ChainLookups>(name: Name, ...args: Parameters<ChainLookups[Name]>) =>
    Effect.sync(() => {
      // The compiler does not see that the arguments are those of the function of this name.
      const look = lookups[name] as (...args: Parameters<ChainLookups[Name]>) => ReturnType<ChainLookups[Name]>
      return look(...args)
    })

export const chainDoors = (given: {
  readonly blocks: BlockKeeper | undefined
  readonly core: NodeCore
  readonly sha256: Sha256
  readonly submissions: Submissions
  readonly submit: (input: NodeCoreInput) => void
  readonly tree: HeaderTree
}): ChainDoors => {
  const { blocks, core, sha256, submissions, submit, tree } = given
  return {
    lookup: lookupIn(core.lookups),
    submitBlockAndWait: (block) =>
      submissions.blocks.submit(block.hash(sha256), () => submit({ _tag: "SubmitBlock", block })),
    blocksSizeBytes: blocks?.sizeBytes ?? Effect.succeed(0),
    pruneBlocks: (belowHeight) =>
      Effect.suspend(() => {
        const highest = tree.height(core.blockTip) - MIN_BLOCKS_TO_KEEP
        return blocks?.pruneBelow(Math.min(belowHeight, highest)) ?? Effect.void
      })
  }
}
