import { ChaChaRandom } from "@satwire/crypto"
import { Instant, PeerId } from "@satwire/machine"
import type { NamedTransaction } from "@satwire/tx-request"
import type { Inventory } from "@satwire/wire"
import { describe, expect, it } from "vitest"
import { Hidden } from "../src/Hidden.ts"
import { InventoryTrickle } from "../src/InventoryTrickle.ts"
import { type PeerTraits, RelayPeer } from "../src/RelayPeer.ts"
import {
  INBOUND_INVENTORY_BROADCAST_INTERVAL_MS,
  INVENTORY_BROADCAST_MAX,
  INVENTORY_BROADCAST_TARGET,
  MAX_INV_TO_SEND,
  OUTBOUND_INVENTORY_BROADCAST_INTERVAL_MS
} from "../src/index.ts"
import { RelayHarness, childOf, fresh, many, nameOf, wtx } from "./RelayHarness.ts"
import { TestPool } from "./TestPool.ts"

const MINUTE = 60_000

/** When a peer is told next, in milliseconds from now, and of what. */
const nextTold = (harness: RelayHarness, peers: ReadonlyArray<number>): ReadonlyMap<number, number> => {
  const times = new Map<number, number>()
  const start = harness.now.instant
  while (times.size < peers.length && harness.now.instant - start < 10 * MINUTE) {
    harness.elapse(1)
    for (const peer of peers)
      if (harness.told(peer).length > 0 && !times.has(peer)) times.set(peer, harness.now.instant - start)
  }
  return times
}

