/**
 * A topic for what is large: only its id goes around by gossip, and each node fetches it once, of one of those who told of it, and tells of it
 * itself when it has found it good.
 *
 * ```
 *   announcement ─▶ checkAnnouncement ─▶ fetch of the first who told ─▶ id ─▶ validate ─▶ readers; the announcement goes on
 *                                          late, absent, other bytes │
 *                                                 └─ the next one ◀──┘ (a fault of the one before)
 * ```
 *
 * Whoever passes an announcement on has had the payload, so that not handing it over is a fault; but for who cannot be reached any more, and for
 * who was asked late.
 */
import type { MeshPeer } from "@libp2p/gossipsub"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import type { ListenError } from "@satwire/transport"
import { Announcers, Shares } from "./Announcers.ts"
import type { TopicCodec } from "./Codec.ts"
import type { GossipFault, Verdict } from "./Faults.ts"
import { Fetching, type Undelivered, serve } from "./Fetching.ts"
import type { GossipShape } from "./Gossip.ts"
import { KeptPayloads } from "./KeptPayloads.ts"
import { Lately } from "./Lately.ts"
import { keyOf } from "./SeenIds.ts"
import type { Delivered, PublishError, Published } from "./Topic.ts"

/**
 * @limit bytes of a payload that is announced and fetched, unless told otherwise
 */
export const MAX_PAYLOAD_BYTES: number = 4 * 1024 * 1024
/**
 * @limit bytes of payloads that a topic keeps for others to fetch, unless told otherwise
 */
export const MAX_KEPT_BYTES: number = 64 * 1024 * 1024
/**
 * @limit payloads of a topic that are fetched at once, unless told otherwise
 */
export const MAX_FETCHING = 8
/**
 * @limit payloads of a topic that are fetched of one peer at once, unless told otherwise
 */
export const MAX_FETCHING_OF_ONE: number = MAX_FETCHING / 4
/**
 * @limit milliseconds that one peer has to hand a payload over, unless told otherwise; then the next one is asked
 */
export const FETCH_TIMEOUT_MS = 10_000
/** All peers together. */
const FETCH_DEADLINE_MS = 60_000
/**
 * How long who told of a payload is held to have it. Half as long as nodes keep what they announced ({@link KEPT_AT_LEAST_MS}): the rest is for
 * the way there and back.
 */
const HELD_TO_IT_MS = 2000
/**
 * Who was asked too late for one payload, or could not be reached, is held to none for so long. Rationale: what it tells us meanwhile may have waited
 * behind what we were late with, for as long as a fetch may take.
 */
const BEHIND_MS = FETCH_DEADLINE_MS
/** How long others may then tell of the same: it keeps a turn of the peer, who has newer ones for us. */
const OTHERS_MS = 5000
/** Who cannot be reached is not tried again for so long, whatever it announced. */
const UNREACHABLE_MS = 1000
const HEAD_BYTES = 36

export interface Announcement {
  /** 32 bytes. */
  readonly id: Uint8Array
  readonly sizeBytes: number
  /** What can be judged before the payload is there, such as a header. */
  readonly extra: Uint8Array
}

/** `wrong`: these bytes are not what was announced, whoever handed them over changed them; others may have the right ones. */
export type PayloadVerdict = Verdict | { readonly wrong: string }

export interface AnnouncedOptions<R = never> {
  readonly maxBytes?: number
  /** Bytes of `extra`; none where not given. */
  readonly maxExtraBytes?: number
  /** Before anything is fetched. */
  readonly checkAnnouncement?: (announcement: Announcement, from: string) => Verdict
  /** The payload's id, 32 bytes; its SHA-256 where not given. */
  readonly idOf?: (payload: Uint8Array) => Uint8Array
  readonly validate?: (
    payload: Uint8Array,
    announcement: Announcement,
    from: string
  ) => PayloadVerdict | Effect.Effect<PayloadVerdict, never, R>
  /** What is handed over beside the last payloads, such as a store's. */
  readonly find?: (id: Uint8Array) => Effect.Effect<Uint8Array | undefined>
  readonly maxKeptBytes?: number
  /** A quarter of them of one peer, and one at least. */
  readonly maxFetching?: number
  readonly fetchTimeoutMs?: number
}

export interface AnnouncedTopic {
  readonly name: string
  /** Announces a payload, and hands it over to who asks. It belongs to the topic from here on. */
  readonly publish: (payload: Uint8Array, extra?: Uint8Array) => Effect.Effect<Published, PublishError>
  /** Payloads of others as they are accepted, by the id of the payload. */
  readonly messages: Stream.Stream<Delivered<Uint8Array>>
  readonly peers: () => ReadonlyArray<string>
  readonly mesh: () => ReadonlyArray<string>
}

/** An announcement with what was fetched for it. */
interface Fetched extends Announcement {
  payload: Uint8Array | undefined
  /** Who handed it over. */
  giver: string | undefined
}

