import { describe, expect, test } from "vitest"
import { type Count, add, check, counted as countedShown, suites } from "../scripts/Stages.ts"

const shell = (script: string): readonly [string, ReadonlyArray<string>] => ["sh", ["-c", script]]

const counted = (command: string, args: ReadonlyArray<string>, limitMinutes: number): Promise<Count> =>
  countedShown(command, args, limitMinutes, "never")

describe("a stage counts", () => {
  test("one for a command that passes or fails as a whole", async () => {
    expect(await check(...shell("true"))).toEqual({ passed: 1, failed: 0 })
    expect(await check(...shell("exit 3"))).toEqual({ passed: 0, failed: 1 })
  })
  test("what a command says in its last line of that form", async () => {
    expect(await counted(...shell("echo 1 passed, 1 failed; echo 5 passed, 2 failed; echo; exit 1"), 1)).toEqual({
      passed: 5,
      failed: 2
    })
  })
  test("what vitest's summary says, in colours or not", async () => {
    const summary =
      "printf '\\033[2m      Tests \\033[22m \\033[31m2 failed\\033[39m | \\033[32m7 passed\\033[39m (9)\\n'; exit 1"
    expect(await counted(...shell(summary), 1)).toEqual({ passed: 7, failed: 2 })
  })
  test("a failure for a command that ends badly without naming one", async () => {
    expect(await counted(...shell("echo 3 passed, 0 failed; exit 1"), 1)).toEqual({ passed: 3, failed: 1 })
  })
  test("a failure for a command that is not there", async () => {
    expect(await check("no-such-command", [])).toEqual({ passed: 0, failed: 1 })
  })
  test("a failure for a command that hangs, and ends what it started", async () => {
    expect(await counted(...shell("sleep 600 & wait"), 0.002)).toEqual({ passed: 0, failed: 1 })
  })
  test("a failure for a test run without a report", async () => {
    expect(await suites(...shell("exit 1"))).toEqual({ passed: 0, failed: 1 })
  })
  test("the sum of its parts", () => {
    expect(add({ passed: 1, failed: 2 }, { passed: 3, failed: 4 })).toEqual({ passed: 4, failed: 6 })
  })
})
