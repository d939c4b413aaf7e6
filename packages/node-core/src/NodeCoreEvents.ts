/** What goes into a node and what comes out: bytes, commands to the edge, and facts. */
import type { BlocksSnapshot } from "@satwire/block-sync"
import type {
  Ban,
  ConnectionsInput,
  ConnectionsOutput,
  DialId,
  Permission,
  Refusal,
  SlotSnapshot,
  UploadLeft
} from "@satwire/connections"
import type { AddressCounts, LocalAddress, SeedingCommand, SeedingFact, SeedingInput } from "@satwire/discovery"
import type { CompactSnapshot } from "@satwire/compact-blocks"
import type { FilterSyncSnapshot } from "@satwire/filter-sync"
import type {
  ChainTip,
  HeaderSyncOutput,
  HeaderSyncRoles,
  Snapshot as HeadersSnapshot,
  RunFault,
  Tip
} from "@satwire/header-sync"
import type { PeerId } from "@satwire/machine"
import type { Block, BlockHash, BlockView, TransactionView } from "@satwire/primitives"
import type { ConnectionKind, DisconnectCost, Direction, PeerInfo, PeerSnapshot, TrafficSnapshot } from "@satwire/peer"
import type { NodeAddress } from "@satwire/netaddress"
import type { NetAddress } from "@satwire/wire"
import type { AddressesRole, KnownCounts } from "./Addresses.ts"
import type { ConnectionsRole } from "./ConnectionsRole.ts"
import type {
  BlocksAnswer,
  BlocksCommand,
  BlocksFact,
  BlocksRole,
  CompactFact,
  PoolSnapshot,
  TransactionsFact,
  TransactionsRole
} from "@satwire/node-roles"
import type { DisconnectReason } from "./DisconnectReason.ts"
import type { OwnStatus, PeerDetails } from "./PeerDetails.ts"

/** What a node does, as data: a wallet, a crawler and a node are the same code. Later roles join here. */
export interface Roles {
  /** Follows and offers headers; `undefined` for a node that only shakes hands. */
  readonly headers: HeaderSyncRoles | undefined
  /** Has blocks, fetches and gives them; it needs headers. */
  readonly blocks?: BlocksRole | undefined
  /** Has transactions that wait for a block, and passes them on. */
  readonly transactions?: TransactionsRole | undefined
  /** Makes blocks when it is asked to; for regtest. It needs headers. */
  readonly mining: MiningRole | undefined
  /** Whom it dials of itself and whom it lets in; where not given it dials only those that it is told to, and lets everybody in for whom there is room. */
  readonly connections?: ConnectionsRole | undefined
  /** Knows nodes, hears and tells of them, and so has whom to dial. */
  readonly addresses?: AddressesRole | undefined
}

export interface MiningRole {
  /** The output script that is paid. */
  readonly payTo: Uint8Array
}

