/** Streams of any protocol: opened, and handled by a fiber each. */
import type { Connection as PeerLink, Stream as EngineStream } from "@libp2p/interface"
import { ListenError } from "@satwire/transport"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import { hostOfPeer } from "./Addresses.ts"
import { type ByteStream, type StreamError, scopedStream } from "./ByteStream.ts"
import type { Engine } from "./Engine.ts"

/**
 * @limit streams of one protocol that are handled at once, unless told otherwise; more are reset
 */
export const MAX_HANDLED_STREAMS = 256
/**
 * @limit streams of one protocol that one peer may have over one connection, unless told otherwise
 */
export const MAX_STREAMS_OF_A_PROTOCOL = 32

export interface HandleOptions {
  /** {@link MAX_HANDLED_STREAMS} where not given. */
  readonly maxStreams?: number
  /** {@link MAX_STREAMS_OF_A_PROTOCOL} where not given. */
  readonly maxPerConnection?: number
  /** Whether it is handled over a relay, too, which bounds it in time and bytes. */
  readonly overLimited?: boolean
}

/** What is done with a stream that somebody opened. It is closed when that is done, and reset when that fails. */
export type StreamHandler<R> = (stream: ByteStream) => Effect.Effect<void, StreamError, R>

export const handleProtocol = <R>(
  engine: Engine,
  protocol: string,
  handler: StreamHandler<R>,
  options: HandleOptions
): Effect.Effect<void, ListenError, R | Scope.Scope> =>
  Effect.gen(function* () {
    const running = yield* FiberSet.make<void>()
    const run = yield* FiberSet.runtime(running)<Exclude<R, Scope.Scope>>()
    const { maxStreams = MAX_HANDLED_STREAMS, maxPerConnection = MAX_STREAMS_OF_A_PROTOCOL } = options
    const one = (stream: EngineStream, link: PeerLink): Effect.Effect<void, never, Exclude<R, Scope.Scope>> =>
      scopedStream(stream, link).pipe(
        Effect.flatMap(handler),
        Effect.scoped,
        Effect.catchCause((cause) => {
          // That a stream ends is no news; anything else is a bug of the handler.
          const isExpected = Cause.hasInterruptsOnly(cause) || !Cause.hasDies(cause)
          return isExpected ? Effect.void : Effect.logError(`A handler of ${protocol} broke.`, cause)
        })
      )
    const accept = (stream: EngineStream, link: PeerLink): void => {
      if (running.state._tag !== "Open" || running.state.backing.size >= maxStreams) {
        return stream.abort(new Error("too many streams"))
      }
      run(one(stream, link))
    }
    const limits = { maxInboundStreams: maxPerConnection, runOnLimitedConnection: options.overLimited ?? false }
    yield* acceptStreams(engine, protocol, accept, limits)
  })

type AcceptParameters = Parameters<Engine["handle"]>

/** The one who takes the streams of a protocol, as long as the scope. */
export const acceptStreams = (
  engine: Engine,
  protocol: string,
  accept: AcceptParameters[1],
  limits: AcceptParameters[2]
): Effect.Effect<void, ListenError, Scope.Scope> => {
  const endpoint = { host: hostOfPeer(engine.peerId), port: 0 }
  const taken = { reason: "Other", endpoint, code: "EADDRINUSE", detail: `${protocol} has a handler already` } as const
  return Effect.acquireRelease(
    Effect.tryPromise({ try: () => engine.handle(protocol, accept, limits), catch: () => new ListenError(taken) }),
    () => Effect.promise(() => engine.unhandle(protocol))
  )
}
