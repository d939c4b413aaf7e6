/** Methods about single connections: whom to be connected with, whom not, and what is said to one. Source: Bitcoin Core 31.99 `rpc/net.cpp`. */
import { fromHex } from "@satwire/bytes"
import type { DialKind } from "@satwire/connections"
import {
  type Method,
  type RpcError,
  helpText,
  kind,
  method,
  optional,
  required,
  result,
  rpcError
} from "@satwire/json-rpc"
import { PeerId } from "@satwire/machine"
import { type Endpoint, formatEndpoint, parseEndpoint } from "@satwire/transport"
import { COMMAND_SIZE } from "@satwire/wire"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { Rpc } from "../RpcNode.ts"

export const getconnectioncount: Method<Rpc> = method({
  name: "getconnectioncount",
  category: "network",
  about: "Returns the number of connections to other nodes.",
  params: [],
  result: result.number("The connection count"),
  examples: [[]],
  run: () => Effect.flatMap(Rpc, ({ node }) => Effect.map(node.query("peers"), (peers) => peers.length))
})

export const ping: Method<Rpc> = method({
  name: "ping",
  category: "network",
  about:
    "Requests that a ping be sent to all other nodes, to measure ping time. A node that has still to answer one is sent no other.\n" +
    "getpeerinfo shows the results in pingtime and pingwait, in seconds.",
  params: [],
  result: result.none(),
  examples: [[]],
  run: () => Effect.flatMap(Rpc, ({ node }) => Effect.as(node.ping, null))
})

/** Where a user wants a connection to. */
const endpointOf = (text: string, defaultPort: number): Effect.Effect<Endpoint, RpcError> => {
  const endpoint = parseEndpoint(text, defaultPort)
  return Result.isSuccess(endpoint)
    ? Effect.succeed(endpoint.success)
    : Effect.fail(rpcError("INVALID_PARAMETER", `Error: ${endpoint.failure.message}`))
}

/** `"v1"` where the encrypted transport is not wanted; refused where it is and this node does not speak it. */
const transportFor = (wanted: boolean | undefined, refusal: string): Effect.Effect<"v1" | undefined, RpcError, Rpc> =>
  Effect.gen(function* () {
    const { node } = yield* Rpc
    const { speaksV2 } = yield* node.query("self")
    if (wanted === true && !speaksV2) return yield* Effect.fail(rpcError("INVALID_PARAMETER", refusal))
    return wanted === false ? "v1" : undefined
  })

export const addnode: Method<Rpc> = method({
  name: "addnode",
  category: "network",
  about:
    "Attempts to add or remove a node from the addnode list. Or try a connection to a node once.\n" +
    "Nodes that are added are dialled again and again, and need not be full nodes.",
  params: [
    required("node", kind.string, "The address or name of the node, optionally followed by :port"),
    required("command", kind.string, "'add', 'remove', or 'onetry' for a single attempt"),
    optional("v2transport", kind.boolean, "Whether the BIP-0324 transport is tried (not for 'remove')", {
      default: "set by -v2transport"
    })
  ],
  result: result.none(),
  examples: [["192.168.0.6:8333", "onetry", true]],
  run: ({ command, node: text, v2transport }) =>
    Effect.gen(function* () {
      const { node, params } = yield* Rpc
      if (command !== "add" && command !== "remove" && command !== "onetry") {
        return yield* Effect.fail(rpcError("MISC_ERROR", helpText(addnode)))
      }
      const transport = yield* transportFor(
        v2transport,
        "Error: v2transport requested but not enabled (see -v2transport)"
      )
      const endpoint = yield* endpointOf(text, params.defaultPort)
      if (command === "onetry") return yield* Effect.as(node.dialOnce(endpoint, "manual", transport), null)
      const isKept = (yield* node.query("kept")).includes(formatEndpoint(endpoint))
      if (command === "add") {
        if (isKept) return yield* Effect.fail(rpcError("CLIENT_NODE_ALREADY_ADDED", "Error: Node already added"))
        return yield* Effect.as(node.connect(endpoint, transport), null)
      }
      if (!isKept) {
        const message = "Error: Node could not be removed. It has not been added previously."
        return yield* Effect.fail(rpcError("CLIENT_NODE_NOT_ADDED", message))
      }
      return yield* Effect.as(node.release(endpoint), null)
    })
})

const TESTED: ReadonlyArray<DialKind> = ["outbound-full-relay", "block-relay-only", "addr-fetch", "feeler"]

export const addconnection: Method<Rpc> = method({
  name: "addconnection",
  category: "hidden",
  about: "Open an outbound connection to a specified node. This RPC is for testing only.",
  params: [
    required("address", kind.string, "The address and port to dial"),
    required("connection_type", kind.string, `One of ${TESTED.join(", ")}`),
    required("v2transport", kind.boolean, "Whether the BIP-0324 transport is tried")
  ],
  result: result.object("", {
    address: result.string("The address that is dialled"),
    connection_type: result.string("What for")
  }),
  examples: [["192.168.0.6:8333", "outbound-full-relay", true]],
  run: ({ address, connection_type, v2transport }) =>
    Effect.gen(function* () {
      const { node, params } = yield* Rpc
      if (params.name !== "regtest") {
        const message = "addconnection is for regression testing (-regtest mode) only."
        return yield* Effect.fail(rpcError("MISC_ERROR", message))
      }
      const wanted = connection_type.trim()
      const kindOf = TESTED.find((one) => one === wanted)
      if (kindOf === undefined) return yield* Effect.fail(rpcError("INVALID_PARAMETER", helpText(addconnection)))
      const transport = yield* transportFor(
        v2transport,
        "Error: Adding v2transport connections requires -v2transport init flag to be set."
      )
      const [slots, self] = yield* Effect.all([node.query("connections"), node.query("self")])
      const most: { readonly [K in DialKind]?: number } = {
        "outbound-full-relay": self.maxFullRelay,
        "block-relay-only": self.maxBlockRelayOnly
      }
      if (slots.filter(({ kind }) => kind === kindOf).length >= (most[kindOf] ?? Infinity)) {
        const message = "Error: Already at capacity for specified connection type."
        return yield* Effect.fail(rpcError("CLIENT_NODE_CAPACITY_REACHED", message))
      }
      yield* node.dialOnce(yield* endpointOf(address, params.defaultPort), kindOf, transport)
      return { address, connection_type: wanted }
    })
})

