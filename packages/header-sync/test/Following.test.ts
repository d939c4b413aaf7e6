import { ChaChaRandom } from "@satwire/crypto"
import { PeerId } from "@satwire/machine"
import { type ChainParams, HEADER_SIZE, regtest, toHex } from "@satwire/primitives"
import { fastTestNetwork } from "@satwire/testkit"
import { MAX_HEADERS_RESULTS, headersMessage } from "@satwire/wire"
import { describe, expect, it } from "vitest"
import {
  HEADERS_DOWNLOAD_TIMEOUT_BASE_MS,
  HEADERS_DOWNLOAD_TIMEOUT_PER_HEADER_MS,
  HEADERS_RESPONSE_TIME_MS,
  type HeaderSyncInput,
  HeaderTree,
  RECENT_TIP_SECONDS,
  STALE_AFTER_BLOCKS,
  STALE_CHECK_INTERVAL_MS,
  locator
} from "../src/index.ts"
import { child, extend } from "./TestHeaders.ts"
import { SyncHarness } from "./SyncHarness.ts"

const START = 1_700_000_000
const params: ChainParams = fastTestNetwork({ genesis: { ...regtest.genesis, time: START } })
/** Every header known to anybody: a chain of 4,100, and a fork of it. */
const world = HeaderTree.fromGenesis(params, ChaChaRandom.fromNumber(1))
const tip = extend(world, 0, 4100, 1)
const TIP_TIME = world.time(tip)
const LATER = TIP_TIME + 10 * RECENT_TIP_SECONDS

const part = (from: number, to: number, head = tip): Uint8Array => world.rawChain(head, from, to)
const hashAt = (height: number) => world.hash(world.ancestor(tip, height))

/** A machine that has the first `height` headers, long after (or at) the tip's time. */
const machine = (height: number, unix = LATER): SyncHarness =>
  new SyncHarness({ params, unix, ...(height === 0 ? {} : { chain: part(1, height) }) })

describe("a tip that stays the same", () => {
  const mayTakeMs = 1000 * STALE_AFTER_BLOCKS * params.powTargetSpacing

  it("is stale after three times what a block should take, is looked at every ten minutes, and a block ends it", () => {
    const sync = machine(4000, TIP_TIME).ready(1)
    sync.elapse(Math.max(STALE_CHECK_INTERVAL_MS, mayTakeMs) - 1000)
    expect(sync.take("TipStale")).toEqual([])
    sync.elapse(mayTakeMs + 2 * STALE_CHECK_INTERVAL_MS)
    expect(sync.take("TipStale")).toEqual([{ _tag: "TipStale", isStale: true }])
    sync.elapse(10 * STALE_CHECK_INTERVAL_MS)
    expect(sync.take("TipStale")).toEqual([])
    sync.headers(1, part(4001, 4001))
    expect(sync.take("TipStale")).toEqual([{ _tag: "TipStale", isStale: false }])
  })

  it("is nobody's business where there are no peers", () => {
    const sync = machine(4000, TIP_TIME).ready(1).gone(1)
    expect(sync.sync.nextTimeout()).toBeUndefined()
  })
})

