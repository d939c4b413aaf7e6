/**
 * The numbers and names of the protocol itself: versions and what each opened, the largest message, service bits. Under Core's names
 * and with Core's values.
 *
 * Source: Bitcoin Core 31.99 `node/protocol_version.h`, `net.h`, `protocol.h`.
 */

/** The version that we speak. */
export const PROTOCOL_VERSION = 70017
/** Peers below this version are disconnected. */
export const MIN_PEER_PROTO_VERSION = 31800

/** A `ping` carries a nonce and wants a `pong` **above** this version (BIP-0031). */
export const BIP0031_VERSION = 60000
/** `sendheaders` from this version on (BIP-0130). */
export const SENDHEADERS_VERSION = 70012
/** `feefilter` from this version on (BIP-0133). */
export const FEEFILTER_VERSION = 70013
/** `sendcmpct` and compact blocks from this version on (BIP-0152). */
export const SHORT_IDS_BLOCKS_VERSION = 70014
/** `wtxidrelay` (BIP-0339) and `sendaddrv2` (BIP-0155) from this version on. */
export const WTXID_RELAY_VERSION = 70016
/** `feature` from this version on (BIP-0434). */
export const FEATURE_VERSION = 70017

/**
 * The largest payload, in bytes: a frame that announces more ends the connection.
 *
 * @limit bytes of a payload
 */
export const MAX_PROTOCOL_MESSAGE_LENGTH = 4_000_000

/** Serves the whole chain. */
export const NODE_NETWORK: bigint = 1n << 0n
/** Serves bloom filters (BIP-0111). */
export const NODE_BLOOM: bigint = 1n << 2n
/** Knows witnesses (BIP-0144). */
export const NODE_WITNESS: bigint = 1n << 3n
/** Serves compact block filters (BIP-0157). */
export const NODE_COMPACT_FILTERS: bigint = 1n << 6n
/** Serves at least the last 288 blocks (BIP-0159). */
export const NODE_NETWORK_LIMITED: bigint = 1n << 10n
/** Speaks the encrypted transport (BIP-0324). */
export const NODE_P2P_V2: bigint = 1n << 11n

const SERVICE_NAMES: ReadonlyMap<bigint, string> = new Map([
  [NODE_NETWORK, "NETWORK"],
  [NODE_BLOOM, "BLOOM"],
  [NODE_WITNESS, "WITNESS"],
  [NODE_COMPACT_FILTERS, "COMPACT_FILTERS"],
  [NODE_NETWORK_LIMITED, "NETWORK_LIMITED"],
  [NODE_P2P_V2, "P2P_V2"]
])

/** The names of the bits that are set, lowest first, as in `getpeerinfo`'s `servicesnames`: `UNKNOWN[2^n]` for what has none. */
export const serviceNames = (services: bigint): ReadonlyArray<string> => {
  const names: Array<string> = []
  for (let n = 0n; n < 64n; n++) {
    const bit = 1n << n
    if ((services & bit) !== 0n) names.push(SERVICE_NAMES.get(bit) ?? `UNKNOWN[2^${n}]`)
  }
  return names
}
