import { PeerId } from "@satwire/machine"
import { describe, expect, it } from "vitest"
import type { BloomLookup } from "../src/index.ts"
import { RelayHarness, childOf, fresh, many, nameOf, wtx } from "./RelayHarness.ts"

const MINUTE = 60_000
const FILTERED = { relaysTransactions: false, maySetFilter: true }
type Named = ReturnType<typeof fresh>

/** Filters of the test's, and how often one was asked. */
class TestFilters implements BloomLookup {
  looked = 0
  work = 0
  /** What it does of each transaction. */
  workOfEach = 10
  readonly #byPeer: Map<PeerId, ReadonlySet<string>> = new Map()

  set(peer: number, ...matching: ReadonlyArray<Named>): void {
    this.#byPeer.set(PeerId(peer), new Set(matching.map(({ txid }) => nameOf(txid))))
  }
  hasFilter(peer: PeerId): boolean {
    return this.#byPeer.has(peer)
  }
  matches(peer: PeerId, _tx: Named["tx"], txid: Named["txid"]): boolean {
    this.looked += 1
    this.work += this.workOfEach
    return this.#byPeer.get(peer)?.has(nameOf(txid)) === true
  }
}

const filtered = (harness: RelayHarness, peer: number): RelayHarness =>
  harness.input({ _tag: "FilterSet", peer: PeerId(peer) })

describe("a peer with a bloom filter", () => {
  it("is told nothing before it sets one, and then what matches of all that comes", () => {
    const filters = new TestFilters()
    const [before, mine, others] = [fresh(), fresh(), fresh()]
    const harness = new RelayHarness({ filters }).ready(1, FILTERED).ready(2).local(before).elapse(MINUTE)
    expect([harness.told(1), harness.relay.peer(PeerId(1))?.isTold]).toEqual([[], false])
    filters.set(1, mine)
    filtered(harness, 1).local(mine, others).elapse(MINUTE)
    expect([harness.told(1), harness.relay.peer(PeerId(1))?.isTold]).toEqual([[wtx(mine)], true])
    expect(harness.told(2)).toHaveLength(3)
    harness.gone(1).gone(2)
    expect(harness.relay.isEmpty).toBe(true)
  })

  it("is given what it was told of, and what it asks for though it is told nothing", () => {
    const filters = new TestFilters()
    const tx = fresh()
    const harness = new RelayHarness({ filters }).ready(1, FILTERED).ready(2).local(tx).elapse(MINUTE)
    expect(harness.asks(1, tx).given(1)).toEqual([nameOf(tx.wtxid)])
  })

  it("does not have others given what nobody was told of", () => {
    const tx = fresh()
    const harness = new RelayHarness()
      .ready(1, { ...FILTERED, isTrusted: true })
      .local(tx)
      .elapse(MINUTE)
    expect(harness.ready(2).asks(2, tx).given(2)).toEqual([])
    expect(harness.asks(1, tx).given(1)).toEqual([nameOf(tx.wtxid)])
  })

  it("is told of a parent before its child, each looked at once", () => {
    const filters = new TestFilters()
    const parent = fresh()
    const [left, right] = [childOf(parent), childOf(parent)]
    const last = childOf(left, right)
    filters.set(1, parent, last)
    const harness = filtered(new RelayHarness({ filters }).ready(1, FILTERED), 1)
    harness.pool.pays(last, 9000)
    harness.local(parent, left, right, last).elapse(MINUTE)
    expect([harness.told(1), filters.looked]).toEqual([[wtx(parent), wtx(last)], 4])
  })

  it("is given of the pool what matches, if it asks", () => {
    const filters = new TestFilters()
    const all = many(1500)
    const harness = new RelayHarness({ filters }).ready(1, FILTERED)
    for (const each of all) harness.pool.put(each)
    filters.set(1, all[3] as Named, all[1400] as Named)
    filtered(harness, 1).mempool(1).elapse(MINUTE)
    expect([harness.told(1), harness.owed.size]).toEqual([[wtx(all[3] as Named), wtx(all[1400] as Named)], 0])
  })

  it("is given the pool without a filter too, and not when so much was uploaded", () => {
    let isTargetReached = false
    const tx = fresh()
    const harness = new RelayHarness({ isTargetReached: () => isTargetReached }).ready(1, FILTERED).ready(2, FILTERED)
    harness.pool.put(tx)
    harness.mempool(1).elapse(MINUTE)
    expect(harness.told(1)).toEqual([wtx(tx)])
    isTargetReached = true
    harness.mempool(2)
    const reason = { _tag: "PoolNotServed", because: "upload-target" }
    expect(harness.take("Disconnect")).toEqual([{ _tag: "Disconnect", peer: 2, reason }])
  })

  /** How many of what is new a trusted peer's filter looks at in each turn. */
  const shares = (filters: TestFilters, news: ReadonlyArray<Named>, best?: Named): ReadonlyArray<number> => {
    filters.set(1)
    const harness = filtered(new RelayHarness({ filters }).outbound(1, { ...FILTERED, isTrusted: true }), 1)
    if (best !== undefined) harness.pool.pays(best, 9000)
    harness.local(...news)
    const looked: Array<number> = []
    for (let before = filters.looked; filters.looked < news.length; before = filters.looked) {
      expect(harness.turn()).toBe(true)
      looked.push(filters.looked - before)
    }
    return looked
  }

  it("has of a turn a share, by the bytes that are looked through for it", () => {
    const large = Array.from({ length: 30 }, () => fresh({ witnessBytes: 80_000 }))
    expect(shares(new TestFilters(), large)).toEqual([4, 4, 4, 4, 4, 4, 4, 2])
  })

  it("has of a turn a share, by what its filter does, also of what one transaction depends on", () => {
    const filters = new TestFilters()
    filters.workOfEach = 40_000
    const parents = many(8)
    const child = childOf(...parents)
    expect(shares(filters, [...parents, child], child)).toEqual([3, 3, 3])
  })
})
