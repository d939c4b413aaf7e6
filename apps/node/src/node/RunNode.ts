/** `satwire`: a node that runs until it is asked to stop, or cannot go on. */
import { networkInterfaces } from "node:os"
import { join } from "node:path"
import { parseHost } from "@satwire/netaddress"
import { type NodeFact, type NodeFailure, type NodeShape, type NodeStartError, Node, layerOnDisk } from "@satwire/node"
import type { ChainParams } from "@satwire/primitives"
import { WorkerPool } from "@satwire/runtime/workers"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type Loaded, absolute, loadSettings } from "../config/LoadSettings.ts"
import type { ConfigError } from "../config/ConfigError.ts"
import { counted } from "../Numbers.ts"
import { VERSION } from "../Version.ts"
import type { FlagTexts } from "../cli/Flags.ts"
import { endsWell } from "../cli/Ending.ts"
import { layerWays } from "../network/Ways.ts"
import { withFiles } from "./BroughtFiles.ts"
import { BlockProgress } from "./BlockProgress.ts"
import { factText } from "./FactText.ts"
import { LogBudget } from "./LogBudget.ts"
import { logLine, logLines } from "./LogLines.ts"
import { type Machine, type NodePlan, planNode } from "./NodePlan.ts"
import { Progress } from "./Progress.ts"

export type RunNodeError = ConfigError | NodeStartError | NodeFailure

/** Runs the node that these flags, the environment and the configuration file describe. */
export const runNode = (flags: FlagTexts): Effect.Effect<never, RunNodeError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const loaded = yield* loadSettings("node", flags)
    const planned = yield* Effect.fromResult(planNode(loaded, thisMachine()))
    const plan = { ...planned, options: yield* withFiles(planned.options, loaded.settings) }
    return yield* Effect.scoped(runPlan(plan, loaded)).pipe(Effect.provide(logLines), endsWell)
  })

const runPlan = ({ options, notices }: NodePlan, loaded: Loaded) =>
  Effect.gen(function* () {
    const { params } = options
    const root = absolute(loaded.settings.datadir)
    yield* Effect.logInfo(`Satwire ${VERSION} on ${params.name}, data in ${join(root, params.directory)}.`)
    if (loaded.file !== undefined) yield* Effect.logInfo(`Read ${loaded.file}.`)
    for (const warning of loaded.warnings) yield* Effect.logWarning(warning)
    for (const notice of notices) yield* logLine(notice)
    let isRunning = false
    // Finalizers run from the last to the first: this one when everything is closed.
    yield* Effect.addFinalizer(() => (isRunning ? Effect.logInfo("Stopped.") : Effect.void))
    // Workers are started when there is work for them: blocks to check.
    const edges = Layer.mergeAll(layerWays(loaded.settings), layerOnDisk(root, params), WorkerPool.layer())
    const node = Context.get(yield* Layer.build(Layer.provide(Node.layer(options), edges)), Node)
    isRunning = true
    yield* Effect.addFinalizer(() => farewell(node))
    yield* tellFacts(node, params)
    return yield* node.failure
  })

/** Every fact becomes a line, or part of a progress line. */
const tellFacts = (node: NodeShape, params: ChainParams): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const progress = new Progress(params)
    const blocks = new BlockProgress()
    const budget = new LogBudget()
    yield* Effect.forkScoped(
      Stream.runForEach(node.facts, (fact) => {
        progress.observe(fact)
        blocks.observe(fact)
        return tell(fact, budget)
      }),
      { startImmediately: true }
    )
    yield* Effect.forkScoped(progress.lines((line) => Effect.logInfo(line)))
    yield* Effect.forkScoped(blocks.lines((line) => Effect.logInfo(line)))
  })

const tell = (fact: NodeFact, budget: LogBudget): Effect.Effect<void> => {
  const line = factText(fact)
  if (line === undefined) return Effect.void
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
