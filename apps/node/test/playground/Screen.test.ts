import { assert, describe, it } from "@effect/vitest"
import { type Frame, bar, drawScreen } from "../../src/playground/Screen.ts"

const node = {
  name: "miner",
  doing: "mines",
  address: "127.0.0.1:18444",
  peers: 1,
  height: 3,
  tip: "…0123456789ab",
  received: 1.25,
  sent: 0.5,
  bytes: 1_234_567,
  pingMs: 0.84
}

const frame: Frame = {
  nodes: [node, { ...node, name: "follower", doing: "follows", height: 2, pingMs: undefined }],
  blocks: 3,
  wanted: 6,
  elapsedMs: 9_400,
  intervalMs: 3000,
  behind: 1,
  events: ["miner     mined a block"],
  columns: 120
}

describe("the playground's screen", () => {
  it("shows both nodes, the progress and the last events", () => {
    const text = drawScreen(frame).join("\n")
    assert.match(text, /miner +mines +127\.0\.0\.1:18444 +1 +3 …0123456789ab +1\.3 +0\.5 +1 234 567 +0\.8 ms/)
    assert.match(text, /follower +follows .* –$/m)
    assert.include(text, "block 3 of 6 after 9 s, 1 block behind")
    assert.include(text, "miner     mined a block")
  })

  it("has no line wider than the terminal", () => {
    for (const columns of [40, 60, 79, 200]) {
      for (const line of drawScreen({ ...frame, columns })) assert.isAtMost(line.length, columns)
    }
  })

  it("says how many blocks there are where no number was asked for", () => {
    const text = drawScreen({ ...frame, wanted: undefined, behind: 0 }).join("\n")
    assert.include(text, "3 blocks in 9 s, all nodes agree")
  })

  it("draws its bar as wide for any share", () => {
    for (const share of [0, 0.01, 0.5, 0.99, 1]) assert.strictEqual(bar(share).length, bar(0).length)
    assert.notStrictEqual(bar(0.5), bar(1))
  })
})
