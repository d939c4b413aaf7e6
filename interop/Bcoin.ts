/**
 * A bcoin full node as a scoped service: a child process on regtest that is listening when the layer is built and gone when its
 * scope closes. Nothing of bcoin is loaded into this process.
 *
 * ```
 *   test ── rpc, mine ──HTTP──▶ bcoin-process.ts ◀──TCP── the node under test
 *        ◀── log, ready ─stdout─       │ ends with its standard input
 * ```
 */
import { fileURLToPath } from "node:url"
import * as NodeChildProcessSpawner from "@effect/platform-node/NodeChildProcessSpawner"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import type { Endpoint } from "@satwire/transport"
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as ChildProcess from "effect/process/ChildProcess"

const START_TIMEOUT = "60 seconds"
const RPC_TIMEOUT = "60 seconds"
/** Lines of bcoin's log that an error shows. */
const LOG_TAIL_LINES = 30
/** Pays to the witness public key hash 0101…01 on bcoin's regtest: nobody's coins. */
const MINING_ADDRESS = "rb1qqyqszqgpqyqszqgpqyqszqgpqyqszqgpefl3jh"

interface BcoinErrorFields {
  /** One sentence, and after it the end of bcoin's log if it did not start. */
  readonly message: string
  readonly cause?: unknown
}

const BcoinErrorBase: new (
  fields: BcoinErrorFields
) => Cause.YieldableError & { readonly _tag: "BcoinError" } & BcoinErrorFields = Data.TaggedError("BcoinError")

/** bcoin did not start, ended, or refused a call. */
export class BcoinError extends BcoinErrorBase {}

export interface BcoinShape {
  /** Where it accepts peers. */
  readonly p2p: Endpoint
  readonly pid: number
  /** Calls one method of its JSON-RPC, by bcoin's names, and gives what it answered. */
  readonly rpc: (method: string, params?: ReadonlyArray<unknown>) => Effect.Effect<unknown, BcoinError>
  /** Mines so many blocks on its tip and gives their hashes as explorers show them, lowest first. */
  readonly mine: (blocks: number) => Effect.Effect<ReadonlyArray<string>, BcoinError>
  /** The height of its tip. */
  readonly height: Effect.Effect<number, BcoinError>
}

const Ready = Schema.fromJsonString(
  Schema.Struct({ ready: Schema.Struct({ p2pPort: Schema.Port, rpcPort: Schema.Port }) })
)
const Answer = Schema.Struct({
  result: Schema.Unknown,
  error: Schema.NullOr(Schema.Struct({ message: Schema.String }))
})
const decodeReady = Schema.decodeOption(Ready)
const decodeHashes = Schema.decodeUnknownEffect(Schema.Array(Schema.String))
const decodeHeight = Schema.decodeUnknownEffect(Schema.Int)

const platform = NodeChildProcessSpawner.layer.pipe(
  Layer.provide(Layer.mergeAll(NodeFileSystem.layer, NodePath.layer)),
  Layer.merge(FetchHttpClient.layer)
)

/** Where the script lies that is the child process; another only to test how a failure shows. */
const PROCESS = new URL("./bcoin-process.ts", import.meta.url)

export interface BcoinChoices {
  /** Wants new blocks as `cmpctblock` at once (BIP-0152, high bandwidth), which no option of bcoin's own says. */
  readonly highBandwidth?: boolean
}

/** Starts one bcoin, waits until it takes peers and calls, and kills it when the scope closes. */
export const startBcoin = (
  script: URL = PROCESS,
  { highBandwidth = false }: BcoinChoices = {}
): Effect.Effect<BcoinShape, BcoinError, Scope.Scope> =>
  Effect.gen(function* () {
    const { pid, ready } = yield* spawn(script, highBandwidth ? ["--high-bandwidth"] : [])
    const call = yield* makeRpc(`http://127.0.0.1:${ready.rpcPort}/`)
    const asBcoinError = (cause: unknown) => new BcoinError({ message: "bcoin answered in a shape of its own.", cause })
    const height = call("getblockcount", []).pipe(
      Effect.flatMap((answer) => Effect.mapError(decodeHeight(answer), asBcoinError))
    )
    const mine = (blocks: number) =>
      call("generatetoaddress", [blocks, MINING_ADDRESS]).pipe(
        Effect.flatMap((answer) => Effect.mapError(decodeHashes(answer), asBcoinError))
      )
    const rpc: BcoinShape["rpc"] = (method, params = []) => call(method, params)
    yield* height
    return { p2p: { host: "127.0.0.1", port: ready.p2pPort }, pid, rpc, mine, height }
  }).pipe(Effect.provide(platform))

const BcoinBase: Context.ServiceClass<Bcoin, "satwire-interop/Bcoin", BcoinShape> = Context.Service<
  Bcoin,
  BcoinShape
>()("satwire-interop/Bcoin")

export class Bcoin extends BcoinBase {
  static readonly layer: Layer.Layer<Bcoin, BcoinError> = Layer.effect(Bcoin, startBcoin())
}

const spawn = Effect.fnUntraced(function* (script: URL, choices: ReadonlyArray<string>) {
  const tail: Array<string> = []
  const ready = yield* Deferred.make<(typeof Ready.Type)["ready"], BcoinError>()
  const failed = (what: string, cause?: unknown) =>
    new BcoinError({ message: [`bcoin ${what}. Its last lines:`, ...tail].join("\n"), cause })

  // A Node, even where the tests run on Deno: npm's scripts put the repository's own on the path.
  const node = "Deno" in globalThis ? "node" : process.execPath
  const child = yield* ChildProcess.make(node, ["--no-deprecation", fileURLToPath(script), ...choices], {
    env: { PATH: process.env["PATH"] },
    forceKillAfter: "5 seconds"
  }).pipe(Effect.mapError((cause) => new BcoinError({ message: "bcoin could not be started.", cause })))

  yield* child.all.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.runForEach((line) => {
      tail.push(line)
      if (tail.length > LOG_TAIL_LINES) tail.shift()
      return Option.match(decodeReady(line), {
        onNone: () => Effect.void,
        onSome: (decoded) => Deferred.succeed(ready, decoded.ready)
      })
    }),
    Effect.matchCauseEffect({
      onFailure: (cause) => Deferred.fail(ready, failed("could not be read", cause)),
      onSuccess: () => Deferred.fail(ready, failed("ended before it was ready"))
    }),
    Effect.forkScoped
  )

  const ports = yield* Deferred.await(ready).pipe(
    Effect.timeoutOrElse({
      duration: START_TIMEOUT,
      orElse: () => Effect.fail(failed(`was not ready after ${START_TIMEOUT}`))
    })
  )
  return { pid: child.pid, ready: ports }
})

const makeRpc = Effect.fnUntraced(function* (url: string) {
  const client = HttpClient.filterStatusOk(yield* HttpClient.HttpClient)
  return (method: string, params: ReadonlyArray<unknown>): Effect.Effect<unknown, BcoinError> =>
    HttpClientRequest.post(url).pipe(
      HttpClientRequest.bodyJsonUnsafe({ method, params, id: 1 }),
      client.execute,
      Effect.flatMap(HttpClientResponse.schemaBodyJson(Answer)),
      Effect.timeout(RPC_TIMEOUT),
      Effect.mapError((cause) => new BcoinError({ message: `bcoin did not answer ${method}.`, cause })),
      Effect.flatMap((answer) =>
        answer.error === null
          ? Effect.succeed(answer.result)
          : Effect.fail(new BcoinError({ message: `bcoin refused ${method}: ${answer.error.message}` }))
      )
    )
})
