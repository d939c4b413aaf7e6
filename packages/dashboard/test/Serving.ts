/** Two nodes on loopback, a miner and who follows it, and the dashboard of the follower behind a door. */
import { subnetOf } from "@satwire/connections"
import { dashboardRoutes, makeDashboard } from "@satwire/dashboard"
import { layerHttpDoor, listenHttp } from "@satwire/http-door"
import { ANYONE_CAN_SPEND } from "@satwire/mining"
import { DEFAULT_MAX_INBOUND, Node, type NodeShape } from "@satwire/node"
import { type ChainParams, regtest } from "@satwire/primitives"
import { HeaderStore } from "@satwire/store"
import { layerTcp } from "@satwire/transport-tcp"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

const LOOPBACK = "127.0.0.1"

const started = (userAgent: string, connect: ReadonlyArray<{ host: string; port: number }>) =>
  Layer.build(
    Layer.provide(
      Node.layer({
        params: regtest,
        roles: {
          headers: { serve: true, announce: true },
          mining: { payTo: ANYONE_CAN_SPEND },
          transactions: { relays: true, makes: true }
        },
        blocks: { serve: true },
        addresses: { dnsSeeds: false, isAutomatic: false },
        permissions: [
          {
            subnet: subnetOf({ network: "ipv4", address: Uint8Array.of(127, 0, 0, 1) }),
            permissions: new Set(["noban"])
          }
        ],
        userAgent,
        services: 9n,
        connect,
        listen: { host: LOOPBACK, port: 0 },
        maxInbound: DEFAULT_MAX_INBOUND,
        dialTimeoutMs: 5000
      }),
      Layer.fresh(Layer.merge(layerTcp, HeaderStore.layerMemory))
    )
  ).pipe(
    Effect.map((context) => Context.get(context, Node)),
    Effect.orDie
  )

/** Done when the node follows a chain of that height. */
export const reached = (node: NodeShape, height: number): Effect.Effect<unknown> =>
  node.facts.pipe(
    Stream.filter((fact) => fact._tag === "BlockTipChanged" && fact.tip.height >= height),
    Stream.runHead
  )

export interface Served {
  readonly miner: NodeShape
  readonly follower: NodeShape
  /** Where the dashboard is. */
  readonly url: string
}

/** What a peer says of itself that no page should take for anything but text. */
export const HOSTILE_AGENT = "/<img src=x onerror=alert(1)>:0.1/"

/** `params` are what the dashboard says; the nodes are on regtest. */
export const serve = ({
  blocks = 105,
  params = regtest
}: { blocks?: number; params?: ChainParams } = {}): Effect.Effect<Served, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const miner = yield* started(HOSTILE_AGENT, [])
    yield* Effect.repeat(miner.makeBlock, { times: blocks - 1 })
    yield* reached(miner, blocks)
    const follower = yield* started("/follower:0.1/", [miner.listening ?? { host: LOOPBACK, port: 0 }])
    const dashboard = yield* makeDashboard({ node: follower, params, version: "0.0.0-test" })
    const routes = dashboardRoutes(() => dashboard)
    const door = layerHttpDoor({ credentials: [], onRefusal: () => Effect.void })
    const [address] = yield* listenHttp(routes, { addresses: [{ host: LOOPBACK, port: 0 }] }).pipe(Effect.provide(door))
    const port = address !== undefined && "port" in address ? address.port : 0
    return { miner, follower, url: `http://${LOOPBACK}:${port}/dashboard` }
  })
