import { describe, expect, it } from "vitest"
import { run, start } from "./Program.ts"

describe("satwire playground", () => {
  it("ends by itself after as many blocks as it was asked for", async () => {
    const { code, stdout, stderr } = await run(["playground", "--blocks=3", "--interval=0.01"])
    expect([code, stderr]).toEqual([0, ""])
    expect(stdout).toContain("Both nodes are at height 3.")
  })

  it("goes on until Ctrl-C, and then ends with code 0 within five seconds", async () => {
    const playground = start(["playground", "--interval", "0.05"])
    await playground.printed(/height 2\b/)
    const since = performance.now()
    playground.signal("SIGINT")
    const { code, stderr } = await playground.ended
    expect([code, stderr]).toEqual([0, ""])
    expect(performance.now() - since).toBeLessThan(5000)
  })
})
