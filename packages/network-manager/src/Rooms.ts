/**
 * The kinds of messages that a network speaks: for each one a place where its readers are, which outlasts stops and starts, and while the network
 * runs a reader of what comes to us alone and one of what goes around.
 *
 * ```
 *   sendMessage ──▶ overlay ─▶ messages(kind) ───────────────────────────┐
 *   broadcastMessage ─┬▶ topic of the kind ─▶ signature, expiry ─▶ once ─┴▶ readers
 *                     └▶ to peers without gossip, as a message of kind "network-broadcast" ─▶ the same, and on into the topic
 * ```
 */
import { type GossipShape, type PublishError, SeenIds, type Topic } from "@satwire/gossip"
import type { Now } from "@satwire/machine"
import { KEPT_BYTES, type Kind, MESSAGES_KEPT, type KindError, type OverlayShape, reservedKind } from "@satwire/overlay"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import {
  BROADCAST_OVERHEAD_BYTES,
  type Broadcast,
  type BroadcastWriter,
  broadcastKind,
  decodeBroadcast,
  judgeBroadcast
} from "./Broadcast.ts"
import type { NetworkBehaviour } from "./Scores.ts"
import type { Tally, Way } from "./Tally.ts"

/**
 * @limit bytes of a message that is spread to all, its signature included
 */
export const MAX_BROADCAST_BYTES: number = 1024 * 1024

export interface NetworkMessage<A> {
  /** The peer id of whoever wrote it, whose key was proven or has signed it. */
  readonly from: string
  /** The key that signed it, where its kind asks for that; `undefined` where none did. */
  readonly signer: Uint8Array | undefined
  readonly message: A
  /** When it came, in milliseconds since 1970. */
  readonly at: number
  readonly way: Way
}

/** A message for all on its way to a peer that has no gossip. */
const BroadcastBytes: Kind<Uint8Array> = reservedKind("network-broadcast", Schema.Uint8Array, {
  maxBytes: MAX_BROADCAST_BYTES + 16
})

/** What a room needs of a network that runs. */
export interface Ground {
  readonly network: string
  readonly self: string
  readonly overlay: OverlayShape
  readonly gossip: GossipShape | undefined
  readonly writer: BroadcastWriter
  readonly scope: Scope.Scope
  readonly record: (peer: string, behaviour: NetworkBehaviour) => void
}

class Room<A> {
  readonly kind: Kind<A>
  readonly published: PubSub.PubSub<NetworkMessage<A>>
  readonly seen: SeenIds = new SeenIds()
  topic: Topic<Broadcast<A>> | undefined

  constructor(kind: Kind<A>, published: PubSub.PubSub<NetworkMessage<A>>) {
    this.kind = kind
    this.published = published
  }
}

type AnyRoom = Room<unknown>

export class Rooms {
  readonly #tally: Tally
  readonly #now: () => Now
  readonly #rooms: Map<string, AnyRoom> = new Map()
  readonly #entering: Semaphore.Semaphore = Semaphore.makeUnsafe(1)
  #ground: Ground | undefined

  constructor(tally: Tally, now: () => Now) {
    this.#tally = tally
    this.#now = now
  }

  kindOf(name: string): Kind<unknown> | undefined {
    return this.#rooms.get(name)?.kind
  }

  /** How many peers a topic has, and how many of them are passed messages on whole. */
  mesh(): ReadonlyArray<{ readonly kind: string; readonly peers: number; readonly mesh: number }> {
    return [...this.#rooms.values()].flatMap(({ kind, topic }) =>
      topic === undefined ? [] : [{ kind: kind.name, peers: topic.peers().length, mesh: topic.mesh().length }]
    )
  }

