/**
 * Which inbound peer makes room when all places are taken, as a pure function over what is known of them. Whoever would push everybody else
 * out has to be better at several things at once, each of which costs him something else: networks, nearness, useful work, patience.
 *
 * ```
 *   inbound, without noban ─▶ less the best by network group, ping, transactions, blocks ─▶ less half of the rest by uptime,
 *   some of that half for networks that few come by ─▶ the discouraged, if any ─▶ the youngest of the largest group
 * ```
 *
 * Source: Bitcoin Core 28.1 `node/eviction.cpp` (`SelectNodeToEvict`, `ProtectEvictionCandidatesByRatio`).
 */
import type { Instant, PeerId } from "@satwire/machine"
import type { Network } from "@satwire/netaddress"

export interface EvictionCandidate {
  readonly peer: PeerId
  readonly isInbound: boolean
  /** It has the permission to stay, whatever it does. */
  readonly noBan: boolean
  readonly connectedAt: Instant
  /** Its least round trip; `undefined` before the first. */
  readonly minPingMs: number | undefined
  /** When it last sent a block that we had not, and a transaction that we took; `undefined` for never. */
  readonly lastBlockAt: Instant | undefined
  readonly lastTransactionAt: Instant | undefined
  /** It offers what we would dial it for. */
  readonly hasRelevantServices: boolean
  readonly relaysTransactions: boolean
  readonly hasBloomFilter: boolean
  /** Its group under a secret key, so that nobody can choose a group that is protected. */
  readonly keyedNetgroup: number
  /** Its address is discouraged. */
  readonly isDiscouraged: boolean
  /** It came from this machine. */
  readonly isLocal: boolean
  readonly network: Network
}

/** Places that are kept, each for what one peer does best. */
export const PROTECTED_BY_NETGROUP = 4
export const PROTECTED_BY_PING = 8
export const PROTECTED_BY_TRANSACTIONS = 4
export const PROTECTED_BY_BLOCKS_ALONE = 8
export const PROTECTED_BY_BLOCKS = 4

/** Who of two is worth more, as a number: above 0 where `a` is. */
type Worth = (a: EvictionCandidate, b: EvictionCandidate) => number

/** The first of these that tells the two apart. */
const by =
  (...worths: ReadonlyArray<(candidate: EvictionCandidate) => number>): Worth =>
  (a, b) => {
    for (const worth of worths) {
      const [ofA, ofB] = [worth(a), worth(b)]
      if (ofA !== ofB) return ofA > ofB ? 1 : -1
    }
    return 0
  }

const uptime = ({ connectedAt }: EvictionCandidate): number => 0 - connectedAt
const never = (at: Instant | undefined): number => at ?? -Infinity

const byNetgroup = by(({ keyedNetgroup }) => keyedNetgroup)
const byPing = by(({ minPingMs }) => -(minPingMs ?? Infinity))
const byTransactions = by(
  ({ lastTransactionAt }) => never(lastTransactionAt),
  ({ relaysTransactions }) => Number(relaysTransactions),
  ({ hasBloomFilter }) => -Number(hasBloomFilter),
  uptime
)
const byBlocks = by(
  ({ lastBlockAt }) => never(lastBlockAt),
  ({ hasRelevantServices }) => Number(hasRelevantServices),
  uptime
)
const byBlocksAlone = by(
  ({ relaysTransactions }) => -Number(relaysTransactions),
  ({ lastBlockAt }) => never(lastBlockAt),
  ({ hasRelevantServices }) => Number(hasRelevantServices),
  uptime
)
const byUptime = by(uptime)

/** Who gives blocks and wants no transactions. */
const isForBlocksAlone = ({ relaysTransactions, hasRelevantServices }: EvictionCandidate): boolean =>
  !relaysTransactions && hasRelevantServices

