/**
 * `npm start`: a private regtest network on loopback, in this process. Two nodes talk over real TCP: one makes transactions all the time and a
 * block of them every few seconds, the other hears of both. It needs no configuration and no Internet, keeps nothing on disk, and ends by
 * Ctrl-C, or by itself after a number of blocks.
 */
import type { NodeFact, NodeFailure, NodeStartError } from "@satwire/node"
import type { PlatformError } from "effect/PlatformError"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Terminal from "effect/Terminal"
import { counted } from "../Numbers.ts"
import { factLine } from "./FactLine.ts"
import { LiveScreen } from "./LiveScreen.ts"
import { playgroundPage } from "./PlaygroundPage.ts"
import { BASE_BLOCKS, type PlaygroundNode, heightOf, playgroundNetwork, poolOf, reached } from "./PlaygroundNetwork.ts"
import { Traffic } from "./Traffic.ts"
import { trafficLines, transactionsText } from "./TrafficText.ts"

export interface PlaygroundOptions {
  /** Ends after this many blocks; `undefined` goes on until it is interrupted. */
  readonly blocks: number | undefined
  /** Time between two blocks. */
  readonly intervalMs: number
  /** Whether there is a page about the follower. */
  readonly hasDashboard: boolean
}

export type PlaygroundError = NodeFailure | NodeStartError | PlatformError

const GREETING = [
  "Satwire playground: a private Bitcoin regtest network, in this process, on loopback.",
  "Two nodes talk over real TCP. The miner makes transactions all the time, and a block of them every few seconds;",
  "the follower hears of both, and has the blocks in short (BIP-0152): made of transactions that are there already.",
  "Ctrl-C ends it."
]

/** So many transactions are made between two blocks, where that is not less than {@link LONGEST_GAP_MS} allows. */
const TRANSACTIONS_A_BLOCK = 20
/** On average, between two transactions. */
const LONGEST_GAP_MS = 250
/** For the first transactions to reach the follower before the first block. */
const FIRST_RELAY_MS = 5000
const LOOK_MS = 5
/** What is printed where there is no terminal is as wide as it likes. */
const WIDE = Number.MAX_SAFE_INTEGER

/** Runs the playground; succeeds when the blocks that were asked for have reached both nodes. */
export const runPlayground = (
  options: PlaygroundOptions
): Effect.Effect<void, PlaygroundError, Terminal.Terminal | Stdio.Stdio> =>
  Effect.scoped(
    Effect.gen(function* () {
      const terminal = yield* Terminal.Terminal
      const live = yield* (yield* Stdio.Stdio).stdoutIsTerminal
      const print = (line: string): Effect.Effect<void> => Effect.ignore(terminal.display(`${line}\n`))
      yield* Effect.forEach(GREETING, print)
      const { miner, follower } = yield* playgroundNetwork
      yield* print(`The miner has ${counted(BASE_BLOCKS, "block")} to begin with, so that there are coins to spend.`)
      const page = options.hasDashboard ? yield* playgroundPage(follower.service) : undefined
      if (page !== undefined) yield* print(`Look at the follower in a browser: ${page}`)
      const nodes = [miner, follower] as const
      const traffic = new Traffic(BASE_BLOCKS)
      const screen = live ? yield* LiveScreen.make(nodes, { ...options, base: BASE_BLOCKS, traffic }) : undefined
      const show = (line: string): Effect.Effect<void> =>
        screen === undefined ? print(line) : Effect.sync(() => screen.event(line))
      const ends = yield* Effect.forEach(nodes, (node) => follow(node, traffic, options.blocks, show))
      const drawing = screen === undefined ? Effect.never : screen.run
      const failing = Effect.raceFirst(miner.service.failure, follower.service.failure)
      yield* Effect.all(ends, { concurrency: "unbounded" }).pipe(
        Effect.raceFirst(happenings(miner, follower, options)),
        Effect.raceFirst(drawing),
        Effect.raceFirst(failing)
      )
      if (screen === undefined) yield* Effect.forEach(trafficLines(traffic.frame, WIDE, undefined), print)
      else yield* screen.last
      const height = yield* heightOf(follower)
      yield* print(
        `Both nodes are at height ${height}: ${counted(height - BASE_BLOCKS, "block")} on the first ${BASE_BLOCKS}.`
      )
    })
  )

