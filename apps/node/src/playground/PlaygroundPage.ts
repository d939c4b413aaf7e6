/** The page about the playground's follower and its events, on a port of its own: whoever started it sees on a screen what two nodes do. */
import { DASHBOARD_PATH, dashboardRoutes, makeDashboard } from "@satwire/dashboard"
import { layerEvents } from "@satwire/events"
import { layerHttpDoor, listenHttp } from "@satwire/http-door"
import type { NodeShape } from "@satwire/node"
import { regtest } from "@satwire/primitives"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { formatInet } from "effect/net/NetAddress"
import type * as Scope from "effect/Scope"
import { VERSION } from "../Version.ts"

const ANY_FREE_PORT = { host: "127.0.0.1", port: 0 }

/** Serves it until the scope closes, and gives where; `undefined` where this machine lets nobody listen, which ends no playground. */
export const playgroundPage = (node: NodeShape): Effect.Effect<string | undefined, never, Scope.Scope> =>
  Effect.gen(function* () {
    const dashboard = yield* makeDashboard({ node, params: regtest, version: VERSION })
    const events = layerEvents(() => node, { openPath: `${DASHBOARD_PATH}/events` })
    const routes = Layer.merge(
      dashboardRoutes(() => dashboard),
      events
    )
    const [address] = yield* listenHttp(routes, { addresses: [ANY_FREE_PORT] })
    return address !== undefined && "port" in address ? `http://${formatInet(address)}${DASHBOARD_PATH}` : undefined
  }).pipe(
    Effect.provide(layerHttpDoor({ credentials: [], onRefusal: () => Effect.void })),
    Effect.orElseSucceed(() => undefined)
  )
