/**
 * The network manager for JavaScript that is not written in Effect: the same service, turned into promises and async iterables by
 * `@satwire/runtime/promise`, and handlers by name.
 */
import { type Kind, type Method, Refusal, type RequestOptions } from "@satwire/overlay"
import { type CallOptions, type Owned, type Promised, acquire, runPromise } from "@satwire/runtime/promise"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import { type AddPeerOptions, NetworkManager, type NetworkManagerShape } from "./NetworkManager.ts"
import type { NetworkOptions } from "./NetworkOptions.ts"
import type { NetworkMessage } from "./Rooms.ts"

export { type Kind, KindError, type Method, Refusal, RequestError, SendError, kind, method } from "@satwire/overlay"
export { PublishError } from "@satwire/gossip"
export { DialError, ListenError } from "@satwire/transport"
export { makePrivateKey } from "@satwire/transport-libp2p"
export * from "./index.ts"

type Generic = "sendMessage" | "broadcastMessage" | "subscribe" | "request" | "serve" | "addPeer"

/** A network, until it is closed by hand or by `await using`; loops over what it gives end then. What fails rejects with a typed error. */
export interface Network extends Owned, Omit<Promised<NetworkManagerShape>, Generic | "parts" | "kindOf"> {
  readonly sendMessage: <A>(peer: string, kind: Kind<A>, message: A, options?: CallOptions) => Promise<void>
  /** Says to how many peers it went at once. */
  readonly broadcastMessage: <A>(kind: Kind<A>, message: A, options?: CallOptions) => Promise<number>
  /** The messages of a kind, from the moment on in which a loop over it begins. */
  readonly subscribe: <A>(kind: Kind<A>) => AsyncIterable<NetworkMessage<A>>
  /**
   * Hands each message of a kind, or of the kind that has this name among the `kinds` of the options, to a handler, one after the other. What the handler
   * throws is logged. What it gives back ends it.
   *
   * @throws NetworkError where there is no kind of that name
   */
  readonly on: {
    <A>(kind: Kind<A>, handler: MessageHandler<A>): () => void
    (name: string, handler: MessageHandler<unknown>): () => void
  }
  readonly request: <Asked, Answer>(
    peer: string,
    method: Method<Asked, Answer>,
    asked: Asked,
    options?: RequestOptions & CallOptions
  ) => Promise<Answer>
  /** Answers a method from now on. A handler that throws a `Refusal` refuses; what else it throws is logged, and the asker is told of a failure. */
  readonly serve: <Asked, Answer>(
    method: Method<Asked, Answer>,
    handler: (asked: Asked, peer: string) => Answer | Promise<Answer>
  ) => Promise<void>
  readonly addPeer: (address: string, options?: AddPeerOptions & CallOptions) => Promise<string>
}

export type MessageHandler<A> = (message: NetworkMessage<A>) => void | Promise<void>

/** A network that is not started yet. Rejects with `NetworkError`, or the reason of the signal. */
export const makeNetwork = (options: NetworkOptions & CallOptions = {}): Promise<Network> =>
  acquire(
    Effect.flatMap(NetworkManager.make(options), (manager) => forPromises(manager)),
    options
  ) as Promise<Network>

/** Makes a network and starts it. Rejects with `NetworkError`, `ListenError`, or the reason of the signal; then nothing of it is left. */
export const startNetwork = (options: NetworkOptions & CallOptions = {}): Promise<Network> =>
  acquire(
    Effect.flatMap(
      Effect.tap(NetworkManager.make(options), ({ start }) => start),
      (manager) => forPromises(manager)
    ),
    options
  ) as Promise<Network>

/** Members that are other than under Effect: handlers are functions, and options of a request stand beside those of a call. */
const forPromises = (manager: NetworkManagerShape) =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const run = Effect.runForkWith(yield* Effect.context())
    const { kindOf, parts: _, ...shape } = manager
    return {
      ...shape,
      // No argument has a default: what is behind the last one is cut off.
      request: (
        peer: string,
        method: Method<unknown, unknown>,
        asked: unknown,
        options: (RequestOptions & CallOptions) | undefined
      ) => runPromise(manager.request(peer, method, asked, options), options),
      on: (what: Kind<unknown> | string, handler: MessageHandler<unknown>): (() => void) => {
        const kind = typeof what === "string" ? now(kindOf(what)) : what
        const each = (message: NetworkMessage<unknown>) =>
          Effect.ignore(
            Effect.tapError(
              Effect.tryPromise({ try: async () => handler(message), catch: (thrown) => thrown }),
              (thrown) => Effect.logError(`a handler of ${kind.name} failed`, thrown)
            )
          )
        const fiber = run(
          Effect.forkIn(Stream.runForEach(manager.subscribe(kind), each), scope, { startImmediately: true })
        )
        return () => fiber.addObserver((exit) => Exit.isSuccess(exit) && exit.value.interruptUnsafe())
      },
      serve: (method: Method<unknown, unknown>, handler: (asked: unknown, peer: string) => unknown) =>
        manager.serve(method, (asked, peer) =>
          Effect.tryPromise({ try: async () => handler(asked, peer), catch: (thrown) => thrown }).pipe(
            Effect.catch((thrown) => (thrown instanceof Refusal ? Effect.fail(thrown) : Effect.die(thrown)))
          )
        ),
      addPeer: (address: string, options: (AddPeerOptions & CallOptions) | undefined) =>
        runPromise(manager.addPeer(address, options), options)
    }
  })

/** What is known without waiting. */
const now = <A, E>(effect: Effect.Effect<A, E>): A => {
  const exit = Effect.runSyncExit(effect)
  if (Exit.isSuccess(exit)) return exit.value
  throw Cause.squash(exit.cause)
}
