import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import { Instant, PeerId, UnixSeconds } from "@satwire/machine"
import {
  type BlockHash,
  type ChainParams,
  HEADER_SIZE,
  mainnet,
  regtest,
  toHex,
  type HeaderPoint,
  formatHeaderPoints,
  parseHeaderPoints
} from "@satwire/primitives"
import { fastTestNetwork } from "@satwire/testkit"
import type { GetHeaders } from "@satwire/wire"
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import {
  HEADERS_RESPONSE_TIME_MS,
  HeaderTree,
  MAX_AHEAD_HEADERS,
  MAX_STRETCH_HEADERS,
  STRETCH_LATE_MS,
  SkeletonDownload,
  headerPointsOf
} from "../src/index.ts"
import { SyncHarness } from "./SyncHarness.ts"
import { extend } from "./TestHeaders.ts"

const START = 1_700_000_000
const params: ChainParams = fastTestNetwork({ genesis: { ...regtest.genesis, time: START } })
const world = HeaderTree.fromGenesis(params, ChaChaRandom.fromNumber(1))
const tip = extend(world, 0, 1050, 1)
const LATER = world.time(tip) + 10 * 24 * 60 * 60
const points = headerPointsOf(world, 100)

/** What an honest peer with all of the world's headers answers, but for the length of a message. */
const answerTo = ({ locator, stopHash }: GetHeaders, most = 2000): Uint8Array => {
  const known = locator.map((hash) => world.find(hash)).find((header) => header >= 0) ?? 0
  const from = world.height(known) + 1
  const stop = world.find(stopHash)
  const to = Math.min(1050, from + most - 1, stop < 0 ? Infinity : world.height(stop))
  return world.rawChain(tip, from, to)
}

const machine = (skeleton: ReadonlyArray<HeaderPoint> = points): SyncHarness =>
  new SyncHarness({ params, unix: LATER, skeleton })

/** The open question to each peer, by peer. */
class Questions {
  readonly open: Map<number, GetHeaders> = new Map()
  readonly sync: SyncHarness

  constructor(sync: SyncHarness) {
    this.sync = sync
    sync.onOutput = (output) => {
      if (output._tag === "Send" && output.message._tag === "getheaders") this.open.set(output.peer, output.message)
    }
  }

  answer(peer: number, raw?: Uint8Array): void {
    const query = this.open.get(peer)
    if (query === undefined) throw new Error(`peer ${peer} was asked nothing`)
    this.open.delete(peer)
    this.sync.headers(peer, raw ?? answerTo(query))
  }
}

const asked = (sync: SyncHarness): Questions => new Questions(sync)

