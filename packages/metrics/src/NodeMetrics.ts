/** Every metric of a node, one row each. The documentation and the dashboard are made from these rows. */
import type { PeerStatus, Queries } from "@satwire/node-core"
import { parseNode } from "@satwire/netaddress"
import type { TrafficCount, TrafficLabel } from "@satwire/peer"
import { TURN_STEPS_MS, type TurnsSnapshot } from "@satwire/runtime"
import type { Distribution, Metric, Sample } from "./Metric.ts"
import type { Counts, Durations, Tally } from "./Tally.ts"

/** All that metrics are read from, at one moment. */
export interface Readings extends Pick<
  Queries,
  "peers" | "headers" | "blocks" | "pool" | "compact" | "bans" | "addresses" | "upload" | "traffic"
> {
  readonly tally: Tally
  readonly turns: TurnsSnapshot
  /** Seconds since 1970. */
  readonly unix: number
  readonly uptimeSeconds: number
  readonly about: { readonly version: string; readonly network: string }
  readonly process: { readonly residentBytes: number; readonly heapBytes: number; readonly cpuSeconds: number }
}

type Row = Metric<Readings>

const one = (value: number | undefined): ReadonlyArray<Sample> => (value === undefined ? [] : [{ value }])

const counted = (counts: Counts): ReadonlyArray<Sample> =>
  [...counts].map(([label, value]) => ({ labels: [label], value }))

const distribution = ({ counts, ends, sum }: Durations): ReadonlyArray<Distribution> => [{ ends, counts, sum }]

const gauge = (group: string, name: string, help: string, read: (from: Readings) => number | undefined): Row => ({
  group,
  name,
  help,
  kind: "gauge",
  labels: [],
  samples: (from) => one(read(from))
})

const counter = (group: string, name: string, help: string, read: (from: Readings) => number): Row => ({
  group,
  name,
  help,
  kind: "counter",
  labels: [],
  samples: (from) => one(read(from))
})

/** How often, by one label. */
const counters = (group: string, name: string, label: string, help: string, read: (tally: Tally) => Counts): Row => ({
  group,
  name,
  help,
  kind: "counter",
  labels: [label],
  samples: ({ tally }) => counted(read(tally))
})

const TURN_STEPS_SECONDS = TURN_STEPS_MS.map((ms) => Number((ms / 1000).toPrecision(3)))

const ABOUT: ReadonlyArray<Row> = [
  {
    group: "The node",
    name: "satwire_info",
    help: "Which node this is; always 1.",
    kind: "gauge",
    labels: ["version", "network"],
    samples: ({ about }) => [{ labels: [about.version, about.network], value: 1 }]
  },
  gauge("The node", "satwire_uptime_seconds", "How long it has been running.", ({ uptimeSeconds }) => uptimeSeconds),
  gauge("The node", "satwire_process_resident_bytes", "Memory of the process.", ({ process }) => process.residentBytes),
  gauge(
    "The node",
    "satwire_process_heap_bytes",
    "JavaScript heap that is in use.",
    ({ process }) => process.heapBytes
  ),
  counter(
    "The node",
    "satwire_process_cpu_seconds_total",
    "Time of all processors that the process took.",
    ({ process }) => process.cpuSeconds
  ),
  {
    group: "The node",
    name: "satwire_turn_seconds",
    help: "How long turns of the machine took.",
    kind: "histogram",
    labels: [],
    distributions: ({ turns }) => [
      {
        ends: TURN_STEPS_SECONDS,
        counts: turns.steps,
        sum: turns.totalMs / 1000
      }
    ]
  },
  gauge("The node", "satwire_turn_longest_seconds", "The longest turn so far.", ({ turns }) => turns.longestMs / 1000),
  gauge(
    "The node",
    "satwire_turn_waiting_inputs_max",
    "How many inputs waited for a turn at most.",
    ({ turns }) => turns.mostWaiting
  )
]

