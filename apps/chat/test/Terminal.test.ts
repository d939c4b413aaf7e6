/** Lines of a pipe in place of a terminal. */
import { PassThrough } from "node:stream"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { LINES_AHEAD, makeTerminal } from "../src/terminal/Terminal.ts"

it.live("has all lines of a pipe that has ended before they were asked for", () =>
  Effect.scoped(
    Effect.gen(function* () {
      const input = new PassThrough()
      const terminal = yield* makeTerminal({ input, output: new PassThrough() })
      const lines = Array.from({ length: 3 * LINES_AHEAD }, (_, n) => String(n))
      input.end(`${lines.join("\n")}\n`)
      yield* Effect.sleep(20)
      const heard: Array<string> = []
      while (heard.length < lines.length) heard.push(yield* terminal.line)
      assert.deepStrictEqual(heard, lines)
      assert.strictEqual((yield* Effect.exit(terminal.line))._tag, "Failure")
    })
  )
)
