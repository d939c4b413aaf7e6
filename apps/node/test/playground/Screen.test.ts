import { assert, describe, it } from "@effect/vitest"
import { PeerId } from "@satwire/machine"
import { type BlockHash } from "@satwire/primitives"
import { type Frame, bar, drawScreen } from "../../src/playground/Screen.ts"
import { Traffic } from "../../src/playground/Traffic.ts"
import { trafficLines } from "../../src/playground/TrafficText.ts"

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
  pingMs: 0.84,
  pool: 7
}

const BASE = 110
const hash = new Uint8Array(32)

/** A block in short: how many bytes of how many moved, and how often something was asked for. */
const short = (messageBytes: number, blockBytes: number, roundTrips: number, tookMs: number) => {
  const stats = { transactions: 21, prefilled: 1, fromPools: [20, 0], fetched: roundTrips, blockBytes, messageBytes }
  return { _tag: "CompactReconstructed", peer: PeerId(1), header: 111, stats, roundTrips, tookMs } as const
}

const tipAt = (height: number, added = 1) =>
  ({
    _tag: "BlockTipChanged",
    tip: { height, hash: hash as BlockHash, time: 1_750_000_000 },
    forkHeight: height - added,
    removed: 0,
    added
  }) as const

/** What is told by the two nodes of a playground whose follower had two blocks in short. */
const traffic = (): Traffic => {
  const counts = new Traffic(BASE)
  counts.observe(tipAt(BASE, BASE), false)
  for (const from of [undefined, undefined, PeerId(1)]) {
    counts.observe({ _tag: "TransactionAccepted", wtxid: hash as never, from }, from === undefined)
  }
  counts.observe(short(400, 3000, 0, 1.5), false)
  for (const mines of [true, false]) counts.observe(tipAt(111), mines)
  counts.observe(short(500, 1000, 1, 2.5), false)
  for (const mines of [true, false]) counts.observe(tipAt(112), mines)
  return counts
}

const frame: Frame = {
  nodes: [node, { ...node, name: "follower", doing: "follows", height: 2, pingMs: undefined }],
  traffic: traffic().frame,
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
    assert.match(text, /miner +mines +127\.0\.0\.1:18444 +1 +3 …0123456789ab +1\.3 +0\.5 +1,234,567 +0\.8 ms +7$/m)
    assert.match(text, /follower +follows .* – +7$/m)
    assert.include(text, "block 3 of 6 after 9 s, 1 block behind")
    assert.include(text, "miner     mined a block")
  })

  it("has no line wider than the terminal, and on a narrow one still how far each node is", () => {
    for (const columns of [40, 60, 79, 200]) {
      const lines = drawScreen({ ...frame, columns })
      for (const line of lines) assert.isAtMost(line.length, columns)
      assert.match(lines.join("\n"), /^miner .* 3 …0123456789ab .*7$/m)
    }
  })

  it("says on any terminal, in full, what moved and what it saved", () => {
    for (const columns of [40, 79, 200]) {
      const text = drawScreen({ ...frame, columns })
        .join(" ")
        .replaceAll(/\s+/g, " ")
      assert.include(text, "transactions 2 made, 1 relayed, 7 in the pool")
      const last =
        "21 transactions, 1 of them fetched, 500 of 1,000 bytes moved, 50.0 % saved, put together in 2.5 ms, 1 round trip"
      assert.include(text, `last block ${last}`)
      const sums = "3,100 of 4,000 bytes saved (77.5 %), 2.0 ms each, 1 of 2 round trips avoided"
      assert.include(text, `in all 2 of 2 blocks in short, ${sums}`)
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

describe("what moved on the playground", () => {
  const text = (counts: Traffic): string => trafficLines(counts.frame, 200, undefined).join("\n")

  it("is nothing before the first block", () => {
    const counts = new Traffic(BASE)
    counts.observe(short(90, 100, 0, 1), false)
    counts.observe(tipAt(BASE, BASE), false)
    assert.strictEqual(text(counts), "transactions 0 made, 0 relayed")
  })

  it("counts a block that came whole among those that did not come in short", () => {
    const counts = traffic()
    counts.observe(tipAt(114, 2), false)
    assert.include(text(counts), "2 of 4 blocks in short")
  })

  it("counts what was asked for in vain against what was avoided", () => {
    const counts = new Traffic(BASE)
    counts.observe(tipAt(BASE, BASE), false)
    counts.observe(short(110, 100, 2, 1), false)
    counts.observe(tipAt(111), false)
    assert.include(text(counts), "-10 of 100 bytes saved (-10.0 %), 1.0 ms each, -1 of 1 round trip avoided")
  })
})
