/** What goes into block sync and what comes out. */
import type { BlockContext, BlockFault, BlockRule } from "@satwire/consensus"
import type { PeerId } from "@satwire/machine"
import type { BlockHash, BlockView } from "@satwire/primitives"
import type { Block, GetBlocks, GetData, Inv, NotFound } from "@satwire/wire"

export type BlockSyncMessage = GetData | GetBlocks | NotFound

export type BlockSyncInput =
  /** A peer's handshake is done. */
  | {
      readonly _tag: "PeerReady"
      readonly peer: PeerId
      /** What its `version` offers. */
      readonly services: bigint
      /** We chose it, or our user trusts it: it is asked first. */
      readonly isPreferred: boolean
      /** Our user lets it have what it asks for (permission `download`). */
      readonly isPrivileged: boolean
    }
  | { readonly _tag: "PeerGone"; readonly peer: PeerId }
  /** More may be known of what the peer has. */
  | { readonly _tag: "PeerAdvanced"; readonly peer: PeerId }
  /** Another header may be the best; `anew` where some are invalid since, or no longer. */
  | { readonly _tag: "HeadersMoved"; readonly anew: boolean }
  | { readonly _tag: "Received"; readonly peer: PeerId; readonly message: BlockSyncMessage }
  /** A block came, whose header was looked at before. `from` is `undefined` for one that was made or read here. */
  | {
      readonly _tag: "BlockReceived"
      readonly from: PeerId | undefined
      readonly block: BlockView
      readonly hash: BlockHash
      /** It was put together here of what the peer sent and of what we had: a fault in it is not held against the peer, as in Core. */
      readonly isRebuilt?: boolean
    }
  /** A peer is bringing a block in another way than whole (BIP-0152): it counts as asked for it. */
  | { readonly _tag: "BlockClaimed"; readonly peer: PeerId; readonly header: number }
  /** It brings it no more: others are asked. */
  | { readonly _tag: "BlockReleased"; readonly peer: PeerId; readonly header: number }
  /** It is to send the whole block after all. */
  | { readonly _tag: "BlockAskedWhole"; readonly peer: PeerId; readonly header: number }
  /** What became of `CheckBlock`. The block is given back, as its bytes may have been elsewhere meanwhile. */
  | {
      readonly _tag: "BlockChecked"
      readonly header: number
      readonly block: BlockView
      readonly fault: BlockFault | undefined
    }
  /** A block was lost while it was checked, by nobody's fault: it is fetched again. */
  | { readonly _tag: "BlockDropped"; readonly header: number }
  /** These blocks survive a crash now. */
  | { readonly _tag: "BlocksStored"; readonly headers: ReadonlyArray<number> }
  /** What became of `ReadBlock`: the bytes as they are sent, or `undefined` where there are none any more. */
  | { readonly _tag: "BlockRead"; readonly peer: PeerId; readonly block: BlockView | undefined }
  /** What became of `GiveFiltered`: the last of what is given of the block was just sent, or nothing was. */
  | { readonly _tag: "FilteredGiven"; readonly peer: PeerId; readonly isSent: boolean }
  /** What was sent to a peer last is on its way: what it asked for next may be fetched. */
  | { readonly _tag: "Drained"; readonly peer: PeerId }
  /** These are kept no more, to make room. */
  | { readonly _tag: "BlocksPruned"; readonly headers: ReadonlyArray<number> }
  /** The bytes of a block were found damaged: it is fetched again. */
  | { readonly _tag: "BlockLost"; readonly header: number }
  /** Whether a block is worth being fetched, where that is judged of each. It may be said otherwise later. */
  | { readonly _tag: "BlockJudged"; readonly header: number; readonly matches: boolean }
  /** A block is to be fetched and kept, whether it is one of those that are wanted or not. */
  | { readonly _tag: "BlockWanted"; readonly header: number }
  /** Of kept blocks that lie in memory, so many bytes were not taken by their reader; and whether he waits for one that is missing. */
  | { readonly _tag: "Unread"; readonly bytes: number; readonly isStarving: boolean }
  /** Whether so much waits to be kept that no more is to be asked for. */
  | { readonly _tag: "Hold"; readonly held: boolean }
  /** The turn ends: what was found out in it is acted on at once. */
  | { readonly _tag: "TurnEnds" }
  | { readonly _tag: "Timeout" }

