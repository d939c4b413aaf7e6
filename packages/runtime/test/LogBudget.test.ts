import { LOG_KINDS, LogBudget } from "@satwire/runtime"
import { describe, expect, it } from "vitest"

const budget = (): LogBudget => new LogBudget({ most: 3, periodMs: 1000 })

describe("what one kind of line may fill of a log", () => {
  it("is so much in a period, however often it happens", () => {
    const log = budget()
    expect([0, 1, 2, 3, 999].map((at) => log.ask("refused", 1, at))).toEqual([0, 0, 0, undefined, undefined])
    expect(log.ask("long", 100, 0)).toBe(0)
    expect(log.ask("long", 1, 0)).toBeUndefined()
  })

  it("is told when the period is over, with how many were left out", () => {
    const log = budget()
    for (let i = 0; i < 10; i++) log.ask("refused", 1, 0)
    expect([log.ask("refused", 1, 1000), log.ask("refused", 1, 1001)]).toEqual([7, 0])
  })

  it("is nobody else's, for as many kinds as there are in a program", () => {
    const log = budget()
    for (let i = 0; i < 10; i++) log.ask("refused", 1, 0)
    expect(log.ask("listening", 1, 0)).toBe(0)
    for (let i = 0; i < LOG_KINDS + 10; i++) log.ask(`kind ${i}`, 1, 0)
    expect(log.ask("one more", 4, 0)).toBeUndefined()
    expect(log.ask("listening", 1, 0)).toBe(0)
  })
})
