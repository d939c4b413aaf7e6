/** `satwire`: a node that runs until it is asked to stop, or cannot go on. */
import { networkInterfaces } from "node:os"
import { join, resolve } from "node:path"
import { type Dashboard, DASHBOARD_PATH, dashboardRoutes, makeDashboard } from "@satwire/dashboard"
import { type NodeMeter, nodeMeter } from "@satwire/metrics"
import { parseHost } from "@satwire/netaddress"
import { type NodeFact, type NodeFailure, type NodeShape, type NodeStartError, Node, layerOnDisk } from "@satwire/node"
import type { ChainParams } from "@satwire/primitives"
import { MockableClock } from "@satwire/runtime"
import { WorkerPool } from "@satwire/runtime/workers"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type Loaded, absolute, loadSettings } from "../config/LoadSettings.ts"
import type { ConfigError } from "../config/ConfigError.ts"
import { coreOnlySentence } from "../config/CoreOnly.ts"
import { formatConfig } from "../config/PrintConfig.ts"
import { counted } from "../Numbers.ts"
import { VERSION } from "../Version.ts"
import type { FlagTexts } from "../cli/Flags.ts"
import { endsWell } from "../cli/Ending.ts"
import { layerWays } from "../network/Ways.ts"
import { withFiles } from "./BroughtFiles.ts"
import { keepCapture } from "./KeepCapture.ts"
import { BlockProgress } from "./BlockProgress.ts"
import { factText } from "./FactText.ts"
import { LogBudget } from "../log/LogBudget.ts"
import { type Wanted } from "../log/Categories.ts"
import { categoryOf } from "../log/FactCategory.ts"
import { withoutAddresses } from "../log/FormatLine.ts"
import { type Log, makeLog } from "../log/Log.ts"
import type { LogFileError } from "../log/LogFile.ts"
import { levelOf, logLine } from "../log/LogLine.ts"
import { layerMetrics } from "../web/MetricsRoutes.ts"
import { layerNodeRpc } from "../web/RpcRoutes.ts"
import { type WebServerError, serveWeb } from "../web/WebServer.ts"
import { type Machine, type NodePlan, planNode } from "./NodePlan.ts"
import { pidFile } from "./PidFile.ts"
import { Progress } from "./Progress.ts"

export type RunNodeError = ConfigError | LogFileError | NodeStartError | NodeFailure | WebServerError

/** Runs the node that these flags, the environment and the configuration file describe, or prints what they come to. */
export const runNode = (flags: FlagTexts): Effect.Effect<void, RunNodeError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const loaded = yield* loadSettings("node", flags)
    const planned = yield* Effect.fromResult(planNode(loaded, thisMachine()))
    if (loaded.settings["print-config"] === true) return yield* Console.log(formatConfig(loaded, "node"))
    const plan = { ...planned, options: yield* withFiles(planned.options, loaded.settings) }
    return yield* onItsClock(running(plan, loaded), loaded)
  }).pipe(endsWell)

/** Tests set the time of a private network; anywhere else that is for who says so at start. */
const onItsClock = <A, E, R>(effect: Effect.Effect<A, E, R>, { network, settings }: Loaded): Effect.Effect<A, E, R> =>
  network === "regtest" || settings.mocktime > 0
    ? Effect.provide(effect, MockableClock.layer(settings.mocktime))
    : effect

const running = (plan: NodePlan, loaded: Loaded): Effect.Effect<void, RunNodeError, FileSystem.FileSystem> =>
  Effect.scoped(
    Effect.gen(function* () {
      const log = yield* makeLog(loaded.settings)
      return yield* Effect.scoped(runPlan(plan, loaded, log)).pipe(
        Effect.tapError(({ message }) => log.toFile(message)),
        Effect.provide(log.layer)
      )
    })
  )

const runPlan = ({ options, notices }: NodePlan, loaded: Loaded, log: Log) =>
  Effect.gen(function* () {
    const { params } = options
    const { settings } = loaded
    const root = absolute(settings.datadir)
    const directory = join(root, params.directory)
    yield* Effect.logInfo(`Satwire ${VERSION} on ${params.name}, data in ${directory}.`)
    if (loaded.file !== undefined) yield* Effect.logInfo(`Read ${loaded.file}.`)
    if (loaded.coreOnly.length > 0) yield* Effect.logInfo(coreOnlySentence(loaded.coreOnly))
    for (const warning of loaded.warnings) yield* Effect.logWarning(warning)
    for (const notice of notices) yield* logLine(notice)
    let isRunning = false
    // Finalizers run from the last to the first: this one when everything is closed.
    yield* Effect.addFinalizer(() => (isRunning ? Effect.logInfo("Stopped.") : Effect.void))
    const disk = yield* Layer.build(layerOnDisk(root, params))
    // The directory is ours from here on.
    yield* log.open(directory)
    if (settings.pid !== "0") yield* pidFile(resolve(directory, settings.pid))
    const seen: Seen = { node: undefined, meter: undefined, dashboard: undefined, asked: yield* Deferred.make<void>() }
    yield* serve(loaded, params, log, seen)
    // Workers are started when there is work for them: blocks to check.
    const edges = Layer.mergeAll(layerWays(settings), Layer.succeedContext(disk), WorkerPool.layer())
    const node = Context.get(yield* Layer.build(Layer.provide(Node.layer(options), edges)), Node)
    isRunning = true
    if (settings.capturemessages === true) yield* keepCapture(node, directory, settings.capturelimit)
    yield* Effect.addFinalizer(() => farewell(node))
    seen.meter = yield* nodeMeter({ node, version: VERSION, network: params.name })
    seen.node = node
    if (hasDashboard(settings)) seen.dashboard = yield* makeDashboard({ node, params, version: VERSION })
    yield* tellFacts(node, params, { wanted: log.wanted, showsAddresses: settings.logips ?? true })
    return yield* Effect.raceFirst(node.failure, Deferred.await(seen.asked))
  })

