import { PeerId } from "@satwire/machine"
import { describe, expect, it } from "vitest"
import { NONPREF_PEER_TX_DELAY_MS, TXID_RELAY_DELAY_MS } from "../src/index.ts"
import { RelayHarness, childOf, fresh, many, nameOf, wtx } from "./RelayHarness.ts"

const witness = ({ txid }: { readonly txid: Uint8Array }): string => `witness tx ${nameOf(txid)}`
const of = ({ wtxid }: { readonly wtxid: Uint8Array }, peer: number | "ours"): string => `${nameOf(wtxid)} of ${peer}`

describe("a transaction that comes", () => {
  it("is validated, whoever asked for it, one of a peer at a time, and its peer not heard meanwhile", () => {
    const [one, other] = [fresh(), fresh()]
    const harness = new RelayHarness().outbound(1).ready(2)
    harness.answers = false
    expect(harness.tx(1, one).tx(2, other).submitted()).toEqual([of(one, 1), of(other, 2)])
    expect([...harness.owed]).toEqual([1, 2])
    // Where it sends more all the same, that is not taken.
    expect(harness.tx(1, fresh()).submitted()).toEqual([])
    harness.answer()
    expect([...harness.owed]).toEqual([])
    const accepted = harness.take("TransactionAccepted").map(({ from, wtxid }) => of({ wtxid }, from ?? "ours"))
    expect(accepted).toEqual([of(one, 1), of(other, 2)])
  })

  it("of two peers at once is validated once", () => {
    const tx = fresh()
    const harness = new RelayHarness().outbound(1).outbound(2)
    harness.answers = false
    expect(harness.tx(1, tx).tx(2, tx).submitted()).toEqual([of(tx, 1)])
    expect([...harness.owed]).toEqual([1])
  })

  it("costs its peer nothing, however invalid it is (#33050)", () => {
    const bad = many(20)
    const harness = new RelayHarness().ready(1)
    for (const each of bad) {
      harness.pool.answers(each, { _tag: "Rejected", rule: "bad-txns-vout-negative", isWitnessMutable: false })
    }
    harness.tx(1, ...bad).tx(1, ...bad)
    expect([harness.submitted().length, harness.take("Disconnect"), harness.owed.size]).toEqual([20, [], 0])
  })

  it("that is not taken may be in a block all the same, as may those whose place another takes", () => {
    const [dust, stripped, replacing, replaced] = [fresh(), fresh(), fresh(), fresh()]
    const orphan = childOf(fresh())
    const harness = new RelayHarness().outbound(1)
    harness.pool.answers(dust, { _tag: "Rejected", rule: "dust", isWitnessMutable: false })
    harness.pool.answers(stripped, { _tag: "Rejected", rule: "w", isWitnessMutable: true, isWitnessStripped: true })
    harness.pool.answers(replacing, { _tag: "Accepted", replaced: [{ tx: replaced.tx }] })
    harness.tx(1, dust, stripped, replacing, orphan, orphan)
    expect(harness.take("RejectedTransaction").map(({ tx }) => tx.bytes)).toEqual(
      [dust, orphan].map(({ tx }) => tx.bytes)
    )
    expect(harness.take("ReplacedTransaction").map(({ tx }) => tx)).toEqual([replaced.tx])
  })

  it("with a witness that was spoiled does not keep us from the real one", () => {
    const real = fresh({ spends: [77], witnessBytes: 20 })
    const spoiled = fresh({ spends: [77], witnessBytes: 21 })
    expect(spoiled.txid).toEqual(real.txid)
    const harness = new RelayHarness().outbound(1).outbound(2).outbound(3, { wtxidRelay: false })
    harness.pool.answers(spoiled, { _tag: "Rejected", rule: "tx-size", isWitnessMutable: true })
    harness.tx(1, spoiled)
    expect(harness.inv(2, real).asked(2)).toEqual([wtx(real)])
    harness.notFound(2, real)
    expect(harness.invByTxid(3, real).elapse(TXID_RELAY_DELAY_MS).asked(3)).toEqual([witness(real)])
    // Where no witness helps, the txid says enough.
    const bad = fresh()
    harness.pool.answers(bad, { _tag: "Rejected", rule: "non-final", isWitnessMutable: false })
    expect(harness.tx(1, bad).invByTxid(3, bad).elapse(60_000).asked(3)).toEqual([])
  })

  it("lies in memory of its own while it is validated", () => {
    const tx = fresh()
    const bytes = tx.tx.bytes.slice()
    const harness = new RelayHarness().outbound(1)
    harness.answers = false
    harness.tx(1, tx)
    const kept = harness.waiting[0]?.tx.bytes
    tx.tx.bytes.fill(0)
    expect(kept).toEqual(bytes)
  })
})

