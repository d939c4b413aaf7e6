/** `getpeerinfo`: Core's fields, names and units. Source: Bitcoin Core 31.99 `rpc/net.cpp`. */
import { toHex } from "@satwire/bytes"
import type { Permission } from "@satwire/connections"
import { type Json, type JsonObject, type Method, amount, method, result } from "@satwire/json-rpc"
import type { Now } from "@satwire/machine"
import { formatNode, isValid, parseNode } from "@satwire/netaddress"
import type { PeerDetails } from "@satwire/node-core"
import { sanitizeUserAgent, serviceNames } from "@satwire/wire"
import * as Effect from "effect/Effect"
import { Rpc } from "../RpcNode.ts"
import { NETWORK_LIST, networkNameOf, servicesHex, unixOf } from "./NetworkNames.ts"

/** In Core's order. */
const PERMISSIONS: ReadonlyArray<Permission> = [
  "bloomfilter",
  "noban",
  "forcerelay",
  "relay",
  "mempool",
  "download",
  "addr"
]

const { array, boolean, hex, number, object, optional, record, string, time } = result

const PEER = object("", {
  id: number("Counted up from one connection to the next"),
  addr: string("The other end, host:port"),
  addrbind: optional(string("Our end, where it is known, ip:port")),
  addrlocal: optional(string("Where the peer says that it sees us, ip:port")),
  network: string(`Its network (${NETWORK_LIST}, not_publicly_routable)`),
  mapped_as: optional(number("The AS of its address, where there is a map of them")),
  services: hex("The services that it offers"),
  servicesnames: array("The same by name", string("")),
  relaytxes: boolean("Whether we tell it of transactions"),
  last_inv_sequence: number("Transactions of the mempool with lower sequence numbers than this are given to it"),
  inv_to_send: number("Transactions that wait for being announced to it"),
  lastsend: time("When bytes last left"),
  lastrecv: time("When bytes last came"),
  last_transaction: time("When it last sent a transaction that we took, or 0"),
  last_block: time("When it last sent a block that we had not, or 0"),
  bytessent: number("All bytes sent"),
  bytesrecv: number("All bytes received"),
  conntime: time("When the connection began"),
  timeoffset: number("Its clock less ours, in seconds"),
  pingtime: optional(number("The last ping's round trip, in seconds")),
  minping: optional(number("The least round trip of all pings, in seconds")),
  pingwait: optional(number("How long a ping waits for its answer, in seconds")),
  version: number("The version of the protocol that it speaks; 0 before it said so"),
  subver: string("What it calls itself"),
  inbound: boolean("Whether it dialled us"),
  bip152_hb_to: boolean("Whether we chose it to send us blocks in short at once"),
  bip152_hb_from: boolean("Whether it chose us for that"),
  startingheight: number("The height that it was at when it came, as it says"),
  presynced_headers: number("How far its headers were looked at without keeping them, or -1"),
  synced_headers: number("The best header that we know it has, or -1"),
  synced_blocks: number("The last block that both have, or -1"),
  inflight: array("Heights of the blocks that it was asked for", number("")),
  addr_relay_enabled: boolean("Whether we tell each other of addresses"),
  addr_processed: number("Addresses of it that were looked at"),
  addr_rate_limited: number("Addresses of it that were too many"),
  permissions: array("What our user allows to it", string("")),
  minfeefilter: result.amount("It wants to be told of transactions that pay at least this, in BTC/kvB"),
  bytessent_per_msg: record("All bytes sent by type of message", number("")),
  bytesrecv_per_msg: record("All bytes received by type of message; *other* for unknown ones", number("")),
  connection_type: string(
    "What the connection is for: inbound, outbound-full-relay, block-relay-only, manual, addr-fetch, feeler"
  ),
  transport_protocol_type: string("detecting, v1, or v2 (BIP-0324)"),
  session_id: string("The session id of v2, or empty")
})

