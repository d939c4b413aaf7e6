import { describe, expect, it } from "vitest"
import { BLOCK_STALLING_TIMEOUT_DEFAULT_MS } from "../src/index.ts"
import { LIMITED, SyncHarness, range } from "./SyncHarness.ts"

const BLOCK = 1_000_000

/** Blocks of one MB, of which ten may be under way or wait for their reader. */
const tenAhead = (): SyncHarness => new SyncHarness({ headers: 100, mostBytes: 10 * BLOCK })

/** Has a peer send what it is asked for until it is asked for nothing; gives all that it sent. */
const exhaust = (harness: SyncHarness, peer: number): Array<number> => {
  const sent: Array<number> = []
  for (let asked = harness.asked(peer); asked.length > 0; asked = harness.asked(peer)) {
    for (const header of asked) {
      sent.push(header)
      harness.sleep(10).input({ _tag: "Unread", bytes: sent.length * BLOCK, isStarving: false })
      harness.gives(peer, [header], BLOCK)
    }
  }
  return sent
}

/** One was asked for the first blocks and says nothing, another has filled all the room behind them, and the reader waits. */
const starving = (): SyncHarness => {
  const harness = tenAhead().ready(1)
  expect(harness.asked(1)).toEqual(range(1, 4))
  exhaust(harness.ready(2), 2)
  return harness.input({ _tag: "Unread", bytes: 10 * BLOCK, isStarving: true })
}

describe("blocks for a reader in whose memory they lie", () => {
  it("are asked for while there is room, and again when he takes some", () => {
    const harness = tenAhead().ready(1)
    expect(exhaust(harness, 1)).toEqual(range(1, 10))
    harness.elapse(60_000)
    expect(harness.asked(1)).toEqual([])
    harness.input({ _tag: "Unread", bytes: 7 * BLOCK, isStarving: false })
    expect(harness.asked(1)).toEqual([11, 12, 13])
  })

  it("are not taken of who sends them unasked while there is no room", () => {
    const harness = tenAhead().ready(1)
    exhaust(harness, 1)
    expect(harness.gives(1, [11], BLOCK).sync.blocks.isKept(11)).toBe(false)
    harness.input({ _tag: "Unread", bytes: 9 * BLOCK, isStarving: false })
    expect(harness.asked(1)).toEqual([11])
    expect(harness.gives(1, [12], BLOCK).sync.blocks.isKept(12)).toBe(true)
  })

  it("are asked for one by one, whatever there is room for, when he waits for the first that is missing", () => {
    const harness = starving()
    expect(harness.asked(2)).toEqual([])
    harness.gone(1)
    expect(harness.asked(2)).toEqual([1])
    harness.gives(2, [1], BLOCK)
    expect(harness.asked(2)).toEqual([2])
  })

  it("are asked of a second peer where the first is late with the one that he waits for", () => {
    const harness = starving().elapse(1000)
    expect(harness.asked(2)).toEqual([1])
  })

  it("cost who alone holds them up its place after two seconds", () => {
    const harness = starving()
    harness.sleep(BLOCK_STALLING_TIMEOUT_DEFAULT_MS - 1).input({ _tag: "Timeout" })
    expect(harness.parted()).toEqual([])
    harness.sleep(1).input({ _tag: "Timeout" })
    expect(harness.parted()).toEqual(["1 BlockStalling 2000"])
    // There is no room yet, but for the one.
    expect(harness.asked(2)).toEqual([1])
  })

  it("are waited for as long as is said, and half as long more for each other peer that sends blocks", () => {
    const harness = new SyncHarness({ headers: 8, blockTimeoutMs: 60_000 }).ready(1).ready(2)
    harness.sleep(90_000 - 1).input({ _tag: "Timeout" })
    expect(harness.parted()).toEqual([])
    harness.sleep(1).input({ _tag: "Timeout" })
    expect(harness.parted()).toEqual(["1 BlockTimeout 90000", "2 BlockTimeout 60000"])
  })
})

describe("who lacks the first block that is missing", () => {
  it("is nobody while somebody is asked for it, or may be", () => {
    const harness = new SyncHarness({ headers: 6 }).ready(1)
    expect([harness.sync.firstMissing, harness.sync.whoLacks(1)]).toEqual([1, []])
    harness.notFound(1, [1])
    expect(harness.sync.whoLacks(1)).toEqual([1])
    harness.ready(2)
    expect(harness.sync.whoLacks(1)).toEqual([])
    expect(harness.asked(2)).toContain(1)
  })

  it("is who keeps the last blocks alone, and not who follows another chain", () => {
    const harness = new SyncHarness({ headers: 500 }).ready(1, { services: LIMITED }).ready(2, { best: 0 })
    expect(harness.sync.whoLacks(1)).toEqual([1])
  })

  it("is who lacks so much that it is asked for nothing", () => {
    const harness = new SyncHarness({ headers: 200 }).ready(1)
    expect(harness.asked(1)).toEqual(range(1, 4))
    harness.ready(2)
    for (let asked = harness.asked(2); asked.length > 0; asked = harness.asked(2)) harness.notFound(2, asked)
    expect(harness.gone(1).sync.whoLacks(1)).toEqual([2])
  })

  it("is nobody where none is missing", () => {
    const harness = new SyncHarness({ headers: 1 }).ready(1).gives(1, [1])
    expect(harness.sync.firstMissing).toBe(-1)
  })
})
