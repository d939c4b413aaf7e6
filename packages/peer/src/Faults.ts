/**
 * What a peer's doings cost it, in one table: nothing, the connection, or the connection and its address's good name. Bitcoin Core has
 * had these three and no scores since 28.0. What a payload costs that does not decode stands in its codec's row (`@satwire/wire`).
 *
 * A line is named by its function, since line numbers move.
 */
import type { PeerDisconnectReason } from "./DisconnectReason.ts"

/** `discourage` is Core's `Misbehaving`: the address is remembered, the connection ends. */
export type FaultCost = "ignore" | "disconnect" | "discourage"

export interface Fault<Cost extends FaultCost = FaultCost> {
  readonly cost: Cost
  /** Where Core does the same. */
  readonly core: string
}

/** What ends the connection for which reason. `BadPayload` alone has its cost from the codec's row. */
export const FAULTS: {
  readonly [Tag in Exclude<PeerDisconnectReason["_tag"], "BadPayload">]: Fault<"disconnect" | "discourage">
} = {
  WrongMagic: { cost: "disconnect", core: "net.cpp V1Transport::readHeader" },
  Oversized: { cost: "disconnect", core: "net.cpp V1Transport::readHeader" },
  PeerIsV1: { cost: "disconnect", core: "net.cpp V2Transport::ProcessReceivedKeyBytes" },
  MissingTerminator: { cost: "disconnect", core: "net.cpp V2Transport::ProcessReceivedGarbageBytes" },
  OversizedPacket: { cost: "disconnect", core: "net.cpp V2Transport::ProcessReceivedPacketBytes" },
  BadPacket: { cost: "disconnect", core: "net.cpp V2Transport::ProcessReceivedPacketBytes" },
  HandshakeTooLong: { cost: "disconnect", core: "none: Core bounds each packet alone" },
  DecoyFlood: { cost: "disconnect", core: "none: Core counts decoys as received bytes" },
  ObsoleteVersion: { cost: "disconnect", core: "net_processing.cpp ProcessMessage VERSION" },
  LacksServices: { cost: "disconnect", core: "net_processing.cpp ProcessMessage VERSION" },
  RefusesTransactions: { cost: "disconnect", core: "net_processing.cpp ProcessMessage VERSION (31)" },
  SelfConnection: { cost: "disconnect", core: "net_processing.cpp ProcessMessage VERSION" },
  FeelerDone: { cost: "disconnect", core: "net_processing.cpp ProcessMessage VERSION" },
  AfterVerack: { cost: "disconnect", core: "net_processing.cpp ProcessMessage WTXIDRELAY, SENDADDRV2, FEATURE" },
  EarlyFeature: { cost: "disconnect", core: "net_processing.cpp ProcessMessage FEATURE (32)" },
  BadReconciliation: { cost: "disconnect", core: "net_processing.cpp ProcessMessage SENDTXRCNCL" },
  HandshakeTimeout: { cost: "disconnect", core: "net.cpp CConnman::InactivityCheck" },
  NoAnswerInV2: { cost: "disconnect", core: "none: Core waits for as long as for any handshake" },
  PingTimeout: { cost: "disconnect", core: "net_processing.cpp MaybeSendPing" },
  Inactive: { cost: "disconnect", core: "net.cpp CConnman::InactivityCheck" },
  LivedTooLong: { cost: "disconnect", core: "net_processing.cpp SendMessages (addr-fetch; private broadcast from 31)" }
}

/** What is wrong or out of place and costs nothing. */
export const FORGIVEN: { readonly [What in string]: Fault } = {
  "a frame whose checksum is wrong": { cost: "ignore", core: "net.cpp V1Transport::GetReceivedMessage" },
  "a frame whose command is no printable name": { cost: "ignore", core: "net.cpp V1Transport::GetReceivedMessage" },
  "a command that the table does not have": { cost: "ignore", core: "net_processing.cpp ProcessMessage" },
  "bytes behind a payload": { cost: "ignore", core: "net_processing.cpp ProcessMessage" },
  "anything before version": { cost: "ignore", core: "net_processing.cpp ProcessMessage" },
  "a second version or verack": { cost: "ignore", core: "net_processing.cpp ProcessMessage VERSION, VERACK" },
  "a message of its later life before verack": { cost: "ignore", core: "net_processing.cpp ProcessMessage" },
  "wtxidrelay twice, or below version 70016": { cost: "ignore", core: "net_processing.cpp ProcessMessage WTXIDRELAY" },
  "sendtxrcncl where we do not offer it": { cost: "ignore", core: "net_processing.cpp ProcessMessage SENDTXRCNCL" },
  "a pong with another nonce": { cost: "ignore", core: "net_processing.cpp ProcessMessage PONG" },
  "anything but pong and getdata on a private connection": {
    cost: "ignore",
    core: "net_processing.cpp ProcessMessage (31)"
  }
}