export const disconnectnode: Method<Rpc> = method({
  name: "disconnectnode",
  category: "network",
  about:
    "Immediately disconnects from the specified peer node.\n" +
    "Strictly one out of 'address' and 'nodeid' names it. To name it by nodeid, give an empty address, or 'nodeid' alone by its name.",
  params: [
    optional("address", kind.string, "The address and port of the node", { default: "fallback to nodeid" }),
    optional("nodeid", kind.int64, "Its id (see getpeerinfo)", { default: "fallback to address" })
  ],
  result: result.none(),
  examples: [["192.168.0.6:8333"], ["", 1]],
  run: ({ address, nodeid }) =>
    Effect.gen(function* () {
      const { node } = yield* Rpc
      const isByAddress = address !== undefined && nodeid === undefined
      if (!isByAddress && (nodeid === undefined || (address ?? "") !== "")) {
        return yield* Effect.fail(rpcError("INVALID_PARAMS", "Only one of address and nodeid should be provided."))
      }
      const peer = isByAddress
        ? (yield* node.query("peers")).find((one) => one.address === address)?.peer
        : PeerId(Number(nodeid))
      if (peer === undefined || !(yield* node.disconnect(peer))) {
        return yield* Effect.fail(rpcError("CLIENT_NODE_NOT_CONNECTED", "Node not found in connected nodes"))
      }
      return null
    })
})

export const getaddednodeinfo: Method<Rpc> = method({
  name: "getaddednodeinfo",
  category: "network",
  about:
    "Returns information about the given added node, or all added nodes\n(note that onetry addnodes are not listed here)",
  params: [optional("node", kind.string, "The node, where not all are asked for", { default: "all nodes" })],
  result: result.array(
    "",
    result.object("", {
      addednode: result.string("Its address or name, with its port"),
      connected: result.boolean("If connected"),
      addresses: result.array(
        "Only when connected = true",
        result.object("", {
          address: result.string("The host and port that we are connected to"),
          connected: result.string("inbound or outbound")
        })
      )
    })
  ),
  examples: [[], ["192.168.0.201"]],
  run: ({ node: text }) =>
    Effect.gen(function* () {
      const { node, params } = yield* Rpc
      const [kept, slots, peers] = yield* Effect.all([
        node.query("kept"),
        node.query("connections"),
        node.query("peers")
      ])
      const asked = text === undefined ? undefined : formatEndpoint(yield* endpointOf(text, params.defaultPort))
      if (asked !== undefined && !kept.includes(asked)) {
        return yield* Effect.fail(rpcError("CLIENT_NODE_NOT_ADDED", "Error: Node has not been added."))
      }
      return kept
        .filter((endpoint) => asked === undefined || endpoint === asked)
        .map((endpoint) => {
          const slot = slots.find((one) => one.endpoint === endpoint && one.peer !== undefined)
          const peer = peers.find((one) => one.peer === slot?.peer)
          const addresses = peer === undefined ? [] : [{ address: peer.address, connected: peer.direction }]
          return { addednode: endpoint, connected: peer !== undefined, addresses }
        })
    })
})

export const setnetworkactive: Method<Rpc> = method({
  name: "setnetworkactive",
  category: "network",
  about: "Disable/enable all p2p network activity.",
  params: [required("state", kind.boolean, "true to enable networking, false to disable")],
  result: result.boolean("The value that was passed in"),
  run: ({ state }) =>
    Effect.gen(function* () {
      const { node } = yield* Rpc
      yield* node.setNetworkActive(state)
      return (yield* node.query("self")).isNetworkActive
    })
})

export const sendmsgtopeer: Method<Rpc> = method({
  name: "sendmsgtopeer",
  category: "hidden",
  about:
    "Send a p2p message to a peer specified by id.\n" +
    "The message type and body must be provided, the message header will be generated.\nThis RPC is for testing only.",
  params: [
    required("peer_id", kind.int64, "The peer to send the message to."),
    required("msg_type", kind.string, `The message type (maximum length ${COMMAND_SIZE})`),
    required("msg", kind.string, "The serialized message body to send, in hex, without a message header")
  ],
  result: result.object("", {}),
  examples: [[0, "addr", "ffffff"]],
  run: ({ msg, msg_type, peer_id }) =>
    Effect.gen(function* () {
      const { node } = yield* Rpc
      if (msg_type.length > COMMAND_SIZE) {
        const message = `Error: msg_type too long, max length is ${COMMAND_SIZE}`
        return yield* Effect.fail(rpcError("INVALID_PARAMETER", message))
      }
      const payload = fromHex(msg)
      if (payload === undefined) {
        return yield* Effect.fail(rpcError("INVALID_PARAMETER", "Error parsing input for msg"))
      }
      if (!(yield* node.sendRaw(PeerId(Number(peer_id)), msg_type, payload))) {
        return yield* Effect.fail(rpcError("MISC_ERROR", "Error: Could not send message to peer"))
      }
      return {}
    })
})