/** The network of a peer, by its address: of those who came through a proxy or a bridge it is that of the proxy. */
const networkOf = ({ address }: PeerStatus): string => parseNode(address)?.network ?? "other"

const PEERS: ReadonlyArray<Row> = [
  {
    group: "Peers",
    name: "satwire_peers",
    help: "Connections, by network, what they are for, transport, and how far they have come.",
    kind: "gauge",
    labels: ["network", "kind", "transport", "state"],
    samples: ({ peers }) => {
      const sums = Map.groupBy(peers, (peer) => [networkOf(peer), peer.kind, peer.transport, peer.state].join(" "))
      return [...sums].map(([key, { length }]) => ({ labels: key.split(" "), value: length }))
    }
  },
  counters("Peers", "satwire_dials_total", "kind", "Attempts to connect.", (tally) => tally.dials),
  counters(
    "Peers",
    "satwire_dials_failed_total",
    "reason",
    "Attempts to connect that reached nobody.",
    (tally) => tally.dialsFailed
  ),
  counters("Peers", "satwire_connections_total", "kind", "Connections that were there.", (tally) => tally.connected),
  counters(
    "Peers",
    "satwire_handshakes_total",
    "kind",
    "Hands that were shaken: over satwire_connections_total it is the rate of success.",
    (tally) => tally.introduced
  ),
  {
    group: "Peers",
    name: "satwire_connect_seconds",
    help: "From the dial to hands that are shaken.",
    kind: "histogram",
    labels: [],
    distributions: ({ tally }) => distribution(tally.connectSeconds)
  },
  counters("Peers", "satwire_disconnects_total", "reason", "Connections that ended.", (tally) => tally.disconnected),
  counters(
    "Peers",
    "satwire_misbehaviour_total",
    "reason",
    "Peers that broke a rule which no honest peer breaks, and are discouraged.",
    (tally) => tally.misbehaved
  ),
  counters(
    "Peers",
    "satwire_inbound_refused_total",
    "reason",
    "Who dialled us and was sent away at once.",
    (tally) => tally.refused
  ),
  {
    group: "Peers",
    name: "satwire_ping_seconds",
    help: "The last round trips of those that are connected: the middle one, and of a hundred the second longest.",
    kind: "gauge",
    labels: ["quantile"],
    samples: ({ peers }) => quantiles(peers.flatMap(({ pingMs }) => (pingMs === undefined ? [] : [pingMs / 1000])))
  },
  gauge("Peers", "satwire_bans", "Bans that hold.", ({ bans }) => bans.length),
  {
    group: "Peers",
    name: "satwire_addresses",
    help: "Addresses of nodes that are known, by table.",
    kind: "gauge",
    labels: ["table"],
    samples: ({ addresses }) =>
      addresses === undefined
        ? []
        : [
            { labels: ["new"], value: addresses.new },
            { labels: ["tried"], value: addresses.tried }
          ]
  },
  counter(
    "Peers",
    "satwire_addresses_learned_total",
    "Addresses that peers told of and that got a place.",
    ({ tally }) => tally.addressesLearned
  )
]

const quantiles = (values: ReadonlyArray<number>): ReadonlyArray<Sample> => {
  const sorted = values.toSorted((a, b) => a - b)
  return [0.5, 0.99].flatMap((quantile) => {
    const value = sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))]
    return value === undefined ? [] : [{ labels: [String(quantile)], value }]
  })
}

type Traffic = ReadonlyMap<TrafficLabel, TrafficCount>

const byCommand = (counts: Traffic, what: keyof TrafficCount): ReadonlyArray<Sample> =>
  [...counts].map(([label, count]) => ({ labels: [label], value: count[what] }))

/** What brings the chain, its transactions and addresses. */
const USEFUL: ReadonlySet<TrafficLabel> = new Set<TrafficLabel>([
  "headers",
  "block",
  "merkleblock",
  "cmpctblock",
  "blocktxn",
  "tx",
  "cfilter",
  "cfheaders",
  "cfcheckpt",
  "addr",
  "addrv2"
])

