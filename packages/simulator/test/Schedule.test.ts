import { Schedule } from "@satwire/simulator"
import * as fc from "fast-check"
import { expect, it } from "vitest"

/** The same by a list that is searched from end to end. */
class NaiveSchedule {
  readonly #entries: Array<{ readonly at: number; readonly order: number }> = []

  add(at: number, order: number): void {
    this.#entries.push({ at, order })
  }

  get next(): number | undefined {
    return this.#first()?.at
  }

  take(): number | undefined {
    const first = this.#first()
    if (first !== undefined) this.#entries.splice(this.#entries.indexOf(first), 1)
    return first?.order
  }

  #first(): { readonly at: number; readonly order: number } | undefined {
    return this.#entries.toSorted((a, b) => a.at - b.at || a.order - b.order)[0]
  }
}

/** A number adds an event at that instant, nothing takes one. */
const steps = fc.array(fc.option(fc.nat(8), { nil: undefined, freq: 3 }), { maxLength: 60 })

it("gives events in the order of their instants, and of scheduling among those of one instant", () => {
  fc.assert(
    fc.property(steps, (steps) => {
      const schedule = new Schedule()
      const naive = new NaiveSchedule()
      let ran = -1
      steps.forEach((at, order) => {
        if (at === undefined) {
          ran = -1
          schedule.take()?.run()
          expect(ran).toBe(naive.take() ?? -1)
        } else {
          naive.add(at, order)
          schedule.add(at, () => {
            ran = order
          })
        }
        expect(schedule.next).toBe(naive.next)
      })
    })
  )
})

it("knows how many are to come", () => {
  const schedule = new Schedule()
  expect([schedule.size, schedule.next, schedule.take()]).toEqual([0, undefined, undefined])
  schedule.add(5, () => {})
  schedule.add(3, () => {})
  expect(schedule.size).toBe(2)
  schedule.take()
  expect([schedule.size, schedule.next]).toEqual([1, 5])
})
