/**
 * The `satwire` program as a child process, from source, with a data directory that outlives it: started again and again on what it left
 * there. Ports are those that the system picks; it says them itself.
 *
 * ```
 *   startSatwire(directory) ──▶ SatwireRun ── kill (-9) ──▶ startSatwire(directory) ──▶ …
 *                                   └─ stop (-TERM) ──▶ its exit code
 * ```
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as NodeChildProcessSpawner from "@effect/platform-node/NodeChildProcessSpawner"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import type { Json, JsonArray } from "@satwire/json-rpc"
import { type RpcClient, makeRpcClient } from "@satwire/json-rpc/client"
import type { Endpoint } from "@satwire/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as ChildProcess from "effect/process/ChildProcess"
import { type MemoryUse, collectedMemory } from "./Inspector.ts"
import type { Logs } from "./Logs.ts"
import { type TortureFailed, failed } from "./TortureFailed.ts"

const MAIN = fileURLToPath(new URL("../../apps/node/src/main.ts", import.meta.url))
const START_TIMEOUT = "60 seconds"
const RPC_TIMEOUT_MS = 60_000

export interface SatwireOptions {
  /** As it is called in what is printed here. */
  readonly name: string
  /** Its `-datadir`. */
  readonly directory: string
  /** Further options of its command line. */
  readonly options: ReadonlyArray<string>
  readonly logs: Logs
}

export interface SatwireRun {
  /** Where it takes peers. */
  readonly p2p: Endpoint
  readonly pid: number
  readonly rpc: (method: string, params?: JsonArray) => Effect.Effect<Json, TortureFailed>
  /** What is left after a collection of all garbage. */
  readonly memory: Effect.Effect<MemoryUse, TortureFailed>
  /** `kill -9`; done when it is gone. */
  readonly kill: Effect.Effect<void>
  /** Asks it to stop, and gives its exit code. */
  readonly stop: Effect.Effect<number, TortureFailed>
}

const platform = NodeChildProcessSpawner.layer.pipe(
  Layer.provide(Layer.mergeAll(NodeFileSystem.layer, NodePath.layer)),
  Layer.merge(FetchHttpClient.layer)
)

/** What it says when it is there, in the words of its log. */
const SAID = {
  inspector: /^Debugger listening on (ws:\S+)$/,
  http: /Answers HTTP on 127\.0\.0\.1:(\d+)/,
  p2p: /Listening on 127\.0\.0\.1:(\d+)\.$/
} as const

type Said = { readonly [Name in keyof typeof SAID]: string }

/** Starts it and waits until it takes peers and calls. It ends with the scope at the latest. */
export const startSatwire = (options: SatwireOptions): Effect.Effect<SatwireRun, TortureFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const { directory, name } = options
    const scope = yield* Scope.fork(yield* Effect.scope)
    const { child, said } = yield* Scope.provide(spawn(options), scope)
    const client = yield* makeRpcClient({
      url: `http://127.0.0.1:${said.http}/`,
      credentials: readFileSync(join(directory, "regtest", ".cookie"), "utf8").trim(),
      timeoutMs: RPC_TIMEOUT_MS
    })
    yield* isReady(client).pipe(Effect.mapError((cause) => failed(`${name} does not answer`, cause)))
    const rpc: SatwireRun["rpc"] = (method, params = []) =>
      Effect.mapError(client.call(method, params), (cause) => failed(`${name} ${method}: ${cause.message}`, cause))
    const close = Scope.close(scope, Exit.void)
    return {
      p2p: { host: "127.0.0.1", port: Number(said.p2p) },
      pid: child.pid,
      rpc,
      memory: collectedMemory(said.inspector),
      kill: Effect.ignore(child.kill({ killSignal: "SIGKILL" })).pipe(Effect.andThen(close)),
      stop: Effect.gen(function* () {
        process.kill(child.pid, "SIGTERM")
        const code = yield* child.exitCode
        yield* close
        return code
      }).pipe(
        Effect.timeout("15 seconds"),
        Effect.mapError((cause) => failed(`${name} did not stop`, cause))
      )
    }
  }).pipe(Effect.provide(platform))

/** A node answers calls before it is there, and then with an error. */
const isReady = (client: RpcClient) =>
  Effect.retry(client.call("getblockcount"), Schedule.upTo(Schedule.spaced("50 millis"), { times: 600 }))

const spawn = Effect.fnUntraced(function* ({ directory, logs, name, options }: SatwireOptions) {
  const said: { -readonly [Name in keyof Said]?: Said[Name] } = {}
  const ready = yield* Deferred.make<Said, TortureFailed>()
  const child = yield* ChildProcess.make(
    process.execPath,
    ["--conditions=@satwire/source", "--inspect=127.0.0.1:0", MAIN, `-datadir=${directory}`, ...options],
    { env: { PATH: process.env["PATH"], HOME: directory, NO_COLOR: "1" }, forceKillAfter: "10 seconds" }
  ).pipe(Effect.mapError((cause) => failed(`${name} could not be started`, cause)))
  const ended = Effect.suspend(() =>
    Deferred.fail(ready, failed([`${name} ended before it was ready:`, ...logs.tail(name)].join("\n")))
  )
  yield* child.all.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.runForEach((line) => {
      logs.observe(name, line)
      for (const [what, pattern] of Object.entries(SAID)) {
        const found = pattern.exec(line)?.[1]
        if (found !== undefined) said[what as keyof Said] = found
      }
      const isReady = said.http !== undefined && said.p2p !== undefined && said.inspector !== undefined
      return isReady ? Deferred.succeed(ready, said as Said) : Effect.void
    }),
    Effect.matchCauseEffect({ onFailure: () => ended, onSuccess: () => ended }),
    Effect.forkScoped
  )
  const all = yield* Deferred.await(ready).pipe(
    Effect.timeoutOrElse({
      duration: START_TIMEOUT,
      orElse: () =>
        Effect.fail(failed([`${name} was not ready after ${START_TIMEOUT}:`, ...logs.tail(name)].join("\n")))
    })
  )
  return { child, said: all }
})
