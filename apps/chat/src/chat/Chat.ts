/**
 * The chat as a service: rooms that are joined, what is said, who is here. It is `ChatRooms` with a clock, a key and a network.
 *
 * ```
 *   network ── records ─▶ ChatRooms ─▶ events        say, join, leave ─▶ sealed ─▶ ChatRooms, network
 *           ── a peer comes ─▶ his history of each room ─▶ ChatRooms
 *   every few seconds: that we are here, and who no longer is
 * ```
 */
import { toHex } from "@satwire/bytes"
import { type SchnorrKey, type Sha256, type Signatures, portableSha256, portableSignatures } from "@satwire/crypto"
import { type Random, type Rate, TokenBucket } from "@satwire/machine"
import { seededRandom } from "@satwire/runtime"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ChatNetwork } from "../network/ChatNetwork.ts"
import { type ChatEvent, ChatRooms, type ShownText } from "./ChatRooms.ts"
import { type Content, sealRecord } from "./Record.ts"
import type { Member } from "./Room.ts"
import { parseRoom, parseText, plainName } from "./Text.ts"

/** How often everybody says that he is here. */
export const HEARTBEAT_MS = 15_000
/** How often it is looked who is away. */
const SWEEP_MS = 5000
/** Until a peer that came is passed on everything; what was said meanwhile is asked for then. */
const SETTLE_MS = 750
/** How often rooms are compared with those of a peer that is drawn. */
const COMPARE_MS = 60_000
/**
 * Records by which we tell who comes that we are here: so many at once, and so many more in a second. Others take two records a second of one person,
 * and somebody who comes again and again must not use them up.
 */
const ANNOUNCED: Rate = { perSecond: 0.5, burst: 10 }
/** So many peers are asked for the history of a room that is joined. */
const ASKED_PEERS = 3
/**
 * @limit events of the chat that wait for a slow reader
 */
export const EVENTS_KEPT = 1024
/** How long a farewell has to leave. */
const LAST_WORDS_MS = 100

interface ChatErrorFields {
  /** One sentence. */
  readonly message: string
}

const ChatErrorBase: new (
  fields: ChatErrorFields
) => Cause.YieldableError & { readonly _tag: "ChatError" } & ChatErrorFields = Data.TaggedError("ChatError")

/** What was asked for cannot be done, and why. */
export class ChatError extends ChatErrorBase {}

export interface ChatOptions {
  readonly network: ChatNetwork
  readonly key: SchnorrKey
  readonly name: string
  readonly sha256?: Sha256 | undefined
  readonly signatures?: Signatures | undefined
  /** {@link HEARTBEAT_MS} where not given. */
  readonly heartbeatMs?: number | undefined
}

export type LabelledMember = Member & { readonly label: string }

export interface Chat {
  /** Our key, as hexadecimal digits. */
  readonly self: string
  readonly name: () => string
  readonly rooms: () => ReadonlyArray<string>
  readonly texts: (room: string) => ReadonlyArray<ShownText>
  readonly members: (room: string) => ReadonlyArray<LabelledMember>
  /** Joins a room, whose history follows as peers hand it over; the name of the room. */
  readonly join: (room: string) => Effect.Effect<string, ChatError>
  readonly leave: (room: string) => Effect.Effect<string, ChatError>
  readonly say: (room: string, text: string) => Effect.Effect<void, ChatError>
  /** Takes another name; that name as others see it. */
  readonly rename: (name: string) => Effect.Effect<string, ChatError>
  /** From now on. Who reads slowly misses the oldest. */
  readonly events: Stream.Stream<ChatEvent>
}

/** A chat as long as the scope, at whose end it says farewell in every room. */
export const makeChat = (options: ChatOptions): Effect.Effect<Chat, ChatError, Scope.Scope> =>
  Effect.gen(function* () {
    const name = plainName(options.name)
    if (name === undefined) return yield* new ChatError({ message: "a name has letters" })
    const events = yield* PubSub.sliding<ChatEvent>(EVENTS_KEPT)
    const running = new Running(options, name, yield* seededRandom, events)
    yield* running.serve
    return running
  })

