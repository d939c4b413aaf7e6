import { PeerId } from "@satwire/machine"
import { MSG_BLOCK, MSG_TX, MSG_WITNESS_TX, MSG_WTX } from "@satwire/wire"
import { describe, expect, it } from "vitest"
import { RelayHarness, fresh, many, nameOf, wtx } from "./RelayHarness.ts"

const MINUTE = 60_000
const named = ({ wtxid }: { readonly wtxid: Uint8Array }): string => nameOf(wtxid)

describe("a getdata", () => {
  it("is given what was announced, by either hash, with and without its witness", () => {
    const tx = fresh()
    const harness = new RelayHarness().outbound(1).local(tx).elapse(MINUTE)
    harness.getdata(1, [
      { type: MSG_WTX, hash: tx.wtxid },
      { type: MSG_WITNESS_TX, hash: tx.txid },
      { type: MSG_TX, hash: tx.txid }
    ])
    const given = harness.sent(1, "tx").map((message) => (message._tag === "tx" ? message.tx.bytes.length : 0))
    expect(given).toEqual([tx.tx.bytes.length, tx.tx.bytes.length, tx.tx.strippedSize])
    expect([harness.take("ReplyOwed"), harness.listed(1, "notfound")]).toEqual([[], []])
  })

  it("is told once of all that there is not", () => {
    const [ours, ...strange] = [fresh(), fresh(), fresh()]
    const harness = new RelayHarness()
      .outbound(1)
      .local(ours)
      .elapse(MINUTE)
      .asks(1, ...strange, ours)
    expect([harness.given(1), harness.listed(1, "notfound")]).toEqual([[named(ours)], strange.map(wtx)])
  })

  it("learns nothing of what came since its peer was told last, also by connecting anew (#27675)", () => {
    const [early, late] = [fresh(), fresh()]
    const harness = new RelayHarness().ready(1).local(early).elapse(MINUTE).local(late)
    const probe = (peer: number): ReadonlyArray<string> => harness.asks(peer, early, late).given(peer)
    expect([probe(1), probe(1)]).toEqual([[named(early)], [named(early)]])
    harness.ready(2).ready(3, { networkKey: "onion" })
    // They could have heard of the first from anybody by now.
    expect([probe(2), probe(3)]).toEqual([[named(early)], [named(early)]])
    harness.elapse(MINUTE)
    expect([probe(1), probe(2)]).toEqual([
      [named(early), named(late)],
      [named(early), named(late)]
    ])
  })

  it("is given what the last block has for as long as it is the last one, where that was announced", () => {
    const [told, untold, next] = [fresh(), fresh(), fresh()]
    const harness = new RelayHarness().ready(1).local(told).elapse(MINUTE).local(untold).block(told, untold)
    expect(harness.asks(1, told, untold).given(1)).toEqual([named(told)])
    expect(harness.block(next).asks(1, told).given(1)).toEqual([])
  })

  it("of who wants to be told nothing is not answered, and of a node that relays none in the negative", () => {
    const tx = fresh()
    const harness = new RelayHarness().outbound(1, { relaysTransactions: false }).local(tx).elapse(MINUTE).asks(1, tx)
    expect([harness.given(1), harness.listed(1, "notfound")]).toEqual([[], []])
    const silent = new RelayHarness({ relays: false }).outbound(1).local(tx).elapse(MINUTE).asks(1, tx)
    expect([silent.given(1), silent.listed(1, "notfound")]).toEqual([[], [wtx(tx)]])
  })

  it("of blocks is not ours to answer", () => {
    const harness = new RelayHarness().outbound(1).getdata(1, [{ type: MSG_BLOCK, hash: fresh().txid }])
    expect([harness.take("Send").filter(({ message }) => message._tag !== "feefilter"), harness.owed.size]).toEqual([
      [],
      0
    ])
  })

  it("of 50,000 entries of no known type ends without a word, and of what is not there in fifty turns (CVE-2024-52920)", () => {
    const entries = (type: number): ReadonlyArray<{ readonly type: number; readonly hash: Uint8Array }> =>
      Array.from({ length: 50_000 }, (_, n) => {
        const hash = new Uint8Array(32)
        new DataView(hash.buffer).setUint32(0, n)
        return { type, hash }
      })
    const harness = new RelayHarness().outbound(1).ready(2)
    harness.take("Send")
    harness.getdata(1, entries(0x7777))
    expect([harness.turn(), harness.take("Send"), harness.owed.size]).toEqual([false, [], 0])
    harness.getdata(1, entries(MSG_WTX))
    let turns = 0
    while (harness.owed.has(1) && harness.turn()) turns += 1
    // Turn by turn, though nothing leaves meanwhile that could be said to have left.
    expect([turns, harness.listed(1, "notfound").length, harness.turn()]).toEqual([50, 50_000, false])
  })

  it("of much is given by turns, each when what was sent before has left", () => {
    const big = Array.from({ length: 6 }, (_, nonce) => fresh({ witnessBytes: 60_000, nonce }))
    const harness = new RelayHarness()
      .outbound(1)
      .local(...big)
      .elapse(MINUTE)
    harness.drains = false
    harness.asks(1, ...big)
    expect([harness.given(1).length, harness.owed.has(1), harness.turn()]).toEqual([3, true, false])
    harness.drained(1)
    expect([harness.given(1).length, harness.turn(), harness.given(1).length]).toEqual([0, true, 3])
    expect(harness.drained(1).turn() && harness.owed.size).toBe(0)
    expect(harness.turn()).toBe(false)
  })

  it("outlives the memory that it came in, and who asked is forgotten when it goes", () => {
    const big = Array.from({ length: 6 }, (_, nonce) => fresh({ witnessBytes: 60_000, nonce }))
    const harness = new RelayHarness()
      .outbound(1)
      .local(...big)
      .elapse(MINUTE)
    harness.drains = false
    harness
      .asks(1, ...big)
      .drained(1)
      .gone(1)
    expect([harness.turn(), harness.relay.isEmpty]).toEqual([false, true])
  })
})

