import { PeerId } from "@satwire/machine"
import { HashList, NODE_NETWORK } from "@satwire/wire"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { FILTER_TIMEOUT_MS, type FilterSyncOutput, MAX_FILTERS_OF_PEER } from "../src/index.ts"
import { FilterHarness, adds, hides, honest, scriptOf, silent } from "./FilterChain.ts"

const offender = (output: FilterSyncOutput | undefined): unknown =>
  output !== undefined && "reason" in output ? [output.peer, output.reason] : undefined

describe("FilterSync", () => {
  it("judges every block from the first to the tip, and those match that pay to a script", () => {
    const bench = new FilterHarness(30, { scripts: [scriptOf(7), scriptOf(21)] }).peer(1, honest)
    expect(bench.verdicts.size).toBe(30)
    expect(bench.matching).toEqual([7, 21])
    expect(bench.sync.snapshot()).toEqual({ agreedHeight: 29, peers: 1, leastPeers: 1 })
  })

  it("begins where blocks are wanted, and knows what is before by checkpoints", () => {
    const bench = new FilterHarness(2500, { range: () => ({ from: 2400, to: undefined }) })
    bench.peer(1, honest)
    expect([...bench.verdicts.keys()]).toEqual(Array.from({ length: 100 }, (_, i) => 2400 + i))
    expect(bench.asked.map(({ command, from, to }) => [command, from, to])).toEqual([
      ["getcfcheckpt", 0, 2000],
      ["getcfheaders", 2001, 2399],
      ["getcfheaders", 2400, 2499],
      ["getcfilters", 2400, 2499]
    ])
  })

  it("stops at the last block that is wanted", () => {
    const bench = new FilterHarness(30, { range: () => ({ from: 10, to: 12 }) }).peer(1, honest)
    expect([...bench.verdicts.keys()]).toEqual([10, 11, 12])
  })

  it("judges blocks as they come", () => {
    const bench = new FilterHarness(5, { scripts: [scriptOf(6)] }).peer(1, honest)
    expect(bench.matching).toEqual([])
    bench.chain.grow(bench.chain.best, 3)
    bench.input({ _tag: "HeadersMoved" })
    expect(bench.verdicts.size).toBe(8)
    expect(bench.matching).toEqual([6])
  })

  it("looks for scripts that it is told later in what is not judged yet", () => {
    const bench = new FilterHarness(5, { scripts: [] }).peer(1, honest)
    bench.input({ _tag: "Watch", scripts: [scriptOf(2), scriptOf(6)] })
    bench.chain.grow(bench.chain.best, 3)
    bench.input({ _tag: "HeadersMoved" })
    expect(bench.matching).toEqual([6])
  })

  it("asks nobody who offers no filters, and waits until as many are there as are to be compared", () => {
    const bench = new FilterHarness(5, { leastPeers: 2 }).peer(1, honest, NODE_NETWORK).peer(2, honest)
    expect(bench.asked).toEqual([])
    bench.peer(3, honest)
    expect(bench.verdicts.size).toBe(5)
    expect(bench.asked.some(({ peer }) => peer === 1)).toBe(false)
  })

  it("shares the filters of a stretch out among peers", () => {
    const bench = new FilterHarness(3 * MAX_FILTERS_OF_PEER, { leastPeers: 3 })
    bench.peer(1, honest).peer(2, honest).peer(3, honest)
    const pieces = bench.asked.filter(({ command }) => command === "getcfilters")
    expect(pieces.map(({ from, peer, to }) => [peer, from, to])).toEqual([
      [1, 0, 99],
      [2, 100, 199],
      [3, 200, 299]
    ])
    expect(bench.verdicts.size).toBe(300)
  })

  it("follows a reorganisation: the blocks of the other chain are judged from the fork on", () => {
    const bench = new FilterHarness(20, { scripts: [scriptOf(22)] }).peer(1, honest)
    bench.chain.grow(14, 8)
    bench.input({ _tag: "HeadersMoved" })
    expect([...bench.verdicts.keys()].slice(20)).toEqual([20, 21, 22, 23, 24, 25, 26, 27])
    expect(bench.asked.at(-1)).toMatchObject({ command: "getcfilters", from: 15, to: 22 })
    expect(bench.matching).toEqual([22])
  })

  it("is empty when the last peer has left, in whatever it was doing", () => {
    const bench = new FilterHarness(20).peer(1, silent).peer(2, silent)
    bench.leave(1).leave(2)
    expect(bench.sync.isEmpty).toBe(true)
    expect(bench.peer(3, honest).verdicts.size).toBe(20)
  })
})

