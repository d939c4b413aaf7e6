/** What header sync keeps of a peer, from its handshake until it is gone: nobody else reads it. */
import type { Instant, PeerId } from "@satwire/machine"
import type { HeadersPresync } from "./HeadersPresync.ts"

export interface PeerView {
  readonly id: PeerId
  readonly outbound: boolean
  /** Its headers are kept as they come. */
  readonly isTrusted: boolean
  /** It sent `sendheaders` (BIP-0130). */
  prefersHeaders: boolean
  /** We sent `sendheaders`. */
  askedForHeaders: boolean
  /** Its first sync with us was started. */
  started: boolean
  /** It was asked before that, because it announced a block that we do not know. */
  askedByInventory: boolean
  /** The header of most work that we know it has, or -1. */
  best: number
  /** The hash of the last thing that it announced, if we did not know it then. */
  announced: Uint8Array | undefined
  /** The last header that we sent it, or -1. */
  sent: number
  /** When our `getheaders` left that it has not answered. */
  askedAt: Instant | undefined
  /** Runs that it sent and that are to be validated, once what follows them was asked for. */
  unread: ReadonlyArray<Uint8Array>
  /** Its chain has too little work to be kept as it comes, or has still to show how much. */
  presync: HeadersPresync | undefined
  /** The header in the tree from which that chain leads on, or -1. */
  presyncFrom: number
}

const NOTHING: ReadonlyArray<Uint8Array> = []

export const peerView = (id: PeerId, outbound: boolean, isTrusted: boolean): PeerView => ({
  id,
  outbound,
  isTrusted,
  prefersHeaders: false,
  askedForHeaders: false,
  started: false,
  askedByInventory: false,
  best: -1,
  announced: undefined,
  sent: -1,
  askedAt: undefined,
  unread: NOTHING,
  presync: undefined,
  presyncFrom: -1
})
