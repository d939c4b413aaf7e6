/** What goes into relay and what comes out. */
import type { PeerId } from "@satwire/machine"
import type { BlockView, TransactionView, Txid, Wtxid } from "@satwire/primitives"
import type { NamedTransaction } from "@satwire/tx-request"
import type { FeeFilter, GetData, Inv, Mempool, NotFound, Tx } from "@satwire/wire"

export type TxRelayMessage = Inv | GetData | Tx | NotFound | FeeFilter | Mempool

/** What became of a transaction that was to be validated and taken into the pool. */
export type SubmitResult =
  /** It is in the pool, in the place of those that spend the same. */
  | { readonly _tag: "Accepted"; readonly replaced: ReadonlyArray<{ readonly tx: TransactionView }> }
  /** Neither the pool nor the chain has outputs that it spends, of these transactions. */
  | { readonly _tag: "MissingInputs"; readonly parents: ReadonlyArray<Txid> }
  | SubmitRejected

export interface SubmitRejected {
  readonly _tag: "Rejected"
  readonly rule: string
  /** With another witness, and so under the same txid, it might be taken. */
  readonly isWitnessMutable: boolean
  /** It lacks the witness that it must have: of the transaction itself this says nothing (Core's `TX_WITNESS_STRIPPED`). */
  readonly isWitnessStripped?: boolean
  /** It pays too little by itself, and a child of its might pay for it: where one waits, both are submitted. */
  readonly isReconsiderable?: boolean
}

export interface TxPeerReady {
  readonly _tag: "PeerReady"
  readonly peer: PeerId
  readonly isOutbound: boolean
  /** Inbound peers of one key are told at the same times: their network, and our socket that they reached. */
  readonly networkKey: string
  /** What its `version` offers. */
  readonly services: bigint
  /** Its `version` says that it wants transactions announced (BIP-0037). */
  readonly relaysTransactions: boolean
  /** Both sides announce by wtxid (BIP-0339). */
  readonly wtxidRelay: boolean
  /** The connection is for blocks alone (`block-relay-only`), or a feeler: transactions go neither way. */
  readonly isBlockOnly: boolean
  /** We chose it, or our user trusts it: it is asked first. */
  readonly isPreferred: boolean
  /** Our user trusts it (permission `noban`): it is told at once. */
  readonly isTrusted: boolean
  /** Permission `relay`: it may send transactions to a node of blocks only, and announce any number. */
  readonly mayRelay: boolean
  /** Permission `forcerelay`: what it sends is announced again, though it is in the pool already; and it is sent no `feefilter`. */
  readonly forceRelay: boolean
  /** Permission `mempool`. */
  readonly mayAskForPool: boolean
  /** Our `version` offered `NODE_BLOOM`: it may set a filter, ask for the pool, and be told of transactions later on (BIP-0037, BIP-0111). */
  readonly maySetFilter?: boolean | undefined
}

export type TxRelayInput =
  /** A peer's handshake is done. */
  | TxPeerReady
  | { readonly _tag: "PeerGone"; readonly peer: PeerId }
  /** It set or cleared a filter, and so wants to be told of transactions, whatever its `version` said (BIP-0037). */
  | { readonly _tag: "FilterSet"; readonly peer: PeerId }
  /** Entries of an inventory that are no transactions are passed over. */
  | { readonly _tag: "Received"; readonly peer: PeerId; readonly message: TxRelayMessage }
  /** What became of `Submit`, and of the child that was submitted with it. */
  | {
      readonly _tag: "Submitted"
      readonly wtxid: Uint8Array
      readonly result: SubmitResult
      readonly childResult?: SubmitResult
    }
  /** A transaction of our own. */
  | { readonly _tag: "SubmitLocal"; readonly tx: TransactionView }
  /** A block joined the followed chain. Before the pool lets go of its transactions: what was announced of them is still given for a while. */
  | { readonly _tag: "BlockConnected"; readonly block: BlockView }
  /** A block left the followed chain, whether what it has is known or not. */
  | { readonly _tag: "BlockDisconnected"; readonly hash: Uint8Array }
  /** The followed chain has another tip, after all blocks that left and joined for it. */
  | { readonly _tag: "TipChanged" }
  /** What was sent to a peer last is on its way: what it asked for next may be sent. */
  | { readonly _tag: "Drained"; readonly peer: PeerId }
  | { readonly _tag: "Timeout" }

export type TxRelayOutput =
  | {
      readonly _tag: "Send"
      readonly peer: PeerId
      readonly message: Inv | GetData | Tx | NotFound | FeeFilter
      /** News that nobody asked for. */
      readonly isAnnouncement?: boolean
    }
  /** Nothing more of the peer is to be handled until it is owed nothing: what it sent last takes its time. See `peer`. */
  | { readonly _tag: "ReplyOwed"; readonly peer: PeerId; readonly owed: boolean }
  /** To be validated and taken into the pool: `Submitted` is the answer, in the order in which they were worked out. */
  | {
      readonly _tag: "Submit"
      readonly tx: TransactionView
      readonly txid: Txid
      readonly wtxid: Wtxid
      /** `undefined` for one of our own. */
      readonly from: PeerId | undefined
      /** One that spends of it, and may pay for both: to be taken together or not at all. Only where `isReconsiderable` was the answer once. */
      readonly child: NamedTransaction | undefined
    }
  /** A transaction is in the pool that was not. */
  | { readonly _tag: "TransactionAccepted"; readonly wtxid: Wtxid; readonly from: PeerId | undefined }
  /** A transaction that is not in the pool, and may be in a block all the same (BIP-0152). */
  | { readonly _tag: "RejectedTransaction"; readonly tx: TransactionView }
  /** One that is not in the pool any more, as another took its place. */
  | { readonly _tag: "ReplacedTransaction"; readonly tx: TransactionView }
  /** The peer does what was not agreed: the connection ends, nothing more. */
  | { readonly _tag: "Disconnect"; readonly peer: PeerId; readonly reason: TransactionsUnwanted | PoolNotServed }

/** It sent or announced a transaction, though we said that we want none. */
export interface TransactionsUnwanted {
  readonly _tag: "TransactionsUnwanted"
  readonly command: "inv" | "tx"
}

/** It asked for the whole pool, for which it needs a permission, or `NODE_BLOOM` and that we may upload more today. */
export interface PoolNotServed {
  readonly _tag: "PoolNotServed"
  readonly because: "not-offered" | "upload-target"
}

export interface TxRelaySnapshot {
  readonly peers: number
  /** Announcements of all peers that may still be asked for, are, or were. */
  readonly announcements: number
  readonly orphans: number
  readonly orphanWeight: number
  /** Transactions that are being validated. */
  readonly checking: number
}

export interface TxPeerSnapshot {
  /** It is told of transactions, and given them. */
  readonly isTold: boolean
  /** What it wants to be told of pays at least this. */
  readonly minFeeRateSatPerKvb: number
  /** Transactions of the pool up to this sequence are given to it. */
  readonly lastInvSequence: number
  /** How many are to be announced to it. */
  readonly invToSend: number
  /** How many it was asked for and has not sent. */
  readonly inFlight: number
  /** How many of its announcements are kept. */
  readonly announcements: number
}