describe("an orphan", () => {
  it("waits for its parent, which is asked of who sent it, and is validated again when that has come", () => {
    const parent = fresh()
    const child = childOf(parent)
    const harness = new RelayHarness().ready(1).tx(1, child)
    harness.submitted()
    expect([harness.relay.snapshot().orphans, harness.asked(1)]).toEqual([1, []])
    expect(harness.elapse(NONPREF_PEER_TX_DELAY_MS + TXID_RELAY_DELAY_MS).asked(1)).toEqual([witness(parent)])
    expect(harness.tx(1, parent).submitted()).toEqual([of(parent, 1)])
    expect([...harness.owed]).toEqual([1])
    expect([harness.turn(), harness.submitted()]).toEqual([true, [of(child, 1)]])
    expect([harness.pool.size, harness.relay.snapshot().orphans, harness.owed.size]).toEqual([2, 0, 0])
  })

  it("is not fetched again while it waits, but for who announces it by txid", () => {
    const child = childOf(fresh())
    const harness = new RelayHarness().outbound(1).outbound(2).tx(1, child)
    expect(harness.inv(2, child).asked(2)).toEqual([])
  })

  it("is looked at again one a turn, with all others of its parent, and before what its peer sends since (CVE-2024-52914)", () => {
    const parent = fresh({ outputs: 60 })
    const children = Array.from({ length: 50 }, (_, n) => fresh({ spends: [[parent.txid, n]] }))
    const harness = new RelayHarness()
      .outbound(1)
      .outbound(2)
      .tx(1, ...children)
    harness.submitted()
    harness.tx(2, parent)
    harness.submitted()
    let turns = 0
    while (harness.relay.snapshot().orphans > 0) {
      expect(harness.owed.has(1)).toBe(true)
      expect([harness.turn(), harness.submitted().length]).toEqual([true, 1])
      turns += 1
    }
    expect([turns, harness.pool.size, harness.owed.size]).toEqual([50, 51, 0])
  })

  it("of one peer does not wait for those of another", () => {
    const [p, q] = [fresh({ outputs: 30 }), fresh()]
    const harness = new RelayHarness().outbound(1).outbound(2)
    harness.tx(1, ...Array.from({ length: 20 }, (_, n) => fresh({ spends: [[p.txid, n]] }))).tx(2, childOf(q))
    harness.tx(2, p).tx(1, q)
    harness.submitted()
    harness.turn()
    harness.turn()
    expect(harness.submitted().some((each) => each.endsWith("of 2"))).toBe(true)
  })

  it("is resolved by any peer that announced it, also where the first lacks the parent or goes", () => {
    const parent = fresh()
    const child = childOf(parent)
    const harness = new RelayHarness().outbound(1).outbound(2).outbound(3)
    harness.inv(1, child).inv(2, child).tx(1, child).inv(3, child)
    const askedOf = (peers: ReadonlyArray<number>): ReadonlyArray<number> =>
      peers.filter((peer) => harness.asked(peer).includes(witness(parent)))
    harness.elapse(TXID_RELAY_DELAY_MS)
    const [first] = askedOf([1, 2, 3])
    harness.gone(first as number)
    const rest = [1, 2, 3].filter((peer) => peer !== first)
    const [second] = askedOf(rest)
    expect([first, second].every((peer) => peer !== undefined)).toBe(true)
    expect(harness.relay.snapshot().orphans).toBe(1)
    harness.tx(second as number, parent)
    while (harness.turn());
    expect(harness.pool.size).toBe(2)
  })

  it("is resolved by those that announced it before it came", () => {
    const parent = fresh()
    const child = childOf(parent)
    const harness = new RelayHarness().outbound(1).outbound(2).ready(3, { wtxidRelay: false })
    harness.inv(1, child).inv(2, child).invByTxid(3, child).tx(1, child).gone(1).elapse(60_000)
    expect(harness.asked(2)).toContain(witness(parent))
    expect(harness.gone(2).elapse(60_000).asked(3)).toContain(witness(parent))
  })

  it("is rejected with its parent, whatever its witness", () => {
    const parent = fresh()
    const [child, later] = [childOf(parent), childOf(parent)]
    const harness = new RelayHarness().outbound(1).outbound(2).outbound(3, { wtxidRelay: false })
    harness.pool.answers(parent, { _tag: "Rejected", rule: "dust", isWitnessMutable: false })
    harness.tx(1, parent, child)
    expect(harness.relay.snapshot().orphans).toBe(0)
    expect([harness.inv(2, child).asked(2), harness.invByTxid(3, child).elapse(10_000).asked(3)]).toEqual([[], []])
    expect(harness.tx(2, later).relay.snapshot().orphans).toBe(0)
  })

  it("goes when a block has it, or what spends the same", () => {
    const parent = fresh({ outputs: 2 })
    const one = fresh({ spends: [[parent.txid, 0]], nonce: 1 })
    const rival = fresh({ spends: [[parent.txid, 0]], nonce: 2 })
    const other = fresh({ spends: [[parent.txid, 1]] })
    const harness = new RelayHarness().outbound(1).tx(1, one, other)
    expect(harness.block(parent, rival).relay.snapshot().orphans).toBe(1)
  })

  it("of many parents has them looked up once for who announces it again and again, and not at all where there is no room", () => {
    const parents = many(500)
    const child = fresh({ spends: parents.map(({ txid }) => [txid, 0] as const) })
    const lookups = (harness: RelayHarness, peer: number): number => {
      const before = harness.pool.lookups
      harness.inv(peer, ...Array.from({ length: 200 }, () => child))
      return harness.pool.lookups - before
    }
    const lacking = new RelayHarness().outbound(1).outbound(2).outbound(3).tx(1, child)
    lacking.inv(3, ...many(4800)).elapse(1)
    expect([lookups(lacking, 2), lookups(lacking, 3)]).toEqual([500, 0])
    // All parents are here, and have not what it spends.
    const idle = new RelayHarness()
      .outbound(1)
      .outbound(2)
      .local(...parents)
    idle.pool.answers(child, { _tag: "MissingInputs", parents: parents.map(({ txid }) => txid) })
    expect([idle.tx(1, child).relay.snapshot().orphans, lookups(idle, 2)]).toEqual([1, 500])
  })

  it("that goes while its peer's turn waits for a transaction leaves the peer heard again", () => {
    const parent = fresh()
    const [child, slow] = [childOf(parent), fresh()]
    const harness = new RelayHarness().outbound(1).outbound(2).tx(1, child)
    harness.answers = false
    harness.tx(1, slow).tx(2, parent)
    const accepted = { _tag: "Accepted", replaced: [] } as const
    harness.input({ _tag: "Submitted", wtxid: parent.wtxid, result: accepted })
    // It is the child's turn, and the pool is still at what its peer sent.
    expect([harness.turn(), [...harness.owed]]).toEqual([true, [1]])
    harness.block(parent, child)
    harness.input({ _tag: "Submitted", wtxid: slow.wtxid, result: accepted })
    while (harness.turn());
    expect([...harness.owed]).toEqual([])
  })

  it("goes with the last peer that announced it", () => {
    const child = childOf(fresh())
    const harness = new RelayHarness().outbound(1).outbound(2).tx(1, child).inv(2, child).gone(1)
    expect(harness.relay.snapshot().orphans).toBe(1)
    expect(harness.gone(2).relay.snapshot().orphans).toBe(0)
    expect([harness.relay.isEmpty, harness.relay.nextTimeout()]).toEqual([true, undefined])
  })

  it("that still lacks a parent when one has come goes on waiting", () => {
    const [one, other] = [fresh(), fresh()]
    const child = childOf(one, other)
    const harness = new RelayHarness().outbound(1).tx(1, child, one)
    while (harness.turn());
    expect(harness.relay.snapshot().orphans).toBe(1)
    harness.tx(1, other)
    while (harness.turn());
    expect([harness.pool.size, harness.relay.snapshot().orphans]).toEqual([3, 0])
  })
})

