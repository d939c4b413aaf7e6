import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Deadlines, Instant, PeerId } from "../src/index.ts"

/** The earliest of a naive table. */
const least = (naive: ReadonlyMap<number, Instant>): Instant | undefined =>
  [...naive.values()].toSorted((a, b) => a - b)[0]

type Step = (deadlines: Deadlines<number>, naive: Map<number, Instant>) => void

const keys = fc.nat(30)
const instants = fc.nat(15).map(Instant)

const set = fc.tuple(keys, instants).map(([key, instant]): Step => (deadlines, naive) => {
  deadlines.set(key, instant)
  naive.set(key, instant)
})

const forget = keys.map((key): Step => (deadlines, naive) => {
  deadlines.set(key, undefined)
  naive.delete(key)
})

const take = instants.map((instant): Step => (deadlines, naive) => {
  const due = deadlines.takeDue(instant)
  const first = least(naive)
  if (first === undefined || first > instant) {
    expect(due).toBeUndefined()
    return
  }
  // Of several that are due at once any may come first.
  expect(due === undefined ? undefined : naive.get(due)).toBe(first)
  if (due !== undefined) naive.delete(due)
})

describe("the deadlines of many keys", () => {
  it("answer as a naive table does, whatever is set, moved, forgotten and taken", () => {
    const steps = fc.array(fc.oneof({ weight: 3, arbitrary: set }, forget, take), { maxLength: 120 })
    fc.assert(
      fc.property(steps, (run) => {
        const deadlines = new Deadlines<number>()
        const naive = new Map<number, Instant>()
        for (const step of run) {
          step(deadlines, naive)
          expect(deadlines.size).toBe(naive.size)
          expect(deadlines.earliest()).toBe(least(naive))
          for (let key = 0; key <= 30; key++) expect(deadlines.get(key)).toBe(naive.get(key))
        }
      }),
      { numRuns: 200 }
    )
  })

  it("are given up in order of time, each once, and none before its instant", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { maxLength: 100 }), (times) => {
        const deadlines = new Deadlines<PeerId>()
        times.forEach((time, i) => deadlines.set(PeerId(i), Instant(time)))
        const taken: Array<number> = []
        for (let key = deadlines.takeDue(Instant(500)); key !== undefined; key = deadlines.takeDue(Instant(500))) {
          taken.push(times[key] ?? -1)
        }
        expect(taken).toEqual(times.filter((time) => time <= 500).toSorted((a, b) => a - b))
        expect(deadlines.size).toBe(times.length - taken.length)
      })
    )
  })
})
