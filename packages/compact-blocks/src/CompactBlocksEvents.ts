/** What goes into the machine of compact blocks and what comes out. */
import type { Instant, PeerId } from "@satwire/machine"
import type { BlockView } from "@satwire/primitives"
import type { Block, BlockTxn, CmpctBlock, GetBlockTxn, SendCmpct } from "@satwire/wire"
import type { RebuildStats } from "./PartialBlock.ts"

export type CompactInput =
  /** A peer's handshake is done. */
  | {
      readonly _tag: "PeerReady"
      readonly peer: PeerId
      readonly outbound: boolean
      /** The lower of both versions of the protocol. */
      readonly protocolVersion: number
    }
  | { readonly _tag: "PeerGone"; readonly peer: PeerId }
  | { readonly _tag: "Received"; readonly peer: PeerId; readonly message: SendCmpct | GetBlockTxn | BlockTxn }
  /** A compact block came, whose header was looked at before as any header is: its number, or -1 where it was not taken or is invalid. */
  | {
      readonly _tag: "CmpctBlockReceived"
      readonly peer: PeerId
      readonly message: CmpctBlock
      readonly header: number
    }
  /** A block keeps all rules that need no coins, and its parent is the end of the followed chain: others may be told. It stays unchanged. */
  | {
      readonly _tag: "BlockValid"
      readonly header: number
      readonly block: BlockView
      /** It was made here. */
      readonly isOurs: boolean
    }
  /** A block is here that was not, and keeps its rules; who sent it first, where that was a peer. */
  | { readonly _tag: "BlockDelivered"; readonly header: number; readonly peer: PeerId | undefined }
  /** A peer asked for this block in short (`MSG_CMPCT_BLOCK`), and it was read. */
  | { readonly _tag: "BlockRequested"; readonly peer: PeerId; readonly header: number; readonly block: BlockView }
  /** What became of `ReadBlock`: the block, or `undefined` where there is none any more. */
  | { readonly _tag: "BlockTxnRead"; readonly peer: PeerId; readonly block: BlockView | undefined }

export type CompactOutput =
  | {
      readonly _tag: "Send"
      readonly peer: PeerId
      readonly message: SendCmpct | CmpctBlock | GetBlockTxn | BlockTxn | Block
    }
  /** From now on this block counts as asked of the peer. It was not before. */
  | { readonly _tag: "Claim"; readonly peer: PeerId; readonly header: number }
  /** It does no longer: what the peer sent of it is of no use, and others are at it or may be. */
  | { readonly _tag: "Release"; readonly peer: PeerId; readonly header: number }
  /** The whole block is to be asked of the peer by `getdata`, of which it counts as asked already. */
  | { readonly _tag: "AskWhole"; readonly peer: PeerId; readonly header: number }
  /** The whole block is to be given to the peer, as if it had asked for it by `getdata`. */
  | { readonly _tag: "GiveWhole"; readonly peer: PeerId; readonly header: number }
  /**
   * A block was put together of what the peer sent, and stands for its answer. It is the block of its header, and wanted; that it breaks a
   * rule is not the peer's fault, who need not have looked at it (BIP-0152 §"cmpctblock"). Its bytes are the receiver's.
   */
  | { readonly _tag: "Rebuilt"; readonly peer: PeerId; readonly header: number; readonly block: BlockView }
  /** To be read from where it was stored: `BlockTxnRead` is the answer. */
  | { readonly _tag: "ReadBlock"; readonly peer: PeerId; readonly header: number }
  /** The reply to the message that was just handled comes later, or has been given: see `peer`. */
  | { readonly _tag: "ReplyOwed"; readonly peer: PeerId; readonly owed: boolean }
  /** The peer was told of this block, by a `cmpctblock`: no other announcement is needed. */
  | { readonly _tag: "Announced"; readonly peer: PeerId; readonly header: number }
  /** The peer broke a rule that no honest peer breaks: the connection ends and the address is discouraged. */
  | { readonly _tag: "Misbehaved"; readonly peer: PeerId; readonly reason: BadCompactBlock }
  /** These peers are to send new blocks as `cmpctblock` at once, the one that delivered last at the end. */
  | { readonly _tag: "HighBandwidthChosen"; readonly peers: ReadonlyArray<PeerId> }
  /** How a block was put together. */
  | {
      readonly _tag: "CompactReconstructed"
      readonly peer: PeerId
      readonly header: number
      readonly stats: RebuildStats
      /** How many questions were asked and waited for: none where a `cmpctblock` came unasked and all of it was at hand. */
      readonly roundTrips: number
      /** When the first `cmpctblock` of it was looked at, of those that still counted: what it took to put the block together began then. */
      readonly since: Instant
    }

/**
 * It sent a message of compact blocks that no honest peer sends: a `cmpctblock` whose transactions have no place in it, a `blocktxn` of more or
 * fewer than were asked for, a `getblocktxn` for numbers that the block does not have.
 */
export interface BadCompactBlock {
  readonly _tag: "BadCompactBlock"
  readonly command: "cmpctblock" | "blocktxn" | "getblocktxn"
}

/** What is known of compact blocks, between turns. */
export interface CompactSnapshot {
  /** Who is to send us new blocks in short at once, and who wants that of us. */
  readonly highBandwidthTo: ReadonlyArray<PeerId>
  readonly highBandwidthFrom: ReadonlyArray<PeerId>
  /** Blocks that wait for the rest of their transactions. */
  readonly partial: number
}