class Running implements Chat {
  readonly self: string
  readonly events: Stream.Stream<ChatEvent>
  readonly #network: ChatNetwork
  readonly #key: SchnorrKey
  readonly #sha256: Sha256
  readonly #rooms: ChatRooms
  readonly #random: Random
  readonly #published: PubSub.PubSub<ChatEvent>
  readonly #heartbeatMs: number
  #name: string
  /** Of our last record: a clock that is put back, or two records in a millisecond, must not undo their order. */
  #lastAt = 0
  readonly #announcements: TokenBucket = new TokenBucket(ANNOUNCED, 0)

  constructor(options: ChatOptions, name: string, random: Random, published: PubSub.PubSub<ChatEvent>) {
    const {
      heartbeatMs = HEARTBEAT_MS,
      key,
      network,
      sha256 = portableSha256,
      signatures = portableSignatures
    } = options
    this.self = toHex(key.publicKey)
    this.events = Stream.fromPubSub(published)
    this.#network = network
    this.#key = key
    this.#sha256 = sha256
    this.#rooms = new ChatRooms({ self: this.self, sha256, signatures })
    this.#random = random
    this.#published = published
    this.#heartbeatMs = heartbeatMs
    this.#name = name
  }

  readonly name = (): string => this.#name
  readonly rooms = (): ReadonlyArray<string> => this.#rooms.rooms()
  readonly texts = (room: string): ReadonlyArray<ShownText> => this.#rooms.texts(room)
  readonly members = (room: string): ReadonlyArray<LabelledMember> => this.#rooms.members(room)

