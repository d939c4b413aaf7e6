/**
 * The nodes of a day, on one clock, and what is known of them here.
 *
 * ```
 *   steady (satwire, lives through the day) ──── bcoin
 *        └────────── struck (satwire, killed again and again) ──┘        every line in both directions
 * ```
 *
 * Two of ours, because memory after a day can only be told of a process that has lived through it.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ChaChaRandom } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"
import { Spender } from "@satwire/mining"
import type { TransactionView } from "@satwire/primitives"
import type { Dialer, Endpoint } from "@satwire/transport"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import { startBcoin } from "../Bcoin.ts"
import { Logs } from "./Logs.ts"
import { type Member, bcoinMember, satwireMember } from "./Member.ts"
import { Mirror } from "./Mirror.ts"
import { RULE_OPTIONS, sharedRules } from "./Rules.ts"
import { type SatwireRun, startSatwire } from "./SatwireProcess.ts"
import { type TortureFailed, failed } from "./TortureFailed.ts"

/** 2026-01-01, midnight. */
const FIRST_MORNING = 1_767_225_600
const TICK = "200 millis"
const MS = 1000

export interface WorldOptions {
  readonly seed: number
  /** Seconds of the day that pass in one of ours. */
  readonly pace: number
}

/** What happened how often. */
export class Tally {
  readonly counts: Map<string, number> = new Map()

  add(what: string, times = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + times)
  }

  get(what: string): number {
    return this.counts.get(what) ?? 0
  }
}

export interface World {
  readonly bcoin: Member
  readonly steady: Member
  readonly struck: Member
  readonly all: readonly [Member, Member, Member]
  readonly steadyRun: SatwireRun
  /** Where ours take peers; the second changes. */
  readonly endpoints: () => readonly [Endpoint, Endpoint]
  readonly bcoinEndpoint: Endpoint
  readonly directories: ReadonlyArray<string>
  /** `kill -9` of the struck one. */
  readonly kill: Effect.Effect<void>
  /** The struck one on what it left. */
  readonly restart: Effect.Effect<void, TortureFailed>
  /** Asks both of ours to stop; their exit codes. */
  readonly stop: Effect.Effect<ReadonlyArray<number>, TortureFailed>
  /** bcoin dials ours where it is not connected to them. */
  readonly link: Effect.Effect<void, TortureFailed>
  readonly unix: () => number
  readonly mirror: Mirror
  readonly spender: Spender
  /** Of ours, made and in no block yet, in the order in which they were made. */
  readonly waiting: Map<string, TransactionView>
  /** Blocks that a user called invalid for a while. */
  readonly doubted: Set<string>
  readonly random: ChaChaRandom
  readonly tally: Tally
  readonly logs: Logs
}

export const makeWorld = ({ pace, seed }: WorldOptions): Effect.Effect<World, TortureFailed, Scope.Scope | Dialer> =>
  Effect.gen(function* () {
    const random = ChaChaRandom.fromNumber(seed)
    const [tally, logs] = [new Tally(), new Logs()]
    const began = performance.now()
    const unix = (): number => FIRST_MORNING + Math.floor(((performance.now() - began) / MS) * pace)
    const shape = yield* Effect.mapError(startBcoin(), (cause) => failed(cause.message, cause))
    const bcoin = bcoinMember(shape)
    yield* bcoin.call("setmocktime", [unix()])

    const address = ({ host, port }: Endpoint): string => `${host}:${port}`
    const home = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "satwire-torture-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true, maxRetries: 3 }))
    )
    const scope = yield* Effect.scope
    const start = (name: string, peers: ReadonlyArray<Endpoint>) =>
      Effect.suspend(() => {
        const connect = peers.map((peer) => `-connect=${address(peer)}`)
        // bcoin bans who speaks to it what it does not know, which the encrypted transport is: it is offered to who dials ours alone.
        const ours = ["-listen=1", "-bind=127.0.0.1:0", "-rpcport=0", "-v2transport=0", `-mocktime=${unix()}`]
        const options = [...RULE_OPTIONS, ...connect, ...ours]
        return startSatwire({ name, directory: join(home, name), options, logs })
      }).pipe(Scope.provide(scope))
    const steadyRun = yield* start("steady", [shape.p2p])
    const startStruck = start("struck", [shape.p2p, steadyRun.p2p])
    let struckRun = yield* startStruck

    const steady = satwireMember("steady", () => steadyRun)
    const struck = satwireMember("struck", () => struckRun)
    const all = [bcoin, steady, struck] as const
    const endpoints = (): readonly [Endpoint, Endpoint] => [steadyRun.p2p, struckRun.p2p]
    const link = Effect.suspend(() =>
      Effect.forEach(endpoints(), (to) => bcoin.call("addnode", [address(to), "onetry"]), { discard: true })
    )
    // A call to the one that is being killed fails.
    const tick = Effect.forEach(all, (member) => Effect.ignore(member.call("setmocktime", [unix()])), {
      concurrency: "unbounded",
      discard: true
    })
    yield* Effect.forkScoped(Effect.repeat(tick, Schedule.spaced(TICK)))
    yield* link
    return {
      bcoin,
      steady,
      struck,
      all,
      steadyRun,
      endpoints,
      bcoinEndpoint: shape.p2p,
      directories: ["steady", "struck"].map((name) => join(home, name)),
      kill: Effect.suspend(() => struckRun.kill),
      restart: Effect.gen(function* () {
        struckRun = yield* startStruck
        yield* link
      }),
      stop: Effect.suspend(() => Effect.forEach([struckRun, steadyRun], ({ stop }) => stop)),
      link,
      unix,
      mirror: new Mirror(sharedRules),
      spender: new Spender({ sha256: platformSha256, random: random.fork() }),
      waiting: new Map(),
      doubted: new Set(),
      random,
      tally,
      logs
    }
  })
