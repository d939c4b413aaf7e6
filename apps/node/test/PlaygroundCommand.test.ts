import { describe, expect, it } from "vitest"
import { run, start } from "./Program.ts"

describe("satwire playground", () => {
  it("ends by itself after as many blocks as it was asked for", async () => {
    const { code, stdout, stderr } = await run(["playground", "--blocks=3", "--interval=0.01"])
    expect([code, stderr]).toEqual([0, ""])
    expect(stdout).toContain("Both nodes are at height 113: 3 blocks on the first 110.")
    // Nothing is told of the blocks that there are to begin with.
    expect(stdout.match(/mined a block/g)).toHaveLength(3)
    expect(stdout).not.toMatch(/at height (\d\d?|10\d|110)\n/)
  })

  it("makes transactions, relays them, and moves their blocks in less than half of the bytes", async () => {
    const { stdout } = await run(["playground", "--blocks=4", "--interval=0.25"])
    const [, made = 0, relayed = 0] = /^transactions (\d+) made, (\d+) relayed$/m.exec(stdout)?.map(Number) ?? []
    expect(made).toBeGreaterThan(20)
    expect(relayed).toBeGreaterThanOrEqual(20)
    expect(relayed).toBeLessThanOrEqual(made)
    expect(stdout.match(/follower +has a block in short: /g)).toHaveLength(4)
    const sums = /^in all +4 of 4 blocks in short, .* bytes saved \((\d+\.\d) %\), \d+\.\d ms each, (-?\d) of 4 round/m
    const [, saved = 0, avoided = 0] = sums.exec(stdout)?.map(Number) ?? []
    expect(saved).toBeGreaterThan(50)
    // The first block is made when all that it holds is at both ends.
    expect(avoided).toBeGreaterThanOrEqual(1)
  })

  it("goes on until Ctrl-C, and then ends with code 0 within five seconds", async () => {
    const playground = start(["playground", "--interval", "0.05"])
    const [, page = ""] = await playground.printed(/^Look at the follower in a browser: (\S+)$/m)
    await playground.printed(/height 112\b/)
    const html = await (await fetch(page)).text()
    expect(html).toContain("/dashboard/page.js")
    expect(await (await fetch(`${page}/state`)).json()).toMatchObject({ state: { network: "regtest", peerCount: 1 } })
    const since = performance.now()
    playground.signal("SIGINT")
    const { code, stderr } = await playground.ended
    expect([code, stderr]).toEqual([0, ""])
    expect(performance.now() - since).toBeLessThan(5000)
  })
})
