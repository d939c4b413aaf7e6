/** Which of our addresses a peer is told, written as Core's code has it: `GetReachabilityFrom` and `GetLocal`. */
import { type NodeAddress, isTeredo, isTunnelled, netClass, networkOf } from "@satwire/netaddress"
import type { AddressedPeer, LocalAddress } from "../src/index.ts"

const enumerated = ["unreachable", "default", "teredo", "ipv6 weak", "ipv4", "ipv6 strong", "private"] as const

const reachabilityFrom = (ours: NodeAddress, theirs: AddressedPeer["host"]): (typeof enumerated)[number] => {
  const ourNet = isTeredo(ours) ? "teredo" : networkOf(ours)
  const theirNet = theirs === undefined ? "unroutable" : isTeredo(theirs) ? "teredo" : networkOf(theirs)
  switch (theirNet) {
    case "ipv4":
      return ourNet === "ipv4" ? "ipv4" : "default"
    case "ipv6":
      if (ourNet === "teredo") return "teredo"
      if (ourNet === "ipv4") return "ipv4"
      if (ourNet === "ipv6") return isTunnelled(ours) ? "ipv6 weak" : "ipv6 strong"
      return "default"
    case "torv3":
      if (ourNet === "ipv4") return "ipv4"
      return ourNet === "torv3" ? "private" : "default"
    case "i2p":
      return ourNet === "i2p" ? "private" : "default"
    case "cjdns":
      return ourNet === "cjdns" ? "private" : "default"
    case "teredo":
      if (ourNet === "teredo") return "teredo"
      if (ourNet === "ipv6") return "ipv6 weak"
      return ourNet === "ipv4" ? "ipv4" : "default"
    default:
      if (ourNet === "teredo") return "teredo"
      if (ourNet === "ipv6") return "ipv6 weak"
      if (ourNet === "ipv4") return "ipv4"
      return ourNet === "torv3" ? "private" : "default"
  }
}

const isPrivacyNet = (network: string): boolean => network === "torv3" || network === "i2p"

/** How good the best is, and which are as good. */
export const naiveBest = (locals: ReadonlyArray<LocalAddress>, peer: AddressedPeer): ReadonlyArray<NodeAddress> => {
  const through = peer.network ?? (peer.host === undefined ? "unroutable" : netClass(peer.host))
  const allowed = locals.filter(
    ({ node }) => networkOf(node) === through || !(isPrivacyNet(node.network) || isPrivacyNet(through))
  )
  const worth = ({ node, score }: LocalAddress): number =>
    enumerated.indexOf(reachabilityFrom(node, peer.host)) * 1000 + score
  const most = Math.max(...allowed.map(worth))
  return allowed.filter((local) => worth(local) === most).map(({ node }) => node)
}
