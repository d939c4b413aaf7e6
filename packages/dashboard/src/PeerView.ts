/** A peer as the page shows it. What it says of itself is made fit to read, and short. */
import type { Instant } from "@satwire/machine"
import { formatNode, parseNode } from "@satwire/netaddress"
import type { PeerDetails } from "@satwire/node-core"
import type { PeerInfo, TrafficSnapshot } from "@satwire/peer"
import { sanitizeUserAgent, serviceNames } from "@satwire/wire"
import { toHex } from "@satwire/primitives"
import type { CommandCount, PeerDetail, PeerRow } from "@satwire/dashboard-page"

/** By command, most bytes first. */
export const commandCounts = (counts: TrafficSnapshot["received"]): ReadonlyArray<CommandCount> =>
  [...counts]
    .map(([label, { bytes, messages }]): CommandCount => [label, messages, bytes])
    .toSorted(([, , a], [, , b]) => b - a)

export const peerRow = (peer: PeerDetails, now: Instant): PeerRow => ({
  id: peer.peer,
  address: peer.address,
  network: parseNode(peer.address)?.network ?? "",
  kind: peer.kind,
  direction: peer.direction,
  transport: peer.transport,
  state: peer.state,
  userAgent: sanitizeUserAgent(peer.info?.userAgent ?? ""),
  forMs: now - peer.openedAt,
  pingMs: peer.pingMs ?? null,
  minPingMs: peer.minPingMs ?? null,
  bytesReceived: peer.bytesReceived,
  bytesSent: peer.bytesSent,
  height: peer.headersHeight
})

const agreedOn = (info: PeerInfo | undefined): ReadonlyArray<string> => {
  if (info === undefined) return []
  const features = info.features?.map((feature) => sanitizeUserAgent(feature.featureId)) ?? []
  return [
    ...(info.relay ? ["transactions"] : []),
    ...(info.wtxidRelay ? ["wtxidrelay"] : []),
    ...(info.addrV2 ? ["addrv2"] : []),
    ...(info.reconciliation === undefined ? [] : ["reconciliation"]),
    ...features
  ]
}

/** The session id as BIP-0324 gives it to people to compare: in the order of its bytes. */
const sessionId = (info: PeerInfo | undefined): string =>
  info?.sessionId === undefined ? "" : toHex(info.sessionId.toReversed())

export const peerDetail = (peer: PeerDetails, now: Instant): PeerDetail => {
  const { addresses, info, inFlight, transactions } = peer
  const since = (instant: Instant | undefined): number | null => (instant === undefined ? null : now - instant)
  return {
    ...peerRow(peer, now),
    socket: peer.socket,
    seenAs: peer.seenAs === undefined ? "" : formatNode(peer.seenAs),
    sessionId: sessionId(info),
    protocolVersion: info?.protocolVersion ?? null,
    services: serviceNames(info?.services ?? 0n),
    startHeight: info?.startHeight ?? null,
    timeOffsetSeconds: info?.timeOffsetSeconds ?? null,
    agreed: agreedOn(info),
    permissions: [...peer.permissions],
    mappedAs: peer.mappedAs,
    pingWaitsMs: since(peer.pingSince),
    lastReceivedMs: since(peer.lastReceived),
    lastSentMs: since(peer.lastSent),
    lastBlockMs: since(peer.lastBlockAt),
    lastTransactionMs: since(peer.lastTransactionAt),
    receivedBytesWaiting: peer.receivedBytesWaiting,
    blocksHeight: peer.blocksHeight,
    presyncedHeight: peer.presyncedHeight,
    inFlight: inFlight.slice(0, MOST_HEIGHTS),
    isHighBandwidthTo: peer.isHighBandwidthTo,
    isHighBandwidthFrom: peer.isHighBandwidthFrom,
    addresses: addresses === undefined ? null : { processed: addresses.processed, rateLimited: addresses.rateLimited },
    transactions:
      transactions === undefined
        ? null
        : {
            isTold: transactions.isTold,
            minFeeRateSatPerKvb: transactions.minFeeRateSatPerKvb,
            toAnnounce: transactions.invToSend,
            inFlight: transactions.inFlight
          },
    received: commandCounts(peer.received),
    sent: commandCounts(peer.sent)
  }
}

const MOST_HEIGHTS = 64
