/**
 * One topic: what comes is decoded and judged before anybody else hears of it, each message once.
 *
 * ```
 *   gossipsub ─▶ size ─▶ decode ─▶ validate (deadline) ─▶ same id before? ─▶ too many? ─▶ readers, and gossipsub passes it on
 *                 └────────┴──────────┴───────────────────────┴────────────────┴──▶ ignore, or reject: a fault of the peer
 * ```
 *
 * A validator that answers at once costs no fiber. One that takes longer has a deadline; all of a topic's deadlines are as long, so that one
 * fiber keeps them in order.
 */
import { type Message, TopicValidatorResult } from "@libp2p/gossipsub"
import type { PeerId } from "@libp2p/interface"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { TopicCodec } from "./Codec.ts"
import type { GossipFault, Verdict } from "./Faults.ts"
import type { Shared } from "./GossipEngine.ts"
import { Inbox, type InboxBounds } from "./Inbox.ts"
import { SeenIds } from "./SeenIds.ts"

/**
 * @limit bytes of a message of a topic, unless told otherwise
 */
export const MAX_TOPIC_MESSAGE_BYTES: number = 64 * 1024
/**
 * @limit milliseconds that a validator has for a message of a topic, unless told otherwise; then it is dropped
 */
export const VALIDATION_DEADLINE_MS = 2000
/**
 * @limit messages that wait for a reader of a topic, unless told otherwise; the oldest are dropped
 */
export const MAX_WAITING_MESSAGES = 1024
/**
 * @limit bytes of messages that wait for a reader of a topic, unless told otherwise; the oldest are dropped
 */
export const MAX_WAITING_BYTES: number = 16 * 1024 * 1024

export interface TopicOptions<A, R = never> {
  readonly codec: TopicCodec<A>
  /** Everything that decodes is accepted where not given. `from` is whoever passed it on. */
  readonly validate?: (message: A, from: string) => Verdict | Effect.Effect<Verdict, never, R>
  /** What makes two messages the same beyond being the same bytes, such as an envelope's content id; asked of accepted ones only. */
  readonly idOf?: (message: A) => Uint8Array
  readonly maxBytes?: number
  readonly deadlineMs?: number
  readonly maxWaiting?: number
  readonly maxWaitingBytes?: number
  /** What a message weighs here, where that is not the bytes it came in. */
  readonly sizeOf?: (message: A) => number
  /** Hears of each message that comes, known ones included, before anything is done about it; whether it is to go on. */
  readonly onMessage?: (from: string, data: Uint8Array) => boolean
}

export interface Delivered<A> {
  readonly message: A
  /** Whoever passed it on, which need not be its author. */
  readonly from: string
  /** 32 bytes: the SHA-256 of the payload. */
  readonly id: Uint8Array
  readonly sizeBytes: number
}

export interface Published {
  readonly id: Uint8Array
  /** To how many peers it went at once. */
  readonly recipients: number
}

export interface Topic<A> {
  readonly name: string
  /** Waits while peers have not taken what was published before. What was published or heard before is not sent again. */
  readonly publish: (message: A) => Effect.Effect<Published, PublishError>
  /**
   * Messages of others, as they are accepted. The first reader has what came since the topic was made, further ones what comes from then on; who
   * reads slowly misses the oldest, which is told as a fact.
   */
  readonly messages: Stream.Stream<Delivered<A>>
  /** Peers that are interested. */
  readonly peers: () => ReadonlyArray<string>
  /** Those of them to whom messages are passed on whole. */
  readonly mesh: () => ReadonlyArray<string>
}

interface PublishErrorFields {
  readonly reason: "TooLarge" | "Stopped"
  readonly topic: string
  readonly message: string
}

const PublishErrorBase: new (
  fields: PublishErrorFields
) => Cause.YieldableError & { readonly _tag: "PublishError" } & PublishErrorFields = Data.TaggedError("PublishError")

/** A message that was not published, by our own fault. */
export class PublishError extends PublishErrorBase {}

