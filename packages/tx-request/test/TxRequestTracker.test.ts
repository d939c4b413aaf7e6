import { ChaChaRandom, type SipKey, sipKey } from "@satwire/crypto"
import { Instant, PeerId, type Random } from "@satwire/machine"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { TxRequestTracker, type Verdict } from "../src/TxRequestTracker.ts"
import { NaiveTxRequests, hashOf } from "./NaiveTxRequests.ts"

/** A generator that remembers the key that was drawn last: the naive model decides by the same one. */
const keyed = (seed: number): { readonly random: Random; readonly key: () => SipKey } => {
  const inner = ChaChaRandom.fromNumber(seed)
  let key = new Uint8Array(16)
  const random: Random = {
    u32: () => inner.u32(),
    u64: () => inner.u64(),
    below: (bound) => inner.below(bound),
    unit: () => inner.unit(),
    fork: () => inner.fork(),
    bytes: (length) => (key = inner.bytes(length) as Uint8Array<ArrayBuffer>)
  }
  return { random, key: () => sipKey(key) }
}

const numberOf = (hash: Uint8Array): number => new DataView(hash.buffer, hash.byteOffset).getUint32(12)

/** What a peer is asked for, by the numbers of the hashes. */
const ask = (
  tracker: TxRequestTracker,
  peer: number,
  expiry: number,
  verdict: (hash: number) => Verdict = () => "ask"
): ReadonlyArray<number> => {
  const asked: Array<number> = []
  tracker.request(PeerId(peer), Instant(expiry), (hash) => {
    const said = verdict(numberOf(hash))
    if (said === "ask") asked.push(numberOf(hash))
    return said
  })
  return asked
}

const announce = (
  tracker: TxRequestTracker,
  peer: number,
  hash: number,
  { at = 0, isPreferred = false, isWtxid = true }: { at?: number; isPreferred?: boolean; isWtxid?: boolean } = {}
): void => tracker.receivedInv(PeerId(peer), hashOf(hash), { isPreferred, isWtxid, requestAt: Instant(at) })

const ascending = (a: number, b: number): number => a - b

const make = (seed: number = 1): TxRequestTracker => new TxRequestTracker(ChaChaRandom.fromNumber(seed))

type Op =
  | {
      readonly _tag: "inv"
      readonly peer: number
      readonly hash: number
      readonly isWtxid: boolean
      readonly isPreferred: boolean
      readonly delay: number
    }
  | { readonly _tag: "wait"; readonly ms: number }
  | { readonly _tag: "request"; readonly peer: number; readonly verdict: Verdict; readonly expiry: number }
  | { readonly _tag: "response"; readonly peer: number; readonly hash: number }
  | { readonly _tag: "forget"; readonly hash: number }
  | { readonly _tag: "gone"; readonly peer: number }

// Ids on both sides of what 32 bits hold.
const peer = fc.constantFrom(0, 1, 2, 3, 2 ** 31, 2 ** 32 + 1, 2 ** 52)
const hash = fc.nat(11)

const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      _tag: fc.constant("inv" as const),
      peer,
      hash,
      isWtxid: fc.boolean(),
      isPreferred: fc.boolean(),
      delay: fc.constantFrom(0, 0, 2, 4, 6, 60)
    })
  },
  { weight: 4, arbitrary: fc.record({ _tag: fc.constant("wait" as const), ms: fc.nat(8) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      _tag: fc.constant("request" as const),
      peer,
      verdict: fc.constantFrom<Verdict>("ask", "ask", "have", "wait"),
      expiry: fc.constantFrom(0, 3, 10)
    })
  },
  { weight: 3, arbitrary: fc.record({ _tag: fc.constant("response" as const), peer, hash }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("forget" as const), hash }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("gone" as const), peer }) }
)

const PEERS = [0, 1, 2, 3, 2 ** 31, 2 ** 32 + 1, 2 ** 52]

