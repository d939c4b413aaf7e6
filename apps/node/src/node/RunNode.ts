/** `satwire`: a node that runs until it is asked to stop, or cannot go on. */
import { join, resolve } from "node:path"
import { type NodeFact, type NodeFailure, type NodeShape, type NodeStartError, Node, layerOnDisk } from "@satwire/node"
import type { ChainParams } from "@satwire/primitives"
import { MockableClock } from "@satwire/runtime"
import { WorkerPool } from "@satwire/runtime/workers"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type Loaded, absolute, loadSettings } from "../config/LoadSettings.ts"
import type { ConfigError } from "../config/ConfigError.ts"
import { coreOnlySentence } from "../config/CoreOnly.ts"
import { formatConfig } from "../config/PrintConfig.ts"
import { counted } from "../Numbers.ts"
import { VERSION } from "../Version.ts"
import type { FlagTexts } from "../cli/Flags.ts"
import { complaint } from "../cli/Presenter.ts"
import { thisMachine } from "../network/ThisMachine.ts"
import { layerWays } from "../network/Ways.ts"
import { withFiles } from "./BroughtFiles.ts"
import { keepCapture } from "./KeepCapture.ts"
import { BlockProgress } from "./BlockProgress.ts"
import { factText } from "./FactText.ts"
import { type Wanted } from "../log/Categories.ts"
import { categoryOf } from "../log/FactCategory.ts"
import { withoutAddresses } from "../log/FormatLine.ts"
import { type Log, makeLog } from "../log/Log.ts"
import type { LogFileError } from "../log/LogFile.ts"
import { levelOf, logLine } from "../log/LogLine.ts"
import { tellMessages } from "../log/MessageLines.ts"
import { lifeSpans } from "../trace/LifeSpans.ts"
import type { NodeWebOptions } from "../web/NodeWeb.ts"
import type { WebServerError } from "../web/WebServer.ts"
import { type NodePlan, planNode } from "./NodePlan.ts"
import { pidFile } from "./PidFile.ts"
import { Progress } from "./Progress.ts"

export type RunNodeError = ConfigError | LogFileError | NodeStartError | NodeFailure | WebServerError

/** Runs the node that these flags, the environment and the configuration file describe, or prints what they come to. */
export const runNode = (flags: FlagTexts): Effect.Effect<void, RunNodeError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const loaded = yield* loadSettings("node", flags)
    const planned = yield* Effect.fromResult(planNode(loaded, thisMachine()))
    if (loaded.settings["print-config"] === true) {
      for (const warning of loaded.warnings) yield* Console.error(complaint(warning))
      return yield* Console.log(formatConfig(loaded, "node"))
    }
    const plan = { ...planned, options: yield* withFiles(planned.options, loaded.settings) }
    return yield* onItsClock(running(plan, loaded), loaded)
  })

/** Tests set the time of a private network; anywhere else that is for who says so at start. */
const onItsClock = <A, E, R>(effect: Effect.Effect<A, E, R>, { network, settings }: Loaded): Effect.Effect<A, E, R> =>
  network === "regtest" || settings.mocktime > 0
    ? Effect.provide(effect, MockableClock.layer(settings.mocktime))
    : effect

const running = (plan: NodePlan, loaded: Loaded): Effect.Effect<void, RunNodeError, FileSystem.FileSystem> =>
  Effect.scoped(
    Effect.gen(function* () {
      const log = yield* makeLog(loaded.settings)
      const url = collectorOf(loaded.settings.otlp)
      const run = Effect.scoped(runPlan(plan, loaded, log, url !== undefined))
      return yield* (url === undefined ? run : tracedTo(url, plan.options.params, run)).pipe(
        Effect.tapError(({ message }) => log.toFile(message)),
        Effect.provide(log.layer)
      )
    })
  )

/** Where traces go: the option, or what programs that trace have in common. */
const collectorOf = (option: string | undefined): string | undefined => {
  const url = option ?? process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? ""
  return url === "" || url === "0" ? undefined : url
}

/** What traces ask for is loaded where some are wanted. */
const tracedTo = <A, E, R>(url: string, { name }: ChainParams, run: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { layerTracing } = yield* Effect.promise(() => import("../trace/Tracing.ts"))
    return yield* Effect.provide(run, layerTracing({ url, network: name }))
  })

