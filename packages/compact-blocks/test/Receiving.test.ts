/** What becomes of compact blocks that peers send. */
import { describe, expect, it } from "vitest"
import { MAX_CMPCTBLOCKS_INFLIGHT_PER_BLOCK, MAX_PARTIAL_BLOCKS, MAX_PARTIAL_BLOCKS_PER_PEER } from "../src/index.ts"
import { blockOf, OTHER } from "./TestChain.ts"
import { CompactHarness, type HarnessOptions } from "./CompactHarness.ts"

const INBOUND = { outbound: false }

/** Peer 1 was chosen for high bandwidth, and sends the next block. */
const withChosen = (options: HarnessOptions = {}): CompactHarness => {
  const harness = new CompactHarness(options).ready(1).choose(1)
  harness.words()
  return harness
}

describe("a cmpctblock of a peer that was chosen", () => {
  it("gives the block at once where all of it is at hand", () => {
    const harness = withChosen().compact(1, 11)
    const [rebuilt] = harness.take("Rebuilt")
    expect(rebuilt?.block.bytes).toEqual(blockOf(11).bytes)
    expect(harness.take("CompactReconstructed")).toMatchObject([
      { peer: 1, header: 11, roundTrips: 0, stats: { transactions: 21, prefilled: 1, fromPools: [20], fetched: 0 } }
    ])
    expect(harness.words()).toEqual([])
  })

  it("has what is missing asked for, and gives the block once it has come", () => {
    const harness = withChosen({ lacks: [2, 5] }).compact(1, 11)
    expect(harness.words()).toEqual(["1 Claim 11", "1 Send getblocktxn 11: 2,5"])
    const [rebuilt] = harness.blocktxn(1, 11, [2, 5]).take("Rebuilt")
    expect(rebuilt?.block.bytes).toEqual(blockOf(11).bytes)
    expect(harness.take("CompactReconstructed")).toMatchObject([{ roundTrips: 1, stats: { fetched: 2 } }])
    expect(harness.words()).toEqual([])
    expect(harness.machine.snapshot().partial).toBe(0)
  })

  it("says since when the block was being put together, by whoever sent it in short first", () => {
    const harness = withChosen({ lacks: [2] })
      .ready(2, { outbound: false })
      .choose(2)
    harness.instant = 3
    harness.compact(1, 11)
    harness.instant = 5
    harness.compact(2, 11)
    harness.instant = 9
    expect(harness.blocktxn(2, 11, [2]).take("CompactReconstructed")).toMatchObject([{ peer: 2, since: 3 }])
    harness.compact(1, 12).blocktxn(1, 12, [2])
    expect(harness.take("CompactReconstructed")).toMatchObject([{ peer: 1, header: 12, since: 9 }])
  })

  it("is passed over where its header was not taken, or the block is here", () => {
    const harness = withChosen().compact(1, 11, {}, -1)
    harness.here.add(11)
    expect(harness.compact(1, 11).words()).toEqual([])
    expect(harness.scans).toBe(0)
  })

  it("is looked at while our tip is recent, and where the block was asked of anybody", () => {
    const harness = withChosen({ lacks: [2] }).ready(2)
    harness.isRecent = false
    harness.words()
    expect(harness.compact(1, 11).words()).toEqual([])
    expect(harness.request(2, 11).compact(1, 11).words()).toEqual(["1 Claim 11", "1 Send getblocktxn 11: 2"])
  })

  it("is looked at up to two above our tip, and where it has more work", () => {
    const harness = withChosen({ lacks: [2] })
    expect(harness.compact(1, 13).words()).toEqual([])
    expect(harness.compact(1, OTHER + 10).words()).toEqual([])
    expect(harness.compact(1, 12).words()).toEqual(["1 Claim 12", "1 Send getblocktxn 12: 2"])
    // A mempool of the other chain's transactions is not here.
    expect(harness.compact(1, OTHER + 11).words()[0]).toBe(`1 Claim ${OTHER + 11}`)
  })

  it("is looked at once, and not while it waits for its rest", () => {
    const harness = withChosen({ lacks: [2] }).compact(1, 11)
    const before = harness.scans
    harness.words()
    expect(harness.compact(1, 11).compact(1, 11).words()).toEqual([])
    expect(harness.blocktxn(1, 11, []).words()).toEqual(["1 Release 11", "1 Misbehaved blocktxn"])
    expect(harness.compact(1, 11).words()).toEqual([])
    expect(harness.scans).toBe(before)
  })
})