export const getpeerinfo: Method<Rpc> = method({
  name: "getpeerinfo",
  category: "network",
  about: "Returns data about each connected network peer as a json array of objects.",
  params: [],
  result: array("", PEER),
  examples: [[]],
  run: () =>
    Effect.gen(function* () {
      const { node } = yield* Rpc
      const [peers, now] = yield* Effect.all([node.query("peerDetails"), node.now])
      return peers.map((peer): Json => ({ ...ofConnection(peer, now), ...ofConversation(peer), ...ofTransport(peer) }))
    })
})

const seconds = (ms: number | undefined): number | undefined => (ms === undefined || ms <= 0 ? undefined : ms / 1000)

const ofConnection = (peer: PeerDetails, now: Now): JsonObject => {
  const { address, info, mappedAs, pingSince, seenAs, socket, transactions } = peer
  const ours = parseNode(socket)
  const services = info?.services ?? 0n
  return {
    id: peer.peer,
    addr: address,
    addrbind: ours !== undefined && isValid(ours) ? socket : undefined,
    addrlocal: seenAs === undefined ? undefined : formatNode(seenAs),
    network: networkNameOf(parseNode(address)),
    mapped_as: mappedAs === 0 ? undefined : mappedAs,
    services: servicesHex(services),
    servicesnames: serviceNames(services),
    relaytxes: transactions?.isTold === true,
    last_inv_sequence: transactions?.isTold === true ? transactions.lastInvSequence + 1 : 0,
    inv_to_send: transactions?.invToSend ?? 0,
    lastsend: unixOf(peer.lastSent, now),
    lastrecv: unixOf(peer.lastReceived, now),
    last_transaction: unixOf(peer.lastTransactionAt, now),
    last_block: unixOf(peer.lastBlockAt, now),
    bytessent: peer.bytesSent,
    bytesrecv: peer.bytesReceived,
    conntime: unixOf(peer.openedAt, now),
    timeoffset: info?.timeOffsetSeconds ?? 0,
    pingtime: seconds(peer.pingMs),
    minping: seconds(peer.minPingMs),
    pingwait: seconds(pingSince === undefined ? undefined : now.instant - pingSince)
  }
}

const ofConversation = (peer: PeerDetails): JsonObject => {
  const { addresses, info, transactions } = peer
  return {
    version: info?.protocolVersion ?? 0,
    subver: sanitizeUserAgent(info?.userAgent ?? ""),
    inbound: peer.direction === "inbound",
    bip152_hb_to: peer.isHighBandwidthTo,
    bip152_hb_from: peer.isHighBandwidthFrom,
    startingheight: info?.startHeight ?? -1,
    presynced_headers: peer.presyncedHeight,
    synced_headers: peer.headersHeight,
    synced_blocks: peer.blocksHeight,
    inflight: peer.inFlight,
    addr_relay_enabled: addresses?.isRelaying === true,
    addr_processed: addresses?.processed ?? 0,
    addr_rate_limited: addresses?.rateLimited ?? 0,
    permissions: PERMISSIONS.filter((permission) => peer.permissions.has(permission)),
    minfeefilter: amount(transactions?.minFeeRateSatPerKvb ?? 0)
  }
}

const ofTransport = ({ info, kind, received, sent, transport }: PeerDetails): JsonObject => ({
  bytessent_per_msg: perMessage(sent),
  bytesrecv_per_msg: perMessage(received),
  connection_type: kind,
  transport_protocol_type: transport,
  session_id: info?.sessionId === undefined ? "" : toHex(info.sessionId)
})

const OTHER = "*other*"

/** By type, in alphabetical order. What is no type of message that anybody knows counts as one. */
const perMessage = (counts: PeerDetails["sent"]): JsonObject => {
  const bytes = new Map<string, number>()
  for (const [label, count] of counts) {
    const type = label.startsWith("*") ? OTHER : label
    bytes.set(type, (bytes.get(type) ?? 0) + count.bytes)
  }
  return Object.fromEntries([...bytes].filter(([, sum]) => sum > 0).sort(([a], [b]) => (a < b ? -1 : 1)))
}