describe("which peers are asked", () => {
  it("asks one peer at first, and the others one by one as each has no more to give", () => {
    const sync = machine(0).ready(1).ready(2).ready(3)
    expect(sync.takeSent()).toEqual(["1 getheaders"])
    expect(sync.sync.snapshot().syncingWith).toBe(1)
    sync.headers(1, part(1, 50))
    expect(sync.takeSent()).toEqual(["1 sendheaders", "2 getheaders"])
    sync.headers(2, new Uint8Array(0))
    expect(sync.takeSent()).toEqual(["3 getheaders"])
    sync.headers(3, part(40, 50))
    expect(sync.takeSent()).toEqual(["3 sendheaders"])
    expect(sync.sync.snapshot()).toMatchObject({ syncingWith: undefined, peers: 3, headers: 51, tip: { height: 50 } })
  })

  it("asks peers that we chose before those that chose us", () => {
    const sync = machine(0).ready(1, "inbound").ready(2, "inbound").ready(3).ready(4)
    expect(sync.takeSent()).toEqual(["1 getheaders"])
    for (const peer of [1, 3, 4, 2]) sync.headers(peer, new Uint8Array(0))
    expect(sync.takeSent()).toEqual(["3 getheaders", "4 getheaders", "2 getheaders"])
  })

  it("asks every peer at once when our tip is younger than a day", () => {
    const recent = machine(100, world.time(world.ancestor(tip, 100)) + RECENT_TIP_SECONDS - 1)
    expect(recent.ready(1).ready(2, "inbound").ready(3).takeSent()).toEqual([
      "1 getheaders",
      "2 getheaders",
      "3 getheaders"
    ])
    const old = machine(100, world.time(world.ancestor(tip, 100)) + RECENT_TIP_SECONDS)
    expect(old.ready(1).ready(2, "inbound").ready(3).takeSent()).toEqual(["1 getheaders"])
  })

  it("asks the others as soon as our tip becomes recent, whoever brought it", () => {
    const sync = machine(0, world.time(world.ancestor(tip, 4000)) + RECENT_TIP_SECONDS - 1)
    expect(sync.ready(1).ready(2).ready(3).takeSent()).toEqual(["1 getheaders"])
    sync.submit(part(1, 4000))
    const asked = sync.takeSent().filter((sent) => sent.endsWith("getheaders"))
    expect(asked).toEqual(["2 getheaders", "3 getheaders"])
    expect(sync.ready(4).takeSent()).toEqual(["4 getheaders"])
  })

  it("asks the next one when the one that is asked goes away", () => {
    const sync = machine(0).ready(1).ready(2)
    sync.takeSent()
    expect(sync.gone(1).takeSent()).toEqual(["2 getheaders"])
    expect(sync.sync.snapshot().syncingWith).toBe(2)
  })
})

describe("what is asked", () => {
  it("asks from the parent of our tip, so that a peer with the same tip answers with it", () => {
    const sync = machine(30).ready(1)
    const [asked] = sync.takeMessages(1, "getheaders")
    expect(asked?.locator).toEqual(locator(sync.tree, 29))
    expect(toHex(asked?.stopHash as Uint8Array)).toBe("0".repeat(64))
    sync.headers(1, part(30, 30))
    expect(sync.sync.snapshot().syncingWith).toBeUndefined()
  })

  it("asks from genesis where there is nothing else", () => {
    const [asked] = machine(0).ready(1).takeMessages(1, "getheaders")
    expect(asked?.locator).toEqual([params.genesisHash])
  })

  it("takes 2,000 headers for a sign that there are more, and asks on from the last", () => {
    const sync = machine(0).ready(1)
    sync.takeSent()
    sync.headers(1, part(1, MAX_HEADERS_RESULTS))
    const [asked] = sync.takeMessages(1, "getheaders")
    expect(asked?.locator[0]).toEqual(hashAt(2000))
    sync.headers(1, part(2001, 4000))
    expect(sync.takeMessages(1, "getheaders").length).toBe(1)
    sync.headers(1, part(4001, 4100))
    expect(sync.takeSent()).toEqual([])
    expect(sync.tipHeight).toBe(4100)
  })

  it("asks on from the peer's own chain where that has less work than ours", () => {
    const fork = extend(world, world.ancestor(tip, 10), 2005, 2)
    const sync = machine(4100).ready(1)
    sync.takeSent()
    sync.headers(1, part(11, 2010, fork))
    const [asked] = sync.takeMessages(1, "getheaders")
    expect(asked?.locator[0]).toEqual(world.hash(world.ancestor(fork, 2010)))
    expect(sync.tipHeight).toBe(4100)
  })
})