describe("a cmpctblock that nobody wanted (Core #32606)", () => {
  it("is passed over, so that nobody learns what our mempool has", () => {
    const harness = new CompactHarness({ lacks: [2] }).ready(1).ready(2, INBOUND)
    harness.words()
    expect(harness.compact(1, 11).compact(2, 11).words()).toEqual([])
    expect(harness.scans).toBe(0)
    expect(harness.request(1, 11).compact(2, 11).words()).toEqual([])
    expect(harness.compact(1, 11).words()).toEqual(["1 Send getblocktxn 11: 2"])
  })

  it("is passed over from who never said that it sends any, and from who said so in another version", () => {
    const harness = new CompactHarness().ready(1, { provides: false }).sendcmpct(1, true, 1n).request(1, 11)
    harness.words()
    expect(harness.compact(1, 11).words()).toEqual([])
    expect(harness.sendcmpct(1, false).compact(1, 11).take("Rebuilt")).toHaveLength(1)
  })

  it("is passed over where there is no mempool", () => {
    const harness = new CompactHarness({ isBlocksOnly: true }).ready(1).request(1, 11)
    harness.words()
    expect(harness.compact(1, 11).words()).toEqual([])
    expect(harness.machine.shouldAskCompact(PEER_1, 11, harness.now)).toBe(false)
  })

  it("is passed over from who is gone", () => {
    const harness = withChosen().gone(1)
    expect(harness.compact(1, 11).blocktxn(1, 11, []).getblocktxn(1, 10, [0]).words()).toEqual([])
  })
})

const PEER_1 = 1 as never

describe("a block that a peer was asked for in short", () => {
  it("is asked for so when it is the next of the followed chain, of who gives such", () => {
    const harness = new CompactHarness().ready(1).ready(2, { provides: false })
    const asks = (peer: number, header: number): boolean =>
      harness.machine.shouldAskCompact(peer as never, header, harness.now)
    expect([asks(1, 11), asks(1, 12), asks(1, OTHER + 11), asks(2, 11), asks(3, 11)]).toEqual([
      true,
      false,
      false,
      false,
      false
    ])
    harness.isRecent = false
    expect(asks(1, 11)).toBe(false)
  })

  it("is asked for whole of who sent it in short before, and to no avail", () => {
    const harness = withChosen()
      .request(2, 11)
      .compact(1, 11, { shortIds: new Uint8Array(12) })
    expect(harness.words()).toEqual([])
    expect(harness.machine.shouldAskCompact(PEER_1, 11, harness.now)).toBe(false)
  })

  it("counts its round trips", () => {
    const harness = new CompactHarness({ lacks: [2] }).ready(1).request(1, 11).compact(1, 11).blocktxn(1, 11, [2])
    expect(harness.take("CompactReconstructed")).toMatchObject([{ roundTrips: 2 }])
    const all = new CompactHarness().ready(1).request(1, 11).compact(1, 11)
    expect(all.take("CompactReconstructed")).toMatchObject([{ roundTrips: 1 }])
  })

  it("is asked for whole where our chain has gone on, or is far behind", () => {
    const harness = new CompactHarness()
      .ready(1)
      .request(1, OTHER + 10)
      .request(1, 14)
    harness.words()
    expect(harness.compact(1, OTHER + 10).words()).toEqual([`1 AskWhole ${OTHER + 10}`])
    expect(harness.compact(1, 14).compact(1, 14).words()).toEqual(["1 AskWhole 14"])
    expect(harness.scans).toBe(0)
  })
})

