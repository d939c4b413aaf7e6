import { regtest } from "@satwire/primitives"
import { describe, expect, it } from "vitest"
import {
  BLOCK_DOWNLOAD_TIMEOUT_BASE_MS,
  BLOCK_DOWNLOAD_TIMEOUT_PER_PEER_MS,
  BLOCK_STALLING_TIMEOUT_DEFAULT_MS,
  BLOCK_STALLING_TIMEOUT_MAX_MS
} from "../src/index.ts"
import { SyncHarness, range } from "./SyncHarness.ts"

/** Has a peer send all that it is asked for, until it is asked for nothing. */
const exhaust = (harness: SyncHarness, peer: number): void => {
  for (let asked = harness.asked(peer); asked.length > 0; asked = harness.asked(peer))
    harness.sleep(1).gives(peer, asked)
}

/** Peers that were asked for the first blocks and send nothing, and one that has sent all others of the window. */
const heldUp = (stallers: number): SyncHarness => {
  const harness = new SyncHarness({ headers: 5000 })
  for (let peer = 1; peer <= stallers; peer++) harness.ready(peer)
  harness.ready(100)
  exhaust(harness, 100)
  return harness
}

describe("who holds up the window", () => {
  it("has two seconds from when somebody else could go on", () => {
    const harness = heldUp(1)
    const since = harness.now.instant
    expect(harness.sync.nextTimeout()).toBeLessThanOrEqual(since + BLOCK_STALLING_TIMEOUT_DEFAULT_MS)
    // Late blocks would be asked of the other at once; without timeouts in between only the deadline counts.
    harness.sleep(BLOCK_STALLING_TIMEOUT_DEFAULT_MS - 100).input({ _tag: "Timeout" })
    expect(harness.parted()).toEqual([])
    harness.sleep(100).input({ _tag: "Timeout" })
    expect(harness.parted()).toEqual(["1 BlockStalling 2000"])
  })

  it("is spared while it sends other blocks", () => {
    const harness = heldUp(1)
    harness.sleep(1500).gives(1, [3]).sleep(1500).input({ _tag: "Timeout" })
    expect(harness.parted()).toEqual([])
    harness.sleep(500).input({ _tag: "Timeout" })
    expect(harness.parted()).toEqual(["1 BlockStalling 2000"])
  })

  it("is held up by nobody any more once another has sent the block", () => {
    const harness = heldUp(1)
    harness.elapse(1000)
    expect(harness.asked(100)).toEqual(range(1, 4))
    harness.gives(100, [1, 2, 3, 4])
    exhaust(harness, 100)
    harness.elapse(60_000)
    expect(harness.parted()).toEqual([])
  })

  it("costs the next twice the time, up to 64 seconds", () => {
    const harness = new SyncHarness({ headers: 5000 })
    const allowed: Array<string> = []
    for (let peer = 1; peer <= 7; peer++) {
      harness.ready(peer)
      harness.ready(100 + peer)
      exhaust(harness, 100 + peer)
      harness.sleep(BLOCK_STALLING_TIMEOUT_MAX_MS).input({ _tag: "Timeout" })
      allowed.push(...harness.parted())
      // What the staller had is asked of the other, who leaves in its turn.
      harness.gone(100 + peer)
    }
    expect(allowed).toEqual([2, 4, 8, 16, 32, 64, 64].map((s, i) => `${i + 1} BlockStalling ${1000 * s}`))
  })

  it("costs the next less again with each block that joins the chain", () => {
    const harness = heldUp(1)
    harness.sleep(BLOCK_STALLING_TIMEOUT_DEFAULT_MS).input({ _tag: "Timeout" })
    expect(harness.parted()).toEqual(["1 BlockStalling 2000"])
    harness.ready(2)
    // One block joins: 4 s shrink to 3.4 s.
    harness.gives(100, [1])
    expect(harness.tip).toBe(1)
    expect(harness.asked(100).length).toBeGreaterThan(0)
    harness.gone(100).ready(101)
    exhaust(harness, 101)
    harness.sleep(3399).input({ _tag: "Timeout" })
    expect(harness.parted()).toEqual([])
    harness.sleep(1).input({ _tag: "Timeout" })
    expect(harness.parted()).toEqual(["2 BlockStalling 3400"])
  })

  it("is nobody while its block is here and waits to be checked or kept", () => {
    const harness = heldUp(1)
    harness.stores = false
    harness.gives(1, [1])
    harness.elapse(30_000)
    expect(harness.parted()).toEqual([])
  })

  it("is nobody where the other has no more to give", () => {
    const harness = new SyncHarness({ headers: 1024 }).ready(1).ready(2)
    exhaust(harness, 2)
    harness.sleep(30_000).input({ _tag: "Timeout" })
    expect(harness.parted()).toEqual([])
  })
})

