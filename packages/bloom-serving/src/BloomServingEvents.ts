/** What goes into the serving of bloom filters and what comes out. */
import type { PeerId } from "@satwire/machine"
import type { BlockView } from "@satwire/primitives"
import type { FilterAdd, FilterClear, FilterLoad, MerkleBlock, Tx } from "@satwire/wire"

export type BloomServingMessage = FilterLoad | FilterAdd | FilterClear

export type BloomServingInput =
  /** A peer's handshake is done. */
  | {
      readonly _tag: "PeerReady"
      readonly peer: PeerId
      /** It may set filters: our `version` offered it `NODE_BLOOM`. */
      readonly isOffered: boolean
    }
  | { readonly _tag: "PeerGone"; readonly peer: PeerId }
  | { readonly _tag: "Received"; readonly peer: PeerId; readonly message: BloomServingMessage }
  /** A peer is to be given what its filter matches of a block, which comes without witnesses: `BlockGiven` is the answer. One at a time. */
  | { readonly _tag: "GiveBlock"; readonly peer: PeerId; readonly block: BlockView }
  | { readonly _tag: "Timeout" }

export type BloomServingOutput =
  /** `hasMore`: it is not the last of its block, and the next follows it, with nothing else in between. */
  | { readonly _tag: "Send"; readonly peer: PeerId; readonly message: MerkleBlock | Tx; readonly hasMore: boolean }
  /** The peer has a filter, or none any more. In both cases it wants to be told of transactions from now on, whatever its `version` said. */
  | { readonly _tag: "FilterSet"; readonly peer: PeerId; readonly isSet: boolean }
  /** All that is given of a block was sent, the last of it just now; nothing was where the peer has no filter. */
  | { readonly _tag: "BlockGiven"; readonly peer: PeerId; readonly isSent: boolean }
  /** The peer did what no honest peer does: the connection ends and the address is discouraged. */
  | { readonly _tag: "Misbehaved"; readonly peer: PeerId; readonly reason: FilterMissing }
  /** The peer does what it was not offered: the connection ends, nothing more. */
  | { readonly _tag: "Disconnect"; readonly peer: PeerId; readonly reason: FilterNotOffered }

/** It added to a filter that it never set. */
export interface FilterMissing {
  readonly _tag: "FilterMissing"
}

/** It sent one of the three messages that set filters, and we do not offer `NODE_BLOOM` to it (BIP-0111). */
export interface FilterNotOffered {
  readonly _tag: "FilterNotOffered"
  readonly command: BloomServingMessage["_tag"]
}