const hasDashboard = ({ dashboard, server }: Loaded["settings"]): boolean => server !== false && dashboard !== false

/** What of the node is there by now for those who ask over HTTP: they may ask while it starts. */
interface Seen {
  node: NodeShape | undefined
  meter: NodeMeter | undefined
  dashboard: Dashboard | undefined
  /** Succeeds when somebody who may asks it to end. */
  readonly asked: Deferred.Deferred<void>
}

const serve = (
  { network, settings }: Loaded,
  params: ChainParams,
  { wishes }: Log,
  seen: Seen
): Effect.Effect<void, WebServerError, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    if (settings.server === false) return
    const directory = join(absolute(settings.datadir), params.directory)
    const clock = Option.getOrUndefined(yield* Effect.serviceOption(MockableClock))
    const rpc = layerNodeRpc({
      settings,
      params,
      wishes,
      clock: network === "regtest" ? clock : undefined,
      logPath: settings.debuglogfile === "0" ? "" : resolve(directory, settings.debuglogfile),
      stop: Effect.asVoid(Deferred.succeed(seen.asked, undefined)),
      node: () => seen.node
    })
    const metrics = layerMetrics(() => seen.meter)
    const page = hasDashboard(settings) ? dashboardRoutes(() => seen.dashboard) : Layer.empty
    const routes = Layer.mergeAll(rpc, metrics, page)
    const addresses = yield* serveWeb({ settings, network, directory, routes })
    yield* Effect.logInfo(`Answers HTTP on ${addresses.join(" and ")}.`)
    if (hasDashboard(settings)) yield* Effect.logInfo(`Shows itself at http://${addresses[0]}${DASHBOARD_PATH}.`)
  })

interface Telling {
  readonly wanted: Wanted
  readonly showsAddresses: boolean
}

/** Every fact becomes a line, or part of a progress line. */
const tellFacts = (node: NodeShape, params: ChainParams, telling: Telling): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const shown = (text: string): string => (telling.showsAddresses ? text : withoutAddresses(text))
    const progress = new Progress(params)
    const blocks = new BlockProgress()
    const budget = new LogBudget()
    yield* Effect.forkScoped(
      Stream.runForEach(node.facts, (fact) => {
        progress.observe(fact)
        blocks.observe(fact)
        return tell(fact, budget, telling)
      }),
      { startImmediately: true }
    )
    yield* Effect.forkScoped(progress.lines((line) => Effect.logInfo(shown(line))))
    yield* Effect.forkScoped(blocks.lines((line) => Effect.logInfo(shown(line))))
  })

const tell = (fact: NodeFact, budget: LogBudget, { showsAddresses, wanted }: Telling): Effect.Effect<void> => {
  const told = factText(fact)
  const category = categoryOf(fact._tag)
  if (told === undefined || !wanted(levelOf(told.level), category)) return Effect.void
  // Where we listen is our own business, and somebody waits to read it.
  const isShown = showsAddresses || fact._tag === "Listening"
  const line = { ...told, category, text: isShown ? told.text : withoutAddresses(told.text) }
  // What our user asked for has no budget, as with Core.
  if (line.level === "Debug") return logLine(line)
  return Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
    Effect.forEach(budget.lines(fact._tag, line, nowMs), logLine, { discard: true })
  )
}

const farewell = (node: NodeShape): Effect.Effect<void> =>
  Effect.gen(function* () {
    const headers = yield* node.query("headers")
    const blocks = yield* node.query("blocks")
    const height = counted(headers?.tip.height ?? 0)
    const where = blocks === undefined ? height : `${counted(blocks.tip.height)} of ${height}`
    yield* Effect.logInfo(`Stopping at height ${where}.`)
  })

/** `::` takes IPv4 connections too, but not where the machine has no IPv6. */
const thisMachine = (): Machine => {
  const all = Object.values(networkInterfaces())
    .flat()
    .filter((address) => address !== undefined)
  return {
    anyAddress: all.some(({ family }) => family === "IPv6") ? "::" : "0.0.0.0",
    interfaces: all.map(({ address }) => parseHost(address)).filter((host) => host !== undefined)
  }
}
