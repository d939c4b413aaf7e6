/**
 * What peers are given of our blocks: the answers to `getdata` and `getblocks`.
 *
 * ```
 *   getdata ─▶ queue ─▶ ReadBlock ─▶ (store) ─▶ block, or notfound      one block at a time, in the order asked for
 * ```
 *
 * Specification: an entry leaves the queue when it is looked at, whatever comes of it. Rationale: CVE-2024-52920, where entries that were
 * not understood stayed at its head and were looked at for ever.
 *
 * Specification: what is not here and what is not given look the same, `notfound`. Rationale: which stale blocks a node has would tell it
 * from others.
 *
 * Source: Bitcoin Core 28.1 `net_processing.cpp` (`ProcessGetData`, `ProcessGetBlockData`, `BlockRequestAllowed`, `GETBLOCKS`).
 */
import type { PeerId } from "@satwire/machine"
import { workFromBits } from "@satwire/primitives"
import {
  type GetBlocks,
  Inventory,
  type InventoryQueue,
  MSG_BLOCK,
  MSG_CMPCT_BLOCK,
  MSG_FILTERED_BLOCK,
  MSG_WITNESS_BLOCK,
  isTransaction
} from "@satwire/wire"
import type { BlockTree } from "./BlockTree.ts"
import type { BloomLookup, NotServed } from "./BlockSyncEvents.ts"
import type { HeaderLookup, Locate } from "./ChainLookups.ts"

/**
 * Core's limit on the answer to `getblocks`.
 *
 * @limit hashes in an answer to `getblocks`
 */
export const MAX_BLOCKS_INV = 500
/**
 * How many entries of a `getdata` are looked at in one turn.
 *
 * @limit entries of a `getdata` that are looked at in one turn
 */
const ENTRIES_PER_TURN = 1000
/** Core's `STALE_RELAY_AGE_LIMIT`: a block beside our chain is given for so long. */
const STALE_RELAY_AGE_LIMIT_S: number = 30 * 24 * 60 * 60
/** Core's `HISTORICAL_BLOCK_AGE`: what is older is no news, and waits where others need the upload. */
const HISTORICAL_BLOCK_AGE_S: number = 7 * 24 * 60 * 60
/** Core's `NODE_NETWORK_LIMITED_MIN_BLOCKS`, and two for what is found meanwhile. */
const LIMITED_DEPTH: number = 288 + 2
/** Core's `nPrunedBlocksLikelyToHave`: what is kept for sure, without an hour of blocks. */
const LIKELY_KEPT: number = 288 - 6

export interface ServingOptions {
  readonly locate: Locate
  /** We say that we keep the last 288 blocks only (BIP-0159), and give no more, whatever we have. */
  readonly isLimited: boolean
  /** Transactions are somebody else's to give. */
  readonly leavesTransactions: boolean
  /** Where peers may have bloom filters. */
  readonly bloom: BloomLookup | undefined
}

/** A peer that is being served. */
export interface Asker {
  readonly peer: PeerId
  /** Our user lets it have what it asks for, also beyond the upload target (permission `download`). */
  readonly isPrivileged: boolean
}

/** How a block was asked for: whole, in short (BIP-0152), or through the asker's filter (BIP-0037). */
export type BlockForm = "whole" | "compact" | "filtered"

export type Served =
  /** To be read: the answer comes later. */
  | {
      readonly _tag: "Read"
      readonly header: number
      readonly hasWitness: boolean
      readonly isHistoric: boolean
      readonly form: BlockForm
    }
  /** A turn's share of entries was looked at. */
  | { readonly _tag: "More" }
  /** Nothing is left; of some there was nothing to give. */
  | { readonly _tag: "Done"; readonly missing: Inventory | undefined }
  /** It asks for what it should not, as Core has it. */
  | { readonly _tag: "Refused"; readonly because: NotServed["because"] }

export class BlockServing {
  readonly #headers: HeaderLookup
  readonly #blocks: BlockTree
  readonly #options: ServingOptions

  constructor(headers: HeaderLookup, blocks: BlockTree, options: ServingOptions) {
    this.#headers = headers
    this.#blocks = blocks
    this.#options = options
  }

