/**
 * `npm start`: a private regtest network on loopback, in this process. Two nodes talk over real TCP; one mines a block every few
 * seconds, the other follows. It needs no configuration and no Internet, keeps nothing on disk, and ends by Ctrl-C, or by itself after a
 * number of blocks.
 */
import type { NodeFact, NodeFailure, NodeStartError } from "@satwire/node"
import type { PlatformError } from "effect/PlatformError"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Terminal from "effect/Terminal"
import { factLine } from "./FactLine.ts"
import { LiveScreen } from "./LiveScreen.ts"
import { type PlaygroundNode, heightOf, playgroundNetwork } from "./PlaygroundNetwork.ts"

export interface PlaygroundOptions {
  /** Ends after this many blocks; `undefined` goes on until it is interrupted. */
  readonly blocks: number | undefined
  /** Time between two blocks. */
  readonly intervalMs: number
}

export type PlaygroundError = NodeFailure | NodeStartError | PlatformError

const GREETING = [
  "Satwire playground: a private Bitcoin regtest network, in this process, on loopback.",
  "Two nodes talk over real TCP. The miner makes a block every few seconds; the follower follows.",
  "Whole blocks move; transactions of yours and a web page come with later releases. Ctrl-C ends it."
]

/** Runs the playground; succeeds when the blocks that were asked for have reached both nodes. */
export const runPlayground = (
  options: PlaygroundOptions
): Effect.Effect<void, PlaygroundError, Terminal.Terminal | Stdio.Stdio> =>
  Effect.scoped(
    Effect.gen(function* () {
      const terminal = yield* Terminal.Terminal
      const stdio = yield* Stdio.Stdio
      const live = yield* stdio.stdoutIsTerminal
      const { miner, follower } = yield* playgroundNetwork
      const nodes = [miner, follower] as const
      const print = (line: string): Effect.Effect<void> => Effect.ignore(terminal.display(`${line}\n`))
      for (const line of GREETING) yield* print(line)
      const screen = live ? yield* LiveScreen.make(nodes, options) : undefined
      for (const node of nodes) {
        yield* Effect.forkScoped(
          Stream.runForEach(node.service.facts, (fact) => report(screen, node, fact, print)),
          { startImmediately: true }
        )
      }
      yield* waitForHandshake(nodes)
      const mining = miner.service.makeBlock.pipe(Effect.repeat(mineSchedule(options)), Effect.andThen(Effect.never))
      const drawing = screen === undefined ? Effect.never : screen.run
      const failing = Effect.raceFirst(miner.service.failure, follower.service.failure)
      yield* reached(nodes, options.blocks).pipe(
        Effect.raceFirst(mining),
        Effect.raceFirst(drawing),
        Effect.raceFirst(failing)
      )
      if (screen !== undefined) yield* screen.last
      yield* print(`Both nodes are at height ${yield* heightOf(follower)}.`)
    })
  )

const report = (
  screen: LiveScreen | undefined,
  node: PlaygroundNode,
  fact: NodeFact,
  print: (line: string) => Effect.Effect<void>
): Effect.Effect<void> => {
  const line = factLine(node.name, fact)
  if (line === undefined) return Effect.void
  return screen === undefined ? print(line) : Effect.sync(() => screen.event(line))
}

/** One block at once, then one each interval, as many as were asked for. */
const mineSchedule = (options: PlaygroundOptions): Schedule.Schedule<unknown> => {
  const spaced = Schedule.spaced(options.intervalMs)
  return options.blocks === undefined ? spaced : Schedule.upTo(spaced, { times: options.blocks - 1 })
}

/** Waits until the two have shaken hands, so that the first block has somebody to be told to. */
const waitForHandshake = (nodes: ReadonlyArray<PlaygroundNode>): Effect.Effect<void> =>
  Effect.forEach(
    nodes,
    (node) =>
      node.service.facts.pipe(
        Stream.filter((fact) => fact._tag === "PeerReady"),
        Stream.runHead
      ),
    { concurrency: "unbounded", discard: true }
  )

/** Succeeds when all nodes are at the height. */
const reached = (nodes: ReadonlyArray<PlaygroundNode>, blocks: number | undefined): Effect.Effect<void> =>
  blocks === undefined
    ? Effect.never
    : Effect.forEach(
        nodes,
        (node) =>
          node.service.facts.pipe(
            Stream.filter((fact) => fact._tag === "BlockTipChanged" && fact.tip.height >= blocks),
            Stream.runHead
          ),
        { concurrency: "unbounded", discard: true }
      )
