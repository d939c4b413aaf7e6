/**
 * What relay keeps of a peer: little of those that say nothing, of which a node may have ten thousand, and the rest when there is a reason.
 */
import type { PeerId } from "@satwire/machine"
import type { Inventory } from "@satwire/wire"
import type { QueuedTransaction, TrickleGroup } from "./InventoryTrickle.ts"
import type { KnownInventory } from "./KnownInventory.ts"
import type { TxPeerReady } from "./TxRelayEvents.ts"
import type { Asked } from "./TxServing.ts"

/** What a peer is once and for all. */
export interface PeerTraits extends Omit<
  TxPeerReady,
  "_tag" | "peer" | "networkKey" | "services" | "relaysTransactions" | "maySetFilter"
> {
  /** It gives witnesses. */
  readonly hasWitnesses: boolean
  /** It is told of transactions and given them, or may ask for that later on. */
  readonly mayBeTold: boolean
  readonly maySetFilter: boolean
}

/** Why nothing more of a peer is handled for now. */
export const OWES_INVENTORY = 1
export const OWES_ANSWER = 2
export const OWES_CHECK = 4
export const OWES_ORPHANS = 8

/** What most peers never need. */
export interface PeerActivity {
  /** What it has: it announced it, or was told of it. */
  known: KnownInventory | undefined
  /** What it is to be told of and was not yet, in order. */
  backlog: ReadonlyArray<QueuedTransaction>
  /** It asked for the whole pool. */
  wantsPool: boolean
  /** What it asked for and was not given yet. */
  asked: Asked | undefined
  /** What of its last inventory is still to be looked at. */
  inventory: { readonly entries: Inventory; at: number } | undefined
  /** A transaction on its account is being validated. */
  isChecked: boolean
  /** Why nothing more of it is handled for now. */
  owes: number
}

export class RelayPeer {
  readonly id: PeerId
  /** Shared by all that have the same. */
  readonly traits: PeerTraits
  /** It wants to be told of transactions, and is. */
  isTold: boolean
  /** With whom it is told. */
  group: TrickleGroup | undefined = undefined
  /** From where on the log was not looked through for it. */
  cursor = 0
  /** Transactions of the pool up to this sequence are given to it: what came later it was not told of, and could not know from us. */
  lastInvSequence = -1
  /** What it wants to be told of pays at least this, in satoshis for a thousand virtual bytes. */
  feeFilter = 0
  /** What it was told to announce pays at least this. */
  feeFilterSent = 0
  #activity: PeerActivity | undefined = undefined

  constructor(id: PeerId, traits: PeerTraits, isTold: boolean = traits.mayBeTold) {
    this.id = id
    this.traits = traits
    this.isTold = isTold
  }

  /** What there is of it beyond the little; `undefined` where there never was a reason. */
  get activity(): PeerActivity | undefined {
    return this.#activity
  }

  /** The same, made where there is none. */
  get active(): PeerActivity {
    return (this.#activity ??= {
      known: undefined,
      backlog: [],
      wantsPool: false,
      asked: undefined,
      inventory: undefined,
      isChecked: false,
      owes: 0
    })
  }
}