const encode = ({ id, sizeBytes, extra }: Announcement): Uint8Array => {
  const bytes = new Uint8Array(HEAD_BYTES + extra.length)
  bytes.set(id)
  new DataView(bytes.buffer).setUint32(32, sizeBytes, true)
  bytes.set(extra, HEAD_BYTES)
  return bytes
}

const codecOf = (maxExtraBytes: number): TopicCodec<Fetched> => ({
  encode,
  decode: (bytes) => {
    if (bytes.length < HEAD_BYTES || bytes.length > HEAD_BYTES + maxExtraBytes) {
      return Result.fail(`an announcement of ${bytes.length} bytes`)
    }
    const sizeBytes = new DataView(bytes.buffer, bytes.byteOffset).getUint32(32, true)
    const extra = bytes.slice(HEAD_BYTES)
    return Result.succeed({ id: bytes.slice(0, 32), sizeBytes, extra, payload: undefined, giver: undefined })
  }
})

class Room<R> {
  readonly #name: string
  readonly #gossip: GossipShape
  readonly #options: AnnouncedOptions<R>
  readonly #fetching: Fetching
  readonly #slots: Semaphore.Semaphore
  readonly #shares: Shares
  readonly #unreachable: Lately = new Lately(UNREACHABLE_MS)
  readonly #behind: Lately = new Lately(BEHIND_MS)
  readonly kept: KeptPayloads
  /**
   * Who told of what is fetched just now, by the whole announcement: one that lies about the size of a payload is not passed on, and keeps nobody
   * from the true one.
   */
  readonly #underWay: Map<string, Announcers> = new Map()

  constructor(name: string, gossip: GossipShape, options: AnnouncedOptions<R>, fetching: Fetching) {
    this.#name = name
    this.#gossip = gossip
    this.#options = options
    this.#fetching = fetching
    const { maxFetching = MAX_FETCHING } = options
    this.#slots = Semaphore.makeUnsafe(maxFetching)
    this.#shares = new Shares(Math.ceil((maxFetching * MAX_FETCHING_OF_ONE) / MAX_FETCHING))
    this.kept = new KeptPayloads(options.maxKeptBytes ?? MAX_KEPT_BYTES, () => this.nowMs())
  }

  nowMs(): number {
    return this.#gossip.shared.now().instant
  }

  /** Keeps it for others to fetch, as soon as those before were there for long enough; or `find` has them. */
  keep(id: Uint8Array, payload: Uint8Array): Effect.Effect<void> {
    const room = this.#options.find === undefined ? this.kept.room(payload.length) : Effect.void
    return Effect.andThen(
      room,
      Effect.sync(() => this.kept.add(keyOf(id), payload))
    )
  }

  idOf(payload: Uint8Array): Uint8Array {
    const { idOf } = this.#options
    if (idOf !== undefined) return idOf(payload)
    return this.#gossip.shared.idOf(this.#name, payload).slice(0, 32)
  }