const { Accept, Ignore, Reject } = TopicValidatorResult
type Outcome = TopicValidatorResult

interface Pending {
  readonly deadline: number
  readonly fiber: Fiber.Fiber<Verdict>
  isSettled: boolean
}

type Run<R> = (effect: Effect.Effect<Verdict, never, R>) => Fiber.Fiber<Verdict>

export class TopicRoom<A, R> {
  readonly name: string
  readonly #shared: Shared
  readonly #options: TopicOptions<A, R>
  readonly #run: Run<R>
  readonly #pending: Queue.Queue<Pending>
  readonly #maxBytes: number
  readonly #deadlineMs: number
  readonly #bounds: InboxBounds
  readonly #inboxes: Set<Inbox<Delivered<A>>> = new Set()
  /** That of the first reader, until he comes. */
  #first: Inbox<Delivered<A>> | undefined
  readonly #seen: SeenIds = new SeenIds()
  /** Whose validators go on. */
  readonly #late: Set<Pending> = new Set()

  constructor(name: string, shared: Shared, options: TopicOptions<A, R>, run: Run<R>, pending: Queue.Queue<Pending>) {
    this.name = name
    this.#shared = shared
    this.#options = options
    this.#run = run
    this.#pending = pending
    this.#maxBytes = Math.min(options.maxBytes ?? MAX_TOPIC_MESSAGE_BYTES, shared.maxMessageBytes)
    this.#deadlineMs = options.deadlineMs ?? VALIDATION_DEADLINE_MS
    const { maxWaiting = MAX_WAITING_MESSAGES, maxWaitingBytes = MAX_WAITING_BYTES } = options
    this.#bounds = { maxWaiting, maxWaitingBytes }
    this.#first = new Inbox(this.#bounds)
    this.#inboxes.add(this.#first)
  }

