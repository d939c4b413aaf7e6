/** What a node tells, as events. */
import type { MessageSeen, NodeFact } from "@satwire/node"
import { describeDisconnect } from "@satwire/node-core"
import { headerHash, toHex } from "@satwire/primitives"
import { portableSha256, type Sha256 } from "@satwire/crypto"
import { formatEndpoint } from "@satwire/transport"
import { sanitize, sanitizeUserAgent } from "@satwire/wire"
import {
  type BlockEvent,
  EVENTS_VERSION,
  type MessageEvent,
  type MisbehaviourEvent,
  type NodeEvent,
  type PeerEvent,
  type TransactionEvent
} from "./Event.ts"
import { payloadJson } from "./MessageJson.ts"

/** The events of a fact; most have one, some none. */
export const eventsOf = (fact: NodeFact, at: number, sha256: Sha256 = portableSha256): ReadonlyArray<NodeEvent> => {
  const common = { v: EVENTS_VERSION, at } as const
  switch (fact._tag) {
    case "PeerConnecting":
    case "DialFailed":
    case "PeerConnected":
    case "PeerReady":
    case "PeerDisconnected":
      return [{ ...common, ...peerEvent(fact) }]
    case "PeerDisconnecting": {
      const { address, cost, peer, reason } = fact
      const sentence = describeDisconnect(reason)
      const event: PeerEvent = { ...common, topic: "peer", state: "disconnecting", peer, address, sentence }
      if (cost !== "discourage") return [event]
      return [event, { ...common, topic: "misbehaviour", what: "discouraged", peer, address, sentence }]
    }
    case "TipChanged": {
      const { added, forkHeight, from, removed, tip } = fact
      const { hash, height, time } = tip
      return [
        { ...common, topic: "tip", height, hash: toHex(hash), timeSeconds: time, forkHeight, removed, added, from }
      ]
    }
    case "BlockTipChanged":
    case "BlockInvalid":
    case "BlockMade":
    case "CompactReconstructed":
      return [{ ...common, ...blockEvent(fact, sha256) }]
    case "TransactionAccepted":
    case "TransactionSubmitted":
      return [{ ...common, ...transactionEvent(fact) }]
    case "MessageDropped":
    case "InboundRefused":
      return [{ ...common, ...misbehaviourEvent(fact) }]
    default:
      return []
  }
}

type Rest<Event> = Omit<Event, "v" | "at">
type Fact<Tag extends NodeFact["_tag"]> = Extract<NodeFact, { readonly _tag: Tag }>

const peerEvent = (
  fact: Fact<"PeerConnecting" | "DialFailed" | "PeerConnected" | "PeerReady" | "PeerDisconnected">
): Rest<PeerEvent> => {
  switch (fact._tag) {
    case "PeerConnecting":
      return { topic: "peer", state: "connecting", address: formatEndpoint(fact.endpoint), kind: fact.kind }
    case "DialFailed": {
      const { endpoint, error, kind } = fact
      return { topic: "peer", state: "unreachable", address: formatEndpoint(endpoint), kind, sentence: error.message }
    }
    case "PeerConnected": {
      const { address, direction, kind, peer } = fact
      return { topic: "peer", state: "connected", peer, address, kind, direction }
    }
    case "PeerReady": {
      const { address, info, peer } = fact
      const { direction, kind, protocolVersion, services, startHeight, transport, userAgent } = info
      return {
        topic: "peer",
        state: "ready",
        peer,
        address,
        kind,
        direction,
        transport,
        userAgent: sanitizeUserAgent(userAgent),
        services: services.toString(16).padStart(16, "0"),
        protocolVersion,
        startHeight
      }
    }
    case "PeerDisconnected":
      return { topic: "peer", state: "disconnected", peer: fact.peer, address: fact.address }
  }
}

const blockEvent = (
  fact: Fact<"BlockTipChanged" | "BlockInvalid" | "BlockMade" | "CompactReconstructed">,
  sha256: Sha256
): Rest<BlockEvent> => {
  switch (fact._tag) {
    case "BlockTipChanged": {
      const { added, forkHeight, removed, tip } = fact
      const { hash, height, time } = tip
      return {
        topic: "block",
        what: "connected",
        height,
        hash: toHex(hash),
        timeSeconds: time,
        forkHeight,
        removed,
        added
      }
    }
    case "BlockInvalid":
      return { topic: "block", what: "invalid", height: fact.height, hash: toHex(fact.hash), rule: fact.rule }
    case "BlockMade":
      return { topic: "block", what: "made", hash: toHex(headerHash(sha256, fact.header)) }
    case "CompactReconstructed": {
      const { blockBytes, fetched, messageBytes, transactions } = fact.stats
      const { roundTrips, tookMs } = fact
      return {
        topic: "block",
        what: "reconstructed",
        transactions,
        fetched,
        blockBytes,
        messageBytes,
        roundTrips,
        tookMs
      }
    }
  }
}

const transactionEvent = (fact: Fact<"TransactionAccepted" | "TransactionSubmitted">): Rest<TransactionEvent> => {
  const wtxid = toHex(fact.wtxid)
  return fact._tag === "TransactionAccepted"
    ? { topic: "transaction", what: "accepted", wtxid, from: fact.from }
    : { topic: "transaction", what: "submitted", wtxid, txid: toHex(fact.txid), rule: fact.rule }
}

const misbehaviourEvent = (fact: Fact<"MessageDropped" | "InboundRefused">): Rest<MisbehaviourEvent> => {
  if (fact._tag === "MessageDropped") {
    const { command, peer, why } = fact
    return { topic: "misbehaviour", what: "dropped", peer, command: sanitize(command), sentence: why }
  }
  const { address, because, peer } = fact
  return { topic: "misbehaviour", what: "refused", peer, address, sentence: REFUSED[because] }
}

const REFUSED: { readonly [Because in Fact<"InboundRefused">["because"]]: string } = {
  banned: "its address is banned",
  discouraged: "its host broke the rules before, and places are short",
  full: "all places are taken, and nobody is worth less"
}

/** What is told of a message beside that it was. */
export interface MessageDetail {
  /** What it says. */
  readonly decoded: boolean
  /** Its bytes. */
  readonly payload: boolean
}

/** The event of a message that was seen. */
export const messageEvent = (
  seen: MessageSeen,
  detail: MessageDetail,
  sha256: Sha256 = portableSha256
): MessageEvent => {
  const { address, command, payload, peer, side, sizeBytes, unixMs } = seen
  return {
    v: EVENTS_VERSION,
    topic: "message",
    at: unixMs,
    peer,
    address,
    side,
    command,
    sizeBytes,
    decoded: detail.decoded && payload !== undefined ? payloadJson(command, payload, sha256) : undefined,
    payload: detail.payload ? payload : undefined
  }
}
