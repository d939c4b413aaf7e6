/** One line of the log, and how it gets there. */
import * as Effect from "effect/Effect"
import type { Category, Level } from "./Categories.ts"

export interface LogLine {
  /** `Debug` lines are for those who ask for them. */
  readonly level: "Debug" | "Info" | "Warn"
  readonly text: string
  /** By which those who ask for them choose. */
  readonly category?: Category | undefined
  /** Lines of one kind share a budget; those without have that of their first words. */
  readonly kind?: string | undefined
}

/** By these names a line's category and kind stand among its annotations. */
export const CATEGORY = "category"
export const KIND = "kind"

export const logLine = ({ category, kind, level, text }: LogLine): Effect.Effect<void> =>
  Effect.annotateLogs(Effect.logWithLevel(level)(text), { [CATEGORY]: category, [KIND]: kind })

/** Core's name for the level. */
export const levelOf = (level: string): Level => {
  switch (level) {
    case "Trace":
      return "trace"
    case "Debug":
      return "debug"
    case "Warn":
      return "warning"
    case "Error":
    case "Fatal":
      return "error"
    default:
      return "info"
  }
}
