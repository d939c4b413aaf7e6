import { PeerId } from "@satwire/machine"
import { Inventory, MSG_BLOCK, MSG_WITNESS_TX, MSG_WTX, NODE_NETWORK } from "@satwire/wire"
import { describe, expect, it } from "vitest"
import {
  GETDATA_TX_INTERVAL_MS,
  MAX_GETDATA_SZ,
  MAX_PEER_TX_ANNOUNCEMENTS,
  MAX_PEER_TX_REQUEST_IN_FLIGHT,
  NONPREF_PEER_TX_DELAY_MS,
  OVERLOADED_PEER_TX_DELAY_MS,
  TXID_RELAY_DELAY_MS
} from "../src/index.ts"
import { RelayHarness, fresh, many, nameOf, wtx } from "./RelayHarness.ts"

const LEGACY = { wtxidRelay: false }

describe("a transaction that is announced", () => {
  it("is asked for at once of a peer that we chose, and a while later of others", () => {
    const tx = fresh()
    const harness = new RelayHarness().outbound(1).ready(2)
    expect(harness.inv(1, tx).asked(1)).toEqual([wtx(tx)])
    const other = fresh()
    expect(
      harness
        .inv(2, other)
        .elapse(NONPREF_PEER_TX_DELAY_MS - 1)
        .asked(2)
    ).toEqual([])
    expect(harness.elapse(1).asked(2)).toEqual([wtx(other)])
  })

  it("waits longer where it is announced by txid and others announce by wtxid", () => {
    const [one, other] = [fresh(), fresh()]
    const alone = new RelayHarness().outbound(1, LEGACY).invByTxid(1, one)
    expect(alone.asked(1)).toEqual([`witness tx ${nameOf(one.txid)}`])
    const harness = new RelayHarness().outbound(1, LEGACY).outbound(2).invByTxid(1, other)
    expect(harness.elapse(TXID_RELAY_DELAY_MS - 1).asked(1)).toEqual([])
    expect(harness.elapse(1).asked(1)).toHaveLength(1)
  })

  it("is asked for without its witness where the peer has none to give", () => {
    const tx = fresh()
    const harness = new RelayHarness().outbound(1, { ...LEGACY, services: NODE_NETWORK }).invByTxid(1, tx)
    expect(harness.asked(1)).toEqual([`tx ${nameOf(tx.txid)}`])
  })

  it("waits while its peer has a hundred to send already, unless our user lets it", () => {
    const all = many(MAX_PEER_TX_REQUEST_IN_FLIGHT)
    const harness = new RelayHarness().outbound(1).outbound(2, { mayRelay: true })
    expect(harness.inv(1, ...all).asked(1)).toHaveLength(MAX_PEER_TX_REQUEST_IN_FLIGHT)
    const another = fresh()
    expect(
      harness
        .inv(1, another)
        .elapse(OVERLOADED_PEER_TX_DELAY_MS - 1)
        .asked(1)
    ).toEqual([])
    expect(harness.elapse(1).asked(1)).toEqual([wtx(another)])
    harness.inv(2, ...many(MAX_PEER_TX_REQUEST_IN_FLIGHT)).asked(2)
    const last = fresh()
    expect(harness.inv(2, last).asked(2)).toEqual([wtx(last)])
  })

  it("is asked of the next peer when the first says that it lacks it, and of nobody twice (CVE-2024-52913)", () => {
    const tx = fresh()
    const harness = new RelayHarness()
    for (const peer of [1, 2, 3]) harness.outbound(peer)
    for (const peer of [1, 2, 3]) harness.inv(peer, tx)
    const asked: Array<number> = []
    for (let round = 0; round < 5; round++) {
      for (const peer of [1, 2, 3]) {
        if (harness.asked(peer).length === 0) continue
        asked.push(peer)
        // It announces it again, and again lacks it.
        harness.inv(peer, tx).notFound(peer, tx)
      }
    }
    expect(asked.toSorted((a, b) => a - b)).toEqual([1, 2, 3])
  })

  it("is asked of the next peer when the first has not sent it in a minute", () => {
    const tx = fresh()
    const harness = new RelayHarness().outbound(1).inv(1, tx).outbound(2).inv(2, tx)
    expect([harness.asked(1), harness.elapse(GETDATA_TX_INTERVAL_MS - 1).asked(2)]).toEqual([[wtx(tx)], []])
    expect(harness.elapse(1).asked(2)).toEqual([wtx(tx)])
  })

  it("is asked of another when its peer goes", () => {
    const tx = fresh()
    const harness = new RelayHarness().outbound(1).inv(1, tx).outbound(2).inv(2, tx).gone(1)
    expect(harness.asked(2)).toEqual([wtx(tx)])
  })

  it("is not asked for where it is in the pool, was taken, or is in a block since", () => {
    const [pooled, taken, mined] = [fresh(), fresh(), fresh()]
    const harness = new RelayHarness().outbound(1).outbound(2).local(pooled).tx(2, taken).block(mined)
    expect(harness.inv(1, pooled, taken, mined).asked(1)).toEqual([])
    expect(harness.reorganised().inv(1, mined).asked(1)).toEqual([wtx(mined)])
  })

  it("is not asked for where it is in a block below those that left the chain", () => {
    const [deep, below, last] = [fresh(), fresh(), fresh()]
    const harness = new RelayHarness().outbound(1).block(deep).block(below).block(last)
    harness.reorganised().reorganised()
    expect(harness.inv(1, deep, below, last).asked(1)).toEqual([wtx(below), wtx(last)])
  })

  it("is asked for where it is in a block that left, though nobody had the block above it", () => {
    const [below, left] = [fresh(), fresh()]
    const harness = new RelayHarness().outbound(1).block(below).block(left)
    harness.reorganised(new Uint8Array(32).fill(7)).reorganised()
    expect(harness.inv(1, below, left).asked(1)).toEqual([wtx(left)])
  })

  it("is not asked for again where it was rejected, until the tip changes", () => {
    const tx = fresh()
    const harness = new RelayHarness().outbound(1).outbound(2)
    harness.pool.answers(tx, { _tag: "Rejected", rule: "dust", isWitnessMutable: false })
    harness.inv(1, tx).tx(1, tx)
    harness.asked(1)
    expect([harness.inv(2, tx).asked(2), harness.take("Disconnect")]).toEqual([[], []])
    expect(harness.input({ _tag: "TipChanged" }).inv(2, tx).asked(2)).toEqual([wtx(tx)])
  })

  it("is asked of nobody while it is validated, and of another where that says nothing about it", () => {
    const tx = fresh()
    const harness = new RelayHarness().outbound(1).outbound(2)
    harness.answers = false
    harness.inv(1, tx).inv(2, tx).tx(1, tx)
    harness.asked(1)
    expect(harness.elapse(1000).asked(2)).toEqual([])
    harness.answer({ _tag: "Rejected", rule: "witness", isWitnessMutable: true, isWitnessStripped: true })
    expect(harness.asked(2)).toEqual([wtx(tx)])
  })

  it("is of no use while we catch up, or to a node that fetches none", () => {
    const tx = fresh()
    const harness = new RelayHarness().outbound(1)
    harness.isCatchingUp = true
    expect([harness.inv(1, tx).tx(1, tx).elapse(10_000).asked(1), harness.submitted()]).toEqual([[], []])
    harness.isCatchingUp = false
    expect(harness.inv(1, tx).asked(1)).toEqual([wtx(tx)])
    const idle = new RelayHarness({ fetches: false }).outbound(1).inv(1, tx).tx(1, tx).elapse(10_000)
    expect([idle.asked(1), idle.submitted(), idle.take("Disconnect")]).toEqual([[], [], []])
  })

  it("counts only in the way that was agreed on, and blocks and unknown types not at all", () => {
    const [one, other] = [fresh(), fresh()]
    const harness = new RelayHarness().outbound(1).outbound(2, LEGACY).invByTxid(1, one).inv(2, other)
    harness.announces(1, [
      { type: MSG_BLOCK, hash: one.txid },
      { type: MSG_WITNESS_TX, hash: one.txid },
      { type: 0x7777, hash: one.txid }
    ])
    expect([harness.elapse(10_000).asked(1), harness.asked(2)]).toEqual([[], []])
    expect(harness.relay.snapshot().announcements).toBe(0)
  })
})