describe("a block that is late", () => {
  it("is asked of a second peer that has nothing to do, and of one more each five seconds, up to four", () => {
    const harness = new SyncHarness({ headers: 4 }).ready(1)
    harness.asked(1)
    harness.ready(2).ready(3).elapse(500)
    expect([harness.asked(2), harness.asked(3)]).toEqual([[], []])
    harness.elapse(1000)
    expect([...harness.asked(2), ...harness.asked(3)].toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4])
    expect(harness.elapse(3000).sync.askedOf(1)).toHaveLength(2)
    for (const peer of [4, 5, 6, 7]) harness.ready(peer)
    expect(harness.elapse(1000).sync.askedOf(1)).toHaveLength(3)
    expect(harness.elapse(100_000).sync.askedOf(1)).toHaveLength(4)
  })

  it("is asked of one that we chose at last, however many dial us and are silent", () => {
    const harness = new SyncHarness({ headers: 4, unix: regtest.genesis.time + 5 * 600 })
    for (let peer = 1; peer <= 6; peer++) harness.ready(peer, { isPreferred: false })
    harness.ready(7, { best: -1 }).elapse(3000).advanced(7, 4).elapse(100_000)
    expect(harness.sync.askedOf(1)).toContain(7)
  })

  it("is no fault of anybody's while we take nothing ourselves", () => {
    const harness = new SyncHarness({ headers: 2000 }).ready(1).ready(2)
    harness
      .elapse(100)
      .input({ _tag: "Hold", held: true })
      .elapse(25 * 60_000)
    expect(harness.parted()).toEqual([])
    harness.input({ _tag: "Hold", held: false }).elapse(1000)
    expect(harness.parted()).toEqual([])
    expect(harness.elapse(16 * 60_000).parted()).not.toEqual([])
  })

  it("is kept once, whoever sends it first", () => {
    const harness = new SyncHarness({ headers: 1 }).ready(1)
    harness.asked(1)
    harness.ready(2).elapse(1000)
    expect(harness.asked(2)).toEqual([1])
    harness.gives(1, [1]).gives(2, [1])
    expect(harness.take("StoreBlock")).toHaveLength(1)
    expect(harness.sync.snapshot().inFlight).toBe(0)
  })

  it("is asked of nobody any more once it is here, however long who was asked first is silent", () => {
    const harness = new SyncHarness({ headers: 1 }).ready(1)
    harness.asked(1)
    harness.ready(2).elapse(1000)
    expect(harness.asked(2)).toEqual([1])
    harness.gives(2, [1]).ready(3).elapse(60_000)
    expect([harness.asked(2), harness.asked(3)]).toEqual([[], []])
  })

  it("is not asked of a second peer that would send it later than the first will", () => {
    const harness = new SyncHarness({ headers: 1000 }).ready(1).ready(2)
    // Peer 1 sends 500 kB in 10 s, and peer 2 as much in 10 s too.
    const [one, two] = [[...harness.asked(1)], [...harness.asked(2)]]
    harness.sleep(10_000).gives(1, one.slice(0, 1), 500_000).gives(2, two, 500_000)
    const next = harness.asked(2)
    harness.sleep(600).input({ _tag: "Timeout" })
    expect(next.some((header) => one.includes(header))).toBe(false)
    expect(harness.asked(2)).toEqual([])
  })
})

describe("who sends nothing", () => {
  it("has ten minutes for its first block, and five more for each other peer that is asked", () => {
    const harness = new SyncHarness({ headers: 8 }).ready(1)
    harness.elapse(BLOCK_DOWNLOAD_TIMEOUT_BASE_MS - 1)
    expect(harness.parted()).toEqual([])
    expect(harness.elapse(1).parted()).toEqual(["1 BlockTimeout 600000"])

    const two = new SyncHarness({ headers: 8 }).ready(1).ready(2)
    const allowedMs = BLOCK_DOWNLOAD_TIMEOUT_BASE_MS + BLOCK_DOWNLOAD_TIMEOUT_PER_PEER_MS
    expect(two.elapse(allowedMs - 1).parted()).toEqual([])
    expect(two.elapse(1).parted().length).toBe(2)
  })

  it("gains no time by sending all but the first", () => {
    const harness = new SyncHarness({ headers: 8 }).ready(1)
    harness.asked(1)
    harness.elapse(300_000).gives(1, [2, 3]).elapse(299_999)
    expect(harness.parted()).toEqual([])
    expect(harness.elapse(1).parted()).toEqual(["1 BlockTimeout 600000"])
  })

  it("is given as much again after its first", () => {
    const harness = new SyncHarness({ headers: 8 }).ready(1)
    harness.asked(1)
    harness.elapse(500_000).gives(1, [1]).elapse(599_999)
    expect(harness.parted()).toEqual([])
    expect(harness.elapse(1).parted()).toEqual(["1 BlockTimeout 600000"])
  })

  it("leaves what it was asked for to others", () => {
    const harness = new SyncHarness({ headers: 4 }).ready(1)
    harness.asked(1)
    harness.sleep(BLOCK_DOWNLOAD_TIMEOUT_BASE_MS).input({ _tag: "Timeout" })
    expect(harness.ready(2).asked(2)).toEqual([1, 2, 3, 4])
  })

  it("is looked after a few times a second while anything is asked for, and then not at all", () => {
    const harness = new SyncHarness({ headers: 1 }).ready(1)
    expect(harness.sync.nextTimeout()).toBe(250)
    harness.elapse(1000).gives(1, [1]).elapse(1000)
    expect(harness.sync.nextTimeout()).toBe(undefined)
  })
})
