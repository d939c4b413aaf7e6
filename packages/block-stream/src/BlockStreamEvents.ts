/** What goes into the machine of a block stream, what comes out, and what can be told of it. */
import type { BadBlock, BlockStalling, BlockSyncInput, BlockTimeout } from "@satwire/block-sync"
import type { BlockContext } from "@satwire/consensus"
import type { HeaderStreamInput, HeaderStreamOutput, ServingFault } from "@satwire/header-stream"
import type { HeaderSyncMessage } from "@satwire/header-sync"
import type { PeerId } from "@satwire/machine"
import type { BlockView } from "@satwire/primitives"
import type { Block, GetData, NotFound } from "@satwire/wire"
import type { BlockPlace } from "./BlockStep.ts"

export type BlockStreamInput =
  | {
      readonly _tag: "PeerReady"
      readonly peer: PeerId
      readonly outbound: boolean
      /** What its `version` offers. */
      readonly services: bigint
    }
  | {
      readonly _tag: "Received"
      readonly peer: PeerId
      readonly message: HeaderSyncMessage | Block | NotFound
    }
  | Extract<HeaderStreamInput, { readonly _tag: "PeerGone" | "Hold" | "Timeout" }>
  | Extract<BlockSyncInput, { readonly _tag: "BlockChecked" }>
  /** The reader has taken a step, on to this header or back to it. */
  | { readonly _tag: "ReaderAt"; readonly header: number }
  /** The reader wants a block whose bytes are gone. */
  | { readonly _tag: "BlockLost"; readonly header: number }

/** Why a peer is of no use to a block stream. */
export type BlockServingFault =
  | ServingFault
  | BadBlock
  | BlockStalling
  | BlockTimeout
  /** It offers no blocks, or none with witnesses. */
  | { readonly _tag: "NoBlocks" }
  /** It does not have, or does not keep, the block of this height that is wanted next, and no other connected peer has. */
  | { readonly _tag: "BlockLacking"; readonly height: number }

export type BlockStreamOutput =
  | Exclude<HeaderStreamOutput, { readonly _tag: "LetGo" | "Send" }>
  | { readonly _tag: "Send"; readonly peer: PeerId; readonly message: HeaderSyncMessage | GetData }
  /** The connection with the peer is to end. */
  | { readonly _tag: "LetGo"; readonly peer: PeerId; readonly fault: BlockServingFault }
  /** To be checked: `BlockChecked` is the answer. */
  | { readonly _tag: "CheckBlock"; readonly header: number; readonly block: BlockView; readonly context: BlockContext }
  /** The reader may go on: the followed chain is another, or a block is here that was not. */
  | { readonly _tag: "Moved" }
  /** Where the reader is to begin is in no chain of the peers. */
  | { readonly _tag: "PlaceUnknown"; readonly place: BlockPlace }

/** How far it is with the blocks. */
export interface BlockStreamProgress {
  /** Blocks that wait for the reader, and what they count: small ones count more than they have. */
  readonly blocksAhead: number
  readonly bytesAhead: number
  /** Blocks that were asked for and have not come. */
  readonly inFlight: number
  /** Bytes in a second, of all peers. */
  readonly bytesPerSecond: number
}
