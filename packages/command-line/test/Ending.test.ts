import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as TestConsole from "effect/testing/TestConsole"
import { ConfigError, FAILED, NOT_UNDERSTOOD, clipped, complaintOf, exitCodeOf, reportOf } from "../src/index.ts"

const complaint = complaintOf("satwire-test")
const wrong = new ConfigError({ message: "the flag --port is nothing." })

/** What is said of a cause. */
const said = (cause: Cause.Cause<unknown>, report = reportOf(complaint)) =>
  Effect.gen(function* () {
    const before = (yield* TestConsole.errorLines).length
    yield* report(cause)
    return (yield* TestConsole.errorLines).slice(before)
  })

describe("a program that ends", () => {
  it("has 0 for what is done or was asked to stop, 2 for what cannot be followed, 1 for the rest", () => {
    assert.deepStrictEqual(
      [Exit.void, Exit.interrupt(1), Exit.fail(wrong), Exit.fail(new Error("no")), Exit.die("no")].map(exitCodeOf),
      [0, 0, NOT_UNDERSTOOD, FAILED, FAILED]
    )
  })

  it.effect("says one sentence of an error, nothing of an end that was asked for, and all of a bug", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* said(Cause.fail(wrong)), ["satwire-test: the flag --port is nothing"])
      assert.deepStrictEqual(yield* said(Cause.interrupt(1)), [])
      const [bug] = yield* said(Cause.die(new Error("thrown")))
      assert.match(String(bug), /^satwire-test: this is a bug of Satwire, please report it:\n[^]*thrown/)
    })
  )

  it.effect("says an error in its own way where it has one", () =>
    Effect.gen(function* () {
      const report = reportOf(complaint, (error) => (error === wrong ? "error code: -1" : undefined))
      assert.deepStrictEqual(yield* said(Cause.fail(wrong), report), ["error code: -1"])
      assert.deepStrictEqual(yield* said(Cause.fail("other"), report), ["satwire-test: other"])
    })
  )

  it("shows of a text what is short and controls no terminal", () => {
    assert.strictEqual(clipped("a\u001b[2Jb"), "a?[2Jb")
    assert.strictEqual(clipped("x".repeat(81)), `${"x".repeat(80)}…`)
  })
})
