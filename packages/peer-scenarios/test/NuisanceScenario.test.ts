import { ANNOYANCES, runNuisanceScenario } from "../src/index.ts"
import { describe, expect, it } from "vitest"

describe("honest nodes, over both transports", () => {
  it.each(ANNOYANCES)("are unharmed by a peer that %s", (annoyance) => {
    const { slowestBlockMs, mostHeldBytes } = runNuisanceScenario(7, [annoyance])
    expect(slowestBlockMs).toBeLessThan(2000)
    expect(mostHeldBytes).toBeLessThan(400_000)
  })

  it("are unharmed by all of them at once, on every seed", () => {
    for (let seed = 1; seed <= 4; seed++) expect(runNuisanceScenario(seed).slowestBlockMs).toBeLessThan(3000)
  })

  it("do the same thing on the same seed", () => {
    expect(runNuisanceScenario(3, ["dribbles", "hangs up"])).toEqual(runNuisanceScenario(3, ["dribbles", "hangs up"]))
  })
})
