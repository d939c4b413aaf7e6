/** What goes into filter sync and what comes out. */
import type { PeerId } from "@satwire/machine"
import type { BlockHash, BlockView } from "@satwire/primitives"
import type { CFCheckpt, CFHeaders, CFilter, GetCFCheckpt, GetCFHeaders, GetCFilters } from "@satwire/wire"

export type FilterSyncMessage = CFCheckpt | CFHeaders | CFilter

export type FilterSyncInput =
  /** A peer's handshake is done. */
  | {
      readonly _tag: "PeerReady"
      readonly peer: PeerId
      /** What its `version` offers. */
      readonly services: bigint
    }
  | { readonly _tag: "PeerGone"; readonly peer: PeerId }
  | { readonly _tag: "Received"; readonly peer: PeerId; readonly message: FilterSyncMessage }
  /** Another header is the best, or more is known of what peers have. */
  | { readonly _tag: "HeadersMoved" }
  /** These scripts are looked for too, in blocks that are not judged yet. */
  | { readonly _tag: "Watch"; readonly scripts: ReadonlyArray<Uint8Array> }
  /** A block that was checked; it matters where `FetchBlock` asked for it. */
  | { readonly _tag: "BlockSeen"; readonly header: number; readonly block: BlockView }
  /** The turn ends: what was found out in it is acted on at once. */
  | { readonly _tag: "TurnEnds" }
  | { readonly _tag: "Timeout" }

export type FilterSyncOutput =
  | {
      readonly _tag: "Send"
      readonly peer: PeerId
      readonly message: GetCFCheckpt | GetCFHeaders | GetCFilters
    }
  /** Whether a block may have to do with any script that is looked for. It may be told again, and otherwise, where peers were found to have lied. */
  | { readonly _tag: "BlockJudged"; readonly header: number; readonly matches: boolean }
  /** A block is needed to tell which of several filters is true: `BlockSeen` is the answer. */
  | { readonly _tag: "FetchBlock"; readonly header: number }
  /**
   * Peers gave different filters for a block. `isProven` says whether the block shows which are false; otherwise what most say is followed, and
   * the block is fetched in any case.
   */
  | {
      readonly _tag: "FiltersDisputed"
      readonly height: number
      readonly hash: BlockHash
      readonly versions: number
      readonly isProven: boolean
    }
  /** The peer did what no honest peer does: the connection ends and the address is discouraged. */
  | { readonly _tag: "Misbehaved"; readonly peer: PeerId; readonly reason: BadFilter }
  /** The peer is of no use: the connection ends, nothing more. */
  | { readonly _tag: "TooSlow"; readonly peer: PeerId; readonly reason: FilterTimeout | FilterDisagrees }

/** It sent a filter that is not the one of its hash, or that lacks what its block pays to, or hashes other in number than asked for. */
export interface BadFilter {
  readonly _tag: "BadFilter"
  readonly because: "not-of-its-hash" | "lacks-a-script" | "wrong-count"
  readonly height: number
}

/** It offers filters (BIP-0157) and sent none within {@link FILTER_TIMEOUT_MS}. */
export interface FilterTimeout {
  readonly _tag: "FilterTimeout"
  readonly allowedMs: number
}

/** Its filters are not those of most others, and nobody can tell which are true. */
export interface FilterDisagrees {
  readonly _tag: "FilterDisagrees"
  readonly height: number
}

/**
 * How long a peer may take for filters or their headers before it is of no use.
 *
 * @limit milliseconds that a peer may take for filters that it was asked for
 */
export const FILTER_TIMEOUT_MS = 60_000
