import { concat } from "@satwire/bytes"
import { DeploymentStates, ProofOfWork } from "@satwire/consensus"
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import {
  type BlockHash,
  type ChainParams,
  type Deployment,
  HEADER_SIZE,
  encodeHeader,
  fromHex,
  regtest,
  toHex,
  witnessCommitment
} from "@satwire/primitives"
import { MinedChain, fastTestNetwork } from "@satwire/testkit"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Acceptance, HeaderTree, acceptHeaders } from "../src/index.ts"
import { child, extend, findNonce, force, mineChain } from "./TestHeaders.ts"
import { type NaiveHeader, NaiveTree, naiveDue, naiveHeader } from "./NaiveTree.ts"

const START = 1_700_000_000
const NOW = START + 20_000
const random = ChaChaRandom.fromNumber(1)

/** Targets change every 8 headers, versions retire on the way. */
const shortPeriods = fastTestNetwork({
  powTargetTimespan: 8 * 60,
  bip34Height: 3,
  bip66Height: 6,
  bip65Height: 9,
  genesis: { ...regtest.genesis, time: START }
})
const networks: ReadonlyArray<ChainParams> = [
  shortPeriods,
  { ...shortPeriods, powAllowMinDifficultyBlocks: true },
  { ...shortPeriods, powAllowMinDifficultyBlocks: true, enforceBip94: true }
]

const accept = (tree: HeaderTree, run: Uint8Array, unix = NOW): Acceptance =>
  acceptHeaders(tree, new ProofOfWork(tree.params), portableSha256, run, run.length / HEADER_SIZE, unix)

const newTree = (params: ChainParams): HeaderTree => HeaderTree.fromGenesis(params, random)

/** What stands in a tree, in the order of acceptance. */
const contents = (tree: HeaderTree): ReadonlyArray<readonly [string, number, bigint]> =>
  Array.from({ length: tree.size }, (_, i) => [toHex(tree.hash(i)), tree.height(i), tree.chainWork(i)] as const)

const agree = (tree: HeaderTree, naive: NaiveTree): void => {
  expect(toHex(tree.hash(tree.best))).toBe(naive.best.hash)
  expect(tree.tips().map(({ hash, status }) => [toHex(hash), status !== "invalid"])).toEqual(naive.tips)
}

/** What a miner does to a header before it looks for the nonce. */
const faults = ["none", "none", "none", "none", "bits", "old", "future", "version", "no work", "warp"] as const

const mine = (params: ChainParams, parent: NaiveHeader, gap: number, fault: (typeof faults)[number], salt: number) => {
  const times = { old: parent.time - 5000, future: NOW + 7201, warp: parent.time - 650 } as Record<string, number>
  const time = times[fault] ?? parent.time + gap
  const due = naiveDue(params, parent, time)
  const merkleRoot = new Uint8Array(32).fill(salt & 0xff)
  const raw = findNonce(
    encodeHeader({
      version: fault === "version" ? 1 : 4,
      previousBlock: fromHex(parent.hash) as BlockHash,
      merkleRoot,
      time,
      bits: fault === "bits" ? due - 1 : due,
      nonce: 0
    })
  )
  while (fault === "no work" && BigInt(`0x${naiveHeader(raw, parent).hash}`) < params.powLimit)
    raw[36] = random.below(256)
  return naiveHeader(raw, parent)
}

/** How many headers ago one was mined: often the last ones. */
const back = fc.oneof(fc.nat(2), fc.nat(1000))

const steps = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant("mine" as const),
        on: back,
        count: fc.integer({ min: 1, max: 12 }),
        gap: fc.constantFrom(0, 1, 59, 60, 61, 121, 300),
        fault: fc.constantFrom(...faults),
        salt: fc.nat(3)
      })
    },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant("send" as const),
        to: back,
        length: fc.integer({ min: 1, max: 30 }),
        /** Leaves one header out. */
        gap: fc.oneof(fc.constant(-1), fc.constant(-1), fc.nat(30))
      })
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constantFrom("invalidate" as const, "reconsider" as const), which: back })
    }
  ),
  { minLength: 4, maxLength: 40 }
)

