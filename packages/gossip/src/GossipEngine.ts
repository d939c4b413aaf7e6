/**
 * Gossipsub with what every topic shares: how it is set up, who may send how much, who is banned. It is made before the node, which takes it as a
 * service and asks it about bans.
 *
 * Specification: messages carry no author of gossipsub's, and their id is the SHA-256 of what they say with four bytes of their topic. Rationale: a
 * signature at each hop costs more than all else, and says only which key pressed the button; what needs an author is signed in its payload.
 * The same words on two topics are two messages.
 */
import { type GossipSub, type GossipsubOpts, gossipsub } from "@libp2p/gossipsub"
import type { Sha256 } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"
import { MESSAGE_ID_BYTES, type PeerLimits, PeerTurns, gated } from "@satwire/gossip-gate"
import type { Now } from "@satwire/machine"
import { nowReader } from "@satwire/runtime"
import type { Libp2pNodeOptions, Remote } from "@satwire/transport-libp2p"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import { FAULT_POINTS, type FaultPoints, type GossipFact, type GossipFault } from "./Faults.ts"
import { FreshIds } from "./FreshIds.ts"
import { keyOf } from "./SeenIds.ts"
import { Standings } from "./Standings.ts"

/**
 * @limit bytes of a message of gossip, unless told otherwise
 */
export const MAX_MESSAGE_BYTES: number = 1024 * 1024 + 4096
/** What else stands in a frame: ids of messages that are told of or asked for. */
const CONTROL_BYTES = 512 * 1024
/**
 * @limit bytes of gossip that wait for one peer; beyond, it is too slow and its connections are closed
 */
export const MAX_OUTBOUND_BYTES: number = 16 * 1024 * 1024
/**
 * @limit bytes of names of topics that one peer may be interested in, with 1 KiB for each
 */
export const MAX_TOPIC_BYTES_PER_PEER: number = 128 * 1024
/** Facts that a slow reader has before he misses the oldest. */
const FACTS_KEPT = 1024
/** A day, as Bitcoin Core's. */
const BAN_MS = 24 * 60 * 60 * 1000
/** How far gossipsub's own score may fall: it hears nothing of a peer from there down, and here it is banned. */
const GRAYLIST = -80

/**
 * Sent by one, known ones included; half of it is passed on of all, and an eighth of one.
 *
 * @limit messages of gossip that one peer may send in a second, unless told otherwise; at once four times as many
 */
export const PEER_MESSAGES_PER_SECOND = 4000
/**
 * @limit bytes of gossip that one peer may send in a second, unless told otherwise; at once eight times as many
 */
export const PEER_BYTES_PER_SECOND: number = 32 * 1024 * 1024
/**
 * @limit messages of one peer that are validated at once, unless told otherwise; the rest waits in its stream
 */
export const MAX_VALIDATING = 32

export const PEER_LIMITS: PeerLimits = {
  messages: { perSecond: PEER_MESSAGES_PER_SECOND, burst: 4 * PEER_MESSAGES_PER_SECOND },
  bytes: { perSecond: PEER_BYTES_PER_SECOND, burst: 8 * PEER_BYTES_PER_SECOND },
  maxValidating: MAX_VALIDATING
}

export interface GossipOptions {
  /** Above it a frame costs a peer its connection; {@link MAX_MESSAGE_BYTES} where not given. Topics have their own below it. */
  readonly maxMessageBytes?: number
  readonly limits?: Partial<PeerLimits>
  /** How long a ban lasts; a day where not given. */
  readonly banMs?: number
  /** So many banned keys ban their host; 8 where not given. */
  readonly maxBannedPerHost?: number
  /** What each fault costs; a hundred is a ban. */
  readonly points?: Partial<FaultPoints>
  /** Gossipsub's own: the size of meshes, heartbeats. */
  readonly mesh?: Partial<
    Pick<
      GossipsubOpts,
      "D" | "Dlo" | "Dhi" | "Dout" | "Dlazy" | "heartbeatInterval" | "floodPublish" | "doPX" | "seenTTL"
    >
  >
  /** What ids are computed with; the platform's where not given. */
  readonly sha256?: Sha256
}

/** What a topic hears of each message that comes for it, before gossipsub does. */
export interface Listener {
  readonly onMessage: (peer: string, data: Uint8Array) => boolean
}

export interface GossipEngine {
  /** For the node. */
  readonly services: NonNullable<Libp2pNodeOptions["services"]>
  /** For the node, too: who is banned here. */
  readonly isBanned: (who: Remote) => boolean
  readonly shared: Shared
}

/** What topics, fetches and the service share. */
export class Shared {
  readonly facts: PubSub.PubSub<GossipFact>
  readonly now: () => Now
  readonly sha256: Sha256
  readonly maxMessageBytes: number
  readonly standings: Standings
  readonly turns: PeerTurns
  readonly listeners: Map<string, Listener> = new Map()
  readonly ids: FreshIds = new FreshIds()
  readonly #tags: Map<string, Uint8Array> = new Map()
  readonly #banMs: number
  /** Closes the connections of whoever is banned, as long as there is a node. */
  onBan: () => void = () => undefined
  pubsub: GossipSub | undefined = undefined
  /** What is about to be published, whose id is known. */
  own: { readonly data: Uint8Array; readonly id: Uint8Array } | undefined = undefined

