/** Under which of Core's categories a fact of the node is told. */
import type { NodeFact } from "@satwire/node"
import type { Category } from "./Categories.ts"

const CATEGORY_OF: { readonly [Tag in NodeFact["_tag"]]?: Category } = {
  PeerConnecting: "net",
  PeerConnected: "net",
  PeerReady: "net",
  PeerDisconnecting: "net",
  PeerGivenUp: "net",
  DialFailed: "net",
  InboundRefused: "net",
  Listening: "net",
  ListeningLost: "net",
  MessageDropped: "net",
  MessageUnsent: "net",
  Presynced: "net",
  AddressesLearned: "addrman",
  PeersSaved: "addrman",
  PeersUnsaved: "addrman",
  SeedsWait: "net",
  SeedGave: "net",
  SeedGaveNothing: "net",
  FixedSeedsUsed: "net",
  SeedingDone: "net",
  HeadersLoaded: "validation",
  BlockInvalid: "validation",
  TipStale: "validation",
  HeadersStored: "blockstorage",
  BlocksLoaded: "blockstorage",
  BlocksStored: "blockstorage",
  BlockDamaged: "blockstorage",
  StoreBehind: "blockstorage",
  StoreFull: "blockstorage",
  StoreHasRoom: "blockstorage",
  BlocksPruned: "prune",
  TransactionAccepted: "mempool",
  HighBandwidthChosen: "cmpctblock",
  CompactReconstructed: "cmpctblock",
  SubmitRefused: "rpc"
}

export const categoryOf = (tag: NodeFact["_tag"]): Category | undefined => CATEGORY_OF[tag]