const runPlan = ({ options, notices }: NodePlan, loaded: Loaded, log: Log, isTraced: boolean) =>
  Effect.gen(function* () {
    const { params } = options
    const { settings } = loaded
    const life = yield* lifeSpans
    const root = absolute(settings.datadir)
    const directory = join(root, params.directory)
    yield* Effect.logInfo(`Satwire ${VERSION} on ${params.name}, data in ${directory}.`)
    if (loaded.file !== undefined) yield* Effect.logInfo(`Read ${loaded.file}.`)
    if (loaded.coreOnly.length > 0) yield* Effect.logInfo(coreOnlySentence(loaded.coreOnly))
    for (const warning of loaded.warnings) yield* Effect.logWarning(warning)
    for (const notice of notices) yield* logLine(notice)
    let isRunning = false
    // Finalizers run from the last to the first: this one when everything is closed.
    yield* Effect.addFinalizer(life.over)
    yield* Effect.addFinalizer(() => (isRunning ? Effect.logInfo("Stopped.") : Effect.void))
    const disk = yield* Layer.build(layerOnDisk(root, params)).pipe(life.step("open store"))
    // The directory is ours from here on.
    yield* log.open(directory)
    if (settings.pid !== "0") yield* pidFile(resolve(directory, settings.pid))
    const asked = yield* Deferred.make<void>()
    const show = yield* served({
      loaded,
      params,
      directory,
      wishes: log.wishes,
      isTraced,
      stop: Deferred.succeed(asked, undefined)
    }).pipe(life.step("serve HTTP"))
    // Workers are started when there is work for them: blocks to check.
    const edges = Layer.mergeAll(layerWays(settings), Layer.succeedContext(disk), WorkerPool.layer())
    const built = yield* Layer.build(Layer.provide(Node.layer(options), edges)).pipe(life.step("start node"))
    const node = Context.get(built, Node)
    isRunning = true
    if (settings.capturemessages === true) yield* keepCapture(node, directory, settings.capturelimit)
    yield* Effect.addFinalizer(() => farewell(node))
    yield* show(node)
    yield* tellFacts(node, params, { wanted: log.wanted, showsAddresses: settings.logips ?? true })
    yield* Effect.forkScoped(tellMessages(node, log.wishes), { startImmediately: true })
    if (isTraced) yield* traced(node, settings.logips ?? true)
    yield* life.started
    return yield* Effect.raceFirst(node.failure, Deferred.await(asked)).pipe(Effect.ensuring(life.stopping))
  })

/** What is served over HTTP is loaded where something is. Gives what tells it of the node. */
const served = (options: NodeWebOptions) =>
  Effect.gen(function* () {
    if (options.loaded.settings.server === false) return () => Effect.void
    const { serveNode } = yield* Effect.promise(() => import("../web/NodeWeb.ts"))
    return yield* serveNode(options)
  })

const traced = (node: NodeShape, showsAddresses: boolean): Effect.Effect<void, never, Scope.Scope> =>
  Effect.flatMap(
    Effect.promise(() => import("../trace/Tracing.ts")),
    ({ traceFacts }) => traceFacts(node, showsAddresses)
  )

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
    yield* Effect.forkScoped(
      Stream.runForEach(node.facts, (fact) => {
        progress.observe(fact)
        blocks.observe(fact)
        return tell(fact, telling)
      }),
      { startImmediately: true }
    )
    yield* Effect.forkScoped(progress.lines((line) => Effect.logInfo(shown(line))))
    yield* Effect.forkScoped(blocks.lines((line) => Effect.logInfo(shown(line))))
  })

const tell = (fact: NodeFact, { showsAddresses, wanted }: Telling): Effect.Effect<void> => {
  const told = factText(fact)
  const category = categoryOf(fact._tag)
  if (told === undefined || !wanted(levelOf(told.level), category)) return Effect.void
  // Where we listen is our own business, and somebody waits to read it.
  const isShown = showsAddresses || fact._tag === "Listening"
  return logLine({ ...told, category, kind: fact._tag, text: isShown ? told.text : withoutAddresses(told.text) })
}

const farewell = (node: NodeShape): Effect.Effect<void> =>
  Effect.gen(function* () {
    const headers = yield* node.query("headers")
    const blocks = yield* node.query("blocks")
    const height = counted(headers?.tip.height ?? 0)
    const where = blocks === undefined ? height : `${counted(blocks.tip.height)} of ${height}`
    yield* Effect.logInfo(`Stopping at height ${where}.`)
  })