describe("asking again", () => {
  it("happens after an answer or after two minutes, not before", () => {
    const sync = machine(30).ready(1)
    sync.takeSent()
    sync.inv(1, hashAt(60)).inv(1, hashAt(61))
    expect(sync.takeSent()).toEqual([])
    sync.elapse(HEADERS_RESPONSE_TIME_MS - 1)
    expect(sync.takeSent()).toEqual([])
    sync.elapse(1)
    expect(sync.takeSent()).toEqual(["1 getheaders"])
    sync.elapse(10 * HEADERS_RESPONSE_TIME_MS)
    expect(sync.takeSent()).toEqual([])
  })

  it("is not needed once an answer came", () => {
    const sync = machine(30).ready(1)
    sync.inv(1, hashAt(60)).headers(1, part(31, 60)).takeSent()
    sync.elapse(10 * HEADERS_RESPONSE_TIME_MS)
    expect(sync.takeSent()).toEqual([])
    expect(sync.inv(1, hashAt(61)).takeSent()).toEqual(["1 getheaders"])
  })

  it("happens for every block that a synced peer announces and we do not know", () => {
    const sync = machine(30).ready(1).headers(1, part(30, 30))
    sync.takeSent()
    expect(sync.inv(1, hashAt(30), hashAt(5)).takeSent()).toEqual([])
    expect(sync.inv(1, hashAt(30), hashAt(31)).takeSent()).toEqual(["1 getheaders"])
  })

  it("happens for one more peer with each new block while the first sync is under way", () => {
    const sync = machine(30).ready(1).ready(2).ready(3).ready(4)
    sync.takeSent()
    expect(sync.inv(2, hashAt(60)).takeSent()).toEqual(["2 getheaders"])
    expect(sync.inv(3, hashAt(60)).takeSent()).toEqual([])
    expect(sync.inv(3, hashAt(61)).takeSent()).toEqual(["3 getheaders"])
    expect(sync.inv(2, hashAt(62)).elapse(HEADERS_RESPONSE_TIME_MS).inv(2, hashAt(63)).takeSent()).toEqual([])
  })
})

describe("headers that do not connect", () => {
  it("are asked about from our tip, and once in two minutes however many come", () => {
    const sync = machine(30).ready(1).headers(1, part(30, 30))
    sync.takeSent()
    sync.headers(1, part(50, 50))
    const [asked] = sync.takeMessages(1, "getheaders")
    expect(asked?.locator[0]).toEqual(hashAt(30))
    for (let height = 51; height < 80; height++) sync.headers(1, part(height, height))
    expect(sync.takeSent()).toEqual([])
    sync.elapse(HEADERS_RESPONSE_TIME_MS)
    expect(sync.takeSent()).toEqual(["1 getheaders"])
    sync.headers(1, part(31, 79))
    expect(sync.tipHeight).toBe(79)
  })

  it("for ever cost the peer nothing, and us one question in two minutes", () => {
    const sync = machine(30).ready(1)
    let questions = 0
    for (let minute = 0; minute < 100; minute++) {
      sync.headers(1, part(2000, 4000)).elapse(60_000)
      questions += sync.takeSent().filter((sent) => sent === "1 getheaders").length
    }
    expect(questions).toBeGreaterThanOrEqual(49)
    expect(questions).toBeLessThanOrEqual(51)
  })
})

describe("a message that is as long as one may be", () => {
  const full = (from: number): HeaderSyncInput => ({
    _tag: "Received",
    peer: PeerId(1),
    message: headersMessage(part(from, from + 1999))
  })

  it("has what follows it asked for before it is validated, which is done in a turn of its own", () => {
    const sync = machine(0).ready(1)
    sync.take("Send")
    sync.input(full(1))
    expect(sync.tree.size).toBe(1)
    const [query] = sync.takeMessages(1, "getheaders")
    expect([query?.locator[0], query?.locator[1]]).toEqual([hashAt(2000), hashAt(0)])
    expect(sync.sync.nextTimeout()).toBe(sync.now.instant)
    expect(sync.input({ _tag: "Timeout" }).tipHeight).toBe(2000)
    expect(sync.sync.nextTimeout()).not.toBe(sync.now.instant)
  })

  it("is validated before anything else that its peer sends, and where the peer is gone", () => {
    const sync = machine(0).ready(1)
    sync.input(full(1)).input(full(2001))
    expect(sync.tipHeight).toBe(2000)
    sync.gone(1)
    expect([sync.tipHeight, sync.sync.isEmpty]).toEqual([4000, true])
  })

  it("is looked at no further once its peer has broken a rule", () => {
    const sync = machine(0).ready(1)
    const broken = part(1, 2000)
    broken[80 * 5 + 4] = (broken[80 * 5 + 4] as number) ^ 1
    sync.input({ _tag: "Received", peer: PeerId(1), message: headersMessage(broken) }).input(full(1))
    expect(sync.take("Misbehaved")).toMatchObject([{ peer: 1 }])
    expect(sync.tree.size).toBe(1)
  })

  it("of several peers is validated one in a turn", () => {
    const sync = machine(4000, TIP_TIME).ready(1).ready(2)
    for (const peer of [1, 2])
      sync.input({ _tag: "Received", peer: PeerId(peer), message: headersMessage(part(peer, peer + 1999)) })
    sync.take("Send")
    const turns = []
    while (sync.sync.nextTimeout() === sync.now.instant) turns.push(sync.input({ _tag: "Timeout" }).tipHeight)
    expect(turns.length).toBe(2)
  })
})

