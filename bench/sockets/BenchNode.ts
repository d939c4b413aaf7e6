/** The node that the socket benches measure, in this process, and its remotes in another. */
import { join } from "node:path"
import { Node, type NodeShape } from "@satwire/node"
import { NodeCore } from "@satwire/node-core"
import { regtest } from "@satwire/primitives"
import { HeaderStore } from "@satwire/store"
import { layerTcp } from "@satwire/transport-tcp"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { LineProcess } from "../LineProcess.ts"

const options = {
  params: regtest,
  roles: { headers: { serve: true, announce: true }, mining: undefined },
  userAgent: "/bench/",
  services: 0n,
  connect: [],
  listen: { host: "127.0.0.1", port: 0 },
  dialTimeoutMs: 5000,
  // It knows addresses and passes them on, and dials nobody by itself.
  addresses: { dnsSeeds: false },
  maxFullRelay: 0,
  maxBlockRelayOnly: 0
}

/** What it does beside. */
const ALL_ROLES = {
  roles: { ...options.roles, transactions: { relays: true } },
  blocks: { serve: true }
}

/** A node that listens on loopback, its headers in memory; with all roles it has blocks and transactions too. */
export const benchNode = (maxInbound: number, hasAllRoles: boolean): Effect.Effect<NodeShape, never, Scope.Scope> =>
  Layer.build(
    Layer.provide(
      Node.layer({ ...options, ...(hasAllRoles ? ALL_ROLES : {}), maxInbound }),
      Layer.merge(layerTcp, HeaderStore.layerMemory)
    )
  ).pipe(
    Effect.map((context) => Context.get(context, Node)),
    Effect.orDie
  )

/** Peers of a node, in a process of their own, which answers each command with a line. */
export class Remotes {
  readonly #process: LineProcess

  private constructor(process: LineProcess) {
    this.#process = process
  }

  /** So many of them, all of which have shaken hands. */
  static readonly start = (node: NodeShape, count: number): Effect.Effect<Remotes, never, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.promise(async () => {
        const file = join(import.meta.dirname, "remotes.ts")
        return new Remotes(await LineProcess.start(file, String(node.listening?.port), String(count)))
      }),
      (remotes) => Effect.sync(() => remotes.#process.stop())
    )

  /** Gives a command and waits for its answer. */
  ask(command: string): Effect.Effect<string> {
    return Effect.promise(() => this.#process.ask(command))
  }
}

/** How long turns took, in milliseconds, while `during` ran: taken where every turn passes. */
export const turnTimes = <A, E>(during: Effect.Effect<A, E>): Effect.Effect<Float64Array, E> =>
  Effect.suspend(() => {
    const times: Array<number> = []
    const handle = Object.getOwnPropertyDescriptor(NodeCore.prototype, "handle")?.value as NodeCore["handle"]
    NodeCore.prototype.handle = function (...turn: Parameters<NodeCore["handle"]>): void {
      const start = performance.now()
      handle.apply(this, turn)
      times.push(performance.now() - start)
    }
    return during.pipe(
      Effect.map(() => Float64Array.from(times).sort()),
      Effect.ensuring(Effect.sync(() => (NodeCore.prototype.handle = handle)))
    )
  })
