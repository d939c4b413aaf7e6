import { ChaChaRandom } from "@satwire/crypto"
import { PeerId } from "@satwire/machine"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  MAX_ORPHANAGE_LATENCY_SCORE,
  MAX_STANDARD_TX_WEIGHT,
  type NamedTransaction,
  Orphanage,
  RESERVED_ORPHAN_WEIGHT_PER_PEER
} from "../src/index.ts"
import { NaiveOrphans } from "./NaiveOrphans.ts"
import { looseTransaction as transaction } from "@satwire/testkit"

const make = (): Orphanage => new Orphanage(ChaChaRandom.fromNumber(1))

/** Families: a few parents that may come, and what spends of them, of all sizes. */
const PARENTS = Array.from({ length: 5 }, (_, n) => transaction({ spends: [10_000 + n], outputs: 2 + n }))
const POOL: ReadonlyArray<NamedTransaction> = Array.from({ length: 40 }, (_, n) => {
  const parent = PARENTS[n % PARENTS.length] as NamedTransaction
  const many = n % 8 === 0 ? 250 : n % 8 === 1 ? 9 : n % 8 === 2 ? 10 : 0
  return transaction({
    nonce: n,
    spends: [[parent.txid, n % 4], ...Array.from({ length: many }, (_, i) => 100 * n + i)],
    witnessBytes: n % 3 === 0 ? 90_000 * (1 + (n % 4)) : 0
  })
})

type Op =
  | { readonly _tag: "add" | "announce" | "children"; readonly which: number; readonly peer: number }
  | { readonly _tag: "erase" | "block" | "parent"; readonly which: number }
  | { readonly _tag: "gone" | "work"; readonly peer: number }

const peer = fc.nat(4)
const which = fc.nat(POOL.length - 1)
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ _tag: fc.constantFrom("add" as const, "announce" as const), which, peer }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("children" as const), which, peer }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constantFrom("erase" as const, "block" as const), which }) },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant("parent" as const), which }) },
  { weight: 3, arbitrary: fc.record({ _tag: fc.constant("work" as const), peer }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("gone" as const), peer }) }
)

const apply = (orphanage: Orphanage, naive: NaiveOrphans, op: Op): void => {
  switch (op._tag) {
    case "add":
    case "announce": {
      const orphan = POOL[op.which] as NamedTransaction
      if (op._tag === "add") expect(orphanage.add(orphan, PeerId(op.peer))).toBe(naive.add(orphan, op.peer))
      else {
        const had = naive.addAnnouncer(orphan.wtxid, op.peer)
        expect(orphanage.addAnnouncer(orphan.wtxid, PeerId(op.peer))).toBe(had)
      }
      return
    }
    case "erase": {
      const { wtxid } = POOL[op.which] as NamedTransaction
      expect(orphanage.erase(wtxid)).toBe(naive.erase(wtxid))
      return
    }
    case "block": {
      const transactions = [PARENTS[0] as NamedTransaction, POOL[op.which] as NamedTransaction].map(({ tx }) => tx)
      orphanage.eraseForBlock(transactions)
      return naive.eraseForBlock(transactions)
    }
    case "parent": {
      const { tx, txid } = PARENTS[op.which % PARENTS.length] as NamedTransaction
      const children = naive.childrenOf(txid, tx)
      const found = orphanage.addChildrenToWorkSet(txid, tx)
      const names = (all: ReadonlyArray<{ readonly wtxid: Uint8Array }>): ReadonlyArray<string> =>
        all.map(({ wtxid }) => wtxid.join()).toSorted()
      expect(names(found)).toEqual(names(children))
      for (const { peer, wtxid } of found) naive.reconsider(wtxid, peer)
      return
    }
    case "children": {
      const { txid } = PARENTS[op.which % PARENTS.length] as NamedTransaction
      const found = orphanage.childrenFrom(txid, PeerId(op.peer)).map(({ wtxid }) => wtxid)
      expect(found).toEqual(naive.childrenFrom(txid, op.peer).map(({ wtxid }) => wtxid))
      return
    }
    case "work":
      expect(orphanage.takeToReconsider(PeerId(op.peer))?.wtxid).toEqual(naive.takeToReconsider(op.peer)?.wtxid)
      return
    case "gone":
      orphanage.eraseForPeer(PeerId(op.peer))
      return naive.eraseForPeer(op.peer)
  }
}

const same = (orphanage: Orphanage, naive: NaiveOrphans): void => {
  const sums = (of: Orphanage | NaiveOrphans): ReadonlyArray<number> => [
    of.size,
    of.announcementCount,
    of.latencyScore,
    of.weight
  ]
  expect(sums(orphanage)).toEqual(sums(naive))
  for (let peer = 0; peer < 5; peer++) {
    const id = PeerId(peer)
    expect([orphanage.weightOf(id), orphanage.latencyScoreOf(id)]).toEqual([
      naive.weightOf(peer),
      naive.latencyScoreOf(peer)
    ])
    expect(POOL.map(({ wtxid }) => orphanage.hasFrom(wtxid, id))).toEqual(
      POOL.map(({ wtxid }) => naive.hasFrom(wtxid, peer))
    )
  }
}