describe("headers that break a rule", () => {
  it("end the peer that sent them, and nobody else", () => {
    const sync = machine(30).ready(1).ready(2)
    sync.takeSent()
    const bad = new Uint8Array(part(31, 33))
    new DataView(bad.buffer).setUint32(2 * HEADER_SIZE + 72, 0x2100ffff, true)
    sync.headers(1, bad)
    expect(sync.take("Misbehaved")).toEqual([
      { _tag: "Misbehaved", peer: 1, reason: { _tag: "InvalidHeader", rule: "high-hash", index: 2 } }
    ])
    expect(sync.tipHeight).toBe(30)
    expect(sync.gone(1).takeSent()).toEqual(["2 getheaders"])
  })

  it("leave the valid ones before them with us", () => {
    const sync = machine(30).ready(1)
    const parent = world.ancestor(tip, 32)
    const bad = child(params, world, parent, { time: START })
    sync.headers(1, new Uint8Array([...part(31, 32), ...bad]))
    const outputs = sync.take("Misbehaved")
    expect(outputs).toMatchObject([{ reason: { rule: "time-too-old", index: 2 } }])
    expect(sync.tipHeight).toBe(32)
  })

  it("cost nothing where they are only too new: the peer's clock or ours is wrong", () => {
    const sync = machine(30, world.time(world.ancestor(tip, 40)) - 2 * 60 * 60)
    sync.ready(1).headers(1, part(31, 60))
    expect(sync.take("Misbehaved")).toEqual([])
    expect(sync.tipHeight).toBeGreaterThanOrEqual(40)
    expect(sync.tipHeight).toBeLessThan(60)
    expect(sync.sync.snapshot()).toMatchObject({ syncingWith: undefined, peers: 1 })
    // Not even where they were so many that there could be more, which was asked for before they were looked at.
    const full = machine(0, world.time(world.ancestor(tip, 1500)) - 2 * 60 * 60).ready(1)
    full.takeSent()
    expect(full.headers(1, part(1, 2000)).takeSent()).toEqual(["1 getheaders", "1 sendheaders"])
    expect(full.sync.snapshot()).toMatchObject({ syncingWith: undefined, tip: { height: 1500 } })
    // An hour later they are good.
    sync.elapse(60 * 60 * 1000).headers(1, part(31, 60))
    expect(sync.tipHeight).toBe(60)
  })
})

describe("what comes out", () => {
  it("is every new header once, raw, and from whom", () => {
    const sync = machine(30).ready(1).headers(1, part(25, 40))
    const [accepted, ...others] = sync.take("HeadersAccepted")
    expect(others).toEqual([])
    expect(accepted).toMatchObject({ first: 31, count: 10, from: 1 })
    expect(accepted?.headers).toEqual(part(31, 40))
    sync.headers(1, part(25, 40))
    expect(sync.take("HeadersAccepted")).toEqual([])
  })

  it("is how the tip moved: fork, removed and added", () => {
    const fork = extend(world, world.ancestor(tip, 30), 6, 3)
    const sync = machine(32).ready(1).headers(1, part(33, 34))
    expect(sync.take("TipChanged")).toMatchObject([
      { forkHeight: 32, removed: 0, added: 2, tip: { height: 34 }, from: 1 }
    ])
    // A tie does not move it.
    sync.headers(1, part(31, 34, fork))
    expect(sync.take("TipChanged")).toEqual([])
    sync.headers(1, part(35, 36, fork))
    expect(sync.take("TipChanged")).toMatchObject([
      { forkHeight: 30, removed: 4, added: 6, tip: { height: 36 }, from: 1 }
    ])
    expect(sync.sync.snapshot().tip).toEqual({ height: 36, hash: world.hash(fork), time: world.time(fork) })
  })

  it("is a refusal where headers made here break a rule or follow nothing", () => {
    const sync = machine(30)
    sync.submit(part(50, 50))
    expect(sync.take("SubmitRefused")).toEqual([{ _tag: "SubmitRefused", rule: "unconnected", index: 0 }])
    sync.submit(child(params, world, world.ancestor(tip, 30), { time: START }))
    expect(sync.take("SubmitRefused")).toEqual([{ _tag: "SubmitRefused", rule: "time-too-old", index: 0 }])
    sync.submit(part(31, 31))
    expect(sync.take("HeadersAccepted")).toMatchObject([{ first: 31, count: 1, from: undefined }])
  })
})

