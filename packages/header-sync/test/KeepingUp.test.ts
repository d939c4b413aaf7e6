import { ChaChaRandom } from "@satwire/crypto"
import { Instant, PeerId } from "@satwire/machine"
import { type ChainParams, regtest } from "@satwire/primitives"
import { fastTestNetwork } from "@satwire/testkit"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { CHAIN_SYNC_TIMEOUT_MS, type ChosenFor, HeaderTree, MAX_PROTECTED_PEERS } from "../src/index.ts"
import { KeepingUp } from "../src/KeepingUp.ts"
import { peerView } from "../src/PeerView.ts"
import { NaiveKeepingUp, type NaiveVerdict } from "./NaiveKeepingUp.ts"
import { SyncHarness } from "./SyncHarness.ts"
import { extend } from "./TestHeaders.ts"

const MINUTE_MS = 60_000
const START = 1_700_000_000
const params: ChainParams = fastTestNetwork({ genesis: { ...regtest.genesis, time: START } })
const world = HeaderTree.fromGenesis(params, ChaChaRandom.fromNumber(1))
const tip = extend(world, 0, 60, 1)
const fork = extend(world, world.ancestor(tip, 20), 20, 2)
const part = (from: number, to: number, head = tip): Uint8Array => world.rawChain(head, from, to)

/** We know the chain up to height 30, and that is recent. */
const machine = (): SyncHarness => new SyncHarness({ params, unix: world.time(tip) + 60, chain: part(1, 30) })

/** A peer that we chose, whose first answer says that it has our tip. */
const chosen = (sync: SyncHarness, peer: number, chosenFor: ChosenFor = "block-relay-only"): SyncHarness =>
  sync.input({ _tag: "PeerReady", peer: PeerId(peer), outbound: true, chosenFor })

const letGo = (sync: SyncHarness): ReadonlyArray<number> =>
  sync.take("TooSlow").map(({ peer, reason }) => (reason._tag === "ChainTimeout" ? peer : -1))

describe("a peer that we chose", () => {
  it("goes 22 minutes after it fell behind, when a last question brought nothing", () => {
    const sync = chosen(machine(), 1)
    sync.takeSent()
    sync.elapse(CHAIN_SYNC_TIMEOUT_MS - 1)
    expect(sync.takeSent()).toEqual([])
    sync.elapse(1)
    expect(sync.takeSent()).toEqual(["1 getheaders"])
    sync.elapse(2 * MINUTE_MS - 1)
    expect(letGo(sync)).toEqual([])
    sync.elapse(1)
    expect(letGo(sync)).toEqual([1])
    expect(sync.take("Misbehaved")).toEqual([])
    sync.elapse(60 * MINUTE_MS)
    expect(letGo(sync)).toEqual([])
    expect(sync.gone(1).sync.isEmpty).toBe(true)
  })

  it("stays while it follows, and from a better tip of ours on has its time anew", () => {
    const sync = chosen(machine(), 1).headers(1, part(30, 30))
    sync.elapse(60 * MINUTE_MS)
    expect(letGo(sync)).toEqual([])
    sync.submit(part(31, 31))
    sync.elapse(CHAIN_SYNC_TIMEOUT_MS + 2 * MINUTE_MS - 1)
    expect(letGo(sync)).toEqual([])
    sync.headers(1, part(31, 31)).elapse(60 * MINUTE_MS)
    expect(letGo(sync)).toEqual([])
  })

  it("needs only reach what our tip was, however fast ours goes on", () => {
    const sync = chosen(machine(), 1)
    for (let height = 31; height <= 36; height++) {
      sync.submit(part(height, height)).elapse(15 * MINUTE_MS)
      // One behind us, always.
      sync.headers(1, part(height - 1, height - 1))
    }
    expect(letGo(sync)).toEqual([])
    sync.submit(part(37, 37)).elapse(CHAIN_SYNC_TIMEOUT_MS + 2 * MINUTE_MS)
    expect(letGo(sync)).toEqual([1])
  })

  it("goes where it stays on a chain of less work, though it tells of it again and again", () => {
    const sync = chosen(machine(), 1)
    sync.submit(part(31, 60))
    for (let height = 21; height <= 40; height++) {
      sync.headers(1, part(height, height, fork)).elapse(2 * MINUTE_MS)
    }
    // The fork reaches what our tip was at first, by its height, and then no more.
    sync.elapse(CHAIN_SYNC_TIMEOUT_MS + 2 * MINUTE_MS)
    expect(letGo(sync)).toEqual([1])
  })

  it("is asked from before the goal, so that it can show that it has it", () => {
    const sync = chosen(machine(), 1)
    sync.takeMessages(1, "getheaders")
    sync.elapse(CHAIN_SYNC_TIMEOUT_MS)
    const [first] = sync.takeMessages(1, "getheaders")[0]?.locator ?? []
    expect(first).toEqual(world.hash(world.ancestor(tip, 29)))
    sync.headers(1, part(30, 30)).elapse(60 * MINUTE_MS)
    expect(letGo(sync)).toEqual([])
  })

  it("only that one: who dialled us or was named by our user stays, whatever its chain", () => {
    const sync = machine()
      .ready(1)
      .ready(2, "inbound")
      .elapse(120 * MINUTE_MS)
    expect(letGo(sync)).toEqual([])
  })
})