  constructor(options: GossipOptions, facts: PubSub.PubSub<GossipFact>, now: () => Now) {
    this.facts = facts
    this.now = now
    this.sha256 = options.sha256 ?? platformSha256
    this.maxMessageBytes = options.maxMessageBytes ?? MAX_MESSAGE_BYTES
    this.#banMs = options.banMs ?? BAN_MS
    const points = { ...FAULT_POINTS, ...options.points }
    this.standings = new Standings({ points, banMs: this.#banMs, maxBannedPerHost: options.maxBannedPerHost ?? 8, now })
    this.turns = new PeerTurns({ ...PEER_LIMITS, ...options.limits }, () => now().instant)
  }

  tell(fact: GossipFact): void {
    PubSub.publishUnsafe(this.facts, fact)
  }

  fault(peer: string, topic: string | undefined, reason: GossipFault, detail: string): void {
    this.tell({ _tag: "Rejected", peer, topic, reason, detail })
    if (this.standings.record(peer, reason)) this.#banned(peer, reason)
  }

  ban(peer: string, reason: GossipFault | "score"): void {
    this.standings.ban(peer)
    this.#banned(peer, reason)
  }

  /** 32 bytes of what it says, and four of its topic. */
  idOf(topic: string, data: Uint8Array): Uint8Array {
    const id = new Uint8Array(MESSAGE_ID_BYTES)
    this.sha256.sha256(data, 0, data.length, id, 0)
    id.set(this.#tagOf(topic), 32)
    return id
  }

  /** Of a topic that is a listener's only: no peer can make more of them. */
  #tagOf(topic: string): Uint8Array {
    const known = this.#tags.get(topic)
    if (known !== undefined) return known
    const name = new TextEncoder().encode(topic)
    const hash = new Uint8Array(32)
    this.sha256.sha256(name, 0, name.length, hash, 0)
    const tag = hash.slice(0, 4)
    if (this.listeners.has(topic)) this.#tags.set(topic, tag)
    return tag
  }

  #banned(peer: string, reason: GossipFault | "score"): void {
    this.tell({ _tag: "Banned", peer, reason, untilUnixMs: this.now().unix * 1000 + this.#banMs })
    this.onBan()
  }
}

/** Before the node; its parts are for the node's options. */
export const gossipEngine = (options: GossipOptions = {}): Effect.Effect<GossipEngine> =>
  Effect.gen(function* () {
    const facts = yield* PubSub.sliding<GossipFact>({ capacity: FACTS_KEPT })
    const shared = new Shared(options, facts, yield* nowReader)
    const make = gossipsub(settings(options, shared))
    return {
      shared,
      isBanned: shared.standings.isBanned,
      services: {
        gossip: (components: Parameters<typeof make>[0]) => {
          shared.pubsub = gated(make(components), keeperOf(shared))
          return shared.pubsub
        }
      }
    }
  })

const keeperOf = (shared: Shared): Parameters<typeof gated>[1] => ({
  fault: (peer, fault, detail) => shared.fault(peer, undefined, fault, detail),
  isBanned: (peerId) => shared.standings.isBanned({ peerId, host: undefined }),
  mayRead: (peer, bytes, entries) => shared.turns.mayRead(peer, bytes, entries),
  hasTopic: (topic) => shared.listeners.has(topic),
  onMessage: (peer, topic, data) => shared.listeners.get(topic)?.onMessage(peer, data) ?? false,
  turn: (peer) => shared.turns.free(peer),
  begin: (peer) => shared.turns.begin(peer),
  end: (peer) => shared.turns.end(peer),
  nowMs: () => shared.now().instant,
  nextTurn: () => Effect.runPromise(Effect.yieldNow),
  maxMessageBytes: shared.maxMessageBytes,
  maxFrameBytes: shared.maxMessageBytes + CONTROL_BYTES
})

const settings = (options: GossipOptions, shared: Shared): Partial<GossipsubOpts> => ({
  ...options.mesh,
  globalSignaturePolicy: "StrictNoSign",
  fallbackToFloodsub: false,
  allowPublishToZeroTopicPeers: true,
  ignoreDuplicatePublishError: true,
  maxOutboundBufferSize: MAX_OUTBOUND_BYTES,
  maxTopicBytesPerPeer: MAX_TOPIC_BYTES_PER_PEER,
  msgIdFn: (message) => {
    const { own } = shared
    if (own !== undefined && own.data === message.data) return own.id
    const id = shared.idOf(message.topic, message.data)
    shared.ids.add(message, id)
    return id
  },
  msgIdToStrFn: keyOf,
  scoreThresholds: {
    gossipThreshold: -20,
    publishThreshold: -40,
    graylistThreshold: GRAYLIST,
    // Nobody has this node dial where he likes.
    ...(options.mesh?.doPX === true ? {} : { acceptPXThreshold: Infinity })
  },
  scoreParams: {
    appSpecificScore: (peer) => shared.standings.score(peer),
    appSpecificWeight: 1,
    // Promises are broken by whoever is busy, too.
    behaviourPenaltyThreshold: 6,
    IPColocationFactorWhitelist: new Set(["127.0.0.1", "::1"])
  }
})

export const isBelow = (score: number): boolean => score < GRAYLIST