describe("headers along a skeleton", () => {
  it("are asked of every peer that we chose at once, each another stretch, and taken in in order", () => {
    const sync = machine()
    const questions = asked(sync)
    for (const peer of [1, 2, 3, 4]) sync.ready(peer)
    sync.ready(9, "inbound")
    expect([...questions.open].map(([peer, { locator, stopHash }]) => [peer, locator, stopHash])).toEqual(
      [1, 2, 3, 4].map((peer) => [peer, [points[peer - 1]?.hash], points[peer]?.hash])
    )
    // The last is there first.
    for (const peer of [4, 3, 2]) questions.answer(peer)
    expect(sync.tipHeight).toBe(0)
    questions.answer(1)
    expect(sync.tipHeight).toBe(400)
    for (let turn = 0; sync.tipHeight < 1050 && turn < 100; turn++) {
      for (const peer of [3, 1, 4, 2]) if (questions.open.has(peer)) questions.answer(peer)
    }
    expect(sync.tipHeight).toBe(1050)
    expect(sync.take("SkeletonEnded")).toEqual([{ _tag: "SkeletonEnded", isWrong: false, height: 1050 }])
    // The ordinary sync goes on from there.
    expect(questions.open.get(1)?.locator[0]).toEqual(world.hash(world.ancestor(tip, 1049)))
  })

  it("are asked for from where the tree ends on; where it ends behind the last point nothing is", () => {
    const chain = world.rawChain(tip, 1, 450)
    const sync = new SyncHarness({ params, unix: LATER, skeleton: points, chain })
    const questions = asked(sync)
    sync.ready(1)
    expect(questions.open.get(1)?.stopHash).toEqual(points[5]?.hash)
    const whole = new SyncHarness({ params, unix: LATER, skeleton: points, chain: world.rawChain(tip, 1, 1050) })
    expect(asked(whole.ready(1)).open.size).toBe(0)
    expect(whole.takeMessages(1, "getheaders")[0]?.locator.length).toBeGreaterThan(1)
  })

  it("cost time and nothing else where the skeleton is wrong", () => {
    const wrong = points.map((point, i) =>
      i === 3 ? { ...point, hash: new Uint8Array(32).fill(7) as BlockHash } : point
    )
    const sync = machine(wrong)
    const questions = asked(sync)
    for (const peer of [1, 2, 3, 4]) sync.ready(peer)
    for (let turn = 0; sync.tipHeight < 1050 && turn < 100; turn++)
      for (const peer of [...questions.open.keys()]) questions.answer(peer)
    expect(sync.tipHeight).toBe(1050)
    const outputs = sync.take("SkeletonEnded")
    expect(outputs).toMatchObject([{ isWrong: true }])
    expect(sync.take("Misbehaved")).toEqual([])
  })

  it("are asked of others where a peer sends what breaks a rule, which costs it its place", () => {
    const sync = machine()
    const questions = asked(sync)
    for (const peer of [1, 2, 3]) sync.ready(peer)
    const broken = answerTo(questions.open.get(1) as GetHeaders)
    broken[80 * 50 + 4] = (broken[80 * 50 + 4] as number) ^ 1
    questions.answer(1, broken)
    expect(sync.take("Misbehaved")).toMatchObject([{ peer: 1, reason: { index: 50 } }])
    sync.gone(1)
    for (let turn = 0; sync.tipHeight < 1050 && turn < 100; turn++)
      for (const peer of [2, 3]) if (questions.open.has(peer)) questions.answer(peer)
    expect(sync.tipHeight).toBe(1050)
  })

  it("that are late are asked of one more, and whoever is second has sent them for nothing", () => {
    const sync = machine(points.slice(0, 3))
    const questions = asked(sync)
    for (const peer of [1, 2, 3]) sync.ready(peer)
    questions.answer(2)
    expect(questions.open.has(3)).toBe(false)
    sync.elapse(STRETCH_LATE_MS)
    const late = questions.open.get(2) ?? questions.open.get(3)
    expect(late?.stopHash).toEqual(points[1]?.hash)
    questions.answer(questions.open.has(2) ? 2 : 3)
    expect(sync.tipHeight).toBe(200)
    const first = world.rawChain(tip, 1, 100)
    sync.headers(1, first)
    expect(sync.tree.size).toBe(201)
    expect(sync.take("Misbehaved")).toEqual([])
  })

  it("that have come from somebody else are late no more, and nobody is woken for them", () => {
    const sync = machine(points.slice(0, 4))
    const questions = asked(sync)
    for (const peer of [1, 2, 3, 4]) sync.ready(peer)
    questions.answer(2)
    sync.elapse(STRETCH_LATE_MS)
    const second = [2, 4].find((peer) => questions.open.get(peer)?.stopHash === questions.open.get(1)?.stopHash)
    questions.answer(second ?? 0)
    expect(sync.tipHeight).toBe(200)
    expect(sync.sync.nextTimeout()).toBeGreaterThan(sync.now.instant)
    sync.elapse(10 * STRETCH_LATE_MS)
    questions.answer(3)
    expect(sync.take("SkeletonEnded")).toMatchObject([{ isWrong: false, height: 300 }])
  })

  it("are not waited for for ever where everybody is silent", () => {
    const sync = machine().ready(1).ready(2)
    sync.take("Send")
    sync.elapse(HEADERS_RESPONSE_TIME_MS)
    expect(sync.take("SkeletonEnded")).toMatchObject([{ isWrong: true, height: 0 }])
    expect(sync.sync.snapshot().syncingWith).toBe(1)
  })

  it("come in the ordinary way while only others dial us", () => {
    const sync = machine().ready(1, "inbound")
    sync.headers(1, world.rawChain(tip, 1, 500))
    expect(sync.tipHeight).toBe(500)
    const questions = asked(sync)
    sync.ready(2)
    for (let turn = 0; sync.tipHeight < 1050 && turn < 100; turn++) questions.answer(2)
    expect(sync.take("SkeletonEnded")).toMatchObject([{ isWrong: false, height: 1050 }])
  })

  it("leave nothing where all peers are gone, and news of a block in between is no answer", () => {
    const sync = machine().ready(1).ready(2)
    sync.headers(1, world.rawChain(tip, 1050, 1050))
    sync.inv(2, world.hash(tip))
    expect(sync.take("SkeletonEnded")).toEqual([])
    sync.gone(1).gone(2)
    expect([sync.sync.isEmpty, sync.sync.nextTimeout()]).toEqual([true, undefined])
  })
})

