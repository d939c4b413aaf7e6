/**
 * The person's terminal, or a pipe in its place: lines by `node:readline`, with history and editing where there is a terminal, and plain where
 * a script reads. What comes in while somebody types is written above his line.
 */
import { clearLine, createInterface, cursorTo } from "node:readline"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Cause from "effect/Cause"
import type * as Scope from "effect/Scope"

export interface Terminal {
  /** The next line; done where the person closes the terminal or the pipe has ended. */
  readonly line: Effect.Effect<string, Cause.Done>
  readonly print: (line: string) => Effect.Effect<void>
  readonly prompt: (prompt: string) => void
  readonly isPerson: boolean
}

/**
 * @limit lines that are read ahead of what the chat has done with them
 */
export const LINES_AHEAD = 256

export interface Streams {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean }
}

/** Reads lines as long as the scope. */
export const makeTerminal = ({ input, output }: Streams): Effect.Effect<Terminal, never, Scope.Scope> =>
  Effect.gen(function* () {
    const isPerson = input.isTTY === true && output.isTTY === true
    const lines = yield* Queue.make<string, Cause.Done>()
    let ahead = 0
    let [isPaused, isClosed] = [false, false]
    const reader = yield* Effect.acquireRelease(
      Effect.sync(() =>
        createInterface({ input, output: isPerson ? output : undefined, terminal: isPerson, prompt: "" })
      ),
      (open) => Effect.sync(() => open.close())
    )
    reader.on("line", (line) => {
      ahead += 1
      if (ahead >= LINES_AHEAD) {
        isPaused = true
        reader.pause()
      }
      Queue.offerUnsafe(lines, line)
    })
    const end = (): void => {
      isClosed = true
      Queue.endUnsafe(lines)
    }
    reader.on("close", end)
    reader.on("SIGINT", end)
    return {
      isPerson,
      line: Effect.map(Queue.take(lines), (line) => {
        ahead -= 1
        // What is closed is not resumed: the lines before its end are still here.
        if (isPaused && !isClosed && ahead < LINES_AHEAD / 2) {
          isPaused = false
          reader.resume()
        }
        return line
      }),
      print: (line) =>
        Effect.sync(() => {
          if (!isPerson) return void output.write(`${line}\n`)
          clearLine(output, 0)
          cursorTo(output, 0)
          output.write(`${line}\n`)
          reader.prompt(true)
        }),
      prompt: (prompt) => {
        reader.setPrompt(prompt)
        if (isPerson) reader.prompt(true)
      }
    }
  })
