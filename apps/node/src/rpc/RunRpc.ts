/** `satwire rpc`: calls a method of a node by JSON-RPC, ours or Bitcoin Core's. */
import { type Json, type JsonArray, type JsonObject, RPC_CODES, type RpcError } from "@satwire/json-rpc"
import {
  type RpcClient,
  type RpcClientError,
  conversionsFor,
  errorText,
  exitCodeOf,
  makeRpcClient,
  namedParams,
  positionalParams,
  resultText
} from "@satwire/json-rpc/client"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type { HttpClient } from "effect/http/HttpClient"
import type { PlatformError } from "effect/PlatformError"
import * as Schedule from "effect/Schedule"
import { Stdio } from "effect/Stdio"
import * as Stream from "effect/Stream"
import type { FlagTexts } from "../cli/Flags.ts"
import { complaint } from "../cli/Presenter.ts"
import type { ConfigError } from "../config/ConfigError.ts"
import { loadSettings } from "../config/LoadSettings.ts"
import { layerNodeHttp } from "./NodeHttp.ts"
import { credentialsOf, hostAndPort } from "./NodeAddress.ts"
import { type NoCredentials, RpcAnsweredError } from "./RpcErrors.ts"

export type RunRpcError = ConfigError | NoCredentials | RpcClientError | RpcAnsweredError | PlatformError

/** Calls `method` with arguments that are all text, and prints its result. */
export const runRpc = (
  method: string,
  texts: ReadonlyArray<string>,
  flags: FlagTexts
): Effect.Effect<void, RunRpcError, FileSystem.FileSystem | Stdio> =>
  Effect.gen(function* () {
    const loaded = yield* loadSettings("rpc", flags)
    for (const warning of loaded.warnings) yield* Console.error(complaint(warning))
    const { settings } = loaded
    const all = settings.stdin === true ? [...texts, ...(yield* linesOfInput)] : texts
    const asked = Effect.gen(function* () {
      const client = yield* makeRpcClient({
        url: `http://${hostAndPort(loaded)}/`,
        credentials: yield* credentialsOf(loaded),
        timeoutMs: settings.rpcclienttimeout
      })
      return yield* client.call(method, yield* paramsOf(client, method, all, settings.named === true))
    })
    const result = yield* settings.rpcwait === true ? whenReady(asked, settings.rpcwaittimeout) : asked
    const text = resultText(result)
    if (text !== "") yield* Console.log(text)
  }).pipe(
    Effect.catchTag("RpcError", (error: RpcError) =>
      Effect.fail(new RpcAnsweredError({ exitCode: exitCodeOf(error), message: errorText(error) }))
    ),
    Effect.provide(layerNodeHttp)
  )

const linesOfInput: Effect.Effect<ReadonlyArray<string>, PlatformError, Stdio> = Effect.flatMap(Stdio, ({ stdin }) =>
  stdin.pipe(Stream.decodeText, Stream.splitLines, Stream.runCollect)
)

const paramsOf = (
  client: RpcClient,
  method: string,
  texts: ReadonlyArray<string>,
  isNamed: boolean
): Effect.Effect<JsonArray | JsonObject, RpcError | RpcClientError> =>
  texts.length === 0
    ? Effect.succeed([])
    : Effect.map(conversionsFor(client, method), (conversions) =>
        isNamed ? namedParams(conversions, texts) : positionalParams(conversions, texts)
      )

const A_SECOND = Schedule.spaced("1 second")

/** Asks every second, for as long as nobody is there or the node warms up. */
const whenReady = (
  asked: Effect.Effect<
    Json,
    RpcError | RpcClientError | NoCredentials | ConfigError,
    FileSystem.FileSystem | HttpClient
  >,
  withinMs: number
) => {
  const patient = Effect.retry(asked, { schedule: A_SECOND, while: isNotYet })
  // When the time is over, what is wrong then is told.
  return withinMs === 0 ? patient : Effect.raceFirst(patient, Effect.andThen(Effect.sleep(withinMs), asked))
}

const isNotYet = (error: RpcError | RpcClientError | NoCredentials | ConfigError): boolean => {
  switch (error._tag) {
    case "RpcError":
      return error.code === RPC_CODES.IN_WARMUP
    case "RpcClientError":
      return error.fault === "unreachable"
    case "NoCredentials":
      return error.isMissing
    case "ConfigError":
      return false
  }
}