describe("a skeleton download", () => {
  const now = { instant: Instant(0), unix: UnixSeconds(0) }
  const hashOf = (n: number): BlockHash => {
    const hash = new Uint8Array(32) as BlockHash
    new DataView(hash.buffer).setUint32(0, n + 1)
    return hash
  }
  const far = Array.from({ length: 100 }, (_, i) => ({ height: 2000 * (i + 1), hash: hashOf(i) }))

  it("fetches no more ahead of the tree than it may hold", () => {
    const tree = HeaderTree.fromGenesis(mainnet, ChaChaRandom.fromNumber(3))
    const download = new SkeletonDownload(tree, portableSha256, far)
    for (let peer = 1; peer <= 80; peer++) download.add(PeerId(peer))
    const queries = download.queries(now)
    expect(queries.length).toBe(MAX_AHEAD_HEADERS / 2000)
    expect(queries[0]?.from).toEqual(mainnet.genesisHash)
    expect(download.queries(now)).toEqual([])
  })

  it("asks on where a stretch is longer than a message, and holds it until it is whole", () => {
    const tree = HeaderTree.fromGenesis(params, ChaChaRandom.fromNumber(3))
    const [, last] = headerPointsOf(world, 1050) as [HeaderPoint, HeaderPoint]
    const download = new SkeletonDownload(tree, portableSha256, [last])
    download.add(PeerId(1))
    const [query] = download.queries(now)
    expect(query?.to).toEqual(last.hash)
    const long = world.rawChain(tip, 1, 1050)
    // More than was asked for is dropped.
    const more = new Uint8Array(long.length + HEADER_SIZE)
    more.set(long)
    expect(download.take(PeerId(1), more, 1051, now)).toEqual({ more: undefined })
    expect(download.heldHeaders).toBe(1050)
    expect(download.ready()?.runs).toEqual([long])
  })

  it("holds no more of a message than was asked for, and passes over points that are too near to one another", () => {
    const tree = HeaderTree.fromGenesis(params, ChaChaRandom.fromNumber(3))
    const dense = Array.from({ length: 1050 }, (_, i) => ({
      height: i + 1,
      hash: world.hash(world.ancestor(tip, i + 1))
    }))
    const download = new SkeletonDownload(tree, portableSha256, dense)
    for (let peer = 1; peer <= 20; peer++) download.add(PeerId(peer))
    expect(download.queries(now).length).toBe(11)
    download.take(PeerId(1), world.rawChain(tip, 1, 1050), 1050, now)
    expect(download.ready()?.runs.map(({ buffer, length }) => [length, buffer.byteLength])).toEqual([[8000, 8000]])
  })

  it("refuses points that are too far apart", () => {
    const tree = HeaderTree.fromGenesis(mainnet, ChaChaRandom.fromNumber(3))
    const point = { height: MAX_STRETCH_HEADERS + 1, hash: hashOf(1) }
    expect(() => new SkeletonDownload(tree, portableSha256, [point])).toThrow("20001 headers apart")
  })
})

describe("a list of headers", () => {
  it("is read as it was written, genesis first and the tip last", () => {
    expect(points.map(({ height }) => height)).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000, 1050])
    const text = `# made today\n\n${formatHeaderPoints(points)}`
    expect(parseHeaderPoints(text, params)).toEqual(Result.succeed(points))
  })

  it.each<readonly [string, string, number, string]>([
    ["no point", "# nothing\n", 2, "no line names a header"],
    ["no height", `x ${"0".repeat(64)}`, 1, "does not begin with a height: x"],
    ["no hash", "5", 1, "has no hash"],
    ["half a hash", `5 ${"0".repeat(63)}`, 1, "has no hash"],
    ["what a terminal would obey", "\u001b[31m", 1, "does not begin with a height: ?[31m"],
    ["more than that", `5 ${"0".repeat(64)} 6`, 1, "more than a height and a hash: 6"],
    ["a height twice", `5 ${"0".repeat(64)}\n5 ${"1".repeat(64)}`, 2, "has height 5, which is not above 5"],
    ["points too far apart", `5 ${"0".repeat(64)}\n\n25006 ${"1".repeat(64)}`, 3, "more than 20000 headers above"],
    ["another network's genesis", `0 ${toHex(mainnet.genesisHash)}`, 1, "does not name the first block of fast"]
  ])("is refused with %s, and says where", (_, text, line, what) => {
    const outcome = parseHeaderPoints(text, params, MAX_STRETCH_HEADERS)
    expect(Result.isFailure(outcome) && outcome.failure).toMatchObject({
      line,
      what: expect.stringContaining(what) as string
    })
  })
})
