/**
 * `npm run bench:dashboard [-- --peers 100 --seconds 20 --rounds 3]`: what a dashboard and metrics cost a node on real sockets, its peers and who
 * looks on in processes of their own. Each peer pings once a second.
 *
 *   without   no dashboard
 *   closed    the dashboard is there, and nobody looks
 *   open      a page is open, the tracer closed, and metrics are read every ten seconds
 *   tracing   the tracer is open too
 *
 * The share of a core is the processor time of the node's process, all its threads, over the time that went by.
 */
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import { dashboardRoutes, makeDashboard } from "@satwire/dashboard"
import { HttpDoor, layerHttpDoor, listenHttp } from "@satwire/http-door"
import { METRICS_CONTENT_TYPE, nodeMeter } from "@satwire/metrics"
import type { NodeShape } from "@satwire/node"
import { regtest } from "@satwire/primitives"
import * as Effect from "effect/Effect"
import { HttpRouter } from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { LineProcess } from "../LineProcess.ts"
import { Remotes, benchNode } from "../sockets/BenchNode.ts"

const { values } = parseArgs({
  options: {
    peers: { type: "string", default: "100" },
    seconds: { type: "string", default: "20" },
    rounds: { type: "string", default: "3" }
  }
})
const [peers, seconds, rounds] = [Number(values.peers), Number(values.seconds), Number(values.rounds)]
const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** Gives where it listens. */
const serve = (node: NodeShape): Effect.Effect<string, never, Scope.Scope> =>
  Effect.gen(function* () {
    const dashboard = yield* makeDashboard({ node, params: regtest, version: "bench" })
    const meter = yield* nodeMeter({ node, version: "bench", network: "regtest" })
    const metrics = Layer.effectDiscard(
      Effect.gen(function* () {
        const router = yield* HttpRouter
        const door = yield* HttpDoor
        const answer = Effect.map(meter.metrics, (text) =>
          HttpServerResponse.text(text, { contentType: METRICS_CONTENT_TYPE })
        )
        yield* router.add("GET", "/metrics", door.open(answer))
      })
    )
    const routes = Layer.merge(
      metrics,
      dashboardRoutes(() => dashboard)
    )
    const door = layerHttpDoor({ credentials: [] })
    const listening = listenHttp(routes, { addresses: [{ host: "127.0.0.1", port: 0 }] })
    const [address] = yield* Effect.orDie(Effect.provide(listening, door))
    return `http://127.0.0.1:${address !== undefined && "port" in address ? address.port : 0}`
  })

const bench = Effect.scoped(
  Effect.gen(function* () {
    const node = yield* benchNode(peers, true)
    const remotes = yield* Remotes.start(node, peers)
    /** The share of a core while peers ping, and something else is done beside. */
    const share = (beside: Effect.Effect<unknown>): Effect.Effect<number> =>
      Effect.gen(function* () {
        const before = process.cpuUsage()
        const start = performance.now()
        yield* Effect.all([remotes.ask(`ping 1 ${seconds}`), beside], { concurrency: 2 })
        const { system, user } = process.cpuUsage(before)
        return (system + user) / 1000 / (performance.now() - start)
      })
    const print = (name: string, shares: ReadonlyArray<number>, note: string): void => {
      const sorted = shares.toSorted((a, b) => a - b)
      const percent = (value: number | undefined): string => (100 * (value ?? 0)).toFixed(2)
      const median = sorted[sorted.length >> 1]
      say(
        `${name.padEnd(9)} ${percent(median)} % of a core (${percent(sorted[0])} to ${percent(sorted.at(-1))})${note}`
      )
    }
    const measured = (name: string, beside: Effect.Effect<unknown>) =>
      Effect.gen(function* () {
        let said: unknown = undefined
        const noted = Effect.map(beside, (line) => (said = line))
        const shares = yield* Effect.all(Array.from({ length: rounds }, () => share(noted)))
        print(name, shares, typeof said === "string" ? `: ${said}` : "")
      })
    yield* share(Effect.void)
    yield* measured("without", Effect.void)
    const url = yield* serve(node)
    yield* measured("closed", Effect.void)
    const looker = yield* Effect.acquireRelease(
      Effect.promise(() => LineProcess.start(join(import.meta.dirname, "looker.ts"), url)),
      (started) => Effect.sync(() => started.stop())
    )
    yield* Effect.promise(() => looker.ask("look 3"))
    yield* measured(
      "open",
      Effect.promise(() => looker.ask(`look ${seconds}`))
    )
    yield* measured(
      "tracing",
      Effect.promise(() => looker.ask(`trace ${seconds}`))
    )
  })
)

await Effect.runPromise(bench)