  readonly join = (text: string): Effect.Effect<string, ChatError> =>
    Effect.gen({ self: this }, function* () {
      const room = yield* orRefused(parseRoom(text))
      if (!(yield* orRefused(this.#rooms.join(room)))) return room
      yield* this.#tell([{ _tag: "Joined", room }])
      yield* this.#publish({ room, here: true })
      const peers = (yield* this.#network.peers).slice(0, ASKED_PEERS)
      yield* Effect.forEach(peers, (peer) => this.#fetch(peer, room), { concurrency: ASKED_PEERS, discard: true })
      return room
    })

  readonly leave = (text: string): Effect.Effect<string, ChatError> =>
    Effect.gen({ self: this }, function* () {
      const room = yield* this.#ours(text)
      yield* this.#publish({ room, here: false })
      this.#rooms.leave(room)
      yield* this.#tell([{ _tag: "Left", room }])
      return room
    })

  readonly say = (to: string, text: string): Effect.Effect<void, ChatError> =>
    Effect.gen({ self: this }, function* () {
      const room = yield* this.#ours(to)
      yield* this.#publish({ room, text: yield* orRefused(parseText(text)) })
    })

  readonly rename = (text: string): Effect.Effect<string, ChatError> =>
    Effect.gen({ self: this }, function* () {
      const name = plainName(text)
      if (name === undefined) return yield* new ChatError({ message: "a name has letters" })
      this.#name = name
      yield* Effect.forEach(this.rooms(), (room) => this.#publish({ room, here: true }), { discard: true })
      return name
    })

  /** All that goes on by itself, until the scope closes. */
  get serve(): Effect.Effect<void, never, Scope.Scope> {
    return Effect.gen({ self: this }, function* () {
      yield* this.#network.serveHistory((room) =>
        Effect.map(Clock.currentTimeMillis, (now) => this.#rooms.history(room, now))
      )
      const started = { startImmediately: true }
      yield* Effect.forkScoped(
        Stream.runForEach(this.#network.brought, ({ peer, record }) => this.#take(record, peer, false)),
        started
      )
      yield* Effect.forkScoped(
        Stream.runForEach(this.#network.arrivals, (peer) => Effect.forkChild(this.#greet(peer))),
        started
      )
      for (const peer of yield* this.#network.peers) yield* Effect.forkScoped(this.#greet(peer))
      yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(this.#heartbeatMs), this.#beat)))
      yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(SWEEP_MS), this.#sweep)))
      yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(COMPARE_MS), this.#compare)))
      yield* Effect.addFinalizer(() => this.#farewell)
    })
  }

  /** Who comes is asked for all rooms, twice, and those behind him learn that we are there. */
  #greet(peer: string): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const nowMs = Number((yield* Clock.monotonicTimeNanos) / 1_000_000n)
      if (this.#announcements.take(Math.min(ANNOUNCED.burst, this.rooms().length), nowMs)) yield* this.#beat
      const fetchAll = Effect.suspend(() =>
        Effect.forEach(this.rooms(), (room) => this.#fetch(peer, room), { discard: true })
      )
      yield* fetchAll
      yield* Effect.sleep(SETTLE_MS)
      yield* fetchAll
    })
  }

  /** What a broadcast has lost on its way, one peer in passing has. */
  get #compare(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const peers = yield* this.#network.peers
      const peer = peers[this.#random.below(Math.max(1, peers.length))]
      if (peer === undefined) return
      yield* Effect.forEach(this.rooms(), (room) => this.#fetch(peer, room), { discard: true })
    })
  }

  #fetch(peer: string, room: string): Effect.Effect<void> {
    return this.#network.askHistory(peer, room).pipe(
      Effect.flatMap((records) =>
        Effect.forEach(records, (record) => Effect.andThen(this.#take(record, peer, true), Effect.yieldNow), {
          discard: true
        })
      ),
      // Another peer has it, or nobody.
      Effect.ignore
    )
  }

  #take(record: Uint8Array, peer: string, isHistory: boolean): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const taken = this.#rooms.take(record, yield* Clock.currentTimeMillis, isHistory)
      if (taken._tag === "Refused" && isFault(taken.why)) yield* this.#network.fault(peer, taken.why)
      if (taken._tag === "Fresh") yield* this.#tell(taken.events)
    })
  }

  #publish(said: { readonly room: string } & ({ readonly text: string } | { readonly here: boolean })) {
    return Effect.gen({ self: this }, function* () {
      const nowMs = yield* Clock.currentTimeMillis
      this.#lastAt = Math.max(nowMs, this.#lastAt + 1)
      const content: Content = { ...said, name: this.#name, at: this.#lastAt }
      const drawn = { nonce: this.#random.u32(), auxiliary: this.#random.bytes(32), sha256: this.#sha256 }
      const record = yield* orRefused(sealRecord(content, this.#key, drawn))
      const taken = this.#rooms.take(record, nowMs, false)
      if (taken._tag === "Fresh") yield* this.#tell(taken.events)
      yield* this.#network.publish(record)
    })
  }

  get #beat(): Effect.Effect<void> {
    return Effect.ignore(Effect.forEach(this.rooms(), (room) => this.#publish({ room, here: true }), { discard: true }))
  }

  get #sweep(): Effect.Effect<void> {
    return Effect.flatMap(Clock.currentTimeMillis, (now) => this.#tell(this.#rooms.sweep(now)))
  }

  get #farewell(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      if (this.rooms().length === 0 || (yield* this.#network.peers).length === 0) return
      yield* Effect.ignore(
        Effect.forEach(this.rooms(), (room) => this.#publish({ room, here: false }), { discard: true })
      )
      yield* Effect.sleep(LAST_WORDS_MS)
    })
  }

  #ours(text: string): Effect.Effect<string, ChatError> {
    return Effect.gen({ self: this }, function* () {
      const room = yield* orRefused(parseRoom(text))
      if (this.rooms().includes(room)) return room
      return yield* new ChatError({ message: `you are not in #${room}` })
    })
  }

  #tell(events: ReadonlyArray<ChatEvent>): Effect.Effect<void> {
    return Effect.asVoid(PubSub.publishAll(this.#published, events))
  }
}

/** What no honest peer sends: an old record, or one of somebody who talks too fast, may be. */
const isFault = (why: string): boolean => why === "oversize" || why === "malformed" || why === "forged"

const orRefused = <A>(result: Result.Result<A, string>): Effect.Effect<A, ChatError> =>
  Result.isSuccess(result) ? Effect.succeed(result.success) : Effect.fail(new ChatError({ message: result.failure }))
