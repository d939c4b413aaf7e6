/**
 * A network's figures as rows for `@satwire/metrics`: `exposition(NETWORK_METRICS, yield* network.getNetworkStatus)` is the text that Prometheus reads,
 * `grafanaDashboard(NETWORK_METRICS)` the dashboard. Read when somebody asks.
 */
import type { Metric, Sample } from "@satwire/metrics"
import type { NetworkStatus } from "./NetworkStatus.ts"
import type { KindTraffic } from "./Tally.ts"

type Row = Metric<NetworkStatus>

const GROUP = "The overlay"

const row = (
  kind: "counter" | "gauge",
  name: string,
  help: string,
  labels: ReadonlyArray<string>,
  samples: (status: NetworkStatus) => ReadonlyArray<Sample>
): Row => ({ group: GROUP, name: `satwire_network_${name}`, help, kind, labels, samples })

const gauge = (name: string, help: string, read: (status: NetworkStatus) => number): Row =>
  row("gauge", name, help, [], (status) => [{ value: read(status) }])

const counter = (name: string, help: string, read: (status: NetworkStatus) => number): Row =>
  row("counter", name, help, [], (status) => [{ value: read(status) }])

const byKind = (
  name: string,
  help: string,
  received: (traffic: KindTraffic) => number,
  sent: (traffic: KindTraffic) => number
): Row =>
  row("counter", name, help, ["kind", "way", "direction"], ({ traffic }) =>
    traffic.flatMap((each) => [
      { labels: [each.kind, each.way, "received"], value: received(each) },
      { labels: [each.kind, each.way, "sent"], value: sent(each) }
    ])
  )

/** Every metric of a network. Labels are its own kinds and closed sets, so that no peer can make more of them. */
export const NETWORK_METRICS: ReadonlyArray<Row> = [
  row("gauge", "info", "Which network this is; always 1.", ["network"], ({ network }) => [
    { labels: [network], value: 1 }
  ]),
  gauge("running", "Whether it is started.", ({ isRunning }) => Number(isRunning)),
  gauge("uptime_seconds", "How long it has been running.", ({ uptimeMs }) => uptimeMs / 1000),
  row("gauge", "peers", "Peers that are there.", ["direction"], ({ peers }) => [
    { labels: ["inbound"], value: peers.inbound },
    { labels: ["outbound"], value: peers.outbound }
  ]),
  gauge("other_connections", "Connections without messages, which take places, too.", ({ peers }) => peers.others),
  row("gauge", "max_peers", "Peers that there may be.", ["direction"], ({ peers }) => [
    { labels: ["inbound"], value: peers.maxInbound },
    { labels: ["outbound"], value: peers.maxOutbound },
    { labels: ["any"], value: peers.maxPeers }
  ]),
  row("gauge", "latency_seconds", "Round trips to peers, as of their last pings.", ["of"], ({ latencyMs }) =>
    latencyMs === undefined
      ? []
      : (["least", "mean", "most"] as const).map((of) => ({ labels: [of], value: latencyMs[of] / 1000 }))
  ),
  byKind(
    "messages_total",
    "Messages, by kind.",
    ({ messagesReceived }) => messagesReceived,
    ({ messagesSent }) => messagesSent
  ),
  byKind(
    "message_bytes_total",
    "Bytes of messages, by kind.",
    ({ bytesReceived }) => bytesReceived,
    ({ bytesSent }) => bytesSent
  ),
  counter(
    "limited_messages_total",
    "Messages dropped because their senders sent too many.",
    ({ limitedMessages }) => limitedMessages
  ),
  row("gauge", "topic_peers", "Peers that have a topic of gossip.", ["kind"], ({ gossip }) =>
    gossip.map(({ kind, peers }) => ({ labels: [kind], value: peers }))
  ),
  row("gauge", "mesh_peers", "Peers to whom messages of a topic are passed on whole.", ["kind"], ({ gossip }) =>
    gossip.map(({ kind, mesh }) => ({ labels: [kind], value: mesh }))
  ),
  row("gauge", "dht_peers", "Peers in the distributed hash table.", [], ({ dht }) =>
    dht === undefined ? [] : [{ value: dht.peers }]
  ),
  gauge("known_peers", "Peers in the address book.", ({ knownPeers }) => knownPeers),
  gauge("score_mean", "The mean of the scores of peers, from -100 to 100.", ({ scores }) => scores.mean),
  row("gauge", "standing_peers", "Peers by what is thought of them.", ["standing"], ({ scores }) =>
    (["trusted", "neutral", "doubtful"] as const).map((standing) => ({ labels: [standing], value: scores[standing] }))
  ),
  gauge("banned_peers", "Peers that are banned.", ({ bannedPeers }) => bannedPeers),
  counter("bans_total", "Bans.", ({ bans }) => bans)
]
