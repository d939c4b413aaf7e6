/** Methods about the node's place on the network as a whole. Source: Bitcoin Core 31.99 `rpc/net.cpp`. */
import { UPLOAD_CYCLE_MS } from "@satwire/connections"
import { type Method, amount, method, result } from "@satwire/json-rpc"
import { DEFAULT_INCREMENTAL_RELAY_SAT_PER_KVB, DEFAULT_MIN_RELAY_SAT_PER_KVB } from "@satwire/mempool"
import { NETWORKS, formatHost } from "@satwire/netaddress"
import { sanitizeUserAgent, serviceNames } from "@satwire/wire"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Rpc } from "../RpcNode.ts"
import { NETWORK_LIST, NETWORK_NAMES, servicesHex } from "./NetworkNames.ts"

const { array, boolean, hex, number, object, string, time } = result

export const getnetworkinfo: Method<Rpc> = method({
  name: "getnetworkinfo",
  category: "network",
  about: "Returns an object containing various state info regarding P2P networking.",
  params: [],
  result: object("", {
    version: number("The release of Bitcoin Core whose methods and fields these are; our own version is in subversion"),
    subversion: string("What the server calls itself"),
    protocolversion: number("The protocol version"),
    localservices: hex("The services that we offer"),
    localservicesnames: array("The same by name", string("")),
    localrelay: boolean("Whether we ask peers for transactions"),
    timeoffset: number("By how much the clocks of peers are ahead of ours, in seconds"),
    networkactive: boolean("Whether there are connections at all"),
    connections: number("The number of connections"),
    connections_in: number("Those that others opened"),
    connections_out: number("Those that we opened"),
    networks: array(
      "",
      object("", {
        name: string(`The network (${NETWORK_LIST})`),
        limited: boolean("Whether it is not dialled"),
        reachable: boolean("Whether it is"),
        proxy: string("The proxy for it, host:port, or empty"),
        proxy_randomize_credentials: boolean("Whether each connection through it has credentials of its own")
      })
    ),
    relayfee: result.amount("Transactions that pay less are not taken, in BTC/kvB"),
    incrementalfee: result.amount("What takes another's place pays so much more, in BTC/kvB"),
    localaddresses: array(
      "Where we can be found",
      object("", { address: string(""), port: number(""), score: number("How sure that is") })
    ),
    warnings: array("What is wrong with the node or the network", string(""))
  }),
  examples: [[]],
  run: () =>
    Effect.gen(function* () {
      const { node, proxyOf, version, warnings } = yield* Rpc
      const [self, peers, local] = yield* Effect.all([node.query("self"), node.query("peers"), node.query("local")])
      const inbound = peers.filter(({ direction }) => direction === "inbound").length
      return {
        version,
        subversion: sanitizeUserAgent(self.userAgent),
        protocolversion: self.protocolVersion,
        localservices: servicesHex(self.services),
        localservicesnames: serviceNames(self.services),
        localrelay: self.relaysTransactions,
        timeoffset: self.timeOffsetSeconds,
        networkactive: self.isNetworkActive,
        connections: peers.length,
        connections_in: inbound,
        connections_out: peers.length - inbound,
        networks: NETWORKS.map(({ network }) => {
          const reachable = self.networks.includes(network)
          const { address = "", randomizesCredentials = false } = proxyOf(network) ?? {}
          return {
            name: NETWORK_NAMES[network],
            limited: !reachable,
            reachable,
            proxy: address,
            proxy_randomize_credentials: randomizesCredentials
          }
        }),
        relayfee: amount(DEFAULT_MIN_RELAY_SAT_PER_KVB),
        incrementalfee: amount(DEFAULT_INCREMENTAL_RELAY_SAT_PER_KVB),
        localaddresses: local.map(({ node: own, score }) => ({ address: formatHost(own), port: own.port, score })),
        warnings: yield* warnings
      }
    })
})

const MS = 1000

export const getnettotals: Method<Rpc> = method({
  name: "getnettotals",
  category: "network",
  about: "Returns information about network traffic, including bytes in, bytes out, and current system time.",
  params: [],
  result: object("", {
    totalbytesrecv: number("All bytes received"),
    totalbytessent: number("All bytes sent"),
    timemillis: time("The time now, in milliseconds since 1970"),
    uploadtarget: object("", {
      timeframe: number("How long a cycle is, in seconds"),
      target: number("Bytes that may be sent in a cycle; 0 for any number"),
      target_reached: boolean("Whether they were"),
      serve_historical_blocks: boolean("Whether old blocks are given"),
      bytes_left_in_cycle: number("Bytes that may be sent still"),
      time_left_in_cycle: number("How long this cycle lasts still, in seconds")
    })
  }),
  examples: [[]],
  run: () =>
    Effect.gen(function* () {
      const { node } = yield* Rpc
      const [traffic, upload] = yield* Effect.all([node.query("traffic"), node.query("upload")])
      return {
        totalbytesrecv: traffic.bytesReceived,
        totalbytessent: traffic.bytesSent,
        timemillis: yield* Clock.currentTimeMillis,
        uploadtarget: {
          timeframe: UPLOAD_CYCLE_MS / MS,
          target: upload.targetBytes,
          target_reached: upload.isReached,
          serve_historical_blocks: !upload.isReachedForHistoric,
          bytes_left_in_cycle: Math.floor(upload.leftBytes ?? 0),
          // Core says 0 where there is no target.
          time_left_in_cycle: upload.targetBytes === 0 ? 0 : Math.floor(upload.leftMs / MS)
        }
      }
    })
})
