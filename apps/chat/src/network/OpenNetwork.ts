/**
 * The network of one person, as a `NetworkManager` makes it: one kind of message for all, one question to one peer.
 *
 * Specification: who is found on this LAN by multicast DNS is dialled; who is named is dialled, and again whenever he is not there. Nobody else is:
 * peers are not asked for peers.
 */
import { type Kind, kind, method } from "@satwire/overlay"
import { type NetworkError, NetworkManager, type NetworkManagerShape } from "@satwire/network-manager"
import type { ListenError } from "@satwire/transport"
import type { MdnsOptions } from "@satwire/transport-libp2p"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { MAX_HISTORY } from "../chat/ChatRooms.ts"
import { MAX_RECORD_BYTES } from "../chat/Record.ts"
import { MAX_KEPT_BYTES } from "../chat/Room.ts"
import type { Identity } from "../identity/Identity.ts"
import { type ChatNetwork, HistoryFailed } from "./ChatNetwork.ts"

/** The chats find one another, and no other program of Satwire's. */
export const CHAT_NETWORK = "satwire-chat"
/**
 * @limit peers of a chat
 */
export const MAX_CHAT_PEERS = 64
/** Who comes is part of gossip's mesh at the next one: a chat is small, and nobody should wait for a second. */
const GOSSIP_HEARTBEAT_MS = 250
const HISTORY_TIMEOUT_MS = 10_000

/** What MessagePack puts around a record, and around many of them. */
const [AROUND_RECORD, AROUND_HISTORY] = [64, 4096]
const RecordKind: Kind<{ readonly record: Uint8Array }> = kind(
  "chat-record",
  Schema.Struct({ record: Schema.Uint8Array }),
  { maxBytes: MAX_RECORD_BYTES + AROUND_RECORD }
)
/** The texts of a room, and the presences of those who are in it, which are short. */
const HistoryMethod = method(
  "chat-history",
  kind("chat-history-request", Schema.Struct({ room: Schema.String }), { maxBytes: 256 }),
  kind(
    "chat-history-answer",
    Schema.Struct({ records: Schema.Array(Schema.Uint8Array).check(Schema.isMaxLength(MAX_HISTORY)) }),
    { maxBytes: 2 * MAX_KEPT_BYTES + AROUND_HISTORY }
  )
)

export interface NetworkOptions {
  readonly identity: Identity
  /** Multiaddrs. */
  readonly listen: ReadonlyArray<string>
  /** Multiaddrs of people, dialled until they are there. */
  readonly connect: ReadonlyArray<string>
  /** Multiaddrs of chats through which we can be reached. */
  readonly relays: ReadonlyArray<string>
  /** Whether others can be reached through us. */
  readonly isRelay: boolean
  /** `undefined`: not looked for. */
  readonly mdns: MdnsOptions | undefined
}

export interface OpenNetwork {
  readonly manager: NetworkManagerShape
  readonly network: ChatNetwork
}

/** Opens it as long as the scope. */
export const openNetwork = (
  options: NetworkOptions
): Effect.Effect<OpenNetwork, ListenError | NetworkError, Scope.Scope> =>
  Effect.gen(function* () {
    const { connect, identity, isRelay, listen, mdns, relays } = options
    const manager = yield* NetworkManager.make({
      network: CHAT_NETWORK,
      listen,
      privateKey: identity.peerKey,
      maxPeers: MAX_CHAT_PEERS,
      persistentPeers: [...relays, ...connect],
      localDiscovery: mdns ?? false,
      peerExchange: false,
      kinds: [RecordKind],
      gossip: { mesh: { heartbeatInterval: GOSSIP_HEARTBEAT_MS } },
      node: {
        reachability: { relayed: { at: relays }, ...(isRelay ? { relay: { isUnlimited: true } } : {}) }
      }
    })
    yield* manager.start
    return { manager, network: chatNetwork(manager) }
  })

const chatNetwork = (manager: NetworkManagerShape): ChatNetwork => ({
  peers: Effect.map(manager.getPeers, (peers) => peers.map(({ peerId }) => peerId)),
  publish: (record) => Effect.ignore(manager.broadcastMessage(RecordKind, { record })),
  brought: Stream.map(manager.subscribe(RecordKind), ({ from, message: { record } }) => ({ peer: from, record })),
  askHistory: (peer, room) =>
    manager.request(peer, HistoryMethod, { room }, { timeoutMs: HISTORY_TIMEOUT_MS }).pipe(
      Effect.map(({ records }) => records),
      Effect.mapError(({ message }) => new HistoryFailed({ peer, message }))
    ),
  serveHistory: (answer) =>
    manager.serve(HistoryMethod, ({ room }) => Effect.map(answer(room), (records) => ({ records }))),
  arrivals: Stream.flatMap(manager.facts, (fact) =>
    fact._tag === "PeerUp" ? Stream.succeed(fact.peer) : Stream.empty
  ),
  fault: (peer) => manager.recordBehaviour(peer, "message-malformed")
})
