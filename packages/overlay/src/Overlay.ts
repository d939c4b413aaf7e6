/**
 * Messages and requests of an application, over whatever messenger carries them.
 *
 * ```
 *   messenger ─ letter ─┬─ "request" ─▶ RequestDoor ─▶ answers, handlers
 *                       └─ a kind ─▶ size, signer, Schema ─▶ messages(kind)        what is wrong ─▶ facts
 * ```
 */
import type { RequestsOptions } from "@satwire/requests"
import type { MachineFailed } from "@satwire/runtime"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { OverlayFact, OverlayFault } from "./Facts.ts"
import { type Kind, KindError } from "./Kind.ts"
import type { Letter, Messenger, Outgoing } from "./Messenger.ts"
import { REQUEST_TYPE, type RequestDoorShape, makeRequestDoor } from "./RequestDoor.ts"
import { SendError } from "./RequestError.ts"

/**
 * Facts that a slow reader has before he misses the oldest.
 *
 * @limit facts of an overlay kept for a slow reader
 */
export const FACTS_KEPT = 1024
/**
 * Messages of a kind that a slow reader has before he misses the oldest; fewer where they are large.
 *
 * @limit messages of a kind kept for a slow reader
 */
export const MESSAGES_KEPT = 1024
/**
 * Bytes that the kept messages of a kind may have.
 *
 * @limit bytes of messages of a kind kept for a slow reader
 */
export const KEPT_BYTES = 67_108_864

/** A message that came. */
export interface Received<A> {
  readonly peer: string
  /** The key that signed it; `undefined` where none did. */
  readonly signer: Uint8Array | undefined
  readonly message: A
}

export interface OverlayShape extends RequestDoorShape {
  readonly peers: () => ReadonlyArray<string>
  readonly send: <A>(peer: string, kind: Kind<A>, message: A) => Effect.Effect<void, SendError | KindError>
  /** Sends to every peer, and says to how many. */
  readonly broadcast: <A>(kind: Kind<A>, message: A) => Effect.Effect<number, KindError>
  /** The messages of a kind from now on. Who reads slowly misses the oldest. */
  readonly messages: <A>(kind: Kind<A>) => Stream.Stream<Received<A>>
  /** Peers that come and go, and what they do wrong, from now on. */
  readonly facts: Stream.Stream<OverlayFact>
  /** Tells of a fault that a caller has found: a lie, a flood. */
  readonly fault: (peer: string, fault: OverlayFault, detail: string) => void
  /** Ends the session with a peer. */
  readonly drop: (peer: string) => void
  /** Never succeeds; fails where the machine of requests broke its own rule, which is a bug of Satwire. */
  readonly failure: Effect.Effect<never, MachineFailed>
  /** How much of requests is kept. */
  readonly counts: () => { readonly peers: number; readonly asked: number; readonly served: number }
}

export interface OverlayOptions {
  readonly messenger: Messenger
  /** Bounds of requests, where others than those of `@satwire/requests` are wanted. */
  readonly requests?: RequestsOptions | undefined
}

const OverlayBase: Context.ServiceClass<Overlay, "@satwire/overlay/Overlay", OverlayShape> = Context.Service<
  Overlay,
  OverlayShape
>()("@satwire/overlay/Overlay")

export class Overlay extends OverlayBase {}

/** Who reads messages of one name here: how they are decoded, and whom they go to. */
interface Reader {
  readonly kind: Kind<unknown>
  readonly published: PubSub.PubSub<Received<unknown>>
}

