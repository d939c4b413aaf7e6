/**
 * The log as the options want it: what is told, how it looks, and that it goes to the terminal and to a file.
 *
 * Specification: lines from `info` up that come from one place in the code may fill so much in an hour; when that is over, a line says how many were
 * left out. Debug lines, which our user asked for, have no budget. Bitcoin Core does the same since 30.0 (CVE-2025-54604, CVE-2025-54605).
 */
import { resolve } from "node:path"
import { LogBudget } from "@satwire/runtime"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import type { LoggingSettings } from "../config/rows/Logging.ts"
import { CATEGORIES, type Category, type Level, type Wanted, Wishes } from "./Categories.ts"
import { type LineStyle, formatLine } from "./FormatLine.ts"
import { LogFile, type LogFileError } from "./LogFile.ts"
import { CATEGORY, KIND, levelOf } from "./LogLine.ts"

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

/**
 * Core's limit for one place in the code.
 *
 * @limit characters of log lines of one kind in an hour
 */
export const LOG_CHARACTERS_PER_HOUR: number = 1024 * 1024
const HOUR_MS = 3_600_000

/** What writes what is wanted and within its budget. */
export const loggerFor = (
  wanted: Wanted,
  style: LineStyle,
  write: (line: string) => void
): Logger.Logger<unknown, void> => {
  const budget = new LogBudget({ most: LOG_CHARACTERS_PER_HOUR, periodMs: HOUR_MS })
  return Logger.make(({ date, fiber, logLevel, message }) => {
    const annotations = fiber.getRef(References.CurrentLogAnnotations)
    const category = categoryNamed(annotations[CATEGORY])
    const level = levelOf(logLevel)
    if (!wanted(level, category)) return
    const parts = Array.isArray(message) ? message : [message]
    const text = parts.map((part) => (typeof part === "string" ? part : String(part))).join(" ")
    if (!isDebug(level)) {
      const nowMs = Number(fiber.getRef(Clock.Clock).monotonicTimeNanosUnsafe()) / 1e6
      const leftOut = budget.ask(kindOf(annotations[KIND], text), text.length, nowMs)
      if (leftOut === undefined) return
      const notice = `Left out ${leftOut} lines like the next one in the last hour.`
      if (leftOut > 0) write(formatLine({ date, level: "warning", category: undefined, message: notice }, style))
    }
    write(formatLine({ date, level, category, message: text }, style))
  })
}

const isDebug = (level: Level): boolean => level === "debug" || level === "trace"

/** What follows the first words of a line, up to a number, a name or a mark, may be anything. */
const FIRST_WORDS = /^(?:[A-Z]?[a-z]+ ?){0,4}/

const kindOf = (kind: unknown, text: string): string =>
  typeof kind === "string" ? kind : (FIRST_WORDS.exec(text)?.[0] ?? "")

const categoryNamed = (name: unknown): Category | undefined => CATEGORIES.find((known) => known === name)

const onHangup = (act: () => void): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => void process.on("SIGHUP", act)),
    () => Effect.sync(() => void process.off("SIGHUP", act))
  )