/** Those that are left when of the `count` worthiest those are taken out that `deserve` it. */
const without = (
  candidates: ReadonlyArray<EvictionCandidate>,
  worth: Worth,
  count: number,
  deserve: (candidate: EvictionCandidate) => boolean = () => true
): Array<EvictionCandidate> => {
  const sorted = candidates.toSorted(worth)
  const from = Math.max(0, sorted.length - count)
  return sorted.filter((candidate, i) => i < from || !deserve(candidate))
}

/**
 * Half of them stay for having been here for longest; of these places up to half go to those that come by ways on which pings are long and
 * peers few. What one such way does not need the next ones have, the rarest first.
 */
const withoutHalf = (candidates: ReadonlyArray<EvictionCandidate>): Array<EvictionCandidate> => {
  const half = Math.floor(candidates.length / 2)
  const rareWays: ReadonlyArray<(candidate: EvictionCandidate) => boolean> = [
    ({ network }) => network === "cjdns",
    ({ network }) => network === "i2p",
    ({ isLocal }) => isLocal,
    ({ network }) => network === "torv3"
  ]
  const lines = rareWays
    .map((isOf) => candidates.filter(isOf).toSorted((a, b) => byUptime(b, a)))
    .toSorted((a, b) => a.length - b.length)
  const kept = new Set<EvictionCandidate>()
  const places = Math.floor(half / 2)
  for (let before = -1; kept.size < places && kept.size > before;) {
    before = kept.size
    const waiting = lines.filter((line) => line.length > 0)
    const each = Math.max(1, Math.floor((places - kept.size) / Math.max(1, waiting.length)))
    for (const line of waiting) {
      if (kept.size >= places) break
      // One who is of two ways has his place once.
      let taken = 0
      while (line.length > 0 && taken < each) {
        const candidate = line.shift() as EvictionCandidate
        if (kept.has(candidate)) continue
        kept.add(candidate)
        taken += 1
      }
    }
  }
  const rest = candidates.filter((candidate) => !kept.has(candidate))
  return without(rest, byUptime, half - kept.size)
}

/** The peer to evict; `undefined` where everybody who may go is protected. */
export const selectToEvict = (candidates: ReadonlyArray<EvictionCandidate>): PeerId | undefined => {
  let left = candidates.filter(({ isInbound, noBan }) => isInbound && !noBan)
  left = without(left, byNetgroup, PROTECTED_BY_NETGROUP)
  left = without(left, byPing, PROTECTED_BY_PING)
  left = without(left, byTransactions, PROTECTED_BY_TRANSACTIONS)
  left = without(left, byBlocksAlone, PROTECTED_BY_BLOCKS_ALONE, isForBlocksAlone)
  left = without(left, byBlocks, PROTECTED_BY_BLOCKS)
  left = withoutHalf(left)
  if (left.some(({ isDiscouraged }) => isDiscouraged)) left = left.filter(({ isDiscouraged }) => isDiscouraged)
  return youngestOfLargestGroup(left)?.peer
}

/** Of groups that are equally large the one whose youngest came last. */
const youngestOfLargestGroup = (candidates: ReadonlyArray<EvictionCandidate>): EvictionCandidate | undefined => {
  const groups = new Map<number, { count: number; youngest: EvictionCandidate }>()
  for (const candidate of candidates) {
    const group = groups.get(candidate.keyedNetgroup) ?? { count: 0, youngest: candidate }
    group.count += 1
    if (candidate.connectedAt > group.youngest.connectedAt) group.youngest = candidate
    groups.set(candidate.keyedNetgroup, group)
  }
  let chosen: { readonly count: number; readonly youngest: EvictionCandidate } | undefined
  for (const group of groups.values()) {
    const isLarger =
      chosen === undefined ||
      group.count > chosen.count ||
      (group.count === chosen.count && group.youngest.connectedAt > chosen.youngest.connectedAt)
    if (isLarger) chosen = group
  }
  return chosen?.youngest
}
