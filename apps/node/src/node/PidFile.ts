/** The file that has the number of this process for as long as it runs, for whoever looks after it. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as Scope from "effect/Scope"
import { ConfigError } from "../config/ConfigError.ts"
import { whyNot } from "../config/WhyNot.ts"

export const pidFile = (path: string): Effect.Effect<void, ConfigError, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const write = Effect.mapError(
      files.writeFileString(path, `${process.pid}\n`),
      (error) => new ConfigError({ message: `the file ${path} of --pid cannot be written: ${whyNot(error)}` })
    )
    yield* Effect.acquireRelease(write, () => Effect.ignore(files.remove(path)))
  })