  /**
   * Goes on with what a peer asked for, up to the first block that is to be read.
   *
   * @param isTargetReached whether old blocks are beyond what is to be uploaded today
   */
  next(queue: InventoryQueue, asker: Asker, isTargetReached: boolean): Served {
    for (let looked = 0; looked < ENTRIES_PER_TURN; looked++) {
      if (!queue.next()) return { _tag: "Done", missing: queue.missing }
      const { type } = queue
      const form = FORMS.get(type)
      if (form === "filtered" && this.#options.bloom?.hasFilter(asker.peer) !== true) continue
      const served = form === undefined ? undefined : this.#block(queue, form, asker, isTargetReached)
      if (served !== undefined) return served
      // Who asks for what nobody knows is told nothing, as in Core; transactions are others' to give.
      if (FORMS.has(type) || (isTransaction(type) && !this.#options.leavesTransactions)) queue.lacks()
    }
    return { _tag: "More" }
  }

  #block({ hash, type }: InventoryQueue, form: BlockForm, asker: Asker, isTargetReached: boolean): Served | undefined {
    const headers = this.#headers
    const header = headers.find(hash)
    if (header < 0 || !this.#isAllowed(header)) return undefined
    const isHistoric = headers.time(headers.best) - headers.time(header) > HISTORICAL_BLOCK_AGE_S
    // What a filter is looked for in costs as much as an old block, to Core too.
    if ((isHistoric || form === "filtered") && isTargetReached && !asker.isPrivileged)
      return { _tag: "Refused", because: "upload-target" }
    const depth = headers.height(this.#blocks.tip) - headers.height(header)
    if (this.#options.isLimited && depth > LIMITED_DEPTH && !asker.isPrivileged)
      return { _tag: "Refused", because: "limited" }
    if (!this.#blocks.isKept(header)) return undefined
    const hasWitness = type === MSG_WITNESS_BLOCK || form === "compact"
    return { _tag: "Read", header, hasWitness, isHistoric, form }
  }

  /**
   * Of blocks beside our chain only recent ones are given: old ones would tell who we are. Recent is measured from the best header, by time
   * and by work.
   */
  #isAllowed(header: number): boolean {
    const headers = this.#headers
    const { best } = headers
    if (headers.isAncestor(header, this.#blocks.tip)) return true
    if (!this.#blocks.isWhole(header) || !headers.isValid(header)) return false
    if (headers.time(best) - headers.time(header) >= STALE_RELAY_AGE_LIMIT_S) return false
    const behind = headers.chainWork(best) - headers.chainWork(header)
    const seconds = (behind * BigInt(headers.params.powTargetSpacing)) / workFromBits(headers.bits(best))
    return seconds < BigInt(STALE_RELAY_AGE_LIMIT_S)
  }

  /** The hashes that follow the last shared one, and the one after which the asker is told that there is more. */
  hashes(query: GetBlocks): { readonly inventory: Inventory; readonly goesOnAfter: number } | undefined {
    const headers = this.#headers
    const { tip } = this.#blocks
    const stop = headers.find(query.stopHash)
    const hashes: Array<Uint8Array> = []
    const from = headers.height(this.#options.locate(tip, query.locator)) + 1
    // Where old blocks are not kept, none is named that may be gone within the hour (Core's rule for pruned nodes).
    if (this.#options.isLimited && from <= headers.height(tip) - LIKELY_KEPT) return undefined
    const to = Math.min(headers.height(tip), from + MAX_BLOCKS_INV - 1)
    let last = -1
    for (let height = from; height <= to; height++) {
      const header = headers.ancestor(tip, height)
      if (header === stop || !this.#blocks.isKept(header)) break
      hashes.push(headers.hash(header))
      last = header
    }
    if (hashes.length === 0) return undefined
    const goesOnAfter = hashes.length === MAX_BLOCKS_INV ? last : -1
    return { inventory: Inventory.ofType(MSG_BLOCK, hashes), goesOnAfter }
  }
}

const FORMS: ReadonlyMap<number, BlockForm> = new Map([
  [MSG_BLOCK, "whole"],
  [MSG_WITNESS_BLOCK, "whole"],
  [MSG_CMPCT_BLOCK, "compact"],
  [MSG_FILTERED_BLOCK, "filtered"]
])
