/**
 * The file that the log goes to beside the terminal: Bitcoin Core's `debug.log`.
 *
 * ```
 *   waiting ──open──▶ open ──reopen──▶ open        lines wait in memory until the data directory is ours
 *      └────────────────┴─────close─▶ closed
 * ```
 *
 * Specification: each line is handed to the system at once, so that what was logged before a crash is there. A disk that is full costs
 * lines and nothing else: it is told once, and the next line that fits is preceded by how many were lost. `reopen` is for `logrotate`.
 *
 * Rationale: as in Core, nothing is written before the lock of the data directory is held, so that two processes do not mix their lines.
 */
import { closeSync, openSync, readSync, statSync, writeFileSync, writeSync } from "node:fs"
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

/**
 * Core's `RECENT_DEBUG_HISTORY_SIZE` (logging.cpp): what a start leaves of a log that has a tenth more.
 *
 * @limit bytes that a start leaves of a long log
 */
export const RECENT_HISTORY_BYTES = 10_000_000
/** Lines that wait for the file to be opened. */
const LINES_WAITING = 1000

const LogFileErrorBase: new (fields: {
  readonly message: string
}) => Cause.YieldableError & { readonly _tag: "LogFileError"; readonly message: string } =
  Data.TaggedError("LogFileError")

/** The log cannot be opened where it should be. */
export class LogFileError extends LogFileErrorBase {}

type State =
  | { readonly _tag: "Waiting"; readonly lines: Array<string> }
  | { readonly _tag: "Open"; readonly path: string; readonly file: number }
  | { readonly _tag: "Closed" }

export class LogFile {
  #state: State = { _tag: "Waiting", lines: [] }
  #lost = 0
  readonly #tell: (sentence: string) => void

  /** @param tell hears in a sentence that lines are lost */
  constructor(tell: (sentence: string) => void) {
    this.#tell = tell
  }

  /** Opens it, and writes what waited. */
  open(path: string, shrinks: boolean): Effect.Effect<void, LogFileError> {
    return Effect.try({
      try: () => {
        if (shrinks) shrink(path)
        const waiting = this.#state._tag === "Waiting" ? this.#state.lines : []
        this.#state = { _tag: "Open", path, file: openSync(path, "a") }
        for (const line of waiting) this.write(line)
      },
      catch: (error) => new LogFileError({ message: `the log ${path} cannot be opened: ${whyOf(error)}` })
    })
  }

  /** Opens the file of that name anew, which may be another one by now. Where that fails, the old one stays. */
  reopen(): void {
    if (this.#state._tag !== "Open") return
    const { file, path } = this.#state
    try {
      this.#state = { _tag: "Open", path, file: openSync(path, "a") }
      closeSync(file)
    } catch (error) {
      this.#tell(`The log ${path} cannot be opened anew: ${whyOf(error)}.`)
    }
  }

  write(line: string): void {
    const state = this.#state
    if (state._tag === "Waiting" && state.lines.length < LINES_WAITING) state.lines.push(line)
    if (state._tag !== "Open") return
    try {
      if (this.#lost > 0) writeSync(state.file, `(${this.#lost} lines could not be written.)\n`)
      this.#lost = 0
      writeSync(state.file, `${line}\n`)
    } catch (error) {
      if (++this.#lost === 1) this.#tell(`The log ${state.path} cannot be written: ${whyOf(error)}. The node goes on.`)
    }
  }

  close(): void {
    if (this.#state._tag === "Open") closeSync(this.#state.file)
    this.#state = { _tag: "Closed" }
  }
}

/** Leaves the end of a long file, from the beginning of a line on. */
const shrink = (path: string): void => {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size <= (RECENT_HISTORY_BYTES * 11) / 10) return
  const bytes = new Uint8Array(RECENT_HISTORY_BYTES)
  const file = openSync(path, "r")
  const read = readSync(file, bytes, 0, bytes.length, size - bytes.length)
  closeSync(file)
  const begin = bytes.indexOf(0x0a) + 1
  writeFileSync(path, bytes.subarray(begin, read))
}

const WORDS: Readonly<Record<string, string>> = {
  EACCES: "this user has not the right to",
  EROFS: "the disk can only be read",
  ENOSPC: "the disk is full",
  EFBIG: "the disk is full",
  EDQUOT: "the disk is full",
  ENOENT: "its directory does not exist",
  EISDIR: "it is a directory"
}

const whyOf = (error: unknown): string => {
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined
  return code === undefined ? String(error) : (WORDS[code] ?? code)
}