/** Counts and shows what a node tells, until the scope closes. What it gives succeeds when that many blocks were told of. */
const follow = (
  node: PlaygroundNode,
  traffic: Traffic,
  blocks: number | undefined,
  show: (line: string) => Effect.Effect<void>
): Effect.Effect<Effect.Effect<void>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const end = yield* Deferred.make<void>()
    let height = 0
    const observe = (fact: NodeFact): Effect.Effect<unknown> => {
      const isFirst = fact._tag === "BlockMade" ? height < BASE_BLOCKS : false
      if (fact._tag === "BlockTipChanged") height = fact.tip.height
      traffic.observe(fact, node.mines)
      const line = isFirst || isOfTheFirst(fact) ? undefined : lineOf(node, fact, traffic)
      const shown = line === undefined ? Effect.void : show(line)
      const isLast = blocks !== undefined && height >= BASE_BLOCKS + blocks
      return isLast ? Effect.andThen(shown, Deferred.succeed(end, undefined)) : shown
    }
    yield* Effect.forkScoped(Stream.runForEach(node.service.facts, observe), { startImmediately: true })
    return Deferred.await(end)
  })

/** Of the blocks that there are to begin with nothing is told. */
const isOfTheFirst = (fact: NodeFact): boolean => fact._tag === "BlockTipChanged" && fact.tip.height <= BASE_BLOCKS

const lineOf = (node: PlaygroundNode, fact: NodeFact, traffic: Traffic): string | undefined => {
  const line = factLine(node.name, fact)
  return fact._tag === "BlockMade"
    ? `${line}; transactions so far: ${transactionsText(traffic.frame).join(", ")}`
    : line
}

/** Transactions and blocks, until it is interrupted. */
const happenings = (
  miner: PlaygroundNode,
  follower: PlaygroundNode,
  options: PlaygroundOptions
): Effect.Effect<never> =>
  Effect.gen(function* () {
    // From then on they have shaken hands, and a block has somebody to be told to.
    yield* reached([follower], BASE_BLOCKS)
    yield* miner.service.makeTransactions(TRANSACTIONS_A_BLOCK)
    yield* poolOf(follower).pipe(
      Effect.repeat({ until: (count) => count >= TRANSACTIONS_A_BLOCK, schedule: Schedule.spaced(LOOK_MS) }),
      Effect.timeoutOption(FIRST_RELAY_MS)
    )
    const mining = Effect.repeat(miner.service.makeBlock, mineSchedule(options))
    const gapMs = Math.min(LONGEST_GAP_MS, options.intervalMs / TRANSACTIONS_A_BLOCK)
    return yield* Effect.raceFirst(Effect.andThen(mining, Effect.never), makeTransactions(miner, gapMs))
  })

/**
 * One transaction after another, until it is interrupted.
 *
 * Specification: they come at random, so long apart on average, whenever blocks come. Rationale: so they do on a network; now and then one is
 * made too shortly before a block to be at the other end when the block is, and has to be asked for.
 */
const makeTransactions = (miner: PlaygroundNode, gapMs: number): Effect.Effect<never> =>
  Random.next.pipe(
    Effect.flatMap((share) => Effect.sleep(-gapMs * Math.log(1 - share))),
    Effect.andThen(miner.service.makeTransactions(1)),
    Effect.forever
  )

/** One block at once, then one each interval, as many as were asked for. */
const mineSchedule = (options: PlaygroundOptions): Schedule.Schedule<unknown> => {
  const spaced = Schedule.spaced(options.intervalMs)
  return options.blocks === undefined ? spaced : Schedule.upTo(spaced, { times: options.blocks - 1 })
}