describe("accepting headers", () => {
  it("agrees with a naive tree on every step of any history: forks, ties, duplicates, unconnected and invalid ones", () => {
    const seen = new Set<string>()
    const agreement = fc.property(fc.constantFrom(...networks), steps, (params, history) => {
      const tree = newTree(params)
      const naive = new NaiveTree(params)
      const world: Array<NaiveHeader> = [...naive.headers]
      for (const step of history) {
        if (step.do === "mine") {
          let parent = world.at(-1 - (step.on % world.length)) as NaiveHeader
          // Time can be warped only at a period's end, back over a few slow headers.
          const count = step.fault === "warp" ? 16 - (parent.height % 8) : step.count
          const gap = step.fault === "warp" ? 300 : step.gap
          for (let i = 0; i < count; i++) {
            parent = mine(params, parent, gap, i === count - 1 ? step.fault : "none", step.salt)
            world.push(parent)
          }
          continue
        }
        if (step.do !== "send") {
          const chosen = (naive.headers.at(-1 - (step.which % naive.headers.length)) as NaiveHeader).hash
          const header = tree.find(fromHex(chosen) as BlockHash)
          if (header === 0) continue
          naive[step.do](chosen)
          tree[step.do](header)
          agree(tree, naive)
          continue
        }
        const run: Array<Uint8Array> = []
        let at: NaiveHeader | undefined = world.at(-1 - (step.to % world.length))
        for (; at?.parent !== undefined && run.length < step.length; at = at.parent) run.unshift(at.raw)
        if (step.gap >= 0 && step.gap < run.length - 1) run.splice(step.gap, 1)
        if (run.length === 0) continue
        const expected = naive.accept(run, NOW)
        const acceptance = accept(tree, concat(run))
        seen.add(expected.connected ? (expected.fault?.rule ?? "accepted") : "unconnected")
        if (!expected.connected) expect(acceptance).toEqual({ _tag: "Unconnected" })
        else expect(acceptance).toMatchObject({ count: expected.accepted, fault: expected.fault })
        agree(tree, naive)
        expect(contents(tree)).toEqual(naive.headers.map(({ hash, height, work }) => [hash, height, work]))
      }
    })
    fc.assert(agreement, { numRuns: 160, seed: 1 })
    // These histories reach every outcome there is; others are drawn anew each time.
    expect([...seen].toSorted()).toEqual([
      "accepted",
      "bad-diffbits",
      "bad-prevblk",
      "bad-version",
      "duplicate-invalid",
      "high-hash",
      "non-continuous",
      "time-timewarp-attack",
      "time-too-new",
      "time-too-old",
      "unconnected"
    ])
    fc.assert(agreement, { numRuns: 120 })
  })

  it("takes no other header at a height whose hash our user trusts", () => {
    const chain = mineChain(shortPeriods, 40, 5)
    const other = mineChain(shortPeriods, 40, 6)
    const whole = newTree(shortPeriods)
    accept(whole, chain)
    const trusted = [10, 25].map((height) => ({ height, hash: whole.hash(height) }))
    const tree = HeaderTree.fromGenesis(shortPeriods, random, trusted)
    expect(accept(tree, other)).toMatchObject({ count: 9, fault: { index: 9, rule: "checkpoint-mismatch" } })
    expect(accept(tree, chain)).toMatchObject({ count: 40, fault: undefined })
    expect(tree.height(tree.best)).toBe(40)
  })

  it("takes in what was accepted before anybody trusted another, and then says that it is invalid", () => {
    const chain = mineChain(shortPeriods, 40, 5)
    const other = mineChain(shortPeriods, 45, 6)
    const whole = newTree(shortPeriods)
    accept(whole, chain)
    const tree = HeaderTree.fromGenesis(shortPeriods, random, [{ height: 10, hash: whole.hash(10) }])
    for (const run of [other, chain]) expect(accept(tree, run, Infinity)).toMatchObject({ fault: undefined })
    expect(tree.height(tree.best)).toBe(45)
    tree.distrust()
    expect([tree.height(tree.best), tree.tips().map(({ status }) => status)]).toEqual([40, ["active", "invalid"]])
    expect(accept(tree, other)).toMatchObject({ fault: { index: 9, rule: "duplicate-invalid" } })
  })

  it("gives the same tree however a chain is split into batches, with overlaps or without", () => {
    const chain = mineChain(shortPeriods, 120, 5)
    const whole = newTree(shortPeriods)
    expect(accept(whole, chain)).toEqual({ _tag: "Accepted", first: 1, count: 120, last: 120, fault: undefined })
    const cuts = fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.nat(20)), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(cuts, (sizes) => {
        const tree = newTree(shortPeriods)
        let at = 0
        for (const [size, overlap] of [...sizes, [120, 3]]) {
          const from = Math.max(0, at - (overlap ?? 0))
          const to = Math.min(120, at + (size ?? 0))
          if (to === from) break
          const known = tree.size
          const acceptance = accept(tree, chain.subarray(from * HEADER_SIZE, to * HEADER_SIZE))
          expect(acceptance).toEqual({ _tag: "Accepted", first: known, count: to - at, last: to, fault: undefined })
          at = to
        }
        expect(contents(tree)).toEqual(contents(whole))
        expect(tree.best).toBe(whole.best)
      })
    )
  })

  it("keeps what stands before a header that breaks a rule", () => {
    const world = newTree(shortPeriods)
    const tip = extend(world, 0, 30)
    const bad = child(shortPeriods, world, tip, { time: world.time(tip) + 60, version: 3 })
    const after = child(shortPeriods, world, force(world, tip, bad), { time: world.time(tip) + 120 })
    const tree = newTree(shortPeriods)
    const run = concat([world.rawChain(tip, 1, 30), bad, after])
    expect(accept(tree, run)).toEqual({
      _tag: "Accepted",
      first: 1,
      count: 30,
      last: 30,
      fault: { index: 30, rule: "bad-version" }
    })
    expect(tree.height(tree.best)).toBe(30)
  })

  it("keeps nothing of a run in which any header has no proof of work or does not follow the one before", () => {
    const chain = mineChain(shortPeriods, 30, 7)
    const tree = newTree(shortPeriods)
    const torn = concat([chain.subarray(0, 10 * HEADER_SIZE), chain.subarray(11 * HEADER_SIZE)])
    expect(accept(tree, torn)).toMatchObject({ count: 0, last: 0, fault: { index: 10, rule: "non-continuous" } })
    const easy = new Uint8Array(chain)
    new DataView(easy.buffer).setUint32(20 * HEADER_SIZE + 72, 0x2100ffff, true)
    expect(accept(tree, easy)).toMatchObject({ count: 0, last: 0, fault: { index: 20, rule: "high-hash" } })
    expect([tree.size, tree.best]).toEqual([1, 0])
  })

  it("judges work and links before it asks whether the run connects, so that unconnected rubbish is no mere gap", () => {
    const chain = mineChain(shortPeriods, 30, 8)
    const tail = chain.slice(20 * HEADER_SIZE)
    expect(accept(newTree(shortPeriods), tail)).toEqual({ _tag: "Unconnected" })
    new DataView(tail.buffer).setUint32(72, 0x2100ffff, true)
    expect(accept(newTree(shortPeriods), tail)).toMatchObject({ last: -1, fault: { index: 0, rule: "high-hash" } })
  })

  it("takes genesis itself for unconnected, as it follows nothing", () => {
    const tree = newTree(shortPeriods)
    expect(accept(tree, tree.rawChain(0, 0, 0))).toEqual({ _tag: "Unconnected" })
  })

  it("leaves a header that is too new out, and takes it two hours before its time comes", () => {
    const world = newTree(shortPeriods)
    const run = child(shortPeriods, world, 0, { time: NOW })
    const tree = newTree(shortPeriods)
    expect(accept(tree, run, NOW - 7201)).toMatchObject({ count: 0, last: 0, fault: { rule: "time-too-new" } })
    expect(accept(tree, run, NOW - 7200)).toMatchObject({ count: 1, fault: undefined })
  })

  it("reads headers wherever they lie in memory, and leaves them as they were", () => {
    const chain = mineChain(shortPeriods, 12, 9)
    for (const offset of [0, 1, 2, 3, 81]) {
      const memory = new Uint8Array(offset + chain.length + 7)
      memory.set(chain, offset)
      const before = new Uint8Array(memory)
      const tree = newTree(shortPeriods)
      expect(accept(tree, memory.subarray(offset, offset + chain.length))).toMatchObject({ count: 12 })
      expect(memory).toEqual(before)
      memory.fill(0)
      expect(tree.rawChain(12, 1, 12)).toEqual(chain)
    }
  })
})