describe("an orphanage", () => {
  it("is that of a naive account of it, whatever comes and goes and does not fit", () => {
    fc.assert(
      fc.property(fc.array(op, { minLength: 10, maxLength: 60 }), (ops) => {
        const [orphanage, naive] = [make(), new NaiveOrphans()]
        for (const each of ops) {
          apply(orphanage, naive, each)
          same(orphanage, naive)
        }
      }),
      { numRuns: 30 }
    )
  })

  it("lets no peer drive out what another keeps within its share", () => {
    const orphanage = make()
    const honest = Array.from({ length: 100 }, (_, n) => transaction({ spends: [n], nonce: 1 }))
    for (const orphan of honest) orphanage.add(orphan, PeerId(1))
    for (let n = 0; n < 2 * MAX_ORPHANAGE_LATENCY_SCORE; n++) {
      orphanage.add(transaction({ spends: [n], nonce: 2 }), PeerId(2 + (n % 3)))
    }
    expect(orphanage.latencyScore).toBe(MAX_ORPHANAGE_LATENCY_SCORE)
    expect(honest.every(({ wtxid }) => orphanage.has(wtxid))).toBe(true)
  })

  it("counts the weight of each peer's share, and keeps nothing that is heavier than the standard", () => {
    const orphanage = make()
    const big = (n: number): NamedTransaction => transaction({ spends: [n], witnessBytes: 395_000 })
    for (let n = 0; n < 6; n++) orphanage.add(big(n), PeerId(1))
    expect(orphanage.size).toBe(1)
    expect(orphanage.has(big(5).wtxid)).toBe(true)
    orphanage.add(big(6), PeerId(2))
    expect([orphanage.size, orphanage.weight <= 2 * RESERVED_ORPHAN_WEIGHT_PER_PEER]).toEqual([2, true])
    const heavier = transaction({ spends: [9], witnessBytes: MAX_STANDARD_TX_WEIGHT })
    expect([orphanage.add(heavier, PeerId(3)), orphanage.has(heavier.wtxid)]).toEqual([false, false])
  })

  it("counts inputs, so that what costs time to go through is as bounded as what costs memory (CVE-2025-46598)", () => {
    const orphanage = make()
    for (let n = 0; n < 20; n++) {
      orphanage.add(transaction({ spends: Array.from({ length: 2400 }, (_, i) => 2400 * n + i) }), PeerId(n))
    }
    // 241 each.
    expect([orphanage.size, orphanage.latencyScore]).toEqual([12, 12 * 241])
  })

  it("marks all children of a transaction at once, and hands out one at a time (CVE-2024-52914)", () => {
    const orphanage = make()
    const parent = transaction({ spends: [1], outputs: 100 })
    for (let n = 0; n < 100; n++) orphanage.add(transaction({ spends: [[parent.txid, n]] }), PeerId(1))
    expect(orphanage.addChildrenToWorkSet(parent.txid, parent.tx)).toHaveLength(100)
    // Who has work to do already gets no more of it for the same reason.
    expect(orphanage.addChildrenToWorkSet(parent.txid, parent.tx)).toHaveLength(0)
    let taken = 0
    while (orphanage.hasToReconsider(PeerId(1))) {
      expect(orphanage.takeToReconsider(PeerId(1))).toBeDefined()
      taken += 1
    }
    expect([taken, orphanage.size]).toEqual([100, 100])
  })

  it("takes a transaction that spends one output twice, or one with both as a parent, as it comes", () => {
    const orphanage = make()
    const parent = transaction({ spends: [1], outputs: 2 })
    const twice = transaction({
      spends: [
        [parent.txid, 0],
        [parent.txid, 0],
        [parent.txid, 1]
      ]
    })
    orphanage.add(twice, PeerId(1))
    expect(orphanage.addChildrenToWorkSet(parent.txid, parent.tx)).toEqual([{ wtxid: twice.wtxid, peer: 1 }])
    orphanage.erase(twice.wtxid)
    expect([orphanage.size, orphanage.weight, orphanage.latencyScore]).toEqual([0, 0, 0])
  })

  it("keeps two that differ in their witness alone", () => {
    const orphanage = make()
    const [one, other] = [1, 2].map((witnessBytes) => transaction({ spends: [1], witnessBytes })) as [
      NamedTransaction,
      NamedTransaction
    ]
    expect(one.txid).toEqual(other.txid)
    expect([orphanage.add(one, PeerId(1)), orphanage.add(other, PeerId(1)), orphanage.size]).toEqual([true, true, 2])
  })
})
