/** What goes into header sync and what comes out. */
import type { PeerId } from "@satwire/machine"
import type { BlockHash } from "@satwire/primitives"
import type { GetHeaders, Headers, Inv, SendHeaders } from "@satwire/wire"
import type { HeaderTree } from "./HeaderTree.ts"
import type { RunFault } from "./HeaderRun.ts"
import type { ChosenFor } from "./KeepingUp.ts"

export type HeaderSyncMessage = Headers | GetHeaders | Inv | SendHeaders

export type HeaderSyncInput =
  /** A peer's handshake is done. */
  | {
      readonly _tag: "PeerReady"
      readonly peer: PeerId
      readonly outbound: boolean
      /** Our user trusts it (permission `noban`): its headers are kept as they come, whatever their work, as in Core. */
      readonly isTrusted?: boolean
      /** What we chose it for, where we opened the connection of our own accord: then it has to keep up with our chain. */
      readonly chosenFor?: ChosenFor | undefined
    }
  | { readonly _tag: "PeerGone"; readonly peer: PeerId }
  | { readonly _tag: "Received"; readonly peer: PeerId; readonly message: HeaderSyncMessage }
  /**
   * Headers that were made or read here: `count` raw headers, each the child of the one before. With `from`, headers of blocks that a peer sent
   * unasked, whose fault they are; what has little work is passed over, and what follows nothing that we know has the peer asked for what
   * lies between, unless another's first sync is under way (as in Core).
   */
  | {
      readonly _tag: "Submit"
      readonly headers: Uint8Array
      readonly count: number
      readonly from?: PeerId | undefined
    }
  /** The end of the chain that others are shown now: announcements and answers lead to it, whatever is the best header. */
  | { readonly _tag: "Show"; readonly header: number }
  /** A peer was told of this header in another way (BIP-0152), and need not be again. */
  | { readonly _tag: "Told"; readonly peer: PeerId; readonly header: number }
  /** Our user says that this header is invalid, or takes back that it or one before or after it is. Nothing is done where it is not known. */
  | { readonly _tag: "Invalidate" | "Reconsider"; readonly hash: BlockHash }
  | { readonly _tag: "Timeout" }

export type HeaderSyncOutput =
  | {
      readonly _tag: "Send"
      readonly peer: PeerId
      readonly message: Headers | GetHeaders | Inv | SendHeaders
      /** It announces a block, which nobody asked for. */
      readonly isAnnouncement?: true
    }
  /** New headers are in the tree, in the order of their numbers from `first` on. The bytes are the receiver's. */
  | {
      readonly _tag: "HeadersAccepted"
      readonly first: number
      readonly count: number
      readonly headers: Uint8Array
      readonly from: PeerId | undefined
    }
  /** Another header has the most work now. `removed` headers above the fork left the best chain and `added` joined it. */
  | {
      readonly _tag: "TipChanged"
      readonly tip: Tip
      readonly forkHeight: number
      readonly removed: number
      readonly added: number
      readonly from: PeerId | undefined
    }
  /** No block has come for three times as long as one should take, so that another peer may help; or one has. */
  | { readonly _tag: "TipStale"; readonly isStale: boolean }
  /** A chain that has still to show its work was looked at up to this height; nothing of it is kept yet. */
  | ({ readonly _tag: "Presynced" } & Presyncing)
  /** All of the skeleton is in the tree, or it was found wrong and is of no more use: the ordinary sync goes on from this height. */
  | { readonly _tag: "SkeletonEnded"; readonly isWrong: boolean; readonly height: number }
  /** The peer broke a rule that no honest peer breaks: the connection ends and the address is discouraged. */
  | { readonly _tag: "Misbehaved"; readonly peer: PeerId; readonly reason: InvalidHeader }
  /** The peer is of no use: the connection ends, nothing more. */
  | { readonly _tag: "TooSlow"; readonly peer: PeerId; readonly reason: HeadersTimeout | ChainTimeout | LittleWork }
  /** A peer that we chose has a chain as good as ours, and is not let go for its chain or for a stale tip any more. */
  | { readonly _tag: "Protected"; readonly peer: PeerId }
  /** Headers that were submitted here break a rule. */
  | { readonly _tag: "SubmitRefused"; readonly rule: RunFault | "unconnected"; readonly index: number }

/** The header at `index` of a `headers` message breaks the rule, named as Bitcoin Core names it. */
export interface InvalidHeader {
  readonly _tag: "InvalidHeader"
  readonly rule: RunFault
  readonly index: number
}

/** The first sync took longer than `HEADERS_DOWNLOAD_TIMEOUT` allows while another peer could be asked. */
export interface HeadersTimeout {
  readonly _tag: "HeadersTimeout"
}

/** Its chain stayed behind what ours was for longer than `CHAIN_SYNC_TIMEOUT` allows, and a last question brought no better one. */
export interface ChainTimeout {
  readonly _tag: "ChainTimeout"
}

/** While we catch up: all that it has is less work than the network is known to have. */
export interface LittleWork {
  readonly _tag: "LittleWork"
}

export interface Tip {
  readonly height: number
  readonly hash: BlockHash
  /** Seconds since 1970, as its miner claimed; -1 for a base known by its hash alone. */
  readonly time: number
}

/** What is told of a header that is, or may be, the end of a chain. */
export const tipOf = (tree: HeaderTree, header: number): Tip => ({
  height: tree.height(header),
  hash: tree.hash(header),
  time: tree.time(header)
})

export interface Presyncing {
  readonly peer: PeerId
  /** Looked at for the first time, or fetched again to be kept. */
  readonly phase: "presync" | "redownload"
  readonly height: number
}

export interface Snapshot {
  readonly tip: Tip
  /** Headers held, of all chains. */
  readonly headers: number
  readonly peers: number
  /** The peer whose first sync is under way. */
  readonly syncingWith: PeerId | undefined
  /** Peers whose chain has still to show its work, and how far it was looked at. */
  readonly presyncing: ReadonlyArray<Presyncing>
}