export type NodeCoreInput =
  | {
      readonly _tag: "ConnectionOpened"
      readonly peer: PeerId
      readonly kind: ConnectionKind
      readonly address: string
      /** Our end, where it is known. Of those who dialled us answers to `getaddr` are told apart by it. */
      readonly socket?: string | undefined
      /** The dial that it came of. */
      readonly dial?: DialId | undefined
      /** Speaks v1 where we dial, though v2 is known: it was tried in vain. */
      readonly transport?: "v1" | undefined
      /** The other end, where our `version` may name it: routable, not behind a proxy, IPv4 or IPv6. */
      readonly receiver?: NetAddress | undefined
    }
  /** Bytes of a connection; they belong to the caller again afterwards. */
  | { readonly _tag: "BytesReceived"; readonly peer: PeerId; readonly chunk: Uint8Array }
  /** Whether more than the send buffer allows waits to be taken by the other end. */
  | { readonly _tag: "SendBlocked"; readonly peer: PeerId; readonly blocked: boolean }
  | { readonly _tag: "ConnectionClosed"; readonly peer: PeerId; readonly how: string }
  /** Headers made or read here: `count` raw headers, each the child of the one before. */
  | { readonly _tag: "SubmitHeaders"; readonly headers: Uint8Array; readonly count: number }
  /** Our user says that a header is invalid, and so all that follow it, or takes that back. */
  | { readonly _tag: "InvalidateHeader" | "ReconsiderHeader"; readonly hash: BlockHash }
  /** A block made or read here: `BlockSubmitted` says what became of it. Without the role of blocks its header is taken alone. */
  | { readonly _tag: "SubmitBlock"; readonly block: BlockView }
  /** What became of a block that was to be checked, kept or read. */
  | BlocksAnswer
  /** Whether so many blocks wait to be kept that no more is to be asked for. */
  | { readonly _tag: "HoldBlocks"; readonly held: boolean }
  /** These scripts matter too, where only blocks that matter are fetched. */
  | { readonly _tag: "WatchScripts"; readonly scripts: ReadonlyArray<Uint8Array> }
  /** Mines one block on the best tip. Without the mining role it does nothing. */
  | { readonly _tag: "MakeBlock" }
  /** A transaction of our own, to be kept and passed on: `TransactionSubmitted` says what became of it. */
  | { readonly _tag: "SubmitTransaction"; readonly tx: TransactionView }
  /** Makes so many transactions, where it can. */
  | { readonly _tag: "MakeTransactions"; readonly count: number }
  | { readonly _tag: "Disconnect"; readonly peer: PeerId }
  /** Pings everybody now of whom no pong is waited for. */
  | { readonly _tag: "SendPings" }
  /** To a peer, as it stands and whatever was agreed: for tests. The command has at most 12 characters of ASCII. */
  | { readonly _tag: "SendRaw"; readonly peer: PeerId; readonly command: string; readonly payload: Uint8Array }
  /** There is a node, our user says, and where `isTried` that it answered. Where no addresses are known nothing is done. */
  | {
      readonly _tag: "AddAddress"
      readonly node: NodeAddress
      readonly services: bigint
      readonly isTried: boolean
    }
  /** For the connection manager. */
  | Extract<
      ConnectionsInput,
      {
        readonly _tag: "Keep" | "Release" | "DialOnce" | "DialFailed" | "Ban" | "Unban" | "ClearBans" | "NetworkActive"
      }
    >
  /** What became of a question to a DNS seed. */
  | Extract<SeedingInput, { readonly _tag: "SeedAnswered" | "SeedFailed" }>
  | { readonly _tag: "Timeout" }

/** What the edge is to do. */
export type NodeCoreCommand =
  /** One write a turn; the bytes are the receiver's. */
  | { readonly _tag: "Write"; readonly peer: PeerId; readonly bytes: Uint8Array }
  /** Stop or go on reading from the connection. */
  | { readonly _tag: "Pause"; readonly peer: PeerId; readonly paused: boolean }
  /** Close the connection once what was written has left. */
  | { readonly _tag: "Close"; readonly peer: PeerId }
  /** Connect there: `ConnectionOpened` or `DialFailed` is the answer. */
  | Extract<ConnectionsOutput, { readonly _tag: "Dial" }>
  /** Check, keep or read a block: `BlockChecked`, `BlocksStored`, `BlockRead` are the answers. */
  | BlocksCommand
  /** Resolve the name of a DNS seed: `SeedAnswered` or `SeedFailed` is the answer. */
  | Extract<SeedingCommand, { readonly _tag: "QuerySeed" }>

