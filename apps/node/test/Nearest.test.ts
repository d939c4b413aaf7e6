import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { nearest } from "../src/config/Nearest.ts"

const names = ["port", "connect", "regtest", "maxconnections"]

describe("a mistyped name", () => {
  it.each([
    ["regtset", "regtest"],
    ["REGTEST", "regtest"],
    ["conect", "connect"],
    ["prt", "port"],
    ["maxconections", "maxconnections"],
    ["zzz", undefined],
    ["", undefined]
  ])('"%s" means %s', (typed, meant) => expect(nearest(typed, names)).toBe(meant))

  it("is found with any one letter changed, left out or doubled", () => {
    const index = fc.nat()
    fc.assert(
      fc.property(fc.constantFrom(...names), index, fc.constantFrom("", "q", "twice"), (name, at, change) => {
        const i = at % name.length
        const letter = change === "twice" ? `${name[i]}${name[i]}` : change
        expect(nearest(name.slice(0, i) + letter + name.slice(i + 1), names)).toBe(name)
      })
    )
  })
})