describe("a transaction that the pool took", () => {
  it("is told to inbound peers of one network at one time, to others at times of their own", () => {
    const harness = new RelayHarness()
    for (const peer of [1, 2, 3]) harness.ready(peer)
    harness.ready(4, { networkKey: "onion" }).outbound(5).outbound(6).local(fresh())
    const times = nextTold(harness, [1, 2, 3, 4, 5, 6])
    expect(new Set([1, 2, 3].map((peer) => times.get(peer))).size).toBe(1)
    expect(new Set(times.values()).size).toBe(4)
  })

  it("is told after times that are exponentially distributed, five seconds in the mean and two outbound", () => {
    const [inbound, outbound]: [Array<number>, Array<number>] = [[], []]
    for (let seed = 1; seed <= 20; seed++) {
      const harness = new RelayHarness({ seed })
      for (let n = 1; n <= 15; n++) harness.ready(n, { networkKey: `${n}` }).outbound(100 + n)
      harness.local(fresh())
      for (const [peer, ms] of waits(harness)) (peer < 100 ? inbound : outbound).push(ms)
    }
    const mean = (all: ReadonlyArray<number>): number => all.reduce((sum, each) => sum + each, 0) / all.length
    const late = (all: ReadonlyArray<number>, ms: number): number => all.filter((each) => each > ms).length / all.length
    expect([inbound.length, outbound.length]).toEqual([300, 300])
    for (const [all, expected] of [
      [inbound, INBOUND_INVENTORY_BROADCAST_INTERVAL_MS],
      [outbound, OUTBOUND_INVENTORY_BROADCAST_INTERVAL_MS]
    ] as const) {
      expect(Math.abs(mean(all) / expected - 1)).toBeLessThan(0.25)
      // What waited for one mean waits for another as often as at the beginning.
      expect(Math.abs(late(all, expected) - Math.exp(-1))).toBeLessThan(0.1)
    }
  })

  it("is told at once to who is trusted", () => {
    const tx = fresh()
    const harness = new RelayHarness().ready(1, { isTrusted: true }).local(tx).elapse(0)
    expect(harness.told(1)).toEqual([wtx(tx)])
  })

  it("is not told to who announced it, sent it, or was told already", () => {
    const [announced, sent, ours] = [fresh(), fresh(), fresh()]
    const harness = new RelayHarness().outbound(1).outbound(2).inv(1, announced).tx(2, announced).tx(1, sent)
    harness.local(ours).elapse(MINUTE)
    expect(harness.told(1)).toEqual([wtx(ours)])
    expect(harness.told(2).toSorted()).toEqual([wtx(sent), wtx(ours)].toSorted())
    expect(harness.local(ours).elapse(MINUTE).told(1)).toEqual([])
  })

  it("is told by txid to who announces by txid", () => {
    const tx = fresh()
    const harness = new RelayHarness().outbound(1, { wtxidRelay: false }).local(tx).elapse(MINUTE)
    expect(harness.told(1)).toEqual([`tx ${nameOf(tx.txid)}`])
  })

  it("is told to nobody who wants none, to no connection of blocks alone, and by no node that relays none", () => {
    const harness = new RelayHarness().outbound(1, { relaysTransactions: false }).outbound(2, { isBlockOnly: true })
    harness.local(fresh()).elapse(MINUTE)
    expect([harness.told(1), harness.told(2)]).toEqual([[], []])
    const silent = new RelayHarness({ relays: false }).outbound(1).tx(1, fresh()).local(fresh()).elapse(MINUTE)
    expect([silent.told(1), silent.pool.size]).toEqual([[], 2])
  })

  it("is not told to who came later, nor of one that has left the pool meanwhile", () => {
    const [early, left, stays] = [fresh(), fresh(), fresh()]
    const harness = new RelayHarness().outbound(1).local(early).outbound(2).local(left, stays)
    harness.pool.remove(left)
    expect([harness.elapse(MINUTE).told(1).length, harness.told(2)]).toEqual([2, [wtx(stays)]])
  })

  it("is told only to those who want such a fee rate", () => {
    const [cheap, dear] = [fresh(), fresh()]
    const harness = new RelayHarness().outbound(1).feefilter(1, 2000n).outbound(2).feefilter(2, -1n)
    harness.pool.pays(dear, 2000)
    harness.pool.pays(cheap, 1999)
    harness.local(cheap, dear).elapse(MINUTE)
    expect([harness.told(1), harness.told(2).length]).toEqual([[wtx(dear)], 2])
    // More than there is of money is no fee rate.
    harness.feefilter(1, 2n ** 62n)
    expect(harness.relay.peer(PeerId(1))?.minFeeRateSatPerKvb).toBe(2000)
  })

  it("is told again where one sends it for whom our user wants that", () => {
    const tx = fresh()
    const harness = new RelayHarness()
      .outbound(1)
      .outbound(2, { forceRelay: true })
      .tx(1, tx)
      .elapse(MINUTE)
      .outbound(3)
    expect(harness.tx(1, tx).elapse(MINUTE).told(3)).toEqual([])
    expect(harness.tx(2, tx).elapse(MINUTE).told(3)).toEqual([wtx(tx)])
  })

  it("is told to many peers at one time, over as many turns as that takes", () => {
    const { pool, trickle } = alone()
    for (let peer = 2; peer <= 60; peer++) trickle.join(new RelayPeer(PeerId(peer), TOLD), "ipv4")
    for (let n = 0; n < 50; n++) pool.put(numbered(n))
    for (const each of pool.entries()) trickle.queue(each, Instant(0))
    const at = trickle.nextTimeout() as Instant
    const turns: Array<number> = []
    while (trickle.nextTimeout() === at) {
      let told = 0
      trickle.step(
        at,
        () => (told += 1),
        () => false
      )
      turns.push(told)
    }
    expect(turns).toEqual([20, 20, 20])
    expect(trickle.nextTimeout()).toBe(undefined)
  })

  it("of ours is told again after a while, until somebody has asked for it", () => {
    const [heard, unheard] = [fresh(), fresh()]
    const harness = new RelayHarness().outbound(1).local(heard, unheard).elapse(MINUTE).asks(1, heard).outbound(2)
    expect(harness.relay.unbroadcast.map(nameOf)).toEqual([nameOf(unheard.wtxid)])
    harness.elapse(16 * MINUTE)
    expect(harness.told(2)).toEqual([wtx(unheard)])
  })
})

/** When each peer is told first, by the machine's own timeouts. */
const waits = (harness: RelayHarness): ReadonlyMap<number, number> => {
  const times = new Map<number, number>()
  for (
    let next = harness.relay.nextTimeout();
    next !== undefined && next < 5 * MINUTE;
    next = harness.relay.nextTimeout()
  ) {
    harness.elapse(Math.max(0, next - harness.now.instant))
    for (const { isAnnouncement, peer } of harness.take("Send")) {
      if (isAnnouncement === true && !times.has(peer)) times.set(peer, harness.now.instant)
    }
  }
  return times
}