describe("a first sync that takes too long", () => {
  const TIMEOUT_MS =
    HEADERS_DOWNLOAD_TIMEOUT_BASE_MS +
    (HEADERS_DOWNLOAD_TIMEOUT_PER_HEADER_MS * (LATER - world.time(world.ancestor(tip, 30)))) / params.powTargetSpacing

  it("costs the connection where another peer that we chose waits, by the time that the missing headers allow", () => {
    const sync = machine(30).ready(1).ready(2)
    sync.elapse(TIMEOUT_MS - 1)
    expect(sync.take("TooSlow")).toEqual([])
    sync.elapse(2)
    expect(sync.take("TooSlow")).toEqual([{ _tag: "TooSlow", peer: 1, reason: { _tag: "HeadersTimeout" } }])
    expect(sync.gone(1).sync.snapshot().syncingWith).toBe(2)
  })

  it("costs nothing where nobody else can be asked, or only peers that chose us: those are asked beside it", () => {
    const alone = machine(30)
      .ready(1)
      .elapse(2 * TIMEOUT_MS)
    expect(alone.take("TooSlow")).toEqual([])
    expect(alone.ready(2).takeSent()).toEqual(["2 getheaders"])
    const inbound = machine(30).ready(1).ready(2, "inbound")
    inbound.takeSent()
    inbound.elapse(2 * TIMEOUT_MS)
    expect(inbound.sync.snapshot().syncingWith).toBe(2)
    expect(inbound.take("TooSlow")).toEqual([])
  })

  it("costs nothing once it is done", () => {
    const sync = machine(30).ready(1).headers(1, part(31, 40)).ready(2)
    sync.headers(2, part(40, 40))
    // The next look at whether blocks still come.
    expect(sync.sync.nextTimeout()).toBe(STALE_CHECK_INTERVAL_MS)
    sync.elapse(3 * TIMEOUT_MS)
    expect(sync.take("TooSlow")).toEqual([])
  })

  it("costs nothing where our tip became recent meanwhile", () => {
    const sync = new SyncHarness({ params, unix: TIP_TIME + RECENT_TIP_SECONDS / 2, chain: part(1, 30) })
    const old = world.time(world.ancestor(tip, 30)) <= TIP_TIME + RECENT_TIP_SECONDS / 2 - RECENT_TIP_SECONDS
    expect(old).toBe(true)
    sync.ready(1).ready(2)
    sync.submit(part(31, 4100))
    sync.elapse(3 * 60 * 60 * 1000)
    expect(sync.take("TooSlow")).toEqual([])
  })
})

describe("silence", () => {
  it("never discourages, whatever was asked and however long it lasts", () => {
    const sync = machine(30)
    for (let peer = 1; peer <= 5; peer++) sync.ready(peer)
    sync.onOutput = (output) => {
      if (output._tag === "TooSlow") silent.push(output.peer)
      expect(output._tag).not.toBe("Misbehaved")
    }
    const silent: Array<number> = []
    for (let hour = 0; hour < 24; hour++) {
      sync.elapse(60 * 60 * 1000)
      for (const peer of silent.splice(0)) sync.gone(peer)
    }
    expect(sync.sync.snapshot().peers).toBe(1)
  })
})