describe("headers of mined blocks", () => {
  it("are accepted where segwit comes by votes, as on bcoin's regtest, through the whole life of the vote", () => {
    const vote = (bit: number): Deployment => ({
      _tag: "VersionBits",
      bit,
      startTime: 0,
      timeout: 0xffffffff,
      period: 144,
      threshold: 108
    })
    const params: ChainParams = {
      ...regtest,
      bip34Height: 100_000_000,
      bip66Height: 1251,
      bip65Height: 1351,
      csv: vote(0),
      segwit: vote(1)
    }
    const chain = new MinedChain(params)
    for (let height = 1; height <= 440; height++) chain.mine()
    const tree = newTree(params)
    expect(accept(tree, chain.rawHeaders(1, 440), Infinity)).toMatchObject({ count: 440, fault: undefined })
    const segwit = new DeploymentStates(params.segwit, tree)
    const at = (height: number): unknown => [tree.version(height), segwit.after(height - 1)]
    expect([143, 144, 287, 288, 431, 432].map(at)).toEqual([
      [0x20000000, "defined"],
      [0x20000003, "started"],
      [0x20000003, "started"],
      [0x20000003, "lockedIn"],
      [0x20000003, "lockedIn"],
      [0x20000000, "active"]
    ])
    const commits = chain.blocks.map(({ transactions: [coinbase] }) => coinbase && witnessCommitment(coinbase))
    expect(commits.findIndex((commitment) => commitment !== undefined) + 1).toBe(432)
  })

  it("are accepted on Core's regtest, where every one of them commits to witnesses", () => {
    const chain = new MinedChain(regtest)
    for (let height = 1; height <= 50; height++) chain.mine()
    const tree = newTree(regtest)
    expect(accept(tree, chain.rawHeaders(1, 50), Infinity)).toMatchObject({ count: 50, fault: undefined })
    expect(chain.blocks.every(({ transactions: [first] }) => first && witnessCommitment(first))).toBe(true)
  })
})

