/** What a node tells: what its machines put out as facts, and what happens at its edge. */
import type { BlockDamaged } from "@satwire/block-store"
import type { DialKind } from "@satwire/connections"
import type { NodeCoreFact } from "@satwire/node-core"
import type { PeerId } from "@satwire/machine"
import type { DamagedFile, DiskFull, ForeignFile, StoreError } from "@satwire/store"
import type { DialError, Endpoint, ListenError } from "@satwire/transport"
import type { Remembered } from "./KeptPeers.ts"

/** Why an address is not dialled again. */
export type GivenUpBecause = "BrokeTheRules" | "OurOwnAddress"

export type EdgeFact =
  /** The headers that were kept are in the tree again. Where their file was damaged or not ours, the store set it aside and logged it. */
  | {
      readonly _tag: "HeadersLoaded"
      readonly count: number
      readonly height: number
      readonly setAside: DamagedFile | ForeignFile | undefined
    }
  | { readonly _tag: "Listening"; readonly endpoint: Endpoint }
  /** It listens there no more, though it should, and tries again in so long. Those who are connected stay. */
  | {
      readonly _tag: "ListeningLost"
      readonly endpoint: Endpoint
      readonly error: ListenError
      readonly retryInMs: number
    }
  /** An address is being dialled. */
  | { readonly _tag: "PeerConnecting"; readonly endpoint: Endpoint; readonly kind: DialKind }
  /** The connection of a peer is closed, and no handle of it is left. */
  | { readonly _tag: "PeerDisconnected"; readonly peer: PeerId; readonly address: string }
  /** Nobody was reached. Whom our user named is dialled again in `retryInMs`; another address whenever it is drawn again. */
  | {
      readonly _tag: "DialFailed"
      readonly endpoint: Endpoint
      readonly kind: DialKind
      readonly error: DialError
      readonly retryInMs: number | undefined
    }
  /** This address is not dialled again, unless somebody asks for it anew. */
  | { readonly _tag: "PeerGivenUp"; readonly endpoint: Endpoint; readonly because: GivenUpBecause }
  /** The blocks that were kept are known again. */
  | { readonly _tag: "BlocksLoaded"; readonly count: number; readonly height: number }
  /** So many blocks are on disk and survive any crash. */
  | { readonly _tag: "BlocksStored"; readonly count: number; readonly bytes: number }
  /** So many old blocks made room. */
  | { readonly _tag: "BlocksPruned"; readonly count: number }
  /** A block on disk is not what it was. It is fetched again. */
  | { readonly _tag: "BlockDamaged"; readonly error: BlockDamaged }
  /**
   * A block was put together of a `cmpctblock`. `tookMs` is the time of this machine's clock from the beginning of the turn that took its first
   * `cmpctblock` in, decrypting and decoding included, to the end of the turn in which the block was whole: what was waited for in between counts,
   * the network before and checking and keeping it afterwards do not.
   */
  | (Omit<Extract<NodeCoreFact, { readonly _tag: "CompactReconstructed" }>, "since"> & { readonly tookMs: number })
  /** New headers are in the tree. From `HeadersStored` on they survive a crash. */
  | { readonly _tag: "HeadersAccepted"; readonly count: number; readonly from: PeerId | undefined }
  /** So many more of the accepted headers, in their order, are on disk and survive any crash from here on. */
  | { readonly _tag: "HeadersStored"; readonly count: number }
  /** What is known of others is on disk: so many addresses, anchors or bans. */
  | { readonly _tag: "PeersSaved"; readonly what: Remembered; readonly count: number }
  /** What is known of others could not be put on disk, whatever is wrong with that. It is tried again in so long; the node goes on. */
  | {
      readonly _tag: "PeersUnsaved"
      readonly what: Remembered
      readonly error: StoreError
      readonly retryInMs: number
    }
  /** The disk is full. It is tried again in so long, and when enough waits nothing is read from any peer. */
  | { readonly _tag: "StoreFull"; readonly error: DiskFull; readonly retryInMs: number }
  /** There is room on the disk again, and what waited is kept. */
  | { readonly _tag: "StoreHasRoom" }
  /** The store is slow: nothing is read from any peer until it has caught up (`isBehind` false). */
  | { readonly _tag: "StoreBehind"; readonly isBehind: boolean }

/** Where a peer stands, and which fact says so. */
export const PEER_STATES: {
  readonly [State in "connecting" | "handshaking" | "ready" | "disconnecting" | "disconnected"]: NodeFact["_tag"]
} = {
  connecting: "PeerConnecting",
  handshaking: "PeerConnected",
  ready: "PeerReady",
  disconnecting: "PeerDisconnecting",
  disconnected: "PeerDisconnected"
}

/** Facts are small, so that many can wait for a slow reader: they tell of headers and do not carry them. */
export type NodeFact =
  | Exclude<
      NodeCoreFact,
      {
        readonly _tag:
          | "HeadersAccepted"
          | "CompactReconstructed"
          | "DialEnded"
          | "GivenUp"
          | "AnchorsChanged"
          | "CheckBlock"
          | "StoreBlock"
          | "ReadBlock"
      }
    >
  | EdgeFact