/** An overlay for as long as the scope is open. The messenger stays its owner's. */
export const makeOverlay = (options: OverlayOptions): Effect.Effect<OverlayShape, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { messenger } = options
    const facts = yield* PubSub.sliding<OverlayFact>(FACTS_KEPT)
    const tell = (fact: OverlayFact): void => publish(facts, fact)
    const fault = (peer: string, what: OverlayFault, detail: string): void =>
      tell({ _tag: "Faulted", peer, fault: what, detail })
    const door = yield* makeRequestDoor({ messenger, fault, requests: options.requests })
    const readers = new Map<string, Reader>()
    yield* messenger.listen({
      onPeer: (peer) => {
        door.up(peer)
        tell({ _tag: "PeerUp", peer })
      },
      onGone: (peer) => {
        door.down(peer)
        tell({ _tag: "PeerGone", peer })
      },
      onFault: fault,
      onLetter: (peer, letter) => {
        if (letter.type === REQUEST_TYPE) return door.receive(peer, letter.body)
        const reader = readers.get(letter.type)
        if (reader === undefined) return fault(peer, "unknown kind", letter.type)
        const message = opened(reader.kind, letter)
        if (Result.isFailure(message)) return fault(peer, message.failure.reason, message.failure.message)
        publish(reader.published, { peer, signer: letter.signer, message: message.success })
      }
    })
    const { request, requestParts, serve, serveParts } = door
    return {
      request,
      requestParts,
      serve,
      serveParts,
      peers: messenger.peers,
      drop: messenger.drop,
      counts: door.counts,
      failure: door.failure,
      fault,
      facts: Stream.fromPubSub(facts),
      send: (peer, kind, message) =>
        Effect.suspend((): Effect.Effect<void, SendError | KindError> => {
          const outgoing = outgoingOf(messenger, kind, message)
          if (Result.isFailure(outgoing)) return Effect.fail(outgoing.failure)
          const sent = messenger.send(peer, outgoing.success)
          return sent ? Effect.void : Effect.fail(new SendError(peer))
        }),
      broadcast: (kind, message) =>
        Effect.suspend(() => {
          const outgoing = outgoingOf(messenger, kind, message)
          if (Result.isFailure(outgoing)) return Effect.fail(outgoing.failure)
          return Effect.succeed(messenger.peers().filter((peer) => messenger.send(peer, outgoing.success)).length)
        }),
      messages: (kind) => messagesOf(readers, kind)
    }
  })

/** A message as it is handed to the messenger, if it is of its kind and can be signed where it must. */
const outgoingOf = <A>(messenger: Messenger, kind: Kind<A>, message: A): Result.Result<Outgoing, KindError> => {
  const isSigned = kind.signed === "required"
  if (isSigned && !messenger.canSign)
    return Result.fail(new KindError(kind.name, "unsigned", "there is no key to sign it"))
  return Result.map(kind.encode(message), (body) => ({ type: kind.name, body, isSigned }))
}

/** What a letter holds, if it is of its kind. */
const opened = <A>(kind: Kind<A>, { body, signer, type }: Letter): Result.Result<A, KindError> =>
  kind.signed === "required" && signer === undefined
    ? Result.fail(new KindError(type, "unsigned", "its origin has to have signed it"))
    : kind.decode(body)

const messagesOf = <A>(readers: Map<string, Reader>, kind: Kind<A>): Stream.Stream<Received<A>> =>
  Stream.unwrap(
    Effect.gen(function* () {
      let reader = readers.get(kind.name)
      if (reader === undefined) {
        const kept = Math.max(1, Math.min(MESSAGES_KEPT, Math.floor(KEPT_BYTES / kind.maxBytes)))
        // Two readers of one name are given the same kind, or it would not be one.
        reader = { kind: kind as Kind<unknown>, published: yield* PubSub.sliding<Received<unknown>>(kept) }
        readers.set(kind.name, reader)
      }
      if (reader.kind !== kind) return yield* Effect.die(new Error(`there are two kinds of the name ${kind.name}`))
      const subscription = yield* PubSub.subscribe(reader.published)
      return Stream.fromSubscription(subscription) as Stream.Stream<Received<A>>
    })
  )

/** The unsafe way is the cheap one, and makes no room: to a full channel it publishes nothing. */
const publish = <A>(to: PubSub.PubSub<A>, value: A): void => {
  if (!PubSub.publishUnsafe(to, value)) Effect.runSync(PubSub.publish(to, value))
}
