/**
 * Draft. Whether a connection may announce transactions by reconciling sets (BIP-0330): agreed on between `version` and `verack`, or not at
 * all. What follows from it is not built.
 *
 * Source: BIP-0330; Bitcoin Core 28.1 `net_processing.cpp` (`SENDTXRCNCL`), `node/txreconciliation.cpp`.
 */
import { type SendTxRcncl, TXRECONCILIATION_VERSION, WTXID_RELAY_VERSION } from "@satwire/wire"
import { KIND_RULES } from "./ConnectionKind.ts"
import type { PeerIdentity, PeerInfo } from "./PeerEvents.ts"

/** What was agreed on. */
export interface Reconciliation {
  /** The lower of both sides' versions of it. */
  readonly version: number
  readonly ourSalt: bigint
  readonly theirSalt: bigint
}

/** Whether our side offers it to this peer. */
export const offersReconciliation = (identity: PeerIdentity, info: PeerInfo): boolean =>
  identity.describe().reconciles === true &&
  info.commonVersion >= WTXID_RELAY_VERSION &&
  info.relay &&
  info.kind !== "addr-fetch" &&
  !KIND_RULES[info.kind].refusesTransactions

/**
 * What their `sendtxrcncl` comes to: what is agreed on, what is wrong with it in half a sentence, or `undefined` where it is ignored.
 *
 * @param ourSalt what we sent, if we did
 */
export const agreeOnReconciliation = (
  identity: PeerIdentity,
  info: PeerInfo,
  ourSalt: bigint | undefined,
  message: SendTxRcncl
): Reconciliation | string | undefined => {
  const { reconciles, relay } = identity.describe()
  if (reconciles !== true) return undefined
  if (!relay || KIND_RULES[info.kind].refusesTransactions) return "we want no transactions"
  if (!info.relay) return "it wants no transactions itself"
  if (ourSalt === undefined) return undefined
  if (info.reconciliation !== undefined) return "it came twice"
  if (message.version < 1) return `there is no version ${message.version} of it`
  return { version: Math.min(message.version, TXRECONCILIATION_VERSION), ourSalt, theirSalt: message.salt }
}