describe("a mempool", () => {
  it("is answered only where our user lets, with all that pays enough, at the time at which the peer is told", () => {
    const all = many(2500)
    const harness = new RelayHarness().outbound(1, { mayAskForPool: true })
    for (const each of all) harness.pool.put(each)
    harness.pool.pays(all[0] as ReturnType<typeof fresh>, 10)
    harness.pool.put(all[0] as ReturnType<typeof fresh>)
    harness.feefilter(1, 500n).mempool(1)
    expect([harness.told(1), harness.owed.size]).toEqual([[], 0])
    harness.elapse(MINUTE)
    const messages = harness.sent(1, "inv").map((message) => ("inventory" in message ? message.inventory.count : 0))
    expect([messages.reduce((a, b) => a + b, 0), Math.max(...messages)]).toEqual([2499, 1000])
    expect([harness.owed.size, harness.asks(1, all[7] as ReturnType<typeof fresh>).given(1).length]).toEqual([0, 1])
  })

  it("costs others their connection, but for those that our user trusts", () => {
    const harness = new RelayHarness().outbound(1).outbound(2, { isTrusted: true }).mempool(1).mempool(2)
    const reason = { _tag: "PoolNotServed", because: "not-offered" }
    expect(harness.take("Disconnect")).toEqual([{ _tag: "Disconnect", peer: 1, reason }])
  })

  it("is answered together with what else is to be told, nothing twice", () => {
    const [old, recent] = [fresh(), fresh()]
    const harness = new RelayHarness()
    harness.pool.put(old)
    harness.outbound(1, { mayAskForPool: true }).local(recent).mempool(1).elapse(MINUTE)
    expect(harness.told(1).toSorted()).toEqual([wtx(old), wtx(recent)].toSorted())
    expect(harness.relay.peer(PeerId(1))?.invToSend).toBe(0)
  })
})
