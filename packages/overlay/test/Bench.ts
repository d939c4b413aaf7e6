/** Overlays on a network inside the process, and somebody who says what he likes. */
import { type SchnorrKey, schnorrKey } from "@satwire/crypto"
import { type RequestFrame, encodeFrame } from "@satwire/requests"
import { type Connection, Dialer, Listener, layerMemory } from "@satwire/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import {
  type ConnectionMessenger,
  type Letter,
  type OverlayFact,
  type OverlayOptions,
  type OverlayShape,
  makeConnectionMessenger,
  makeOverlay
} from "../src/index.ts"

export const text = (value: string): Uint8Array => new TextEncoder().encode(value)

export const keyOf = (seed: number): SchnorrKey => schnorrKey(new Uint8Array(32).fill(seed)) as SchnorrKey

interface Node {
  readonly overlay: OverlayShape
  readonly messenger: ConnectionMessenger
  /** What the overlay has told so far. */
  readonly facts: Array<OverlayFact>
  /** Waits until it has told of a fault of that name. */
  readonly faulted: (fault: string) => Effect.Effect<OverlayFact>
}

type Requirements = Scope.Scope | Dialer | Listener

export const makeNode = (
  key?: SchnorrKey,
  options: Omit<OverlayOptions, "messenger"> = {}
): Effect.Effect<Node, never, Scope.Scope> =>
  Effect.gen(function* () {
    const messenger = yield* makeConnectionMessenger({ key })
    const overlay = yield* makeOverlay({ ...options, messenger })
    const facts: Array<OverlayFact> = []
    const waiting = new Map<string, Deferred.Deferred<OverlayFact>>()
    yield* overlay.facts.pipe(
      Stream.runForEach((fact) =>
        Effect.sync(() => {
          facts.push(fact)
          const waiter = fact._tag === "Faulted" ? waiting.get(fact.fault) : undefined
          if (waiter !== undefined) Deferred.doneUnsafe(waiter, Effect.succeed(fact))
        })
      ),
      Effect.forkScoped({ startImmediately: true })
    )
    const faulted = (fault: string) =>
      Effect.suspend(() => {
        const told = facts.find((each) => each._tag === "Faulted" && each.fault === fault)
        if (told !== undefined) return Effect.succeed(told)
        const waiter = waiting.get(fault) ?? Deferred.makeUnsafe<OverlayFact>()
        waiting.set(fault, waiter)
        return Deferred.await(waiter)
      })
    return { overlay, messenger, facts, faulted }
  })

/** Joins two messengers by a connection; who the other is to each of them. */
export const join = (
  a: ConnectionMessenger,
  b: ConnectionMessenger
): Effect.Effect<readonly [string, string], never, Requirements> =>
  Effect.gen(function* () {
    const [here, there] = yield* connect
    return [a.join(here) as string, b.join(there) as string] as const
  })

/** Both ends of a new connection. */
export const connect: Effect.Effect<readonly [Connection, Connection], never, Requirements> = Effect.gen(function* () {
  const { listen } = yield* Listener
  const { dial } = yield* Dialer
  const accepted = yield* Deferred.make<Connection>()
  const { endpoint } = yield* listen({ host: "127.0.0.1", port: 0 }, (connection) =>
    Deferred.doneUnsafe(accepted, Effect.succeed(connection))
  )
  const dialled = yield* dial(endpoint)
  return [dialled, yield* Deferred.await(accepted)] as const
}).pipe(Effect.orDie)

export interface Stranger {
  /** Who he is to the node. */
  readonly name: string
  readonly says: (type: string, body: Uint8Array) => void
  readonly frame: (frame: RequestFrame) => void
  readonly hears: Effect.Effect<Letter>
  readonly heard: () => number
  readonly messenger: ConnectionMessenger
  /** Who the node is to him. */
  readonly node: string
}

/** Somebody who keeps no rule but that of the envelope. */
export const stranger = (node: Node): Effect.Effect<Stranger, never, Requirements> =>
  Effect.gen(function* () {
    const messenger = yield* makeConnectionMessenger()
    const heard = yield* Queue.unbounded<Letter>()
    yield* messenger.listen({
      onPeer: () => undefined,
      onFault: () => undefined,
      onGone: () => undefined,
      onLetter: (_, letter) => Queue.offerUnsafe(heard, letter)
    })
    const [toNode, name] = yield* join(messenger, node.messenger)
    const says = (type: string, body: Uint8Array): void => {
      messenger.send(toNode, { type, body, isSigned: false })
    }
    return {
      name,
      node: toNode,
      messenger,
      says,
      frame: (frame) => says("request", encodeFrame(frame)),
      hears: Queue.take(heard),
      heard: () => Queue.sizeUnsafe(heard)
    }
  })

/** A network, and nobody who hears what is logged: handlers fail here on purpose. */
const surroundings = Layer.merge(layerMemory(), Logger.layer([]))

export const run = <A, E>(program: Effect.Effect<A, E, Requirements>): Promise<A> =>
  Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(surroundings)))

/** The same, where time stands still until it is moved. */
export const runTimed = <A, E>(program: Effect.Effect<A, E, Requirements>): Promise<A> =>
  Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(surroundings), Effect.provide(TestClock.layer())))
