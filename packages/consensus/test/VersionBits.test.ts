import type { Deployment } from "@satwire/primitives"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type DeploymentState, DeploymentStates, medianTimePast, signals } from "../src/index.ts"
import { ListView } from "./ListView.ts"

type Vote = Extract<Deployment, { readonly _tag: "VersionBits" }>

const YES = 0x20000002
const NO = 0x20000000

const vote: Vote = { _tag: "VersionBits", bit: 1, startTime: 0, timeout: 0xffffffff, period: 4, threshold: 3 }

/** A chain from genesis on; header i has `versions[i]` and the time i. */
const chainOf = (versions: ReadonlyArray<number>): ListView => {
  const view = new ListView(2016)
  versions.forEach((version, i) => view.add({ version, time: i }))
  return view
}

/** The states for the blocks at the heights from 1 to `count`, each as its first letters. */
const statesOf = (deployment: Deployment, view: ListView): ReadonlyArray<string> => {
  const states = new DeploymentStates(deployment, view)
  return view.headers.map((_, parent) => states.after(parent))
}

const repeat = (count: number, version: number): ReadonlyArray<number> => Array<number>(count).fill(version)

describe("a vote in a version", () => {
  it("counts under the top bits 001 and for its own bit", () => {
    expect(signals(0x20000002, 1)).toBe(true)
    expect(signals(0x3fffffff, 28)).toBe(true)
    expect(signals(0x20000002, 0)).toBe(false)
  })

  it("does not count under any other top bits, nor in old or negative versions", () => {
    for (const version of [0x00000002, 0x40000002, 0x60000002, 4, -1, 0xa0000002 | 0]) {
      expect(signals(version, 1)).toBe(false)
    }
  })
})

describe("a deployment by votes", () => {
  it("is started at the end of a period, locked in by enough votes, and active a period later", () => {
    const view = chainOf([...repeat(4, NO), ...repeat(3, YES), ...repeat(9, NO)])
    expect(statesOf(vote, view)).toEqual([
      ...repeatState(3, "defined"),
      ...repeatState(4, "started"),
      ...repeatState(4, "lockedIn"),
      ...repeatState(5, "active")
    ])
  })

  it("counts each period for itself, and one vote too few in each never locks it in", () => {
    const view = chainOf([...repeat(6, NO), ...repeat(4, YES), ...repeat(6, NO)])
    expect(new Set(statesOf(vote, view).slice(3))).toEqual(new Set(["started"]))
  })

  it("does not start before the median time past reaches its start, and then without the votes from before", () => {
    const late: Vote = { ...vote, startTime: 6 }
    // Times are heights: the median at the end of the first period is 2, of the second 4, of the third 6.
    const states = statesOf(late, chainOf(repeat(20, YES)))
    expect([3, 7, 11, 15, 19].map((parent) => states[parent])).toEqual([
      "defined",
      "defined",
      "started",
      "lockedIn",
      "active"
    ])
  })

  it("fails when its time is over undecided, enough votes in the last period or not (BIP-0009)", () => {
    const brief: Vote = { ...vote, timeout: 4 }
    const states = statesOf(brief, chainOf(repeat(16, YES)))
    expect([3, 7, 11, 15].map((parent) => states[parent])).toEqual(["started", "failed", "failed", "failed"])
    expect(new DeploymentStates({ ...vote, startTime: 1, timeout: 2 }, chainOf(repeat(4, YES))).after(3)).toBe("failed")
  })

  it("becomes active once locked in, whatever the time", () => {
    const brief: Vote = { ...vote, timeout: 5 }
    const states = statesOf(brief, chainOf(repeat(16, YES)))
    expect([3, 7, 11, 15].map((parent) => states[parent])).toEqual(["started", "lockedIn", "active", "active"])
  })

  it("is decided by each branch of a fork for itself", () => {
    const view = chainOf([...repeat(4, NO), ...repeat(4, YES)])
    let other = 3
    for (let i = 4; i < 8; i++) other = view.add({ parent: other, version: NO, time: i })
    const states = new DeploymentStates(vote, view)
    expect([states.after(7), states.after(other), states.after(7)]).toEqual(["lockedIn", "started", "lockedIn"])
  })

  it("agrees with BIP-0009's recursion on any chain, whatever was asked before", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(YES, YES, NO, 4), { minLength: 1, maxLength: 60 }),
        fc.record({ startTime: fc.nat(30), timeout: fc.nat(60), period: fc.integer({ min: 2, max: 8 }) }),
        fc.array(fc.nat(59), { maxLength: 10 }),
        (versions, { startTime, timeout, period }, first) => {
          const deployment: Vote = { ...vote, startTime, timeout, period, threshold: Math.ceil((period * 3) / 4) }
          const view = chainOf(versions)
          const states = new DeploymentStates(deployment, view)
          for (const parent of [...first, ...versions.keys()].filter((at) => at < versions.length)) {
            expect(states.after(parent)).toBe(naiveState(deployment, view, parent))
          }
        }
      )
    )
  })
})

describe("a buried deployment", () => {
  it("is active from its height on", () => {
    const view = chainOf(repeat(5, NO))
    const states = new DeploymentStates({ _tag: "Buried", height: 3 }, view)
    expect([0, 1, 2, 3].map((parent) => states.after(parent))).toEqual(["defined", "defined", "active", "active"])
    expect(new DeploymentStates({ _tag: "Buried", height: 0 }, view).after(0)).toBe("active")
  })
})

const repeatState = (count: number, state: DeploymentState): ReadonlyArray<DeploymentState> =>
  Array<DeploymentState>(count).fill(state)

/** BIP-0009 §"State transitions", as it is written: the state of a period from that of the one before, back to genesis. */
const naiveState = (deployment: Vote, view: ListView, parent: number): DeploymentState => {
  const { period, startTime, timeout, threshold, bit } = deployment
  const last = view.height(parent) - ((view.height(parent) + 1) % period)
  if (last < 0) return "defined"
  const boundary = view.ancestor(parent, last)
  const before = boundary < period ? "defined" : naiveState(deployment, view, view.ancestor(boundary, last - period))
  const time = medianTimePast(view, boundary) as number
  switch (before) {
    case "defined":
      return time >= timeout ? "failed" : time >= startTime ? "started" : "defined"
    case "started": {
      if (time >= timeout) return "failed"
      let count = 0
      for (let height = last - period + 1; height <= last; height++) {
        if (signals(view.version(view.ancestor(boundary, height)), bit)) count += 1
      }
      return count >= threshold ? "lockedIn" : "started"
    }
    case "lockedIn":
      return "active"
    default:
      return before
  }
}