describe("what a peer is told at a time", () => {
  it("comes in the order of fee rates, each behind its parents", () => {
    const [low, high] = [fresh(), fresh()]
    const child = childOf(low)
    const grandchild = childOf(child)
    const harness = new RelayHarness().outbound(1)
    harness.pool.pays(low, 100)
    harness.pool.pays(high, 3000)
    harness.pool.pays(child, 200)
    harness.pool.pays(grandchild, 5000)
    harness.local(low, high, child, grandchild).elapse(MINUTE)
    expect(harness.told(1)).toEqual([low, child, grandchild, high].map(wtx))
  })

  it("is seventy, and five more for each thousand that wait, up to a thousand (30.0)", () => {
    expect([INVENTORY_BROADCAST_TARGET, INVENTORY_BROADCAST_MAX]).toEqual([70, 1000])
    const counts = (waiting: number): ReadonlyArray<number> => {
      const { peer, pool, trickle } = alone()
      for (let n = 0; n < waiting; n++) pool.put(numbered(n))
      for (const each of pool.entries()) trickle.queue(each, Instant(0))
      return [1, 2].flatMap(() => tellNext(trickle, peer).map(({ length }) => length))
    }
    expect(counts(69)).toEqual([69])
    expect(counts(200)).toEqual([70, 70])
    expect(counts(3000)).toEqual([85, 80])
  })

  it("ends with all of it, the best first, over many times", () => {
    const all = many(400)
    const harness = new RelayHarness().ready(1).outbound(2)
    all.forEach((each, n) => harness.pool.pays(each, 1000 + ((n * 7) % 400)))
    const byRate = all.map((each, n) => [(n * 7) % 400, wtx(each)] as const).toSorted(([a], [b]) => b - a)
    harness.local(...all).elapse(5 * MINUTE)
    expect(harness.told(1)).toEqual(byRate.map(([, name]) => name))
    expect(harness.told(2)).toEqual(byRate.map(([, name]) => name))
    expect(harness.relay.nextTimeout()).toBeGreaterThan(5 * MINUTE)
  })

  it("waits in a queue that is bounded, and of more those are kept that pay most", () => {
    const { peer, pool, trickle } = alone()
    for (let n = 0; n < MAX_INV_TO_SEND + 3000; n++) {
      pool.pays(numbered(n), n)
      pool.put(numbered(n))
    }
    for (const each of pool.entries()) trickle.queue(each, Instant(0))
    const [told = []] = tellNext(trickle, peer)
    expect([told.length, trickle.waiting(peer)]).toEqual([135, MAX_INV_TO_SEND])
    expect(told[0]).toEqual(numbered(MAX_INV_TO_SEND + 2999).wtxid)
    // Who is never told keeps a bounded number in the log.
    for (let round = 0; round < 3; round++) for (const each of pool.entries()) trickle.queue(each, Instant(0))
    expect(trickle.waiting(peer)).toBeLessThanOrEqual(3 * MAX_INV_TO_SEND)
  })
})

const TOLD = { wtxidRelay: true, mayBeTold: true } as PeerTraits

/** Part of the machine by itself, with a pool in which there may be much. */
const alone = (): { readonly peer: RelayPeer; readonly pool: TestPool; readonly trickle: InventoryTrickle } => {
  const pool = new TestPool()
  const trickle = new InventoryTrickle(ChaChaRandom.fromNumber(1), pool, new Hidden(undefined))
  const peer = new RelayPeer(PeerId(1), TOLD)
  trickle.join(peer, "ipv4")
  return { peer, pool, trickle }
}

/** What the peer is told at its next time. */
const tellNext = (trickle: InventoryTrickle, peer: RelayPeer): ReadonlyArray<ReadonlyArray<Uint8Array>> => {
  const told: Array<ReadonlyArray<Uint8Array>> = []
  const next = trickle.nextTimeout()
  const tell = (to: RelayPeer, inventory: Inventory): void => {
    expect(to).toBe(peer)
    told.push([...inventory].map(({ hash }) => hash))
  }
  if (next !== undefined) trickle.step(next, tell, () => false)
  return told
}

/** One of as many as are wanted, which all have the same bytes. */
const numbered = (n: number): NamedTransaction => {
  const hash = new Uint8Array(32).fill(3)
  new DataView(hash.buffer).setUint32(0, n)
  return {
    ...TEMPLATE,
    wtxid: hash as Uint8Array as NamedTransaction["wtxid"],
    txid: hash as Uint8Array as NamedTransaction["txid"]
  }
}

const TEMPLATE = fresh()