const usefulShare = ({ traffic: { bytesReceived, received } }: Readings): number | undefined => {
  if (bytesReceived === 0) return undefined
  let useful = 0
  for (const [label, { bytes }] of received) if (USEFUL.has(label)) useful += bytes
  return Math.min(1, useful / bytesReceived)
}

const TRAFFIC: ReadonlyArray<Row> = [
  counter(
    "Traffic",
    "satwire_received_bytes_total",
    "Bytes received, of all connections that there were.",
    (from) => from.traffic.bytesReceived
  ),
  counter(
    "Traffic",
    "satwire_sent_bytes_total",
    "Bytes sent, of all connections that there were.",
    (from) => from.traffic.bytesSent
  ),
  ...(["received", "sent"] as const).flatMap((side): ReadonlyArray<Row> => [
    {
      group: "Traffic",
      name: `satwire_messages_${side}_total`,
      help: `Messages ${side}, by command; other commands, dropped frames and decoys by names in asterisks.`,
      kind: "counter",
      labels: ["command"],
      samples: ({ traffic }) => byCommand(traffic[side], "messages")
    },
    {
      group: "Traffic",
      name: `satwire_message_${side}_bytes_total`,
      help: `Bytes of messages ${side}, by command, with their frames.`,
      kind: "counter",
      labels: ["command"],
      samples: ({ traffic }) => byCommand(traffic[side], "bytes")
    }
  ]),
  counter(
    "Traffic",
    "satwire_messages_dropped_total",
    "Messages that were dropped for what is wrong with them.",
    (from) => from.tally.dropped
  ),
  gauge(
    "Traffic",
    "satwire_useful_bytes_ratio",
    "Share of the bytes received that are of messages which bring headers, blocks, filters, transactions or addresses.",
    usefulShare
  ),
  gauge(
    "Traffic",
    "satwire_upload_left_bytes",
    "What is left of the day's upload target, where there is one.",
    ({ upload }) => upload.leftBytes
  )
]

const CHAIN: ReadonlyArray<Row> = [
  gauge("The chain", "satwire_headers_height", "Height of the best header.", ({ headers }) => headers?.tip.height),
  gauge("The chain", "satwire_headers", "Headers of all chains.", ({ headers }) => headers?.headers),
  gauge(
    "The chain",
    "satwire_blocks_height",
    "Up to which height all blocks are here.",
    (from) => from.blocks?.tip.height
  ),
  gauge(
    "The chain",
    "satwire_blocks_target_height",
    "Up to which height blocks are fetched.",
    (from) => from.blocks?.targetHeight
  ),
  gauge("The chain", "satwire_tip_age_seconds", "Time since the timestamp of the last block that is here.", (from) =>
    from.blocks === undefined ? undefined : from.unix - from.blocks.tip.time
  ),
  gauge(
    "The chain",
    "satwire_sync_progress_ratio",
    "Share of the blocks up to the target that are here.",
    ({ blocks }) =>
      blocks === undefined
        ? undefined
        : blocks.targetHeight <= 0
          ? 1
          : Math.min(1, blocks.tip.height / blocks.targetHeight)
  ),
  gauge("The chain", "satwire_blocks_in_flight", "Blocks that were asked for.", ({ blocks }) => blocks?.inFlight),
  gauge(
    "The chain",
    "satwire_blocks_waiting",
    "Blocks that are being checked or kept.",
    ({ blocks }) => blocks?.waiting
  ),
  gauge("The chain", "satwire_blocks_waiting_bytes", "Their bytes.", ({ blocks }) => blocks?.waitingBytes),
  gauge(
    "The chain",
    "satwire_blocks_bytes_per_second",
    "How fast blocks come, of all peers.",
    (from) => from.blocks?.bytesPerSecond
  ),
  counter(
    "The chain",
    "satwire_headers_accepted_total",
    "Headers that were new.",
    (from) => from.tally.headersAccepted
  ),
  counter("The chain", "satwire_blocks_invalid_total", "Blocks that break a rule.", ({ tally }) => tally.blocksInvalid),
  counter(
    "The chain",
    "satwire_reorganisations_total",
    "Times that headers left the best chain.",
    (from) => from.tally.reorganisations
  ),
  counter(
    "The chain",
    "satwire_reorganised_headers_total",
    "Headers that left the best chain.",
    (from) => from.tally.blocksLeft
  ),
  gauge(
    "The chain",
    "satwire_reorganisation_deepest_headers",
    "The most that left it at once.",
    (from) => from.tally.deepestReorganisation
  )
]