export type BlockSyncOutput =
  | {
      readonly _tag: "Send"
      readonly peer: PeerId
      readonly message: GetData | Block | NotFound | Inv
      /** An old block: it waits for its share of what we upload. */
      readonly isHistoric?: boolean
    }
  /** The reply to the message that was just handled comes later, or has been given: see `peer`. */
  | { readonly _tag: "ReplyOwed"; readonly peer: PeerId; readonly owed: boolean }
  /** To be checked: `BlockChecked` is the answer. Until then its bytes are the receiver's. */
  | { readonly _tag: "CheckBlock"; readonly header: number; readonly block: BlockView; readonly context: BlockContext }
  /** To be kept: `BlocksStored` is the answer. Its bytes are the receiver's. */
  | {
      readonly _tag: "StoreBlock"
      readonly header: number
      readonly hash: BlockHash
      readonly height: number
      readonly block: BlockView
    }
  /** To be read from where it was stored: `BlockRead` is the answer. */
  | {
      readonly _tag: "ReadBlock"
      readonly peer: PeerId
      readonly header: number
      readonly hash: BlockHash
      readonly hasWitness: boolean
    }
  /** A peer asked for a block to be given compactly (BIP-0152): here it is. */
  | { readonly _tag: "GiveCompact"; readonly peer: PeerId; readonly header: number; readonly block: BlockView }
  /** A peer asked for what its filter matches of a block (BIP-0037), which comes without witnesses: `FilteredGiven` is the answer. */
  | { readonly _tag: "GiveFiltered"; readonly peer: PeerId; readonly block: BlockView }
  /** A block is here that was not; it may not be followed yet. */
  | { readonly _tag: "BlockAccepted"; readonly header: number; readonly from: PeerId | undefined }
  /** Another whole chain is followed: `removed` blocks above the fork are no longer, `added` are now. */
  | {
      readonly _tag: "BlockTipChanged"
      readonly header: number
      readonly forkHeight: number
      readonly removed: number
      readonly added: number
    }
  /** A block of this hash breaks a rule, so its header is invalid, and what follows it. */
  | { readonly _tag: "BlockInvalid"; readonly header: number; readonly fault: BlockFault }
  /** The peer broke a rule that no honest peer breaks: the connection ends and the address is discouraged. */
  | { readonly _tag: "Misbehaved"; readonly peer: PeerId; readonly reason: BadBlock }
  /** The peer is of no use, or asks for what is not given: the connection ends, nothing more. */
  | { readonly _tag: "TooSlow"; readonly peer: PeerId; readonly reason: BlockStalling | BlockTimeout | NotServed }

/** It sent a block that breaks this rule, named as Bitcoin Core names it. */
export interface BadBlock {
  readonly _tag: "BadBlock"
  readonly rule: BlockRule | "prev-blk-not-found"
}

/** It alone kept all others waiting for longer than `BLOCK_STALLING_TIMEOUT` allows. */
export interface BlockStalling {
  readonly _tag: "BlockStalling"
  readonly allowedMs: number
}

/** A block that it was asked for did not come within `BLOCK_DOWNLOAD_TIMEOUT`. */
export interface BlockTimeout {
  readonly _tag: "BlockTimeout"
  readonly allowedMs: number
}

/** It asked for old blocks: beyond what we upload in a day, or beyond what a limited node gives (BIP-0159). */
export interface NotServed {
  readonly _tag: "NotServed"
  readonly because: "upload-target" | "limited"
}

/** Which peers have a bloom filter (BIP-0037): who has none is given nothing of a block through one, and no answer, as in Core. */
export interface BloomLookup {
  hasFilter(peer: PeerId): boolean
}

/** How blocks travel other than whole (BIP-0152). The interface lives here, with its consumer. */
export interface CompactLookup {
  /** Whether a peer is to be asked for a block compactly, which is the only one that it is asked for. */
  shouldAsk(peer: PeerId, header: number): boolean
}

export interface BlocksSnapshot {
  /** The end of the followed chain. */
  readonly tip: { readonly height: number; readonly hash: BlockHash; readonly time: number }
  /** The height up to which blocks are fetched. */
  readonly targetHeight: number
  /** How many are kept. */
  readonly kept: number
  /** Blocks that were asked for and have not come. */
  readonly inFlight: number
  /** Blocks that have come and are being checked or kept, and their bytes. */
  readonly waiting: number
  readonly waitingBytes: number
  /** Bytes in a second, of all peers. */
  readonly bytesPerSecond: number
  readonly peers: number
}
