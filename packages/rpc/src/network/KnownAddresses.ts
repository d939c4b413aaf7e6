/** Methods about the nodes that are known. Source: Bitcoin Core 31.99 `rpc/net.cpp`. */
import {
  type Json,
  type JsonObject,
  type Method,
  type RpcError,
  defaulted,
  kind,
  method,
  optional,
  required,
  result,
  rpcError
} from "@satwire/json-rpc"
import { formatHost, parseHost } from "@satwire/netaddress"
import type { AddedAddress, MappedAddress } from "@satwire/node"
import type { KnownCounts } from "@satwire/node-core"
import { NODE_NETWORK, NODE_WITNESS } from "@satwire/wire"
import * as Effect from "effect/Effect"
import { Rpc } from "../RpcNode.ts"
import { NETWORK_LIST, NETWORK_NAMES, networkNameOf, networkNamed } from "./NetworkNames.ts"

const MAX_PORT = 0xffff
const ALL_PERCENT = 100

/** How many addresses are known; fails in a node that knows none. */
const counts: Effect.Effect<KnownCounts, RpcError, Rpc> = Effect.gen(function* () {
  const { node } = yield* Rpc
  const known = yield* node.query("addresses")
  if (known !== undefined) return known
  const message = "Error: Address manager functionality missing or disabled"
  return yield* Effect.fail(rpcError("CLIENT_P2P_DISABLED", message))
})

export const getnodeaddresses: Method<Rpc> = method({
  name: "getnodeaddresses",
  category: "network",
  about:
    "Return known addresses, after filtering for quality and recency. They may be used to find new peers.\n" +
    "The total number of addresses known to the node may be higher.",
  params: [
    defaulted("count", kind.integer, 1, "How many at most; 0 for all"),
    optional("network", kind.string, `Of which network: ${NETWORK_LIST}`, { default: "all networks" })
  ],
  result: result.array(
    "",
    result.object("", {
      time: result.time("When the node was last heard of"),
      services: result.number("The services that it offers"),
      address: result.string("Its address"),
      port: result.number("Its port"),
      network: result.string(`Its network (${NETWORK_LIST})`)
    })
  ),
  examples: [[8], [4, "i2p"], { network: "onion", count: 12 }],
  run: ({ count, network: name }) =>
    Effect.gen(function* () {
      const { node } = yield* Rpc
      if (count < 0) return yield* Effect.fail(rpcError("INVALID_PARAMETER", "Address count out of range"))
      const network = name === undefined ? undefined : networkNamed(name)
      if (name !== undefined && network === undefined) {
        return yield* Effect.fail(rpcError("INVALID_PARAMETER", `Network not recognized: ${name}`))
      }
      const maxAddresses = count === 0 ? Infinity : count
      const known = yield* node.knownAddresses({ maxAddresses, maxPercent: ALL_PERCENT, network })
      return known.map((one) => ({
        time: one.time,
        services: one.services,
        address: formatHost(one),
        port: one.port,
        network: networkNameOf(one)
      }))
    })
})

const COUNTS = result.object(`A network (${NETWORK_LIST}, all_networks)`, {
  new: result.number("Addresses that were heard of"),
  tried: result.number("Addresses that have answered"),
  total: result.number("Both")
})

export const getaddrmaninfo: Method<Rpc> = method({
  name: "getaddrmaninfo",
  category: "network",
  about:
    "Provides information about the node's address manager by returning the number of addresses in the `new` and `tried` tables\n" +
    "and their sum for all networks.",
  params: [],
  result: result.record("By network", COUNTS),
  examples: [[]],
  run: () =>
    Effect.map(counts, (known) => {
      const row = (of: { readonly new: number; readonly tried: number }): JsonObject => ({
        new: of.new,
        tried: of.tried,
        total: of.new + of.tried
      })
      const rows = known.networks.map((of) => [NETWORK_NAMES[of.network], row(of)] as const)
      return Object.fromEntries([...rows, ["all_networks", row(known)] as const])
    })
})

const ENTRY = result.object("At this bucket/position", {
  address: result.string("Its address"),
  mapped_as: result.optional(result.number("The AS of its address, where there is a map of them")),
  port: result.number("Its port"),
  services: result.number("The services that it offers"),
  time: result.time("When it was last heard of"),
  network: result.string(`Its network (${NETWORK_LIST})`),
  source: result.string("Who told of it first"),
  source_network: result.string("That one's network"),
  source_mapped_as: result.optional(result.number("The AS of that one"))
})

export const getrawaddrman: Method<Rpc> = method({
  name: "getrawaddrman",
  category: "hidden",
  about: "EXPERIMENTAL: returns information on all address manager entries for the new and tried tables.",
  params: [],
  result: result.object("", {
    new: result.record("Addresses that were heard of", ENTRY),
    tried: result.record("Addresses that have answered", ENTRY)
  }),
  examples: [[]],
  run: () =>
    Effect.gen(function* () {
      const { node } = yield* Rpc
      yield* counts
      const all = yield* node.allAddresses
      const table = (name: MappedAddress["table"]): JsonObject =>
        Object.fromEntries(all.filter((one) => one.table === name).flatMap(entries))
      return { new: table("new"), tried: table("tried") }
    })
})

/** An address once for each of its places. */
const entries = (one: MappedAddress): ReadonlyArray<readonly [string, Json]> => {
  const entry = {
    address: formatHost(one),
    mapped_as: one.mappedAs === 0 ? undefined : one.mappedAs,
    port: one.port,
    services: one.services,
    time: one.time,
    network: networkNameOf(one),
    source: formatHost(one.source),
    source_network: networkNameOf(one.source),
    source_mapped_as: one.sourceMappedAs === 0 ? undefined : one.sourceMappedAs
  }
  return one.places.map(({ bucket, position }) => [`${bucket}/${position}`, entry] as const)
}

const FAILURES: { readonly [A in AddedAddress]: string | undefined } = {
  Added: undefined,
  NotNew: "failed-adding-to-new",
  NotTried: "failed-adding-to-tried"
}

export const addpeeraddress: Method<Rpc> = method({
  name: "addpeeraddress",
  category: "hidden",
  about: "Add the address of a potential peer to an address manager table. This RPC is for testing only.",
  params: [
    required("address", kind.string, "The IP address of the peer"),
    required("port", kind.integerWithin(0, MAX_PORT), "The port of the peer"),
    defaulted("tried", kind.boolean, false, "If true, attempt to add the peer to the tried addresses table")
  ],
  result: result.object("", {
    success: result.boolean("Whether it is in the table"),
    error: result.optional(result.string("Why not"))
  }),
  examples: [["1.2.3.4", 8333, true]],
  run: ({ address, port, tried }) =>
    Effect.gen(function* () {
      const { node } = yield* Rpc
      yield* counts
      const host = parseHost(address)
      if (host === undefined) {
        return yield* Effect.fail(rpcError("CLIENT_INVALID_IP_OR_SUBNET", "Invalid IP address"))
      }
      const error = FAILURES[yield* node.addAddress({ ...host, port }, NODE_NETWORK | NODE_WITNESS, tried)]
      return { error, success: error === undefined }
    })
})
