/** What `main.ts` does, in this process: for command lines that start nothing which outlives them. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { normaliseArgv } from "../src/cli/Argv.ts"
import { runCommand } from "../src/cli/Commands.ts"
import { exitCodeOf, report } from "../src/cli/Ending.ts"
import { interruptedCode } from "../src/cli/Interrupted.ts"

export interface Said {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** @param input what it is told on its standard input */
export const say = async (args: ReadonlyArray<string>, input = ""): Promise<Said> => {
  const out: Array<unknown> = []
  const err: Array<unknown> = []
  const captured: Console.Console = {
    ...globalThis.console,
    log: (text) => void out.push(text),
    error: (text) => void err.push(text)
  }
  const exit = await runCommand(normaliseArgv(args)).pipe(
    Effect.tapCause(report),
    Effect.provide(Stdio.layerTest({ stdin: Stream.make(new TextEncoder().encode(input)) })),
    Effect.provide(NodeServices.layer),
    Effect.provideService(Console.Console, captured),
    Effect.runPromiseExit
  )
  return { code: exitCodeOf(exit, interruptedCode(args)), stdout: out.join("\n"), stderr: err.join("\n") }
}