describe("protection", () => {
  it("is for four full-relay peers that had a chain as good as ours, and ends with them", () => {
    const sync = machine()
    const all = Array.from({ length: MAX_PROTECTED_PEERS + 2 }, (_, i) => i + 1)
    for (const peer of all) chosen(sync, peer, "full-relay").headers(peer, part(30, 30))
    const safe = all.slice(0, MAX_PROTECTED_PEERS)
    expect(sync.take("Protected").map(({ peer }) => peer)).toEqual(safe)
    sync.submit(part(31, 60)).elapse(CHAIN_SYNC_TIMEOUT_MS + 2 * MINUTE_MS)
    expect(letGo(sync)).toEqual(all.slice(MAX_PROTECTED_PEERS))
    sync.gone(1)
    chosen(sync, 9, "full-relay").headers(9, part(60, 60))
    expect(sync.take("Protected").map(({ peer }) => peer)).toEqual([9])
  })

  it("is not for peers that only relay blocks, nor for who is behind", () => {
    const sync = machine()
    chosen(sync, 1).headers(1, part(30, 30))
    chosen(sync, 2, "full-relay").headers(2, part(29, 29))
    expect(sync.take("Protected")).toEqual([])
  })
})

describe("a peer that we chose to catch up with", () => {
  const known = { ...params, minimumChainWork: world.chainWork(world.ancestor(tip, 50)) }
  const catchingUp = (): SyncHarness =>
    new SyncHarness({ params: known, unix: world.time(tip) + 10 ** 6, chain: part(1, 30) })
  const reasons = (sync: SyncHarness) => sync.take("TooSlow").map(({ peer, reason }) => [peer, reason._tag])

  it("goes where all that it has is less work than the network is known to have, blamed for nothing", () => {
    const sync = chosen(catchingUp(), 1)
    sync.headers(1, part(30, 30))
    expect(reasons(sync)).toEqual([[1, "LittleWork"]])
  })

  it("stays where it has more, and so does who came by himself", () => {
    const sync = chosen(catchingUp(), 1).headers(1, part(30, 60)).ready(2, "inbound").headers(2, part(29, 30))
    expect(reasons(sync)).toEqual([])
  })

  it("stays once we have caught up: then it is KeepingUp's to decide", () => {
    const sync = new SyncHarness({ params: known, unix: world.time(tip) + 60, chain: part(1, 60) })
    chosen(sync, 1).headers(1, part(29, 30))
    expect(reasons(sync)).toEqual([])
  })
})

describe("Core's rule, asked each second", () => {
  const steps = fc.array(
    fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({ do: fc.constant("wait" as const), seconds: fc.integer({ min: 1, max: 1500 }) })
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("tip" as const), headers: fc.integer({ min: 1, max: 3 }) }) },
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant("heard" as const),
          peer: fc.nat(5),
          behind: fc.constantFrom(0, 0, 1, 2, 5)
        })
      }
    ),
    { minLength: 5, maxLength: 40 }
  )

  it("comes to the same in any history", () => {
    const seen = new Set<string>()
    const agreement = fc.property(steps, fc.nat(63), (history, kinds) => {
      const naive = new NaiveKeepingUp()
      const views = Array.from({ length: 6 }, (_, i) => ({ ...peerView(PeerId(i), true, false), started: true }))
      const tree = HeaderTree.fromGenesis(params, ChaChaRandom.fromNumber(1))
      const keepingUp = new KeepingUp(tree)
      const ours: Array<NaiveVerdict> = []
      let second = 1
      const now = (): Instant => Instant(1000 * second)
      const settle = (): void => {
        for (let due = keepingUp.takeOverdue(now()); due !== undefined; due = keepingUp.takeOverdue(now())) {
          ours.push({ peer: due.peer.id, what: due._tag, second })
          if (due._tag === "LetGo") keepingUp.delete(due.peer.id)
        }
        naive.poll(second)
      }
      for (const [i, view] of views.entries()) {
        const isFullRelay = ((kinds >> i) & 1) === 1
        keepingUp.add(view, isFullRelay ? "full-relay" : "block-relay-only")
        naive.add(isFullRelay)
      }
      for (const step of history) {
        if (step.do === "tip") {
          extend(tree, tree.best, step.headers)
          naive.tip = tree.height(tree.best)
          keepingUp.tipChanged(now())
        } else if (step.do === "heard") {
          const header = Math.max(0, tree.best - step.behind)
          const view = views[step.peer]
          if (view === undefined) continue
          view.best = Math.max(view.best, header)
          keepingUp.heard(view.id, now())
          naive.heard(step.peer, header)
        } else {
          for (let i = 0; i < step.seconds; i++) {
            second += 1
            settle()
          }
          continue
        }
        settle()
      }
      for (const { what } of ours) seen.add(what)
      const order = (a: NaiveVerdict, b: NaiveVerdict): number => a.second - b.second || a.peer - b.peer
      expect(ours.toSorted(order)).toEqual(naive.verdicts.toSorted(order))
    })
    fc.assert(agreement, { numRuns: 150, seed: 3 })
    expect([...seen].toSorted()).toEqual(["Ask", "LetGo"])
    fc.assert(agreement, { numRuns: 150 })
  })
})
