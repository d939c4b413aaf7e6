/** Methods about who may not connect. Source: Bitcoin Core 31.99 `rpc/net.cpp`. */
import { type Subnet, containsHost, formatSubnet, parseSubnet, subnetOf } from "@satwire/connections"
import {
  type Method,
  type RpcError,
  defaulted,
  helpText,
  kind,
  method,
  required,
  result,
  rpcError
} from "@satwire/json-rpc"
import { parseHost } from "@satwire/netaddress"
import * as Effect from "effect/Effect"
import { Rpc } from "../RpcNode.ts"

const ALREADY = "Error: IP/Subnet already banned"
const NEVER = "Error: Unban failed. Requested address/subnet was not previously manually banned."

/** What a user bans: a subnet, or a host, of which it counts too that a subnet with it is banned. */
const bannedOf = (text: string): Effect.Effect<{ readonly subnet: Subnet; readonly isHost: boolean }, RpcError> => {
  const isHost = !text.includes("/")
  const host = isHost ? parseHost(text) : undefined
  const subnet = isHost ? host && subnetOf(host) : parseSubnet(text)
  return subnet === undefined
    ? Effect.fail(rpcError("CLIENT_INVALID_IP_OR_SUBNET", "Error: Invalid IP/Subnet"))
    : Effect.succeed({ subnet, isHost })
}

export const setban: Method<Rpc> = method({
  name: "setban",
  category: "network",
  about: "Attempts to add or remove an IP/Subnet from the banned list.",
  params: [
    required("subnet", kind.string, "The address, or the subnet with its netmask or the number of its bits"),
    required("command", kind.string, "'add' to ban it, 'remove' to take that back"),
    defaulted(
      "bantime",
      kind.int64,
      0,
      "For how many seconds, or until when if absolute; 0 for what -bantime says, a day by default"
    ),
    defaulted("absolute", kind.boolean, false, "Whether bantime is a time, in seconds since 1970")
  ],
  result: result.none(),
  examples: [
    ["192.168.0.6", "add", 86_400],
    ["192.168.0.0/24", "add"]
  ],
  run: ({ absolute, bantime, command, subnet: text }) =>
    Effect.gen(function* () {
      const { banSeconds, node } = yield* Rpc
      if (command !== "add" && command !== "remove") {
        return yield* Effect.fail(rpcError("MISC_ERROR", helpText(setban)))
      }
      const { isHost, subnet } = yield* bannedOf(text)
      const bans = yield* node.query("bans")
      const isBanned = bans.some((ban) => formatSubnet(ban.subnet) === formatSubnet(subnet))
      if (command === "remove") {
        if (!isBanned) return yield* Effect.fail(rpcError("CLIENT_INVALID_IP_OR_SUBNET", NEVER))
        return yield* Effect.as(Effect.ignore(node.unban(subnet)), null)
      }
      if (isBanned || (isHost && bans.some((ban) => containsHost(ban.subnet, subnet.base)))) {
        return yield* Effect.fail(rpcError("CLIENT_NODE_ALREADY_ADDED", ALREADY))
      }
      const { unix } = yield* node.now
      if (absolute && bantime < unix) {
        return yield* Effect.fail(rpcError("INVALID_PARAMETER", "Error: Absolute timestamp is in the past"))
      }
      const seconds = bantime <= 0 ? banSeconds : Number(bantime) - (absolute ? unix : 0)
      // That it could not be saved is told as a fact, and the ban holds.
      return yield* Effect.as(Effect.ignore(node.ban(subnet, seconds)), null)
    })
})

export const listbanned: Method<Rpc> = method({
  name: "listbanned",
  category: "network",
  about: "List all manually banned IPs/Subnets.",
  params: [],
  result: result.array(
    "",
    result.object("", {
      address: result.string("The address or subnet"),
      ban_created: result.time("When the ban was set"),
      banned_until: result.time("When it ends"),
      ban_duration: result.number("How long it lasts, in seconds"),
      time_remaining: result.number("How long it lasts from now, in seconds")
    })
  ),
  examples: [[]],
  run: () =>
    Effect.gen(function* () {
      const { node } = yield* Rpc
      const [bans, { unix }] = yield* Effect.all([node.query("bans"), node.now])
      return bans.map(({ createdAt, subnet, until }) => ({
        address: formatSubnet(subnet),
        ban_created: createdAt,
        banned_until: until,
        ban_duration: until - createdAt,
        time_remaining: until - unix
      }))
    })
})

export const clearbanned: Method<Rpc> = method({
  name: "clearbanned",
  category: "network",
  about: "Clear all banned IPs.",
  params: [],
  result: result.none(),
  examples: [[]],
  run: () => Effect.flatMap(Rpc, ({ node }) => Effect.as(Effect.ignore(node.clearBans), null))
})