/** What happened, for logs, metrics, stores and people. */
export type NodeCoreFact =
  /** A connection is there, and the handshake begins. */
  | {
      readonly _tag: "PeerConnected"
      readonly peer: PeerId
      readonly kind: ConnectionKind
      readonly direction: Direction
      readonly address: string
    }
  /** They have said who they are, and nothing speaks against it: the address answers. `seenAs` is where they see us. */
  | {
      readonly _tag: "PeerIntroduced"
      readonly peer: PeerId
      readonly address: string
      readonly info: PeerInfo
      readonly seenAs: NetAddress
    }
  /** The handshake is done. */
  | { readonly _tag: "PeerReady"; readonly peer: PeerId; readonly address: string; readonly info: PeerInfo }
  /** Nothing more is heard from the peer or said to it; what was said is still on its way. */
  | {
      readonly _tag: "PeerDisconnecting"
      readonly peer: PeerId
      readonly address: string
      readonly reason: DisconnectReason
      readonly cost: DisconnectCost
      /** We dialled in v2 and the other end seems to know only v1: worth another try on the same way (BIP-0324). */
      readonly retryAsV1: boolean
    }
  | { readonly _tag: "MessageDropped"; readonly peer: PeerId; readonly command: string; readonly why: string }
  /** A message of ours that was not sent, for what was negotiated or because the peer does not take the news that it has. */
  | { readonly _tag: "MessageUnsent"; readonly peer: PeerId; readonly command: string; readonly why: string }
  /** New headers, to be kept: `count` raw headers in the order of acceptance. */
  | {
      readonly _tag: "HeadersAccepted"
      readonly headers: Uint8Array
      readonly count: number
      readonly from: PeerId | undefined
    }
  | {
      readonly _tag: "TipChanged"
      readonly tip: Tip
      readonly forkHeight: number
      readonly removed: number
      readonly added: number
      readonly from: PeerId | undefined
    }
  /**
   * What became of a block of our own, as BIP-0022 names it: nothing where it is part of the followed chain, `"inconclusive"` where it is kept
   * and is not, `"duplicate"`, or the rule that it breaks.
   */
  | { readonly _tag: "BlockSubmitted"; readonly hash: BlockHash; readonly rule: string | undefined }
  /** This node mined a block. It is taken in right after. */
  | { readonly _tag: "BlockMade"; readonly block: Block; readonly header: Uint8Array }
  | BlocksFact
  | TransactionsFact
  | CompactFact
  /** A peer told of so many addresses that were looked at, of which so many got a place that they had not. */
  | { readonly _tag: "AddressesLearned"; readonly from: PeerId; readonly told: number; readonly added: number }
  /** How the search for the first peers goes. */
  | SeedingFact
  /** Somebody dialled us and was sent away at once. */
  | { readonly _tag: "InboundRefused"; readonly peer: PeerId; readonly address: string; readonly because: Refusal }
  /** A dial failed, an endpoint is given up, or what is to be kept on disk is another. */
  | Extract<ConnectionsOutput, { readonly _tag: "DialEnded" | "GivenUp" | "AnchorsChanged" | "BansChanged" }>
  /** A peer's chain that has still to show its work was looked at so far, of which nothing is kept yet; the tip is found stale; the skeleton is done with. */
  | Extract<HeaderSyncOutput, { readonly _tag: "Presynced" | "TipStale" | "SkeletonEnded" }>
  | { readonly _tag: "SubmitRefused"; readonly rule: RunFault | "unconnected"; readonly index: number }

export type NodeCoreOutput = NodeCoreCommand | NodeCoreFact

export interface PeerStatus extends PeerSnapshot {
  readonly peer: PeerId
  readonly address: string
  /** What our user allows to it. */
  readonly permissions: ReadonlySet<Permission>
  /** What it told of addresses; `undefined` in a node that knows none. */
  readonly addresses: AddressCounts | undefined
}

/** What can be asked between turns, and what the answer is: plain snapshots, never live objects. */
export interface Queries {
  readonly peers: ReadonlyArray<PeerStatus>
  /** The same with all that Core's `getpeerinfo` tells beside, gathered from every part. */
  readonly peerDetails: ReadonlyArray<PeerDetails>
  readonly self: OwnStatus
  readonly headers: HeadersSnapshot | undefined
  /** Blocks and how far they have come; `undefined` in a node that has none. */
  readonly blocks: BlocksSnapshot | undefined
  /** How far the filters have come that say which blocks matter; `undefined` in a node that fetches all. */
  readonly filters: FilterSyncSnapshot | undefined
  /** Transactions that wait, and how relay does; `undefined` in a node that has none. */
  readonly pool: PoolSnapshot | undefined
  /** Who sends whom blocks in short at once, and what waits for its rest; `undefined` in a node that has no blocks. */
  readonly compact: CompactSnapshot | undefined
  /** Every header that no other follows, the best first. */
  readonly tips: ReadonlyArray<ChainTip>
  /** All dials and connections, and what each is for. */
  readonly connections: ReadonlyArray<SlotSnapshot>
  readonly bans: ReadonlyArray<Ban>
  /** Endpoints to which connections are kept. */
  readonly kept: ReadonlyArray<string>
  /** The upload target of a day. */
  readonly upload: UploadLeft
  /** What came and went over all connections that there ever were. */
  readonly traffic: TrafficSnapshot
  /** How many addresses are known; `undefined` in a node that knows none. */
  readonly addresses: KnownCounts | undefined
  /** Where we can be found. */
  readonly local: ReadonlyArray<LocalAddress>
}