class Pair {
  readonly tracker: TxRequestTracker
  readonly naive: NaiveTxRequests
  #now = 0

  constructor(seed: number) {
    const { key, random } = keyed(seed)
    this.tracker = new TxRequestTracker(random)
    this.naive = new NaiveTxRequests(key())
  }

  apply(op: Op): void {
    const { naive, tracker } = this
    switch (op._tag) {
      case "inv": {
        const at = this.#now + op.delay
        announce(tracker, op.peer, op.hash, { at, isPreferred: op.isPreferred, isWtxid: op.isWtxid })
        naive.receivedInv(op.peer, op.hash, op.isWtxid, op.isPreferred, at)
        break
      }
      case "wait":
        this.#now += op.ms
        break
      case "request":
        this.#request(op)
        break
      case "response":
        tracker.receivedResponse(PeerId(op.peer), hashOf(op.hash))
        naive.receivedResponse(op.peer, op.hash)
        break
      case "forget":
        tracker.forget(hashOf(op.hash))
        naive.forget(op.hash)
        break
      case "gone":
        tracker.disconnected(PeerId(op.peer))
        naive.disconnected(op.peer)
        break
    }
    this.#same()
  }

  #request({ expiry, peer, verdict }: Op & { _tag: "request" }): void {
    const { naive, tracker } = this
    tracker.advance(Instant(this.#now))
    naive.advance(this.#now)
    const wanted = naive.requestable(peer)
    const seen: Array<readonly [number, boolean]> = []
    tracker.request(PeerId(peer), Instant(this.#now + expiry), (hash, isWtxid) => {
      seen.push([numberOf(hash), isWtxid])
      return verdict
    })
    expect(seen).toEqual(wanted.map(({ hash, isWtxid }) => [hash, isWtxid]))
    for (const { hash } of wanted) {
      if (verdict === "ask") naive.requested(peer, hash, this.#now + expiry)
      if (verdict === "have") naive.forget(hash)
    }
    if (verdict === "wait") for (const { hash } of wanted) tracker.reconsider(hashOf(hash))
  }

  #same(): void {
    const { naive, tracker } = this
    expect(tracker.size).toBe(naive.size)
    const counts = PEERS.map(PeerId).map((id) => [
      tracker.count(id),
      tracker.countInFlight(id),
      tracker.countCandidates(id)
    ])
    expect(counts).toEqual(
      PEERS.map((peer) => [
        naive.count(peer, "candidate", "requested", "completed"),
        naive.count(peer, "requested"),
        naive.count(peer, "candidate")
      ])
    )
    const hashes = Array.from({ length: 12 }, (_, hash) => hash)
    expect(hashes.map((hash) => tracker.candidatePeers(hashOf(hash)).toSorted(ascending))).toEqual(
      hashes.map((hash) => naive.candidatePeers(hash).toSorted(ascending))
    )
    tracker.advance(Instant(this.#now))
    naive.advance(this.#now)
    expect(tracker.nextTimeout()).toBe(naive.nextTimeout())
  }
}

describe("a tracker of requests", () => {
  it("is that of a naive account of it, whatever is announced, asked, answered and forgotten", () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.array(op, { minLength: 20, maxLength: 120 }), (seed, ops) => {
        const both = new Pair(seed)
        for (const each of ops) both.apply(each)
      }),
      { numRuns: 40 }
    )
  })

  it("names every peer that has something to ask for", () => {
    const tracker = make()
    for (let peer = 1; peer <= 3; peer++) announce(tracker, peer, peer, { at: peer })
    const ready = (now: number): Array<number> => {
      tracker.advance(Instant(now))
      const peers: Array<number> = []
      for (let peer = tracker.nextReady(); peer !== undefined; peer = tracker.nextReady()) {
        peers.push(peer)
        ask(tracker, peer, now + 60)
      }
      return peers
    }
    expect([ready(0), ready(1), ready(3)]).toEqual([[], [1], [2, 3]])
  })

  it("asks nobody twice for what it announced, however often it announces it (CVE-2024-52913)", () => {
    const tracker = make()
    const asked: Array<number> = []
    for (let round = 0; round < 10; round++) {
      const now = Instant(100 * round)
      announce(tracker, 1, 5, { at: now })
      announce(tracker, 2, 5, { at: now })
      tracker.advance(now)
      for (const peer of [1, 2]) if (ask(tracker, peer, now + 60).length > 0) asked.push(peer)
      // Who announces without end keeps it in mind that it was asked.
      announce(tracker, 3 + round, 5, { at: now + 1_000_000 })
    }
    expect(asked.toSorted(ascending)).toEqual([1, 2])
  })

  it("asks one peer at a time, and the next when that one lacks it or has had its time", () => {
    const tracker = make()
    for (const peer of [1, 2, 3]) announce(tracker, peer, 9)
    tracker.advance(Instant(0))
    const first = [1, 2, 3].filter((peer) => ask(tracker, peer, 60).length > 0)
    expect(first).toHaveLength(1)
    tracker.receivedResponse(PeerId(first[0] as number), hashOf(9))
    const second = [1, 2, 3].filter((peer) => ask(tracker, peer, 60).length > 0)
    expect(second).toHaveLength(1)
    tracker.advance(Instant(59))
    expect([1, 2, 3].filter((peer) => ask(tracker, peer, 120).length > 0)).toEqual([])
    tracker.advance(Instant(60))
    const third = [1, 2, 3].filter((peer) => ask(tracker, peer, 120).length > 0)
    expect([...first, ...second, ...third].toSorted(ascending)).toEqual([1, 2, 3])
    // Nobody is left: it may be announced anew.
    tracker.advance(Instant(120))
    expect(tracker.size).toBe(0)
  })

  it("lets chance decide among equals, whoever came first, and preferred peers before all others", () => {
    const wins = new Map<number, number>()
    const tracker = make()
    for (let hash = 0; hash < 3000; hash++) {
      for (const peer of [1, 2, 3]) announce(tracker, peer, hash)
      tracker.advance(Instant(0))
      const winner = [1, 2, 3].find((peer) => ask(tracker, peer, 60).length > 0) as number
      wins.set(winner, (wins.get(winner) ?? 0) + 1)
      tracker.forget(hashOf(hash))
    }
    for (const count of wins.values()) expect(Math.abs(count - 1000)).toBeLessThan(150)
    for (let hash = 0; hash < 100; hash++) {
      for (const peer of [1, 2, 3]) announce(tracker, peer, hash)
      announce(tracker, 4, hash, { isPreferred: true })
    }
    tracker.advance(Instant(0))
    expect([1, 2, 3, 4].map((peer) => ask(tracker, peer, 60).length)).toEqual([0, 0, 0, 100])
  })

  it("asks in the order of announcement, and goes on where it stopped", () => {
    const tracker = make()
    for (let hash = 20; hash > 0; hash--) announce(tracker, 1, hash)
    tracker.advance(Instant(0))
    const seen: Array<number> = []
    for (let peer = tracker.nextReady(); peer !== undefined; peer = tracker.nextReady()) {
      expect(tracker.request(peer, Instant(60), (hash) => (seen.push(numberOf(hash)), "ask"), 7)).toBeLessThan(8)
    }
    expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => 20 - i))
  })

  it("holds nothing once everybody has gone", () => {
    const tracker = make()
    for (let peer = 1; peer <= 50; peer++)
      for (let hash = 0; hash < 50; hash++) announce(tracker, peer, hash + (peer % 7))
    tracker.advance(Instant(0))
    for (let peer = 1; peer <= 50; peer++) ask(tracker, peer, 60)
    for (let peer = 1; peer <= 50; peer++) tracker.disconnected(PeerId(peer))
    expect([tracker.size, tracker.nextTimeout(), tracker.nextReady()]).toEqual([0, undefined, undefined])
  })
})
