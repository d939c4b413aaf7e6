import { assert, describe, it } from "@effect/vitest"
import { LOG_CHARACTERS_PER_HOUR, LogBudget } from "../src/log/LogBudget.ts"

const HOUR_MS = 3_600_000
const line = { level: "Info", text: "x".repeat(1024) } as const

describe("what one kind of event may write", () => {
  it("is a mebibyte an hour, however often it happens", () => {
    const budget = new LogBudget()
    let characters = 0
    for (let i = 0; i < 10_000; i++) {
      for (const { text } of budget.lines("PeerDisconnecting", line, i)) characters += text.length
    }
    assert.strictEqual(characters, LOG_CHARACTERS_PER_HOUR)
  })

  it("is told when the hour is over, with how many lines were left out", () => {
    const budget = new LogBudget()
    for (let i = 0; i < 1030; i++) budget.lines("PeerDisconnecting", line, 0)
    const next = budget.lines("PeerDisconnecting", line, HOUR_MS)
    assert.deepStrictEqual(
      next.map(({ text }) => text),
      ["Left out 6 lines like the next one in the last hour.", line.text]
    )
    assert.deepStrictEqual(budget.lines("PeerDisconnecting", line, HOUR_MS + 1), [line])
  })

  it("is nobody else's", () => {
    const budget = new LogBudget()
    for (let i = 0; i < 2000; i++) budget.lines("PeerDisconnecting", line, 0)
    assert.deepStrictEqual(budget.lines("Listening", line, 0), [line])
  })
})