describe("what comes to nothing", () => {
  const doubled = (header: number): { readonly shortIds: Uint8Array } => {
    const shortIds = new Uint8Array(6 * 20).fill(header)
    return { shortIds }
  }

  it("has the whole block asked for, and nobody is blamed", () => {
    const harness = withChosen({ lacks: [2] }).ready(2)
    harness.words()
    expect(harness.compact(1, 11, doubled(11)).words()).toEqual(["1 Claim 11", "1 AskWhole 11"])
    harness.request(2, 12)
    expect(harness.compact(2, 12, doubled(12)).words()).toEqual(["2 AskWhole 12"])
  })

  it("has it asked for once a collision shows itself, after all of it was forgotten (CVE-2024-35202)", () => {
    const harness = withChosen({ lacks: [2, 3] }).compact(1, 11)
    harness.words()
    expect(harness.blocktxn(1, 11, [3, 2]).words()).toEqual(["1 AskWhole 11"])
    expect(harness.machine.snapshot().partial).toBe(0)
    expect(harness.blocktxn(1, 11, [2, 3]).blocktxn(1, 11, [2, 3]).words()).toEqual([])
  })

  it("is left to those who are at it already", () => {
    const harness = withChosen({ lacks: [2, 3] })
      .ready(2)
      .request(2, 11)
    harness.words()
    expect(harness.compact(1, 11, doubled(11)).words()).toEqual([])
    expect(harness.compact(1, 12).words()).toEqual(["1 Claim 12", "1 Send getblocktxn 12: 2,3"])
    harness.asked.set(12, [2, 1] as never)
    expect(harness.blocktxn(1, 12, [3, 2]).words()).toEqual(["1 Release 12"])
  })

  it("costs its sender the connection where no honest peer would send it, and nobody else anything", () => {
    const bad = { prefilled: [{ index: 30, tx: blockOf(1).transaction(0) }] }
    const harness = withChosen({ lacks: [2] })
      .ready(2)
      .request(2, 11)
      .request(1, 11)
    harness.words()
    expect(harness.compact(1, 11, bad).words()).toEqual(["1 Release 11", "1 Misbehaved cmpctblock"])
    expect(harness.asked.get(11)).toEqual([2])
    expect(harness.compact(1, 12, bad).words()).toEqual(["1 Misbehaved cmpctblock"])
    expect(harness.compact(2, 11).words()).toEqual(["2 Send getblocktxn 11: 2"])
    expect(harness.blocktxn(2, 11, [2, 3]).words()).toEqual(["2 Release 11", "2 Misbehaved blocktxn"])
  })

  it("is no answer to a question that was not asked", () => {
    const harness = withChosen({ lacks: [2] }).ready(2)
    harness.words()
    expect(harness.blocktxn(1, 11, [2]).blocktxn(2, 11, []).words()).toEqual([])
    harness.compact(1, 11).words()
    expect(harness.blocktxn(2, 11, [2]).words()).toEqual([])
    harness.answered(1, 11)
    expect(harness.blocktxn(1, 11, [2]).words()).toEqual([])
  })
})

