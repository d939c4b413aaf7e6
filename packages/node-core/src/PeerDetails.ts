/** All that the parts of a node know of its peers, gathered when somebody asks: nothing of it is kept for that. */
import type { PeerDeeds } from "@satwire/connections"
import type { Network, NodeAddress } from "@satwire/netaddress"
import type { TxPeerSnapshot } from "@satwire/tx-relay"
import type { PeerStatus } from "./NodeCoreEvents.ts"

/** What is known of a peer's chain and of what passes between us. */
export interface PeerChainDetails {
  /** How far its chain was looked at that has still to show its work; -1 where nothing of it is. */
  readonly presyncedHeight: number
  /** The best header that we know it has; -1 for none. */
  readonly headersHeight: number
  /** The last block of that chain that the followed one has too; -1 for none, and in a node without blocks. */
  readonly blocksHeight: number
  /** The heights of the blocks that it was asked for and has not sent. */
  readonly inFlight: ReadonlyArray<number>
  /** It is to send us new blocks in short at once (BIP-0152), or wants that of us. */
  readonly isHighBandwidthTo: boolean
  readonly isHighBandwidthFrom: boolean
  /** `undefined` where there are no transactions, or hands are not shaken yet. */
  readonly transactions: TxPeerSnapshot | undefined
}

export interface PeerDetails extends PeerStatus, PeerChainDetails, PeerDeeds {
  /** Our end; empty where that is not known. */
  readonly socket: string
  /** Where its `version` says that it sees us. */
  readonly seenAs: NodeAddress | undefined
  /** The AS of its address by the map; 0 for none. */
  readonly mappedAs: number
}

/** What the node is to others. */
export interface OwnStatus {
  readonly protocolVersion: number
  readonly services: bigint
  readonly userAgent: string
  /** Our `version` asks for transactions. */
  readonly relaysTransactions: boolean
  readonly isNetworkActive: boolean
  /** By how much the clocks of those whom we dialled are ahead of ours, in the median; 0 while they are fewer than five. */
  readonly timeOffsetSeconds: number
  /** The networks that can be dialled. */
  readonly networks: ReadonlyArray<Network>
  /** The encrypted transport is spoken. */
  readonly speaksV2: boolean
  /** How many peers are chosen of our own accord. */
  readonly maxFullRelay: number
  readonly maxBlockRelayOnly: number
}

/** Core's `TimeOffsets::m_min_samples`: fewer clocks say nothing. */
const LEAST_CLOCKS = 5

/** The median of what clocks say, as Core takes it: of an even number the upper one of both in the middle. */
export const medianOffset = (offsets: ReadonlyArray<number>): number => {
  if (offsets.length < LEAST_CLOCKS) return 0
  return offsets.toSorted((a, b) => a - b)[offsets.length >> 1] as number
}