describe("after the last peer has left", () => {
  it("nothing is held for any, in whatever state they were", () => {
    const sync = machine(30)
    expect(sync.sync.isEmpty).toBe(true)
    for (let peer = 1; peer <= 6; peer++) sync.ready(peer, peer % 2 === 0 ? "inbound" : "outbound")
    sync.headers(1, part(31, 40)).inv(3, hashAt(60)).inv(3, hashAt(61)).headers(5, part(70, 75)).sendheaders(4)
    sync.headers(2, part(31, 35)).elapse(1000)
    expect(sync.sync.isEmpty).toBe(false)
    for (let peer = 1; peer <= 6; peer++) sync.gone(peer)
    expect(sync.sync.isEmpty).toBe(true)
    expect(sync.sync.nextTimeout()).toBeUndefined()
    sync.takeSent()
    expect(
      sync
        .headers(1, part(41, 42))
        .gone(1)
        .elapse(10 ** 9)
        .takeSent()
    ).toEqual([])
    expect(sync.tipHeight).toBe(40)
  })

  it("nothing is held either where they leave while an output is performed, whichever it is", () => {
    const acts: ReadonlyArray<(sync: SyncHarness) => unknown> = [
      (sync) => sync.headers(1, part(3990, 3995)),
      (sync) => sync.headers(1, part(1, 2000)),
      (sync) => sync.headers(2, part(4050, 4060)),
      (sync) => sync.inv(1, hashAt(3980), hashAt(4100)),
      (sync) => sync.inv(3, hashAt(3980), hashAt(4100)),
      (sync) => sync.getheaders(1, [hashAt(5)]),
      (sync) => sync.headers(2, part(10, 12).fill(1, 0, 4)),
      (sync) => sync.submit(part(3991, 3992)),
      (sync) => sync.elapse(10 ** 8)
    ]
    const leftDuring = new Set<string>()
    for (const unix of [TIP_TIME, LATER]) {
      for (const act of acts) {
        for (let nth = 0; nth < 6; nth++) {
          const sync = machine(3990, unix)
          for (const peer of [1, 2, 3]) sync.ready(peer)
          let outputs = 0
          sync.onOutput = ({ _tag }) => {
            if (outputs++ !== nth) return
            leftDuring.add(_tag)
            for (const peer of [1, 2, 3]) sync.gone(peer)
          }
          act(sync)
          if (outputs > nth) expect(sync.sync.isEmpty).toBe(true)
        }
      }
    }
    expect([...leftDuring].toSorted()).toEqual([
      "HeadersAccepted",
      "Misbehaved",
      "Send",
      "TipChanged",
      "TipStale",
      "TooSlow"
    ])
  })
})

describe("a header that our user says is invalid", () => {
  it("is no part of the best chain any more, nor what follows it, until that is taken back", () => {
    const sync = machine(100).ready(1)
    sync.take("Send")
    sync.input({ _tag: "Invalidate", hash: hashAt(91) })
    expect(sync.take("TipChanged")).toMatchObject([{ forkHeight: 90, removed: 10, added: 0, from: undefined }])
    sync.input({ _tag: "Invalidate", hash: hashAt(4000) })
    expect([sync.tipHeight, sync.tree.tips().map(({ status }) => status)]).toEqual([90, ["active", "invalid"]])
    sync.input({ _tag: "Reconsider", hash: hashAt(100) })
    expect(sync.take("TipChanged")).toMatchObject([{ forkHeight: 90, removed: 0, added: 10 }])
    expect(sync.tree.tips()).toMatchObject([{ height: 100, branchLength: 0, status: "active" }])
  })

  it("costs who sends what follows it, and of those who send itself only those that we dialled", () => {
    const rules = (sync: SyncHarness) => sync.take("Misbehaved").map(({ peer, reason }) => [peer, reason.rule])
    const sync = machine(100).ready(1).ready(2, "inbound").ready(3, "inbound")
    sync.input({ _tag: "Invalidate", hash: hashAt(91) })
    sync.take("Send")
    sync.headers(2, part(91, 95)).headers(1, part(80, 95)).headers(3, part(101, 101))
    expect(rules(sync)).toEqual([
      [1, "duplicate-invalid"],
      [3, "bad-prevblk"]
    ])
    expect([sync.tipHeight, sync.tree.size]).toEqual([90, 101])
  })
})