  /** Speaks a kind from now on. Two kinds of one name are a defect. */
  know<A>(kind: Kind<A>): Effect.Effect<void> {
    return Effect.asVoid(this.#room(kind))
  }

  subscribe<A>(kind: Kind<A>): Stream.Stream<NetworkMessage<A>> {
    return Stream.unwrap(Effect.map(this.#room(kind), ({ published }) => Stream.fromPubSub(published)))
  }

  /** Enters all rooms, until the scope of the ground closes. */
  open(ground: Ground): Effect.Effect<void> {
    return this.#entering.withPermit(
      Effect.gen({ self: this }, function* () {
        this.#ground = ground
        yield* Scope.addFinalizer(
          ground.scope,
          Effect.sync(() => {
            this.#ground = undefined
            for (const room of this.#rooms.values()) room.topic = undefined
          })
        )
        yield* inScope(
          ground,
          Stream.runForEach(ground.overlay.messages(BroadcastBytes), ({ message, peer }) =>
            this.#handedOver(ground, peer, message)
          )
        )
        for (const room of this.#rooms.values()) yield* this.#enter(room, ground)
      })
    )
  }

  /** Ends every subscription. */
  readonly close: Effect.Effect<void> = Effect.suspend(() =>
    Effect.forEach(this.#rooms.values(), ({ published }) => PubSub.shutdown(published), { discard: true })
  )

  /** Spreads a message; to how many peers it went at once. */
  broadcast<A>(kind: Kind<A>, message: A, ground: Ground): Effect.Effect<number, KindError | PublishError> {
    return Effect.gen({ self: this }, function* () {
      const room = yield* this.#room(kind)
      const broadcast = yield* ground.writer.write(kind, message)
      room.seen.add(broadcast.id)
      const { topic } = room
      const recipients = topic === undefined ? 0 : (yield* topic.publish(broadcast)).recipients
      this.#tally.sent(kind.name, "broadcast", broadcast.bytes.length)
      const gossiping = this.#gossiping()
      const others = ground.overlay.peers().filter((peer) => !gossiping.has(peer))
      const sent = yield* Effect.forEach(others, (peer) => this.#handOver(ground, peer, broadcast.bytes))
      return recipients + sent.filter(Boolean).length
    })
  }

  /**
   * Who has told by gossip what it is interested in, which is done for all topics at once. Who has not may have no gossip, or may just have come.
   */
  #gossiping(): ReadonlySet<string> {
    return new Set([...this.#rooms.values()].flatMap(({ topic }) => topic?.peers() ?? []))
  }

  #handOver(ground: Ground, peer: string, bytes: Uint8Array): Effect.Effect<boolean> {
    return ground.overlay.send(peer, BroadcastBytes, bytes).pipe(
      Effect.as(true),
      Effect.orElseSucceed(() => false)
    )
  }

  #room<A>(kind: Kind<A>): Effect.Effect<Room<A>> {
    return this.#entering.withPermit(
      Effect.gen({ self: this }, function* () {
        const known = this.#rooms.get(kind.name)
        if (known !== undefined) {
          if ((known.kind as unknown) === kind) return known as unknown as Room<A>
          return yield* Effect.die(new TypeError(`there are two kinds of the name ${kind.name}`))
        }
        const kept = Math.max(1, Math.min(MESSAGES_KEPT, Math.floor(KEPT_BYTES / kind.maxBytes)))
        const room = new Room(kind, yield* PubSub.sliding<NetworkMessage<A>>(kept))
        this.#rooms.set(kind.name, room as unknown as AnyRoom)
        this.#tally.know(kind.name)
        if (this.#ground !== undefined) yield* this.#enter(room, this.#ground)
        return room
      })
    )
  }

  #enter<A>(room: Room<A>, ground: Ground): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const { kind } = room
      yield* inScope(
        ground,
        Stream.runForEach(ground.overlay.messages(kind), ({ message, peer, signer }) =>
          deliver(room, { from: peer, signer, message, way: "direct" })
        )
      )
      if (ground.gossip === undefined) return
      const topic = yield* ground.gossip
        .topic<Broadcast<A>>(`/${ground.network}/kind/1/${kind.name}`, {
          codec: { encode: ({ bytes }) => bytes, decode: (bytes) => decodeBroadcast(kind, bytes) },
          validate: (broadcast) => judgeBroadcast(broadcast, this.#now()),
          idOf: ({ id }) => id,
          maxBytes: Math.min(MAX_BROADCAST_BYTES, kind.maxBytes + BROADCAST_OVERHEAD_BYTES)
        })
        .pipe(Scope.provide(ground.scope))
      room.topic = topic
      yield* inScope(
        ground,
        Stream.runForEach(topic.messages, ({ message }) => this.#came(ground, room, message))
      )
    })
  }

  #came<A>(ground: Ground, room: Room<A>, { bytes, from, id, message, signer }: Broadcast<A>): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (from === ground.self || !room.seen.add(id)) return Effect.void
      this.#tally.received(room.kind.name, "broadcast", bytes.length)
      return deliver(room, { from, signer, message, way: "broadcast" })
    })
  }

  /** A peer without gossip brings a message for all, or one with it to us, who have none. */
  #handedOver(ground: Ground, peer: string, bytes: Uint8Array): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const name = broadcastKind(bytes)
      if (name === undefined) return ground.record(peer, "message-malformed")
      const room = this.#rooms.get(name)
      if (room === undefined) return
      const decoded = decodeBroadcast(room.kind, bytes)
      if (Result.isFailure(decoded)) return ground.record(peer, "message-malformed")
      const broadcast = decoded.success
      if (room.seen.has(broadcast.id)) return
      const judged = judgeBroadcast(broadcast, this.#now())
      const verdict = Effect.isEffect(judged) ? yield* judged : judged
      if (verdict !== "accept") {
        const isForged = typeof verdict === "object" && verdict.reject === "forged"
        return ground.record(peer, isForged ? "forged" : "message-malformed")
      }
      yield* this.#came(ground, room, broadcast)
      // As gossip does: who brings too much is not passed on, or we were the ones who flood.
      const mayGoOn = ground.gossip?.shared.turns.mayGoOn(peer, bytes.length) === true
      if (mayGoOn && room.topic !== undefined) yield* Effect.ignore(room.topic.publish(broadcast))
    })
  }
}

const deliver = <A>(room: Room<A>, received: Omit<NetworkMessage<A>, "at">): Effect.Effect<void> =>
  Effect.flatMap(Clock.currentTimeMillis, (at) => Effect.asVoid(PubSub.publish(room.published, { ...received, at })))

const inScope = (ground: Ground, effect: Effect.Effect<void, unknown>): Effect.Effect<void> =>
  Effect.asVoid(Effect.forkIn(Effect.ignore(effect), ground.scope, { startImmediately: true }))