describe("who sends what was not agreed", () => {
  it("has to go from a node of blocks only, but for whom our user lets", () => {
    const tx = fresh()
    const harness = new RelayHarness({ isBlocksOnly: true }).outbound(1).outbound(2).outbound(3, { mayRelay: true })
    harness.inv(1, tx).tx(2, tx).inv(3, tx)
    expect(harness.take("Disconnect").map(({ peer, reason }) => [peer, reason])).toEqual([
      [1, { _tag: "TransactionsUnwanted", command: "inv" }],
      [2, { _tag: "TransactionsUnwanted", command: "tx" }]
    ])
    expect(harness.asked(3)).toEqual([wtx(tx)])
    expect(harness.announces(2, [{ type: MSG_BLOCK, hash: tx.txid }]).take("Disconnect")).toEqual([])
  })

  it("has to go from a connection that is for blocks alone, while we catch up too", () => {
    const harness = new RelayHarness().outbound(1, { isBlockOnly: true })
    harness.isCatchingUp = true
    expect(harness.inv(1, fresh()).take("Disconnect")).toHaveLength(1)
  })
})

describe("a flood of announcements", () => {
  it("of 50,000 is looked at a thousand a turn, and its peer not heard meanwhile (CVE-2024-52915)", () => {
    const harness = new RelayHarness().outbound(1, { mayRelay: true }).outbound(2)
    const entries = Array.from({ length: 50_000 }, (_, n) => {
      const hash = new Uint8Array(32).fill(1)
      new DataView(hash.buffer).setUint32(0, n)
      return { type: MSG_WTX, hash }
    })
    harness.announces(1, entries)
    const tx = fresh()
    let [turns, before] = [0, 0]
    do {
      const { announcements } = harness.relay.snapshot()
      // One more is the other's.
      expect(announcements - before).toBeLessThanOrEqual(1001)
      before = announcements
      turns += 1
      // Others have their turns.
      if (turns === 5) expect(harness.inv(2, tx).asked(2)).toEqual([wtx(tx)])
      expect(harness.owed.has(1)).toBe(harness.relay.snapshot().announcements < 50_000)
    } while (harness.turn())
    expect([turns >= 50, turns <= 60]).toEqual([true, true])
    expect(harness.owed.has(1)).toBe(false)
    const sent = harness.sent(1, "getdata", "notfound", "inv", "tx")
    expect(sent.every((message) => "inventory" in message && message.inventory.count <= MAX_GETDATA_SZ)).toBe(true)
  })

  it("is kept up to 5,000 of a peer", () => {
    const harness = new RelayHarness().ready(1)
    const flood = Array.from({ length: 7000 }, (_, n) => {
      const hash = new Uint8Array(32).fill(2)
      new DataView(hash.buffer).setUint32(0, n)
      return { type: MSG_WTX, hash }
    })
    harness.announces(1, flood)
    while (harness.turn());
    expect(harness.relay.peer(PeerId(1))?.announcements).toBe(MAX_PEER_TX_ANNOUNCEMENTS)
    harness.gone(1)
    expect([harness.relay.isEmpty, harness.relay.nextTimeout()]).toEqual([true, undefined])
  })

  it("outlives the memory that it came in", () => {
    const harness = new RelayHarness().outbound(1)
    const raw = new Uint8Array(36 * 1500)
    for (let n = 0; n < 1500; n++) {
      raw[36 * n] = MSG_WTX
      new DataView(raw.buffer).setUint32(36 * n + 4, n)
    }
    harness.received(1, { _tag: "inv", inventory: new Inventory(raw) })
    raw.fill(9)
    while (harness.turn());
    expect(harness.relay.snapshot().announcements).toBe(1500)
  })
})
