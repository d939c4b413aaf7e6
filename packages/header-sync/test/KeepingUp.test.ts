import { ChaChaRandom } from "@satwire/crypto"
import { PeerId } from "@satwire/machine"
import { type ChainParams, regtest } from "@satwire/primitives"
import { fastTestNetwork } from "@satwire/testkit"
import { describe, expect, it } from "vitest"
import { CHAIN_SYNC_TIMEOUT_MS, type ChosenFor, HeaderTree, MAX_PROTECTED_PEERS } from "../src/index.ts"
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