describe("a tree from a base in mid-chain", () => {
  const params = fastTestNetwork({ genesis: { ...regtest.genesis, time: START } })

  const baseOf = (world: HeaderTree, header: number, known: boolean): HeaderTree => {
    const height = world.height(header)
    const base = {
      height,
      hash: world.hash(header),
      bits: world.bits(header),
      chainWork: world.chainWork(header),
      periodFirstTime: world.periodFirst(header).time
    }
    const raw = world.rawChain(header, height, height)
    return HeaderTree.fromBase(params, known ? { ...base, header: raw } : base, portableSha256, random)
  }

  it("accepts what a tree from genesis does, with the same heights and work, over retargets", () => {
    const world = newTree(params)
    const tip = extend(world, 0, 130, 3)
    for (const height of [1, 5, 18, 20, 45, 77]) {
      const tree = baseOf(world, height, false)
      expect(accept(tree, world.rawChain(tip, height + 1, 130))).toMatchObject({
        count: 130 - height,
        fault: undefined
      })
      expect(contents(tree).slice(1)).toEqual(contents(world).slice(height + 1))
    }
    // The last of a period is judged by its time: it needs its header.
    expect(() => baseOf(world, 19, false)).toThrow("give its header")
    const tree = baseOf(world, 19, true)
    expect(accept(tree, world.rawChain(tip, 20, 130))).toMatchObject({ count: 111, fault: undefined })
  })

  /** Whether the `nth` header after the base may claim a time that is long past. */
  const acceptsOldTime = (nth: number, known: boolean): boolean => {
    const world = newTree(params)
    const before = extend(world, 0, 40 + nth - 1, 4)
    const bad = child(params, world, before, { time: START })
    const run = concat([world.rawChain(before, 41, 40 + nth - 1), bad])
    expect(accept(newTree(params), concat([world.rawChain(before, 1, 40), run]))).toMatchObject({
      fault: { rule: "time-too-old" }
    })
    const acceptance = accept(baseOf(world, 40, known), run)
    return acceptance._tag === "Accepted" && acceptance.fault === undefined
  }

  it("enforces median time from the twelfth header on where the base is known by its hash alone", () => {
    expect([1, 2, 6, 10, 11, 12, 13].map((nth) => acceptsOldTime(nth, false))).toEqual([
      true,
      true,
      true,
      true,
      true,
      false,
      false
    ])
  })

  it("enforces median time from the eleventh header on where the base's header is known", () => {
    expect([9, 10, 11, 12].map((nth) => acceptsOldTime(nth, true))).toEqual([true, true, false, false])
  })
})