describe("one block of several peers", () => {
  const three = (options: HarnessOptions = { lacks: [2] }): CompactHarness => {
    const harness = new CompactHarness(options).ready(1, INBOUND).ready(2, INBOUND).ready(3).choose(1, 2, 3)
    harness.words()
    return harness
  }

  it("is fetched of up to three at a time, of whom the last is one that we chose ourselves", () => {
    const harness = three().ready(4, INBOUND)
    harness.words()
    expect(harness.compact(1, 11).compact(2, 11).words()).toEqual([
      "1 Claim 11",
      "1 Send getblocktxn 11: 2",
      "2 Claim 11",
      "2 Send getblocktxn 11: 2"
    ])
    // Peer 4 takes the place of peer 1 among the chosen, and none for this block.
    harness.choose(4).words()
    expect(harness.compact(4, 11).words()).toEqual([])
    expect(harness.compact(3, 11).words()).toEqual(["3 Claim 11", "3 Send getblocktxn 11: 2"])
    expect(harness.asked.get(11)).toHaveLength(MAX_CMPCTBLOCKS_INFLIGHT_PER_BLOCK)
  })

  it("is fetched of three who dialled us where one that we chose is asked too", () => {
    const harness = three().ready(4, INBOUND)
    harness.compact(3, 11).compact(1, 11).choose(4).words()
    expect(harness.compact(4, 11).words()).toEqual(["4 Claim 11", "4 Send getblocktxn 11: 2"])
  })

  it("is fetched on of who was asked by getdata first, and not of who was asked later and is not chosen", () => {
    const harness = three().ready(4).ready(5).request(4, 11).request(5, 11)
    harness.words()
    expect(harness.compact(5, 11).words()).toEqual(["5 Release 11"])
    expect(harness.compact(4, 11).words()).toEqual(["4 Send getblocktxn 11: 2"])
  })

  it("is put together of the fourth's, if nothing need be asked for", () => {
    const harness = three({}).ready(4)
    harness.choose(4).words()
    for (const peer of [5, 6, 7]) harness.request(peer, 11)
    expect(harness.compact(4, 11).take("Rebuilt")).toHaveLength(1)
    const lacking = three().choose(3)
    for (const peer of [5, 6, 7]) lacking.request(peer, 11)
    lacking.words()
    expect(lacking.compact(3, 11).words()).toEqual([])
    // Nor is anybody blamed for what came unasked.
    expect(lacking.compact(2, 11, { prefilled: [], shortIds: new Uint8Array(0) }).words()).toEqual([])
  })

  it("is given by the first who sends it, and the others' parts are dropped when it is here", () => {
    const harness = three().compact(1, 11).compact(3, 11)
    expect(harness.machine.snapshot().partial).toBe(2)
    expect(harness.blocktxn(3, 11, [2]).take("Rebuilt")).toMatchObject([{ peer: 3 }])
    harness.words()
    // Who was asked for it is asked no longer, or block sync would wait for it, and go on asking others.
    expect(harness.blocktxn(1, 11, [2]).words()).toEqual(["1 Release 11"])
    harness.compact(1, 12).words()
    expect(harness.input({ _tag: "BlockDelivered", header: 12, peer: undefined }).words()).toEqual(["1 Release 12"])
    expect(harness.machine.snapshot().partial).toBe(0)
    expect(harness.blocktxn(1, 12, [2]).words()).toEqual([])
  })

  it("is no longer asked of who was to send it in short, where another's came first", () => {
    const harness = three({}).request(1, 11)
    expect(harness.compact(2, 11).take("Rebuilt")).toMatchObject([{ peer: 2 }])
    harness.words()
    expect(harness.compact(1, 11).words()).toEqual(["1 Release 11"])
    expect(harness.askedOf(11)).toEqual([])
    expect(harness.compact(3, 11).words()).toEqual([])
  })
})

describe("what is held", () => {
  it("is no more than a few blocks of a peer, and of all", () => {
    const harness = new CompactHarness({ lacks: [2] })
    const forks = [11, 12, OTHER + 11, OTHER + 12]
    harness.ready(1)
    for (const header of forks) harness.request(1, header)
    harness.words()
    for (const header of forks) harness.compact(1, header)
    expect(harness.words().at(-1)).toBe(`1 AskWhole ${OTHER + 12}`)
    expect(harness.machine.snapshot().partial).toBe(MAX_PARTIAL_BLOCKS_PER_PEER)
    for (let peer = 2; peer < 9; peer++) {
      harness.ready(peer)
      harness.asked.clear()
      for (let before = 1; before <= peer; before++) for (const header of forks) harness.request(before, header)
      for (const header of forks) {
        // It is asked first, and is so let in.
        harness.asked.set(header, [peer, ...(harness.asked.get(header) ?? []).filter((id) => id !== peer)] as never)
        harness.compact(peer, header)
      }
    }
    expect(harness.machine.snapshot().partial).toBe(MAX_PARTIAL_BLOCKS)
  })

  it("makes room for new blocks where it is waited for no longer", () => {
    const harness = withChosen({ lacks: [2] })
    for (const header of [11, 12, OTHER + 11]) harness.compact(1, header)
    harness.answered(1, 11)
    harness.here.add(12)
    harness.words()
    expect(harness.compact(1, OTHER + 12).words()[0]).toBe(`1 Claim ${OTHER + 12}`)
    expect(harness.machine.snapshot().partial).toBe(2)
  })

  it("is nothing once the last peer left", () => {
    const harness = withChosen({ lacks: [2] })
      .ready(2, { wants: true })
      .request(2, 11)
      .compact(2, 11)
      .compact(1, 11)
    harness.getblocktxn(2, 9, [1])
    expect([harness.machine.isEmpty, harness.machine.snapshot().partial]).toEqual([false, 2])
    harness.gone(1).gone(2)
    expect(harness.machine.isEmpty).toBe(true)
    expect(harness.machine.snapshot()).toEqual({ highBandwidthTo: [], highBandwidthFrom: [], partial: 0 })
    expect(harness.machine.nextTimeout()).toBeUndefined()
  })
})
