/**
 * The Effect door: a stream of messages over any byte duplex, in v1, in v2, or in whichever of both who dialled speaks. It is not a
 * session: nobody shakes hands or answers pings here, which is `@satwire/client`'s.
 *
 * ```
 *   duplex ─▶ framed(duplex, framing) ─▶ send, messages      for as long as the scope is open
 * ```
 */
import { type Aead, type Sha256, type XOnlyCurve, portableAead, portableCurve, portableSha256 } from "@satwire/crypto"
import { seededRandom } from "@satwire/runtime"
import type { Connection } from "@satwire/transport"
import type { Message } from "@satwire/wire"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Conversation, type MessageStreamEvent } from "./effect/Conversation.ts"
import type { MessageStreamError } from "./effect/MessageStreamError.ts"
import { type ByteDuplex, type Port, streamPort } from "./effect/Port.ts"
import type { Framing } from "./Framing.ts"
import { InboundFraming } from "./InboundFraming.ts"
import { V1Framing } from "./V1Framing.ts"
import { V2Framing } from "./V2Framing.ts"

export { EVENTS_WAITING, EVENT_BYTES_WAITING, type MessageStreamEvent, UNSENT_BYTES } from "./effect/Conversation.ts"
export { type DuplexOptions, StreamFailed, type WebStreams, connectionOver, duplexOf } from "./effect/Duplex.ts"
export { DuplexClosed, FramingFailed, type MessageStreamError } from "./effect/MessageStreamError.ts"
export { type ByteDuplex, type Port, type PortHandlers, streamPort } from "./effect/Port.ts"

/** How long the other end may take to take the last bytes when a scope closes with nothing gone wrong. */
const CLOSE_GRACE_MS = 1000

export interface FramingOptions {
  /** The network's four bytes, as `ChainParams.magic`. */
  readonly magic: number
  /** Checksums of v1: plain JavaScript where not given. On Node and Deno take `@satwire/crypto/node`'s. */
  readonly sha256?: Sha256 | undefined
  /** The cipher of v2: plain JavaScript where not given. On Node and Deno take `@satwire/crypto/node`'s. */
  readonly aead?: Aead | undefined
  /** The curve of v2: plain JavaScript where not given. */
  readonly curve?: XOnlyCurve | undefined
}

/**
 * A framing for one connection, its keys drawn from the `Entropy` of `runtime`: `v1` for either end, `v2` for who dialled, and `detect`
 * for who was dialled, in whichever of both the other end begins. A v1 end is known by its `version`, which comes first on this network.
 */
export const makeFraming = (transport: "v1" | "v2" | "detect", options: FramingOptions): Effect.Effect<Framing> => {
  const { magic, sha256 = portableSha256, aead = portableAead, curve = portableCurve } = options
  if (transport === "v1") return Effect.sync(() => new V1Framing({ magic, sha256 }))
  return Effect.map(seededRandom, (random) =>
    transport === "v2"
      ? new V2Framing({ magic, initiating: true, aead, curve, random })
      : new InboundFraming({ magic, sha256, aead, curve, random })
  )
}

export interface MessageStream<out E = never> {
  /**
   * Sends a message. Waits first until it is known which transport is spoken, which in v2 takes the other end's half of the handshake, and
   * while that end is more than {@link UNSENT_BYTES} behind in taking what was sent.
   */
  readonly send: (message: Message) => Effect.Effect<void, E | MessageStreamError>
  /** Sends messages with one write and at the price of one effect. */
  readonly sendAll: (messages: ReadonlyArray<Message>) => Effect.Effect<void, E | MessageStreamError>
  /**
   * The messages, in the chunks in which they came: use `Stream.runForEachArray` and pay for no effect by the message. When nobody takes
   * them, the other end is read no further. It ends where the other end ends between two messages; everything else is an error. There is
   * one line: each message goes to one reader of `messages` or `events`.
   */
  readonly messages: Stream.Stream<Message, E | MessageStreamError>
  /** As `messages`, with what did not become one: unknown commands, payloads that do not decode, frames that were dropped. */
  readonly events: Stream.Stream<MessageStreamEvent, E | MessageStreamError>
  /** Which transport is spoken, as of now. */
  readonly transport: Effect.Effect<Framing["transport"]>
  /** BIP-0324's session id, once the other side has proved that it has the same. */
  readonly sessionId: Effect.Effect<Uint8Array | undefined>
}

/**
 * Speaks `framing` over `duplex`, a connection that nobody has started yet or a pair of a stream and a write, until the scope closes or
 * the duplex does. A connection is its own to close from here on: in order when the scope ends well, with a second's grace for what was
 * sent, and at once when it does not. A pair stays its maker's to close.
 */
export const framed = <E = never>(
  duplex: Connection | ByteDuplex<E>,
  framing: Framing
): Effect.Effect<MessageStream<E>, never, Scope.Scope> =>
  Effect.uninterruptible(
    Effect.gen(function* () {
      const port: Port<E> = "readable" in duplex ? yield* streamPort(duplex) : duplex
      const conversation = new Conversation<E>(framing, port)
      yield* Effect.addFinalizer((exit) => conversation.close(Exit.isSuccess(exit) ? CLOSE_GRACE_MS : 0))
      conversation.start()
      return {
        send: (message) => conversation.send([message]),
        sendAll: (messages) => conversation.send(messages),
        messages: Stream.fromPull(Effect.succeed(conversation.takeMessages)),
        events: Stream.fromPull(Effect.succeed(conversation.take)),
        transport: Effect.sync(() => framing.transport),
        sessionId: Effect.sync(() => framing.sessionId)
      }
    })
  )