describe("FilterSync, lied to", () => {
  it("finds by the block who left out what it pays to, and believes the other", () => {
    for (const liars of [1, 2, 3]) {
      const bench = new FilterHarness(20, { scripts: [scriptOf(8)], leastPeers: liars + 1 })
      for (let id = 1; id <= liars; id++) bench.peer(id, hides(8))
      bench.peer(9, honest)
      expect(bench.matching).toEqual([8])
      expect(bench.of("FiltersDisputed")).toMatchObject([{ height: 8, versions: 2, isProven: true }])
      const blamed = bench.of("Misbehaved").map(offender)
      expect(blamed).toEqual(
        Array.from({ length: liars }, (_, i) => [i + 1, { _tag: "BadFilter", because: "lacks-a-script", height: 8 }])
      )
      expect(bench.verdicts.size).toBe(20)
    }
  })

  it("believes most where the block cannot tell, has the block fetched, and lets the others go without blame", () => {
    const bench = new FilterHarness(20, { leastPeers: 3 }).peer(1, honest).peer(2, adds(5)).peer(3, honest)
    expect(bench.of("FiltersDisputed")).toMatchObject([{ height: 5, versions: 2, isProven: false }])
    expect(bench.of("FetchBlock")).toMatchObject([{ header: 5 }])
    expect(bench.of("Misbehaved")).toEqual([])
    expect(bench.of("TooSlow").map(offender)).toEqual([[2, { _tag: "FilterDisagrees", height: 5 }]])
    expect(bench.verdicts.size).toBe(20)
  })

  it("goes on without a block that does not come", () => {
    const bench = new FilterHarness(20, { leastPeers: 3 })
    bench.givesBlocks = false
    bench.peer(1, honest).peer(2, hides(5)).peer(3, honest)
    expect(bench.verdicts.size).toBe(0)
    bench.elapse(2 * FILTER_TIMEOUT_MS)
    expect(bench.of("TooSlow").map(offender)).toEqual([[2, { _tag: "FilterDisagrees", height: 5 }]])
    expect(bench.verdicts.size).toBe(20)
  })

  it("settles two lies of two peers one after the other", () => {
    const bench = new FilterHarness(20, { leastPeers: 3, scripts: [scriptOf(4), scriptOf(9)] })
    bench.peer(1, hides(9)).peer(2, hides(4)).peer(3, honest)
    expect(bench.of("Misbehaved").map(({ peer }) => peer)).toEqual([2, 1])
    expect(bench.matching).toEqual([4, 9])
  })

  it("looks at all again when somebody comes who says that what was agreed on is false", () => {
    const bench = new FilterHarness(20, { scripts: [scriptOf(8)] }).peer(1, hides(8))
    expect(bench.matching).toEqual([])
    bench.peer(2, honest)
    bench.chain.grow(bench.chain.best, 1)
    bench.input({ _tag: "HeadersMoved" })
    expect(bench.of("Misbehaved").map(({ peer }) => peer)).toEqual([1])
    expect(bench.matching).toEqual([8])
    expect(bench.verdicts.size).toBe(21)
  })

  it("looks at all again once for each peer, however often it changes its story", () => {
    let story = 0
    const bench = new FilterHarness(20).peer(1, honest)
    // Its filter of block 3 is another in each answer.
    bench.peer(2, (header, chain) => (header === 3 ? Uint8Array.of(0, story++) : chain.filter(header)))
    for (let i = 0; i < 5; i++) {
      bench.chain.grow(bench.chain.best, 1)
      bench.input({ _tag: "HeadersMoved" })
    }
    expect([...bench.of("Misbehaved"), ...bench.of("TooSlow")].map(({ peer }) => peer)).toEqual([2])
    expect(bench.verdicts.size).toBe(25)
  })

  it("finds a lie below the first checkpoint on which peers do not agree", () => {
    const bench = new FilterHarness(3100, { range: () => ({ from: 3050, to: undefined }), leastPeers: 2 })
    bench.peer(1, hides(1500)).peer(2, honest)
    expect(bench.verdicts.size).toBe(0)
    bench.peer(3, honest)
    expect(bench.of("FiltersDisputed")).toMatchObject([{ height: 1500, isProven: true }])
    expect(bench.of("Misbehaved").map(({ peer }) => peer)).toEqual([1])
    expect([...bench.verdicts.keys()]).toEqual(Array.from({ length: 50 }, (_, i) => 3050 + i))
  })

  it("blames who sends a filter that is not the one of its hash, and asks another", () => {
    const bench = new FilterHarness(20, { leastPeers: 2 })
    // An honest hash, and another filter.
    let told = 0
    bench.peer(1, (header, chain) => (header === 11 && told++ > 1 ? Uint8Array.of(0) : chain.filter(header)))
    bench.peer(2, honest)
    expect(bench.verdicts.size).toBe(20)
    expect(bench.of("Misbehaved").map(({ peer }) => peer)).toEqual([1])
  })

  it("lets go who offers filters and gives none, and goes on with the others", () => {
    const bench = new FilterHarness(20, { leastPeers: 2 }).peer(1, silent).peer(2, honest)
    expect(bench.verdicts.size).toBe(0)
    bench.elapse(FILTER_TIMEOUT_MS)
    expect(bench.of("TooSlow").map(offender)).toEqual([[1, { _tag: "FilterTimeout", allowedMs: FILTER_TIMEOUT_MS }]])
    bench.peer(3, honest)
    expect(bench.verdicts.size).toBe(20)
  })

  it("blames who gives more or fewer hashes than it was asked for", () => {
    const bench = new FilterHarness(20)
    bench.peer(1, silent)
    const stopHash = bench.chain.hash(bench.chain.best)
    const message = { _tag: "cfheaders", filterType: 0, stopHash, previousFilterHeader: new Uint8Array(32) } as const
    const filterHashes = new HashList(new Uint8Array(96))
    bench.input({ _tag: "Received", peer: PeerId(1), message: { ...message, filterHashes } })
    expect(bench.of("Misbehaved").map(offender)).toEqual([
      [1, { _tag: "BadFilter", because: "wrong-count", height: 19 }]
    ])
  })

  it("judges all blocks rightly with one honest peer among liars, whatever they leave out", () => {
    const lies = fc.array(fc.array(fc.integer({ min: 0, max: 39 }), { maxLength: 3 }), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(lies, fc.nat({ max: 4 }), (hidden, place) => {
        const bench = new FilterHarness(40, {
          scripts: Array.from({ length: 40 }, (_, i) => scriptOf(i)),
          leastPeers: hidden.length + 1
        })
        const tellings = hidden.map(
          (numbers): ReturnType<typeof hides> =>
            (header, chain) =>
              numbers.includes(header) ? Uint8Array.of(0) : chain.filter(header)
        )
        tellings.splice(Math.min(place, tellings.length), 0, honest)
        tellings.forEach((telling, i) => bench.peer(i + 1, telling))
        expect(bench.matching.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i))
        const isHonest = (peer: number): boolean => tellings[peer - 1] === honest
        expect(bench.of("Misbehaved").some(({ peer }) => isHonest(peer))).toBe(false)
      }),
      { numRuns: 60 }
    )
  })
})
