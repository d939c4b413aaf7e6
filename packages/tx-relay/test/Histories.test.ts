/** The machine among peers that do anything: what must hold of it after every input, and that nothing is left of them. */
import { ChaChaRandom } from "@satwire/crypto"
import { PeerId, type Random } from "@satwire/machine"
import type { NamedTransaction } from "@satwire/tx-request"
import { MSG_BLOCK, MSG_TX, MSG_WITNESS_TX, MSG_WTX } from "@satwire/wire"
import { describe, expect, it } from "vitest"
import { MAX_ORPHANAGE_LATENCY_SCORE, RESERVED_ORPHAN_WEIGHT_PER_PEER } from "@satwire/tx-request"
import { MAX_PEER_TX_ANNOUNCEMENTS } from "../src/index.ts"
import { RelayHarness, childOf, fresh } from "./RelayHarness.ts"

const TYPES = [MSG_WTX, MSG_TX, MSG_WITNESS_TX, MSG_BLOCK, 0x7777]

/** Families of transactions, some of which no pool takes. */
const world = (random: Random): ReadonlyArray<NamedTransaction> => {
  const all: Array<NamedTransaction> = []
  for (let n = 0; n < 60; n++) {
    const parent = all[random.below(60)]
    all.push(parent === undefined ? fresh({ witnessBytes: random.below(2) * 30 }) : childOf(parent))
  }
  return all
}

const one = <A>(random: Random, of: ReadonlyArray<A>): A => of[random.below(of.length)] as A

class History {
  readonly harness: RelayHarness
  readonly #random: Random
  readonly #world: ReadonlyArray<NamedTransaction>
  readonly #peers: Set<number> = new Set()
  /** Who has a filter, which matches every other transaction. */
  readonly #filters: Set<number> = new Set()
  #next = 1

