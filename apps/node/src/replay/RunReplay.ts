/** `satwire replay`: what a node heard, once more, without a network. */
import { join } from "node:path"
import { CAPTURE_FOLDER, type CaptureFault, replay } from "@satwire/capture"
import { platformSha256 } from "@satwire/crypto/node"
import { HEADER_SIZE, genesisHeader } from "@satwire/primitives"
import { layerFiles } from "@satwire/store"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import type { FlagTexts } from "../cli/Flags.ts"
import { complaint } from "../cli/Presenter.ts"
import { ConfigError } from "../config/ConfigError.ts"
import { identityOf } from "../config/Identity.ts"
import { absolute, loadSettings } from "../config/LoadSettings.ts"
import { readBrought } from "../node/BroughtFiles.ts"
import { replayLines } from "./ReplayLine.ts"

export type RunReplayError = ConfigError | CaptureFault

/** Headers of any chain there will be for long. */
const MAX_HEADERS_BYTES = 8_000_000 * HEADER_SIZE

export const runReplay = (
  captures: ReadonlyArray<string>,
  flags: FlagTexts
): Effect.Effect<void, RunReplayError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const loaded = yield* loadSettings("replay", flags)
    for (const warning of loaded.warnings) yield* Console.error(complaint(warning))
    const { params } = yield* Effect.fromResult(identityOf(loaded))
    const { settings } = loaded
    const headers =
      settings.headers === undefined
        ? undefined
        : yield* readBrought("headers", absolute(settings.headers), MAX_HEADERS_BYTES)
    if (headers !== undefined && (headers.length % HEADER_SIZE !== 0 || !isFrom(headers, genesisHeader(params)))) {
      return yield* new ConfigError({
        message: `headers: the file ${absolute(settings.headers ?? "")} holds no headers of ${params.name} from genesis on: satwire headers export writes such a file`
      })
    }
    const paths =
      captures.length === 0
        ? [join(absolute(settings.datadir), params.directory, CAPTURE_FOLDER)]
        : captures.map((path) => absolute(path))
    const news = replay({
      paths,
      params,
      sha256: platformSha256,
      seed: settings.seed,
      showsMessages: settings.messages === true,
      headers
    })
    yield* Stream.runForEachArray(news, (batch) => Console.log(batch.flatMap(replayLines).join("\n"))).pipe(
      Effect.provide(layerFiles)
    )
  })

const isFrom = (headers: Uint8Array, genesis: Uint8Array): boolean => genesis.every((byte, i) => headers[i] === byte)
