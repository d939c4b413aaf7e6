/**
 * The network of one person: a libp2p node, whom it finds and dials, and the overlay on it.
 *
 * Specification: who is found on this LAN by multicast DNS is dialled; who is named is dialled, and again whenever he is not there. Nobody else is.
 */
import { type OverlayShape, makeOverlay } from "@satwire/overlay"
import { type Libp2pMessenger, makeLibp2pMessenger } from "@satwire/overlay-libp2p"
import { FIRST_PAUSE_MS, nextPauseMs } from "@satwire/runtime"
import type { ListenError } from "@satwire/transport"
import {
  type Libp2pNodeOptions,
  type Libp2pNodeShape,
  type MdnsOptions,
  makeLibp2pNode
} from "@satwire/transport-libp2p"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Identity } from "../identity/Identity.ts"
import type { ChatNetwork } from "./ChatNetwork.ts"
import { overlayNetwork } from "./OverlayNetwork.ts"

export const CHAT_PROTOCOL = "/satwire/chat/1.0.0"
/** On a LAN the chats find one another, and no other program of Satwire's. */
export const CHAT_SERVICE = "_satwire-chat._udp.local"
/** How often it is looked whether who is named is there. */
const LOOK_MS = 1000
/**
 * @limit peers of the LAN that a chat dials at once
 */
export const MAX_DIALLING = 8
/**
 * @limit peers of a chat
 */
export const MAX_CHAT_PEERS = 64

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
  readonly limits?: Libp2pNodeOptions["limits"]
}

export interface OpenNetwork {
  readonly node: Libp2pNodeShape
  readonly network: ChatNetwork
}

/** Opens it as long as the scope: whatever is added to the scope later is closed before all of it. */
export const openNetwork = (options: NetworkOptions): Effect.Effect<OpenNetwork, ListenError, Scope.Scope> =>
  Effect.gen(function* () {
    // Streams that are opened later would else be closed before those who still have a farewell to say.
    const inner = yield* Scope.fork(yield* Effect.scope)
    return yield* Scope.provide(opened(options), inner)
  })

const opened = (options: NetworkOptions): Effect.Effect<OpenNetwork, ListenError, Scope.Scope> =>
  Effect.gen(function* () {
    const { connect, identity, isRelay, limits, listen, mdns, relays } = options
    const node = yield* makeLibp2pNode({
      listen,
      privateKey: identity.peerKey,
      userAgent: "satwire-chat",
      ...(limits === undefined ? {} : { limits }),
      discovery: mdns === undefined ? {} : { mdns: { service: CHAT_SERVICE, ...mdns } },
      reachability: { relayed: { at: relays }, ...(isRelay ? { relay: { isUnlimited: true } } : {}) }
    })
    const messenger = yield* makeLibp2pMessenger(node, {
      protocol: CHAT_PROTOCOL,
      key: identity.key,
      maxPeers: MAX_CHAT_PEERS
    })
    const overlay: OverlayShape = yield* makeOverlay({ messenger })
    yield* Effect.forkScoped(dialFound(node, messenger))
    for (const address of [...relays, ...connect]) yield* Effect.forkScoped(keepDialled(messenger, address))
    return { node, network: overlayNetwork(overlay) }
  })

const dialFound = (node: Libp2pNodeShape, messenger: Libp2pMessenger): Effect.Effect<void> =>
  Stream.runForEach(
    Stream.filter(node.found, ({ source }) => source === "mdns"),
    ({ addresses, peerId }) =>
      messenger.peers().includes(peerId)
        ? Effect.void
        : node.learn(addresses).pipe(Effect.andThen(messenger.open(peerId)), Effect.ignore, Effect.forkChild)
  )

/** Dials whenever nobody is there, with pauses that grow. */
const keepDialled = (messenger: Libp2pMessenger, address: string): Effect.Effect<never> =>
  Effect.gen(function* () {
    let pauseMs = FIRST_PAUSE_MS
    for (;;) {
      const opened = yield* Effect.result(messenger.open(address))
      if (opened._tag === "Success") {
        pauseMs = FIRST_PAUSE_MS
        while (messenger.peers().includes(opened.success)) yield* Effect.sleep(LOOK_MS)
      }
      yield* Effect.sleep(pauseMs)
      pauseMs = nextPauseMs(pauseMs)
    }
  })