  constructor(seed: number) {
    this.#random = ChaChaRandom.fromNumber(seed)
    this.harness = new RelayHarness({
      seed,
      filters: {
        work: 0,
        hasFilter: (peer) => this.#filters.has(peer),
        matches: (_peer, _tx, txid) => (txid[0] as number) % 2 === 0
      }
    })
    this.harness.answers = this.#random.below(2) === 0
    this.harness.drains = this.#random.below(2) === 0
    this.#world = world(this.#random)
    for (const each of this.#world) {
      const lot = this.#random.below(10)
      this.harness.pool.pays(each, this.#random.below(3000))
      if (lot === 0) this.harness.pool.answers(each, { _tag: "Rejected", rule: "x", isWitnessMutable: false })
      if (lot === 1) this.harness.pool.answers(each, { _tag: "Rejected", rule: "y", isWitnessMutable: true })
      if (lot === 2)
        this.harness.pool.answers(each, { _tag: "Rejected", rule: "z", isWitnessMutable: true, isReconsiderable: true })
    }
  }

  step(): void {
    const random = this.#random
    if (this.#peers.size < 2 || random.below(30) === 0) this.#join()
    this.harness.elapse(random.below(800))
    if (random.below(4) === 0) this.harness.answer()
    this.#act(one(random, [...this.#peers]))
    this.#holds()
  }

  #join(): void {
    const random = this.#random
    const peer = this.#next++
    const yes = (): boolean => random.below(2) === 0
    this.#peers.add(peer)
    this.harness.ready(peer, {
      isOutbound: yes(),
      networkKey: yes() ? "ipv4" : "onion",
      relaysTransactions: random.below(4) > 0,
      wtxidRelay: random.below(3) > 0,
      isPreferred: yes(),
      isTrusted: random.below(8) === 0,
      mayRelay: random.below(8) === 0,
      forceRelay: random.below(8) === 0,
      mayAskForPool: random.below(3) === 0,
      maySetFilter: random.below(3) === 0
    })
  }

  /** A peer that is to be heard does something. */
  #act(peer: number): void {
    const random = this.#random
    const { harness } = this
    const some = (): ReadonlyArray<NamedTransaction> =>
      Array.from({ length: random.below(8) }, () => one(random, this.#world))
    const entries = (): ReadonlyArray<{ readonly type: number; readonly hash: Uint8Array }> =>
      some().map(({ txid, wtxid }) => ({ type: one(random, TYPES), hash: one<Uint8Array>(random, [txid, wtxid]) }))
    const does = [
      () => harness.announces(peer, entries()),
      () => harness.inv(peer, ...some()),
      () => harness.invByTxid(peer, ...some()),
      () => harness.tx(peer, one(random, this.#world)),
      () => harness.tx(peer, one(random, this.#world)),
      () => harness.getdata(peer, entries()),
      () => harness.notFound(peer, ...some()),
      () => harness.feefilter(peer, BigInt(random.below(2000))),
      () => harness.mempool(peer),
      () => this.#filter(peer),
      () => harness.drained(peer),
      () => harness.local(one(random, this.#world)),
      () => (random.below(5) === 0 ? harness.block(one(random, this.#world)) : harness),
      () => harness.reorganised(),
      () => (random.below(4) === 0 ? this.#leave(peer) : harness)
    ]
    one(random, does)()
    for (const { peer } of harness.take("Disconnect")) this.#leave(peer)
  }

  #filter(peer: number): void {
    if (!this.#filters.delete(peer)) this.#filters.add(peer)
    this.harness.input({ _tag: "FilterSet", peer: PeerId(peer) })
  }

  #leave(peer: number): void {
    this.#filters.delete(peer)
    this.#peers.delete(peer)
    this.harness.gone(peer)
  }

  #holds(): void {
    const { relay } = this.harness
    const { announcements, orphanWeight, orphans } = relay.snapshot()
    expect(announcements).toBeLessThanOrEqual(MAX_PEER_TX_ANNOUNCEMENTS * this.#peers.size)
    expect(orphans).toBeLessThanOrEqual(MAX_ORPHANAGE_LATENCY_SCORE)
    expect(orphanWeight).toBeLessThanOrEqual(RESERVED_ORPHAN_WEIGHT_PER_PEER * Math.max(1, this.#peers.size))
    for (const peer of this.#peers) {
      for (const message of this.harness.sent(peer, "tx")) {
        // Nothing is given that came since it was told last.
        const given = message._tag === "tx" ? message.tx : undefined
        const pooled = this.#world.find(
          ({ tx }) => tx.bytes.length === given?.bytes.length && given.bytes.every((b, i) => b === tx.bytes[i])
        )
        const sequence = pooled === undefined ? -1 : (this.harness.pool.find(pooled.wtxid)?.sequence ?? -1)
        expect(sequence).toBeLessThanOrEqual(relay.peer(PeerId(peer))?.lastInvSequence ?? -1)
      }
      // Who is waited for is heard again in the end.
      expect(this.harness.owed.has(peer) && !this.#isBusy(peer)).toBe(false)
    }
    expect([...this.harness.owed].every((peer) => this.#peers.has(peer))).toBe(true)
  }

  #isBusy(peer: number): boolean {
    return (
      this.harness.waiting.some(({ from }) => from === peer) ||
      (this.harness.relay.nextTimeout() ?? Infinity) <= this.harness.now.instant ||
      !this.harness.drains
    )
  }

  end(): void {
    this.harness.answer()
    for (const peer of this.#peers) this.#leave(peer)
    this.harness.answer()
  }
}

describe("any history", () => {
  it.each(Array.from({ length: 8 }, (_, seed) => seed))(
    "holds the rules, and leaves nothing behind (seed %i)",
    (seed) => {
      const history = new History(seed)
      for (let n = 0; n < 250; n++) history.step()
      history.end()
      expect(history.harness.relay.isEmpty).toBe(true)
      expect(history.harness.relay.snapshot()).toEqual({
        peers: 0,
        announcements: 0,
        orphans: 0,
        orphanWeight: 0,
        checking: 0
      })
    }
  )
})
