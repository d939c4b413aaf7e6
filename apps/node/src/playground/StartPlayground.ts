/** `satwire playground`, from its flags. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Stdio from "effect/Stdio"
import type * as Terminal from "effect/Terminal"
import type { FlagTexts } from "../cli/Flags.ts"
import type { ConfigError } from "../config/ConfigError.ts"
import { loadSettings } from "../config/LoadSettings.ts"
import { type PlaygroundError, runPlayground } from "./Playground.ts"

export const startPlayground = (
  flags: FlagTexts
): Effect.Effect<void, ConfigError | PlaygroundError, FileSystem.FileSystem | Stdio.Stdio | Terminal.Terminal> =>
  Effect.flatMap(loadSettings("playground", flags), ({ settings }) =>
    runPlayground({
      blocks: settings.blocks,
      intervalMs: settings.interval,
      hasDashboard: settings.dashboard !== false
    })
  )