  /** Of whoever sends too much at once nothing is decoded. */
  readonly validate = (from: PeerId, raw: Message): Outcome | Promise<Outcome> => {
    const peer = from.toString()
    // Before it was banned this one was under way.
    if (this.#shared.standings.isBanned({ peerId: peer, host: undefined })) return Ignore
    const { data } = raw
    if (data.length > this.#maxBytes) return this.#reject(peer, "oversized", `${data.length} bytes`)
    const decoded = this.#options.codec.decode(data)
    if (Result.isFailure(decoded)) return this.#reject(peer, "undecodable", decoded.failure)
    const message = decoded.success
    const verdict = this.#options.validate?.(message, peer) ?? "accept"
    if (!Effect.isEffect(verdict)) return this.#settled(verdict, message, peer, raw)
    const fiber = this.#run(verdict)
    const exit = fiber.pollUnsafe()
    if (exit !== undefined) return this.#settled(verdictOf(exit), message, peer, raw)
    return this.#later(fiber, message, peer, raw)
  }

  /** Keeps the fiber from outlasting its deadline. */
  readonly watch: Effect.Effect<never> = Effect.gen({ self: this }, function* () {
    while (true) {
      const pending = yield* Queue.take(this.#pending)
      const left = pending.deadline - this.#shared.now().instant
      if (!pending.isSettled && left > 0) yield* Effect.sleep(left)
      if (!pending.isSettled) pending.fiber.interruptUnsafe()
    }
  })

  /** As it closes: nobody watches any more, and each takes one of its peer's turns. */
  close(): void {
    for (const { fiber } of this.#late) fiber.interruptUnsafe()
  }

  readonly messages: Stream.Stream<Delivered<A>> = Stream.unwrap(
    Effect.gen({ self: this }, function* () {
      const inbox = yield* Effect.acquireRelease(
        Effect.sync(() => {
          const mine = this.#first ?? new Inbox<Delivered<A>>(this.#bounds)
          this.#first = undefined
          this.#inboxes.add(mine)
          return mine
        }),
        (mine) => Effect.sync(() => this.#inboxes.delete(mine))
      )
      const pull = Effect.map(inbox.take, ({ messages, missed }) => {
        if (missed > 0) this.#shared.tell({ _tag: "Missed", topic: this.name, messages: missed })
        return messages
      })
      return Stream.fromPull(Effect.succeed(pull))
    })
  )

  encode(message: A): Effect.Effect<Uint8Array, PublishError> {
    return Effect.suspend(() => {
      const data = this.#options.codec.encode(message)
      if (data.length <= this.#maxBytes) return Effect.succeed(data)
      return Effect.fail(
        new PublishError({
          reason: "TooLarge",
          topic: this.name,
          message: `A message for ${this.name} has ${data.length} bytes, and may have ${this.#maxBytes}.`
        })
      )
    })
  }

  /** Remembers our own. */
  published(message: A): void {
    const { idOf } = this.#options
    if (idOf !== undefined) this.#seen.add(idOf(message))
  }

  #later(fiber: Fiber.Fiber<Verdict>, message: A, peer: string, raw: Message): Promise<Outcome> {
    const pending: Pending = { deadline: this.#shared.now().instant + this.#deadlineMs, fiber, isSettled: false }
    Queue.offerUnsafe(this.#pending, pending)
    this.#late.add(pending)
    return new Promise((resolve) => {
      fiber.addObserver((exit) => {
        pending.isSettled = true
        this.#late.delete(pending)
        const isLate = Exit.isFailure(exit) && Cause.hasInterrupts(exit.cause)
        if (isLate) this.#shared.tell({ _tag: "Undecided", peer, topic: this.name })
        resolve(this.#settled(verdictOf(exit), message, peer, raw))
      })
    })
  }

  /** What breaks in the words of the topic's owner is told as a validator that breaks is. */
  #settled(verdict: Verdict, message: A, peer: string, raw: Message): Outcome {
    try {
      return this.#settle(verdict, message, peer, raw)
    } catch (thrown) {
      this.#run(Effect.die(thrown))
      return Ignore
    }
  }

  #settle(verdict: Verdict, message: A, peer: string, raw: Message): Outcome {
    if (verdict === "ignore") return Ignore
    if (verdict === "reject") return this.#reject(peer, "invalid", "")
    if (verdict !== "accept") return this.#reject(peer, verdict.reject, verdict.detail ?? "")
    const seenAs = this.#options.idOf?.(message)
    if (seenAs !== undefined && this.#seen.has(seenAs)) return Ignore
    const sizeBytes = this.#options.sizeOf?.(message) ?? raw.data.length
    if (!this.#shared.turns.mayGoOn(peer, sizeBytes)) {
      this.#shared.tell({ _tag: "Crowded", peer, topic: this.name })
      return Ignore
    }
    if (seenAs !== undefined) this.#seen.add(seenAs)
    const id = this.#shared.ids.take(raw) ?? this.#shared.idOf(this.name, raw.data)
    const one = { message, from: peer, id: id.slice(0, 32), sizeBytes }
    for (const inbox of this.#inboxes) inbox.push(one)
    return Accept
  }

  #reject(peer: string, reason: GossipFault, detail: string): Outcome {
    this.#shared.fault(peer, this.name, reason, detail)
    return Reject
  }
}

/** A validator that breaks is a bug of its writer: it is nobody's fault out there. */
const verdictOf = (exit: Exit.Exit<Verdict>): Verdict => (Exit.isSuccess(exit) ? exit.value : "ignore")

export const openTopic = <A, R>(
  shared: Shared,
  name: string,
  options: TopicOptions<A, R>
): Effect.Effect<TopicRoom<A, R>, never, R | Scope.Scope> =>
  Effect.gen(function* () {
    const run = Effect.runForkWith(yield* Effect.context<R>())
    const pending = yield* Queue.unbounded<Pending>()
    const logged: Run<R> = (effect) =>
      run(Effect.tapDefect(effect, (defect) => Effect.logError(`The validator of ${name} broke.`, defect)))
    const room = new TopicRoom(name, shared, options, logged, pending)
    yield* Effect.addFinalizer(() => Effect.sync(() => room.close()))
    yield* Effect.forkScoped(room.watch)
    return room
  })
