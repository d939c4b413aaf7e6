/** The log as the options want it: what is told, how it looks, and that it goes to the terminal and to a file. */
import { resolve } from "node:path"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import type { LoggingSettings } from "../config/rows/Logging.ts"
import { CATEGORIES, type Category, type Wanted, Wishes } from "./Categories.ts"
import { type LineStyle, formatLine } from "./FormatLine.ts"
import { LogFile, type LogFileError } from "./LogFile.ts"
import { CATEGORY, levelOf } from "./LogLine.ts"

export interface Log {
  /** For whatever logs. */
  readonly layer: Layer.Layer<never>
  readonly wanted: Wanted
  /** Which categories are told of; it may be changed. */
  readonly wishes: Wishes
  /** Writes to the file what has waited, and from then on all; the directory is that of the network. */
  readonly open: (directory: string) => Effect.Effect<void, LogFileError>
  /** A line that the terminal has by other means. */
  readonly toFile: (text: string) => Effect.Effect<void>
}

/** The log for as long as the scope is open. SIGHUP opens its file anew. */
export const makeLog = (settings: LoggingSettings): Effect.Effect<Log, never, Scope.Scope> =>
  Effect.gen(function* () {
    const console = yield* Console.Console
    const isOnConsole = settings.printtoconsole ?? true
    const style: LineStyle = {
      format: settings.logformat,
      hasTime: settings.logtimestamps ?? true,
      hasMicros: settings.logtimemicros ?? false
    }
    const print = (line: string): void => {
      if (isOnConsole) console.log(line)
    }
    const file = new LogFile((message) =>
      print(formatLine({ date: new Date(), level: "warning", category: undefined, message }, style))
    )
    yield* Effect.addFinalizer(() => Effect.sync(() => file.close()))
    yield* onHangup(() => file.reopen())
    const wishes = new Wishes(settings)
    const { wanted } = wishes
    const toFile = (line: string): void => {
      if (settings.debuglogfile !== "0") file.write(line)
    }
    const shrinks = settings.shrinkdebugfile ?? settings.debug.length === 0
    return {
      layer: Layer.merge(
        Logger.layer([loggerFor(wanted, style, (line) => (print(line), toFile(line)))]),
        Layer.succeed(References.MinimumLogLevel, "Trace")
      ),
      wanted,
      wishes,
      open: (directory) =>
        settings.debuglogfile === "0" ? Effect.void : file.open(resolve(directory, settings.debuglogfile), shrinks),
      toFile: (message) =>
        Effect.sync(() => toFile(formatLine({ date: new Date(), level: "error", category: undefined, message }, style)))
    }
  })

const loggerFor = (wanted: Wanted, style: LineStyle, write: (line: string) => void): Logger.Logger<unknown, void> =>
  Logger.make(({ date, fiber, logLevel, message }) => {
    const category = categoryNamed(fiber.getRef(References.CurrentLogAnnotations)[CATEGORY])
    const level = levelOf(logLevel)
    if (!wanted(level, category)) return
    const parts = Array.isArray(message) ? message : [message]
    const text = parts.map((part) => (typeof part === "string" ? part : String(part))).join(" ")
    write(formatLine({ date, level, category, message: text }, style))
  })

const categoryNamed = (name: unknown): Category | undefined => CATEGORIES.find((known) => known === name)

const onHangup = (act: () => void): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => void process.on("SIGHUP", act)),
    () => Effect.sync(() => void process.off("SIGHUP", act))
  )
