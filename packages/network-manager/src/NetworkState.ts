/** What of a network outlasts its stops and starts: who it is, who is banned, what it speaks, what it has counted. */
import { privateKeyFromProtobuf } from "@libp2p/crypto/keys"
import { peerIdFromPrivateKey } from "@libp2p/peer-id"
import type { GossipFault } from "@satwire/gossip"
import type { Now, Random } from "@satwire/machine"
import type { Kind, OverlayFault } from "@satwire/overlay"
import { nowReader, seededRandom } from "@satwire/runtime"
import { makePrivateKey } from "@satwire/transport-libp2p"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import { BroadcastWriter } from "./Broadcast.ts"
import { keepBans } from "./KeptBans.ts"
import { NetworkError } from "./NetworkError.ts"
import { type NetworkOptions, type Settings, settingsOf } from "./NetworkOptions.ts"
import { Peers, peerIdIn } from "./Peers.ts"
import { Rooms } from "./Rooms.ts"
import { Scores } from "./Scores.ts"
import { Tally } from "./Tally.ts"

/**
 * @limit facts of a network manager kept for a slow reader
 */
export const FACTS_KEPT = 1024

export type NetworkFact =
  | { readonly _tag: "PeerUp" | "PeerGone"; readonly peer: string }
  | {
      readonly _tag: "Faulted"
      readonly peer: string
      readonly fault: OverlayFault | GossipFault
      readonly detail: string
    }
  /** Its connections are closed by now. */
  | { readonly _tag: "Banned"; readonly peer: string; readonly reason: string }

export interface NetworkState {
  readonly settings: Settings
  readonly privateKey: Uint8Array
  readonly peerId: string
  readonly nodeId: string
  readonly writer: BroadcastWriter
  readonly random: Random
  readonly now: () => Now
  readonly unixMs: () => number
  readonly peers: Peers
  readonly scores: Scores
  readonly tally: Tally
  readonly rooms: Rooms
  readonly facts: PubSub.PubSub<NetworkFact>
  readonly tell: (fact: NetworkFact) => void
  /** Multiaddrs of those to whom a connection is kept. */
  readonly persistent: Set<string>
  /** Whom we met at addresses that name nobody. */
  readonly ledTo: Map<string, string>
  /** Those whom nobody dials by himself any more, and since when. */
  readonly removed: Map<string, number>
  /** Closes the connections of who is banned, while there are any. */
  onBan: (peer: string) => void
}

/** Who is at an address, by what it says or where it led. */
export const peerAt = ({ ledTo }: NetworkState, address: string): string | undefined =>
  peerIdIn(address) ?? ledTo.get(address)

export const makeState = (options: NetworkOptions): Effect.Effect<NetworkState, NetworkError, Scope.Scope> =>
  Effect.gen(function* () {
    const settings = settingsOf(options)
    if (settings instanceof NetworkError) return yield* settings
    const privateKey = options.privateKey ?? (yield* makePrivateKey)
    const key = yield* Effect.try({
      try: () => privateKeyFromProtobuf(privateKey),
      catch: () => new NetworkError({ reason: "BadOptions", message: "the private key is none of libp2p's" })
    })
    if (key.type !== "Ed25519") {
      return yield* new NetworkError({
        reason: "BadOptions",
        message: `the private key is of ${key.type}, not of Ed25519`
      })
    }
    const now = yield* nowReader
    const random = yield* seededRandom
    const clock = yield* Clock.clockWith((each) => Effect.succeed(each))
    const facts = yield* PubSub.sliding<NetworkFact>(FACTS_KEPT)
    const tell = (fact: NetworkFact): void => {
      if (!PubSub.publishUnsafe(facts, fact)) Effect.runSync(PubSub.publish(facts, fact))
    }
    const tally = new Tally()
    const peerId = peerIdFromPrivateKey(key).toString()
    const state: NetworkState = {
      settings,
      privateKey,
      peerId,
      nodeId: options.nodeId ?? peerId,
      writer: new BroadcastWriter(key, random, now, options.signingKey),
      random,
      now,
      unixMs: () => clock.currentTimeMillisUnsafe(),
      peers: new Peers(),
      scores: new Scores(options.scoring ?? true, now, (peer, reason) => {
        tally.bans += 1
        state.onBan(peer)
        tell({ _tag: "Banned", peer, reason })
      }),
      tally,
      rooms: new Rooms(tally, now),
      facts,
      tell,
      persistent: new Set(options.persistentPeers),
      ledTo: new Map(),
      removed: new Map(),
      onBan: () => undefined
    }
    const { dataDirectory: directory } = options
    if (directory !== undefined) yield* keepBans({ directory, network: settings.network, scores: state.scores })
    for (const kind of options.kinds ?? []) yield* state.rooms.know(kind as Kind<unknown>)
    return state
  })
