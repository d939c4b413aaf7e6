/** What the handshake with some peer brought to light; its user agent would clear a terminal. */
import type { PeerInfo } from "@satwire/peer"

export const somePeer: PeerInfo = {
  kind: "inbound",
  direction: "inbound",
  transport: "v2",
  sessionId: undefined,
  protocolVersion: 70016,
  commonVersion: 70016,
  services: 0x0809n,
  userAgent: "/evil\u001B[2J\n:1/",
  startHeight: 921_000,
  relay: true,
  wtxidRelay: true,
  addrV2: false,
  reconciliation: undefined,
  features: undefined,
  timeOffsetSeconds: -61
}
