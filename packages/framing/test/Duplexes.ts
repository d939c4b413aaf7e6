/** Both ends of a duplex, of each kind that a message stream stands on. */
import { ChaChaRandom } from "@satwire/crypto"
import { type Connection, Dialer, Listener, layerMemory } from "@satwire/transport"
import type * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ByteDuplex } from "../src/effect.ts"

export interface Ends<D> {
  readonly near: D
  readonly far: D
}

/** Two connections over whichever network is provided. */
export const connected: Effect.Effect<Ends<Connection>, never, Dialer | Listener | Scope.Scope> = Effect.gen(
  function* () {
    const accepted = yield* Deferred.make<Connection>()
    const { listen } = yield* Listener
    const { endpoint } = yield* Effect.orDie(
      listen({ host: "127.0.0.1", port: 0 }, (connection) => {
        Deferred.doneUnsafe(accepted, Exit.succeed(connection))
      })
    )
    const near = yield* Effect.orDie((yield* Dialer).dial(endpoint))
    return { near, far: yield* Deferred.await(accepted) }
  }
)

export const prompt = layerMemory()
/** Bytes take a while, and come in pieces that nobody wrote. */
export const slow = layerMemory({ latencyMs: 1, maxChunkBytes: 5000, random: ChaChaRandom.fromNumber(7) })
export const byteByByte = layerMemory({ maxChunkBytes: 1 })

/** One direction of a pair: what is written can be read, a few pieces under way. */
export type Pipe = Queue.Queue<Uint8Array, Cause.Done>
export const pipe: Effect.Effect<Pipe> = Queue.bounded<Uint8Array, Cause.Done>(4)

export const duplexOf = (from: Pipe, to: Pipe): ByteDuplex => ({
  readable: Stream.fromQueue(from),
  write: (bytes) => Effect.asVoid(Queue.offer(to, bytes))
})

/** Two pairs of a stream and a write. */
export const piped: Effect.Effect<Ends<ByteDuplex>> = Effect.gen(function* () {
  const [there, back] = [yield* pipe, yield* pipe]
  return { near: duplexOf(back, there), far: duplexOf(there, back) }
})