const STORE: ReadonlyArray<Row> = [
  counter(
    "The store",
    "satwire_headers_stored_total",
    "Headers that were put on disk.",
    ({ tally }) => tally.headersStored
  ),
  counter(
    "The store",
    "satwire_blocks_stored_total",
    "Blocks that were put on disk.",
    ({ tally }) => tally.blocksStored
  ),
  counter("The store", "satwire_blocks_stored_bytes_total", "Their bytes.", ({ tally }) => tally.blockBytesStored),
  counter("The store", "satwire_blocks_pruned_total", "Old blocks that made room.", ({ tally }) => tally.blocksPruned),
  gauge("The store", "satwire_store_full", "1 while the disk is full.", ({ tally }) => Number(tally.isStoreFull)),
  gauge("The store", "satwire_store_behind", "1 while peers wait for the disk.", ({ tally }) =>
    Number(tally.isStoreBehind)
  )
]

const RELAY: ReadonlyArray<Row> = [
  gauge("Relay", "satwire_pool_transactions", "Transactions that wait for a block.", ({ pool }) => pool?.count),
  gauge("Relay", "satwire_pool_bytes", "The memory that they take.", ({ pool }) => pool?.memoryBytes),
  gauge(
    "Relay",
    "satwire_pool_min_fee_rate_sat_per_kvb",
    "The least fee rate that is taken.",
    (from) => from.pool?.minFeeRateSatPerKvb
  ),
  gauge("Relay", "satwire_pool_orphans", "Transactions whose parents are not here.", ({ pool }) => pool?.orphans),
  gauge(
    "Relay",
    "satwire_pool_announcements",
    "Announcements of transactions that are kept.",
    (from) => from.pool?.announcements
  ),
  counters(
    "Relay",
    "satwire_transactions_accepted_total",
    "origin",
    "Transactions that were taken, of our own and of peers.",
    (tally) => tally.transactions
  ),
  counter(
    "Relay",
    "satwire_compact_blocks_total",
    "Blocks that were put together of their short form.",
    (from) => from.tally.rebuilt
  ),
  counter(
    "Relay",
    "satwire_compact_blocks_at_once_total",
    "Those of them for which nothing had to be asked.",
    ({ tally }) => tally.rebuiltAtOnce
  ),
  counter("Relay", "satwire_compact_block_bytes_total", "Bytes of those blocks.", ({ tally }) => tally.rebuiltBytes),
  counter(
    "Relay",
    "satwire_compact_message_bytes_total",
    "Bytes of the messages that they were made of.",
    (from) => from.tally.rebuiltFromBytes
  ),
  {
    group: "Relay",
    name: "satwire_compact_rebuild_seconds",
    help: "From the turn in which a short form came to that in which its block was whole.",
    kind: "histogram",
    labels: [],
    distributions: ({ tally }) => distribution(tally.rebuildSeconds)
  },
  gauge(
    "Relay",
    "satwire_compact_blocks_waiting",
    "Blocks that wait for the rest of their transactions.",
    (from) => from.compact?.partial
  )
]

/** All of them, in the order in which they are written. */
export const NODE_METRICS: ReadonlyArray<Row> = [...ABOUT, ...PEERS, ...TRAFFIC, ...CHAIN, ...STORE, ...RELAY]
