/**
 * The node as an Effect service: `NodeCore` with its sockets, its files, its timer and its clock.
 *
 * ```
 *   Dialer, Listener ─▶ Connections ─▶ MachineService(NodeCore) ─▶ facts
 *                                            │ HeadersAccepted
 *                                            ▼
 *                                       HeaderStore
 * ```
 *
 * Closing its scope closes every connection and keeps every header that was accepted.
 */
import { concat } from "@satwire/bytes"
import type { Sha256 } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"
import { HeaderTree } from "@satwire/header-sync"
import { NodeCore, type Queries } from "@satwire/node-core"
import { type MachineFailed, machineService, seededRandom } from "@satwire/runtime"
import { HeaderStore, type StoreError } from "@satwire/store"
import { Dialer, type Endpoint, type ListenError, Listener, type Listening } from "@satwire/transport"
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Connections } from "./Connections.ts"
import { keepConnected } from "./KeepConnected.ts"
import { type HeadersRefused, restoreHeaders } from "./KeptHeaders.ts"
import type { NodeFact } from "./NodeFact.ts"
import type { NodeOptions } from "./NodeOptions.ts"

/**
 * How many facts are kept for a slow reader; the oldest make room.
 *
 * @limit facts kept for a slow reader
 */
export const FACTS_KEPT = 4096

/** Why a node cannot go on. */
export type NodeFailure = MachineFailed | StoreError

/** Why a node did not start. */
export type NodeStartError = StoreError | HeadersRefused | ListenError

export interface NodeShape {
  /** Where it can be found, if it listens. */
  readonly listening: Endpoint | undefined
  /** What happens from now on. Who reads too slowly loses the oldest. */
  readonly facts: Stream.Stream<NodeFact>
  /** Reads state, as of now. */
  readonly query: <Name extends keyof Queries>(name: Name) => Effect.Effect<Queries[Name]>
  /** Keeps a connection to this address from now on. */
  readonly connect: (endpoint: Endpoint) => Effect.Effect<void>
  /** Takes in headers from elsewhere: `count` raw headers, each the child of the one before. */
  readonly submitHeaders: (headers: Uint8Array, count: number) => Effect.Effect<void>
  /** Mines a block on the best tip. Without the mining role it does nothing. */
  readonly makeBlock: Effect.Effect<void>
  /** Never succeeds; fails when the node cannot go on. */
  readonly failure: Effect.Effect<never, NodeFailure>
}

const NodeBase: Context.ServiceClass<Node, "@satwire/node/Node", NodeShape> = Context.Service<Node, NodeShape>()(
  "@satwire/node/Node"
)

export class Node extends NodeBase {
  /** A node that runs while the layer's scope is open. */
  static readonly layer = (options: NodeOptions): Layer.Layer<Node, NodeStartError, Dialer | Listener | HeaderStore> =>
    Layer.effect(Node, makeNode(options))
}

/** A node that runs while the scope is open. */
export const makeNode = (
  options: NodeOptions,
  sha256: Sha256 = platformSha256
): Effect.Effect<NodeShape, NodeStartError, Dialer | Listener | HeaderStore | Scope.Scope> =>
  Effect.gen(function* () {
    const random = yield* seededRandom
    const tree =
      options.base === undefined
        ? HeaderTree.fromGenesis(options.params, random.fork())
        : HeaderTree.fromBase(options.params, options.base, sha256, random.fork())
    const loaded = yield* restoreHeaders(tree, sha256)
    const facts = yield* PubSub.sliding<NodeFact>({ capacity: FACTS_KEPT, replay: 16 })
    const tell = (fact: NodeFact): void => void PubSub.publishUnsafe(facts, fact)
    const failed = yield* Deferred.make<never, NodeFailure>()
    const keep = yield* headerKeeper(tell, (cause) => Deferred.doneUnsafe(failed, Exit.failCause(cause)))

    const { params, roles, userAgent, services } = options
    const core = new NodeCore({ params, roles, tree, sha256, random, userAgent, services })
    const connections: Connections = new Connections((input) => service.submit(input))
    yield* Effect.addFinalizer(() => Effect.sync(() => connections.destroyAll()))
    const dialling = yield* keepConnected({ connections, tell, dialTimeoutMs: options.dialTimeoutMs })
    const service = yield* machineService({
      machine: core,
      timeout: { _tag: "Timeout" } as const,
      perform(output) {
        switch (output._tag) {
          case "Write":
          case "Pause":
          case "Close":
            return connections.perform(output)
          case "HeadersAccepted":
            keep(output.headers, output.count)
            return tell(output)
          case "PeerDisconnected":
            dialling.disconnected(output)
            return tell(output)
          default:
            return tell(output)
        }
      }
    })
    yield* Effect.forkScoped(
      Effect.catchCause(service.failure, (cause) =>
        Effect.sync(() => Deferred.doneUnsafe(failed, Exit.failCause(cause)))
      )
    )
    tell({ _tag: "HeadersLoaded", count: loaded, height: tree.height(tree.best) })
    const listening = yield* listen(options, connections, tell)
    for (const endpoint of options.connect) yield* dialling.keep(endpoint)
    return {
      listening: listening?.endpoint,
      facts: Stream.fromPubSub(facts),
      query: (name) => Effect.sync(() => core.query(name)),
      connect: dialling.keep,
      submitHeaders: (headers, count) => Effect.sync(() => service.submit({ _tag: "SubmitHeaders", headers, count })),
      makeBlock: Effect.sync(() => service.submit({ _tag: "MakeBlock" })),
      failure: Deferred.await(failed)
    }
  })

/** Writes accepted headers to the store in order, all that wait in one commit; what waits at the end is written before the scope closes. */
const headerKeeper = (
  tell: (fact: NodeFact) => void,
  fail: (cause: Cause.Cause<StoreError>) => void
): Effect.Effect<(headers: Uint8Array, count: number) => void, never, HeaderStore | Scope.Scope> =>
  Effect.gen(function* () {
    const store = yield* HeaderStore
    const waiting = yield* Queue.unbounded<{ readonly headers: Uint8Array; readonly count: number }, Cause.Done>()
    const writer = yield* Effect.forkDetach(
      Stream.fromQueue(waiting).pipe(
        Stream.runForEachArray((batches) => {
          let count = 0
          for (const batch of batches) count += batch.count
          const headers = joined(batches.map((batch) => batch.headers))
          return Effect.tap(store.append(headers, count), () =>
            Effect.sync(() => tell({ _tag: "HeadersStored", count }))
          )
        }),
        Effect.catchCause((cause) => Effect.sync(() => fail(cause)))
      )
    )
    yield* Effect.addFinalizer(() => Effect.andThen(Queue.end(waiting), Fiber.await(writer)))
    return (headers, count) => void Queue.offerUnsafe(waiting, { headers, count })
  })

const joined = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const [only] = parts
  return parts.length === 1 && only !== undefined ? only : concat(parts)
}

const listen = (
  options: NodeOptions,
  connections: Connections,
  tell: (fact: NodeFact) => void
): Effect.Effect<Listening | undefined, ListenError, Listener | Scope.Scope> =>
  Effect.gen(function* () {
    if (options.listen === undefined) return undefined
    const listener = yield* Listener
    const listening = yield* listener.listen(options.listen, (connection) => {
      if (connections.inbound >= options.maxInbound) return connection.destroy()
      connections.add(connection, () => {})
    })
    tell({ _tag: "Listening", endpoint: listening.endpoint })
    return listening
  })
