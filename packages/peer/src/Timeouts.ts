/** How long a peer may take for what. Source: Bitcoin Core 28.1 `net.h`, `net_processing.cpp`. */

/** Core's `TIMEOUT_INTERVAL`: for the answer to a ping, and for silence. */
export const TIMEOUT_INTERVAL_MS: number = 20 * 60 * 1000
/** Core's `DEFAULT_PEER_CONNECT_TIMEOUT`: for the first message and the whole handshake. */
export const DEFAULT_PEER_CONNECT_TIMEOUT_MS: number = 60 * 1000
/**
 * For the first byte of an answer to our key, where we dialled in v2. Core waits as long as for any handshake; but a v1 node that does not
 * hang up on what it does not understand (bcoin) would be spoken to after a minute only.
 */
export const V2_ANSWER_TIMEOUT_MS: number = 10 * 1000
/** Core's `PING_INTERVAL`. */
export const PING_INTERVAL_MS: number = 2 * 60 * 1000
/** What our user may choose of this, by Core's `-peertimeout` and, for the tempo of pings, by an option of our own. */
export interface Patience {
  /** For the first message and the whole handshake; and so long after its opening a connection is not ended for silence or a missing pong. */
  readonly connectMs: number
  /** From one ping to the next, where that one was answered. */
  readonly pingIntervalMs: number
}

export const USUAL_PATIENCE: Patience = {
  connectMs: DEFAULT_PEER_CONNECT_TIMEOUT_MS,
  pingIntervalMs: PING_INTERVAL_MS
}
/** Ten times Core's `AVG_ADDRESS_BROADCAST_INTERVAL`: for addresses to come where we dialled for them. */
export const ADDR_FETCH_TIMEOUT_MS: number = 10 * 30 * 1000
/** Core's `PRIVATE_BROADCAST_MAX_CONNECTION_LIFETIME` (31): for a transaction to be taken where we dialled to hand it over. */
export const PRIVATE_BROADCAST_LIFETIME_MS: number = 3 * 60 * 1000
