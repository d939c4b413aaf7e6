/** The log: one line for an event, with the time in UTC as in Bitcoin Core's `debug.log`. */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"

export interface LogLine {
  /** `Debug` lines are for those who ask for them. */
  readonly level: "Debug" | "Info" | "Warn"
  readonly text: string
}

export const logLine = ({ level, text }: LogLine): Effect.Effect<void> => Effect.logWithLevel(level)(text)

const formatLine: Logger.Logger<unknown, string> = Logger.make(({ date, logLevel, message }) => {
  const parts = Array.isArray(message) ? message : [message]
  const text = parts.map((part) => (typeof part === "string" ? part : String(part))).join(" ")
  const level = logLevel === "Info" ? "" : `${logLevel === "Warn" ? "Warning" : logLevel}: `
  return `${date.toISOString().slice(0, 19)}Z ${level}${text}`
})

export const logLines: Layer.Layer<never> = Logger.layer([Logger.withConsoleLog(formatLine)])