describe("a parent that pays too little", () => {
  const LITTLE = {
    _tag: "Rejected",
    rule: "min relay fee not met",
    isWitnessMutable: true,
    isReconsiderable: true
  } as const

  it("is submitted with the child that waits for it, and both are taken", () => {
    const parent = fresh()
    const child = childOf(parent)
    const harness = new RelayHarness().outbound(1).outbound(2).tx(1, child)
    harness.pool.pays(parent, 200)
    harness.answers = false
    harness.submitted()
    harness.tx(1, parent).answer(LITTLE)
    const [, both] = harness.take("Submit")
    expect([both?.wtxid, both?.child?.wtxid]).toEqual([parent.wtxid, child.wtxid])
    expect([...harness.owed]).toEqual([1])
    harness.answer()
    expect([harness.pool.size, harness.relay.snapshot().orphans, harness.owed.size]).toEqual([2, 0, 0])
    expect(harness.take("TransactionAccepted").map(({ wtxid }) => wtxid)).toEqual([parent.wtxid, child.wtxid])
    expect(harness.elapse(60_000).told(2)).toEqual([wtx(parent), wtx(child)])
  })

  it("is not asked for by itself again, but for a child of its, and never submitted twice with the same", () => {
    const parent = fresh()
    const child = childOf(parent)
    const harness = new RelayHarness().outbound(1).outbound(2)
    harness.pool.answers(parent, LITTLE)
    harness.tx(1, parent)
    expect(harness.inv(2, parent).asked(2)).toEqual([])
    harness.submitted()
    harness.tx(2, child)
    expect(harness.elapse(TXID_RELAY_DELAY_MS).asked(2)).toEqual([witness(parent)])
    harness.tx(2, parent)
    expect(harness.submitted()).toEqual([of(child, 2), of(parent, 2)])
    expect(harness.tx(2, parent).tx(1, parent).submitted()).toEqual([])
    expect(harness.relay.peer(PeerId(2))?.inFlight).toBe(0)
  })

  it("takes no child of another peer", () => {
    const parent = fresh()
    const harness = new RelayHarness().outbound(1).outbound(2).tx(2, childOf(parent))
    harness.pool.answers(parent, LITTLE)
    harness.submitted()
    expect(harness.tx(1, parent).submitted()).toEqual([of(parent, 1)])
  })
})
