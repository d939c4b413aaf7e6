/** Nodes over loopback TCP, with everything that they told so far. */
import { ANYONE_CAN_SPEND } from "@satwire/mining"
import {
  DEFAULT_MAX_INBOUND,
  Node,
  type NodeFact,
  type NodeOptions,
  type NodeShape,
  type NodeStartError
} from "@satwire/node"
import type { Queries } from "@satwire/node-core"
import { regtest, toHex } from "@satwire/primitives"
import { HeaderStore } from "@satwire/store"
import type { Dialer, Endpoint, Listener } from "@satwire/transport"
import { layerTcp } from "@satwire/transport-tcp"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

export const LOOPBACK = "127.0.0.1"

/** A regtest node that serves, announces and mines, changed where the test says so. */
export const optionsOf = (changes: Partial<NodeOptions> = {}): NodeOptions => ({
  params: regtest,
  roles: { headers: { serve: true, announce: true }, mining: { payTo: ANYONE_CAN_SPEND } },
  userAgent: "/satwire-test:0.0.0/",
  services: 0n,
  connect: [],
  listen: { host: LOOPBACK, port: 0 },
  maxInbound: DEFAULT_MAX_INBOUND,
  dialTimeoutMs: 5000,
  ...changes
})

type FactOf<Tag extends NodeFact["_tag"]> = Extract<NodeFact, { readonly _tag: Tag }>

/** A running node and what it told. */
export class TestNode {
  readonly service: NodeShape
  readonly facts: Array<NodeFact> = []
  readonly #waiting: Set<(fact: NodeFact) => void> = new Set()

  constructor(service: NodeShape) {
    this.service = service
  }

  heard(fact: NodeFact): void {
    this.facts.push(fact)
    for (const look of this.#waiting) look(fact)
  }

  get endpoint(): Endpoint {
    if (this.service.listening === undefined) throw new Error("the node does not listen")
    return this.service.listening
  }

  all<Tag extends NodeFact["_tag"]>(tag: Tag): ReadonlyArray<FactOf<Tag>> {
    return this.facts.filter((fact): fact is FactOf<Tag> => fact._tag === tag)
  }

  /** The first fact of this kind that is as wanted, told already or still to come. */
  until<Tag extends NodeFact["_tag"]>(
    tag: Tag,
    wanted: (fact: FactOf<Tag>) => boolean = () => true
  ): Effect.Effect<FactOf<Tag>> {
    return Effect.gen({ self: this }, function* () {
      const told = this.all(tag).find(wanted)
      if (told !== undefined) return told
      const found = yield* Deferred.make<FactOf<Tag>>()
      const look = (fact: NodeFact): void => {
        if (fact._tag !== tag || !wanted(fact as FactOf<Tag>)) return
        this.#waiting.delete(look)
        Deferred.doneUnsafe(found, Exit.succeed(fact as FactOf<Tag>))
      }
      this.#waiting.add(look)
      return yield* Deferred.await(found)
    })
  }

  readonly headers: Effect.Effect<NonNullable<Queries["headers"]>> = Effect.suspend(() =>
    Effect.map(this.service.query("headers"), (headers) => {
      if (headers === undefined) throw new Error("the node follows no headers")
      return headers
    })
  )

  readonly peers: Effect.Effect<Queries["peers"]> = Effect.suspend(() => this.service.query("peers"))

  /** Waits until the best header is this one. */
  followed(tip: { readonly height: number; readonly hash: string }): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const { hash, height } = (yield* this.headers).tip
      if (height === tip.height && toHex(hash) === tip.hash) return
      yield* this.until("TipChanged", (fact) => fact.tip.height === tip.height && toHex(fact.tip.hash) === tip.hash)
    })
  }
}

export const tipOf = (node: TestNode): Effect.Effect<{ readonly height: number; readonly hash: string }> =>
  Effect.map(node.headers, ({ tip }) => ({ height: tip.height, hash: toHex(tip.hash) }))

/** Starts a node on what is given, until the scope closes. */
export const startOn = <E>(
  edges: Layer.Layer<Dialer | Listener | HeaderStore, E>,
  changes: Partial<NodeOptions> = {}
): Effect.Effect<TestNode, NodeStartError | E, Scope.Scope> =>
  Effect.gen(function* () {
    const context = yield* Layer.build(Layer.provide(Node.layer(optionsOf(changes)), edges))
    const node = new TestNode(Context.get(context, Node))
    // It ends with the node, and hears what is told while that closes.
    yield* Effect.forkDetach(
      Stream.runForEach(node.service.facts, (fact) => Effect.sync(() => node.heard(fact))),
      { startImmediately: true }
    )
    return node
  })

/** Starts a node with sockets and a store in memory of its own. */
export const startNode = (changes: Partial<NodeOptions> = {}): Effect.Effect<TestNode, NodeStartError, Scope.Scope> =>
  startOn(Layer.fresh(Layer.mergeAll(layerTcp, HeaderStore.layerMemory)), changes)