  /** Every announcement, those included that gossip knows already. */
  readonly onMessage = (peer: string, data: Uint8Array): boolean => {
    if (this.#underWay.size === 0) return true
    this.#underWay.get(keyOf(data))?.add(peer, this.nowMs())
    return true
  }

  readonly validate = (one: Fetched, from: string): Verdict | Effect.Effect<Verdict, never, R> => {
    const { maxBytes = MAX_PAYLOAD_BYTES, checkAnnouncement } = this.#options
    if (one.sizeBytes === 0 || one.sizeBytes > maxBytes) {
      return { reject: "invalid", detail: `a payload of ${one.sizeBytes} bytes` }
    }
    const verdict = checkAnnouncement?.(one, from) ?? "accept"
    if (verdict !== "accept") return verdict
    if (this.kept.get(keyOf(one.id)) !== undefined) return "ignore"
    const key = keyOf(encode(one))
    const announcers = new Announcers(this.#shares, from, this.nowMs())
    this.#underWay.set(key, announcers)
    return Effect.ensuring(
      this.#fromOneOf(one, announcers, from),
      Effect.sync(() => this.#underWay.delete(key))
    )
  }

  /**
   * Specification: when nobody is left to ask it waits for others who tell of it, until the deadline. Rationale: gossip takes what it has seen for
   * known, and so who told of it first, and has it not, would keep it from us. Where its first was asked too late or could not be reached it waits a little only.
   */
  #fromOneOf(one: Fetched, announcers: Announcers, first: string): Effect.Effect<Verdict, never, R> {
    return Effect.gen({ self: this }, function* () {
      while (true) {
        const verdict = yield* announcers.ask((peer, toldMs) =>
          this.kept.get(keyOf(one.id)) === undefined
            ? this.#slots.withPermit(this.#from(peer, one, toldMs))
            : Effect.succeed("ignore" as const)
        )
        if (verdict !== undefined) return verdict
        if (!this.#behind.holds(first, this.nowMs())) continue
        if (Option.isNone(yield* Effect.timeoutOption(announcers.told, OTHERS_MS))) return "ignore"
      }
    })
  }

  /** Nothing where the next one is to be asked. */
  #from(peer: string, one: Fetched, toldMs: number): Effect.Effect<Verdict | undefined, never, R> {
    const { fetchTimeoutMs = FETCH_TIMEOUT_MS, validate } = this.#options
    const fault = (detail: string) => this.#fault(peer, "invalid", detail)
    const { id, sizeBytes } = one
    if (this.#unreachable.holds(peer, this.nowMs())) return Effect.succeed(undefined)
    const isDue = (): boolean => this.nowMs() - toldMs < HELD_TO_IT_MS && !this.#behind.holds(peer, this.nowMs())
    return this.#fetching.fetch({ peer, id, sizeBytes, timeoutMs: fetchTimeoutMs, isDue }).pipe(
      Effect.matchEffect({
        onFailure: (why) => this.#missed(peer, why),
        onSuccess: (payload) =>
          Effect.gen({ self: this }, function* () {
            if (keyOf(this.idOf(payload)) !== keyOf(one.id)) return yield* fault("other bytes than announced")
            const judged = validate?.(payload, one, peer) ?? "accept"
            const verdict = Effect.isEffect(judged) ? yield* judged : judged
            if (typeof verdict === "object" && "wrong" in verdict) return yield* fault(verdict.wrong)
            if (verdict === "accept") {
              yield* this.keep(one.id, payload)
              one.payload = payload
              one.giver = peer
            }
            return verdict
          })
      })
    )
  }

  #missed(peer: string, why: Undelivered): Effect.Effect<undefined> {
    if (why !== "Unreachable" && why !== "Forgotten") return this.#fault(peer, "undelivered", why)
    return Effect.sync(() => {
      this.#behind.note(peer, this.nowMs())
      if (why === "Unreachable") this.#unreachable.note(peer, this.nowMs())
      return undefined
    })
  }

  #fault(peer: string, reason: GossipFault, detail: string): Effect.Effect<undefined> {
    return Effect.as(this.#gossip.fault(peer, this.#name, reason, detail), undefined)
  }
}

/** A topic of payloads that are announced and fetched, as long as the scope. */
export const announcedTopic = <R = never>(
  gossip: GossipShape,
  name: string,
  options: AnnouncedOptions<R> = {}
): Effect.Effect<AnnouncedTopic, ListenError, R | Scope.Scope> =>
  Effect.gen(function* () {
    const { node } = gossip
    const protocol = `/satwire/fetch/1/${name}`
    const fetching = new Fetching(node, protocol, yield* Effect.scope)
    const room = new Room(name, gossip, options, fetching)
    const { find, maxExtraBytes = 0 } = options
    yield* serve({
      node,
      protocol,
      nowMs: () => room.nowMs(),
      find: (id) => {
        const kept = room.kept.get(keyOf(id))
        return kept === undefined && find !== undefined ? find(id) : Effect.succeed(kept)
      }
    })
    const topic = yield* gossip.topic<Fetched, R>(name, {
      codec: codecOf(maxExtraBytes),
      validate: room.validate,
      deadlineMs: FETCH_DEADLINE_MS,
      onMessage: room.onMessage,
      sizeOf: ({ payload }) => payload?.length ?? HEAD_BYTES
    })
    yield* keepLines(gossip, name, fetching)
    return {
      name,
      peers: topic.peers,
      mesh: topic.mesh,
      messages: Stream.map(topic.messages, payloadOf),
      publish: (payload, extra = new Uint8Array(0)) =>
        Effect.gen(function* () {
          const id = room.idOf(payload)
          yield* room.keep(id, payload)
          const { recipients } = yield* topic.publish({
            id,
            sizeBytes: payload.length,
            extra,
            payload,
            giver: undefined
          })
          return { id, recipients }
        })
    }
  })

/** Streams to fetch on: there for who is next to us in the mesh, the one to tell of the next payload, and gone with the peer. */
const keepLines = (
  { node, shared }: GossipShape,
  name: string,
  fetching: Fetching
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const run = Effect.runForkWith(yield* Effect.context())
    const scope = yield* Effect.scope
    const left = ({ detail }: CustomEvent<{ readonly toString: () => string }>): void =>
      void run(fetching.forget(detail.toString()))
    const grafted = ({ detail: { peerId, topic } }: CustomEvent<MeshPeer>): void => {
      if (topic === name) run(Effect.forkIn(fetching.prepare(peerId), scope))
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        node.engine.addEventListener("peer:disconnect", left)
        shared.pubsub?.addEventListener("gossipsub:graft", grafted)
      }),
      () =>
        Effect.sync(() => {
          node.engine.removeEventListener("peer:disconnect", left)
          shared.pubsub?.removeEventListener("gossipsub:graft", grafted)
        })
    )
  })

const payloadOf = ({ message, from, sizeBytes }: Delivered<Fetched>): Delivered<Uint8Array> => ({
  message: message.payload as Uint8Array,
  from: message.giver ?? from,
  id: message.id,
  sizeBytes
})
