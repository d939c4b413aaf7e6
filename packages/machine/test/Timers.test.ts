import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Instant, Timers, after, earliest } from "../src/index.ts"

type Name = "handshake" | "ping" | "inactivity"

/** The same table without thought for speed: a list that is sorted anew for every question. */
class NaiveTimers {
  entries: ReadonlyArray<{ readonly name: Name; readonly deadline: Instant }> = []
  set(name: Name, deadline: Instant): void {
    this.clear(name)
    this.entries = [...this.entries, { name, deadline }]
  }
  clear(name: Name): void {
    this.entries = this.entries.filter((entry) => entry.name !== name)
  }
  clearAll(): void {
    this.entries = []
  }
  get(name: Name): Instant | undefined {
    return this.entries.find((entry) => entry.name === name)?.deadline
  }
  take(name: Name, instant: Instant): boolean {
    const due = this.entries.some((entry) => entry.name === name && entry.deadline <= instant)
    if (due) this.clear(name)
    return due
  }
  earliest(): Instant | undefined {
    return this.entries.map((entry) => entry.deadline).toSorted((a, b) => a - b)[0]
  }
}

const names = fc.constantFrom<Name>("handshake", "ping", "inactivity")
const instants = fc.nat(20).map(Instant)

/** One call, on either table. */
const calls = fc.oneof(
  fc.tuple(names, instants).map(
    ([name, at]) =>
      (t: Timers<Name> | NaiveTimers): unknown =>
        t.set(name, at)
  ),
  names.map(
    (name) =>
      (t: Timers<Name> | NaiveTimers): unknown =>
        t.clear(name)
  ),
  names.map(
    (name) =>
      (t: Timers<Name> | NaiveTimers): unknown =>
        t.get(name)
  ),
  fc.tuple(names, instants).map(
    ([name, at]) =>
      (t: Timers<Name> | NaiveTimers): unknown =>
        t.take(name, at)
  ),
  fc.constant((t: Timers<Name> | NaiveTimers): unknown => t.earliest()),
  fc.constant((t: Timers<Name> | NaiveTimers): unknown => t.clearAll())
)

describe("a table of deadlines", () => {
  it("answers as a naive one does, whatever is called in whatever order", () => {
    fc.assert(
      fc.property(fc.array(calls, { maxLength: 40 }), fc.boolean(), (run, askOften) => {
        const timers = new Timers<Name>()
        const naive = new NaiveTimers()
        for (const call of run) {
          expect(call(timers)).toEqual(call(naive))
          if (askOften) expect(timers.earliest()).toBe(naive.earliest())
        }
        expect(timers.earliest()).toBe(naive.earliest())
      }),
      { numRuns: 500 }
    )
  })

  it("gives up a deadline once, at its instant or later", () => {
    const timers = new Timers<Name>()
    timers.set("ping", Instant(100))
    expect(timers.take("ping", Instant(99))).toBe(false)
    expect(timers.take("ping", Instant(100))).toBe(true)
    expect(timers.take("ping", Instant(100))).toBe(false)
    expect(timers.earliest()).toBeUndefined()
  })

  it("moves a deadline that is set again, also to a later instant", () => {
    const timers = new Timers<Name>()
    timers.set("ping", Instant(100))
    timers.set("handshake", Instant(150))
    expect(timers.earliest()).toBe(100)
    timers.set("ping", Instant(200))
    expect(timers.earliest()).toBe(150)
  })
})

describe("instants", () => {
  it("move by milliseconds", () => {
    expect(after(Instant(5), 1000)).toBe(1005)
  })

  it("compare with never on either side", () => {
    expect(earliest(undefined, undefined)).toBeUndefined()
    expect(earliest(Instant(1), undefined)).toBe(1)
    expect(earliest(undefined, Instant(2))).toBe(2)
    expect(earliest(Instant(2), Instant(1))).toBe(1)
  })
})
