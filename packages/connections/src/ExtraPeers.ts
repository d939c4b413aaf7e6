/**
 * Which peer of ours goes where there is one more than wanted: an extra one is dialled now and then, when no block has come for long or to
 * rotate, and whoever is of the least use then makes room.
 *
 * Source: Bitcoin Core 28.1 `net_processing.cpp` (`EvictExtraOutboundPeers`).
 */
import type { Instant } from "@satwire/machine"
import type { Network } from "@satwire/netaddress"
import type { Slot } from "./Slots.ts"

/** Core's `EXTRA_PEER_CHECK_INTERVAL`. */
export const EXTRA_PEER_CHECK_INTERVAL_MS = 45_000
/** Core's `MINIMUM_CONNECT_TIME`: nobody is judged earlier. */
export const MINIMUM_CONNECT_TIME_MS = 30_000

const isPresent = ({ isLeaving, isReady }: Slot): boolean => isReady && !isLeaving

/** The full-relay peer that has told of new blocks longest ago; of those that are equal the youngest. Nobody's last way to a network goes. */
export const extraFullRelay = (outbound: Iterable<Slot>, most: number, instant: Instant): Slot | undefined => {
  const present = [...outbound].filter(isPresent)
  const fullRelay = present.filter(({ kind }) => kind === "outbound-full-relay")
  if (fullRelay.length <= most) return undefined
  const onNetwork = new Map<Network, number>()
  for (const { kind, node } of present) {
    if (node === undefined || (kind !== "outbound-full-relay" && kind !== "manual")) continue
    onNetwork.set(node.network, (onNetwork.get(node.network) ?? 0) + 1)
  }
  const worst = fullRelay
    .filter(({ deeds, node }) => !deeds.isProtected && node !== undefined && (onNetwork.get(node.network) ?? 0) > 1)
    .toSorted((a, b) => (a.deeds.announcedAt ?? -1) - (b.deeds.announcedAt ?? -1) || peerOf(b) - peerOf(a))[0]
  return worst !== undefined && mayGo(worst, instant) ? worst : undefined
}

/** The youngest block-relay-only peer, or the one before it where the youngest gave us a block more recently. */
export const extraBlockRelayOnly = (outbound: Iterable<Slot>, most: number, instant: Instant): Slot | undefined => {
  const present = [...outbound]
    .filter((slot) => isPresent(slot) && slot.kind === "block-relay-only")
    .toSorted((a, b) => peerOf(b) - peerOf(a))
  const [youngest, next] = present
  if (present.length <= most || youngest === undefined || next === undefined) return undefined
  const chosen = (youngest.deeds.lastBlockAt ?? -1) > (next.deeds.lastBlockAt ?? -1) ? next : youngest
  return mayGo(chosen, instant) ? chosen : undefined
}

const peerOf = ({ peer }: Slot): number => peer ?? 0

const mayGo = ({ deeds, since }: Slot, instant: Instant): boolean =>
  instant - since > MINIMUM_CONNECT_TIME_MS && deeds.blocksInFlight === 0
