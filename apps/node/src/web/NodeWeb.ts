/**
 * Everything that a node serves over HTTP: Bitcoin Core's calls, events, metrics, health, the dashboard. It answers from before there is a node on, since
 * whoever starts one wants to ask whether it is up.
 */
import { type Dashboard, DASHBOARD_PATH, dashboardRoutes, makeDashboard } from "@satwire/dashboard"
import { layerEvents } from "@satwire/events"
import { type NodeMeter, nodeMeter } from "@satwire/metrics"
import type { NodeShape } from "@satwire/node"
import type { ChainParams } from "@satwire/primitives"
import { MockableClock } from "@satwire/runtime"
import * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { resolve } from "node:path"
import type { Loaded } from "../config/LoadSettings.ts"
import type { Wishes } from "../log/Categories.ts"
import { VERSION } from "../Version.ts"
import { layerMetrics } from "./MetricsRoutes.ts"
import { layerNodeRpc } from "./RpcRoutes.ts"
import { type WebServerError, serveWeb } from "./WebServer.ts"

export interface NodeWebOptions {
  readonly loaded: Loaded
  readonly params: ChainParams
  /** That of the network. */
  readonly directory: string
  readonly wishes: Wishes
  readonly isTraced: boolean
  /** Asks the program to end. */
  readonly stop: Effect.Effect<void>
}

/** Serves until the scope closes. Gives what tells it of the node, once there is one. */
export const serveNode = ({
  directory,
  isTraced,
  loaded: { network, settings },
  params,
  stop,
  wishes
}: NodeWebOptions): Effect.Effect<
  (node: NodeShape) => Effect.Effect<void, never, Scope.Scope>,
  WebServerError,
  FileSystem | Scope.Scope
> =>
  Effect.gen(function* () {
    let served: NodeShape | undefined
    let meter: NodeMeter | undefined
    let dashboard: Dashboard | undefined
    const hasDashboard = settings.dashboard !== false
    const clock = Option.getOrUndefined(yield* Effect.serviceOption(MockableClock))
    const rpc = layerNodeRpc({
      settings,
      params,
      wishes,
      isTraced,
      stop,
      clock: network === "regtest" ? clock : undefined,
      logPath: settings.debuglogfile === "0" ? "" : resolve(directory, settings.debuglogfile),
      node: () => served
    })
    const page = hasDashboard ? dashboardRoutes(() => dashboard) : Layer.empty
    const events = layerEvents(() => served, { openPath: hasDashboard ? `${DASHBOARD_PATH}/events` : undefined })
    const routes = Layer.mergeAll(
      rpc,
      events,
      layerMetrics(() => meter),
      page
    )
    const addresses = yield* serveWeb({ settings, network, directory, routes })
    yield* Effect.logInfo(`Answers HTTP on ${addresses.join(" and ")}.`)
    if (hasDashboard) yield* Effect.logInfo(`Shows itself at http://${addresses[0]}${DASHBOARD_PATH}.`)
    return (node) =>
      Effect.gen(function* () {
        meter = yield* nodeMeter({ node, version: VERSION, network: params.name })
        served = node
        if (hasDashboard) dashboard = yield* makeDashboard({ node, params, version: VERSION })
      })
  })
