/** Peers that a peer knows of. */
import * as Schema from "effect/Schema"
import { type Kind, type Method, kind, method } from "../Kind.ts"
import { Addresses, Count, listUpTo, textUpTo } from "./Fields.ts"

/**
 * Peers in an answer.
 *
 * @limit peers that one answer of peer exchange tells of
 */
export const MAX_TOLD_PEERS = 100

export interface ToldPeer {
  /** Its name in the overlay, such as a libp2p peer id. */
  readonly peerId: string
  readonly addresses: ReadonlyArray<string>
}

export interface PeersWanted {
  readonly most: number
}

export interface PeersTold {
  readonly peers: ReadonlyArray<ToldPeer>
}

export const PeersTold: Kind<PeersTold> = kind(
  "peers",
  Schema.Struct({
    peers: listUpTo(Schema.Struct({ peerId: textUpTo(128), addresses: Addresses }), MAX_TOLD_PEERS)
  }),
  { maxBytes: 262_144 }
)

export const PeerExchange: Method<PeersWanted, PeersTold> = method(
  "peer-exchange",
  kind("peers-wanted", Schema.Struct({ most: Count }), { maxBytes: 64 }),
  PeersTold
)
