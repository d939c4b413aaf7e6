import { BitQueue } from "@satwire/bytes"
import { ProofOfWork, permittedDifficultyTransition } from "@satwire/consensus"
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import {
  type ChainParams,
  HEADER_SIZE,
  bitsFromTarget,
  headerHash,
  mainnet,
  regtest,
  targetFromBits
} from "@satwire/primitives"
import { fastTestNetwork } from "@satwire/testkit"
import { MAX_HEADERS_RESULTS } from "@satwire/wire"
import * as fc from "fast-check"
import { PeerId } from "@satwire/machine"
import { describe, expect, it } from "vitest"
import { HeaderTree, HeadersPresync, type PresyncOutcome, RECENT_TIP_SECONDS, hashRun } from "../src/index.ts"
import { SyncHarness } from "./SyncHarness.ts"
import { extend } from "./TestHeaders.ts"

const START = 1_700_000_000
const COUNT = 5000
const base: ChainParams = fastTestNetwork({
  genesis: { ...regtest.genesis, time: START },
  headersSync: { commitmentPeriod: 7, redownloadBufferSize: 300 }
})
const world = HeaderTree.fromGenesis(base, ChaChaRandom.fromNumber(1))
const tip = extend(world, 0, COUNT, 1)
/** As long, and of about as much work. */
const otherTip = extend(world, 0, COUNT, 2)
const LATER = world.time(tip) + 10 * RECENT_TIP_SECONDS
const workAt = (height: number): bigint => world.chainWork(world.ancestor(tip, height))
const part = (from: number, to: number, head = tip): Uint8Array => world.rawChain(head, from, to)

/** A machine that follows nothing with less work than the chain has at this height. */
const machine = (leastHeight: number, chainTo = 0): SyncHarness =>
  new SyncHarness({
    params: { ...base, minimumChainWork: workAt(leastHeight) },
    unix: LATER,
    ...(chainTo === 0 ? {} : { chain: part(1, chainTo) })
  })

/** Answers every `getheaders` of a peer out of a chain, until there is none; gives how many there were. */
const serve = (sync: SyncHarness, peer: number, head: () => number, most = Infinity): number => {
  let asked = 0
  for (let queries = sync.takeMessages(peer, "getheaders"); queries.length > 0 && asked < most;) {
    asked += 1
    const chain = head()
    const [first] = queries.at(-1)?.locator ?? []
    const from = first === undefined ? 0 : world.height(Math.max(0, world.find(first)))
    const to = Math.min(from + MAX_HEADERS_RESULTS, world.height(chain))
    sync.headers(peer, to > from ? part(from + 1, to, chain) : new Uint8Array(0))
    queries = sync.takeMessages(peer, "getheaders")
  }
  return asked
}

describe("a chain that has still to show its work", () => {
  it("is looked at and forgotten, then fetched again and kept, and is the same in the end", () => {
    const sync = machine(4500).ready(1)
    let heldAtMost = 0
    sync.onOutput = () => {
      if (sync.sync.snapshot().presyncing[0]?.phase === "presync") heldAtMost = Math.max(heldAtMost, sync.tree.size)
    }
    serve(sync, 1, () => tip)
    expect(heldAtMost).toBe(1)
    expect(sync.tipHeight).toBe(COUNT)
    expect(sync.tree.hash(sync.tree.best)).toEqual(world.hash(tip))
    expect(sync.sync.snapshot().presyncing).toEqual([])
  })

  it("is asked for from where it was seen last, with where it leaves our own chain behind that", () => {
    const sync = machine(4500).ready(1)
    sync.headers(1, part(1, 2000))
    const locators = sync.takeMessages(1, "getheaders").map(({ locator }) => locator)
    expect(locators.at(-1)?.map((hash) => [...hash])).toEqual(
      [world.hash(world.ancestor(tip, 2000)), base.genesisHash].map((hash) => [...hash])
    )
    expect(sync.take("HeadersAccepted")).toEqual([])
  })

  it("is passed over without blame where it ends with too little, and the next peer is asked", () => {
    const sync = machine(4500).ready(1).ready(2)
    sync.takeSent()
    sync.headers(1, part(1, 2000)).headers(1, part(2001, 3000))
    expect(sync.tree.size).toBe(1)
    expect(sync.takeSent()).toContain("2 getheaders")
    expect(sync.take("Misbehaved")).toEqual([])
    sync.headers(1, part(1, 10))
    expect(sync.tree.size).toBe(1)
  })

  it("is kept as it comes from a peer that our user trusts", () => {
    const sync = machine(4500).input({ _tag: "PeerReady", peer: PeerId(1), outbound: false, isTrusted: true })
    sync.headers(1, part(1, 2000)).headers(1, part(2001, 2010))
    expect(sync.tipHeight).toBe(2010)
    expect(sync.take("Presynced")).toEqual([])
  })

  it("is kept as it comes where it has enough from the first message on", () => {
    const sync = machine(1500).ready(1)
    sync.headers(1, part(1, 2000))
    expect(sync.tipHeight).toBe(2000)
    expect(sync.take("Presynced")).toEqual([])
  })

  it("counts from our tip on once that has more than the network asks for: a day behind it, nothing is kept", () => {
    const sync = machine(10, 3000).ready(1)
    sync.headers(1, part(1, 100, otherTip))
    expect(sync.tree.size).toBe(3001)
    sync.headers(1, part(2990, 3005))
    expect(sync.tipHeight).toBe(3005)
  })

  it("costs the peer the connection where a header has no work, in either phase", () => {
    for (const wait of [0, 3]) {
      const sync = machine(4500).ready(1)
      serve(sync, 1, () => tip, wait)
      const bad = new Uint8Array(part(1, 2000))
      const at = 100 * HEADER_SIZE
      for (let nonce = 0; (headerHash(portableSha256, bad.subarray(at, at + HEADER_SIZE))[31] ?? 0) <= 0x7f; nonce++) {
        bad[at + 76] = nonce
      }
      sync.headers(1, bad)
      const [fault] = sync.take("Misbehaved")
      expect(fault?.reason).toMatchObject({ rule: "high-hash", index: 100 })
    }
  })

  it("that is another one the second time is given up before any of it is kept, and blames nobody", () => {
    const sync = machine(4500).ready(1)
    let isSecond = false
    sync.onOutput = (output) => {
      if (output._tag === "Presynced" && output.phase === "redownload") isSecond = true
    }
    serve(sync, 1, () => (isSecond || sync.sync.snapshot().presyncing[0]?.phase === "redownload" ? otherTip : tip), 20)
    expect(sync.tree.size).toBe(1)
    expect(sync.take("Misbehaved")).toEqual([])
    expect(sync.sync.snapshot().presyncing).toEqual([])
  })

  it("is given up where the second time there is less of it", () => {
    const sync = machine(4500).ready(1)
    serve(sync, 1, () => tip, 3)
    expect(sync.sync.snapshot().presyncing).toMatchObject([{ phase: "redownload" }])
    sync.takeSent()
    sync.headers(1, part(1, 1500))
    expect(sync.sync.snapshot().presyncing).toEqual([])
    expect(sync.tree.size).toBe(1)
  })

  it("is forgotten with its peer", () => {
    const sync = machine(4500).ready(1)
    serve(sync, 1, () => tip, 2)
    expect(sync.sync.snapshot().presyncing.length).toBe(1)
    sync.gone(1)
    expect(sync.sync.isEmpty).toBe(true)
  })

  it("of many peers is kept once", () => {
    const sync = machine(4500).ready(1).ready(2)
    serve(sync, 1, () => tip)
    serve(sync, 2, () => tip)
    expect(sync.tree.size).toBe(COUNT + 1)
  })
})

describe("a chain of little work without an end", () => {
  /** Headers that nobody did work for: their caller is taken to have looked. */
  const endless = (count: number): { readonly outcomes: ReadonlyArray<string>; readonly heldBytes: number } => {
    const params = { ...base, headersSync: { commitmentPeriod: 275, redownloadBufferSize: 7017 } }
    const presync = new HeadersPresync({
      params,
      proof: new ProofOfWork(params),
      random: ChaChaRandom.fromNumber(3),
      unix: START,
      minimumWork: 1n << 200n,
      start: {
        hash: params.genesisHash,
        height: 0,
        bits: params.genesis.bits,
        chainWork: 1n,
        medianTime: START
      }
    })
    const outcomes: Array<string> = []
    let last: Uint8Array = params.genesisHash
    let heldBytes = 0
    for (let sent = 0; sent < count && outcomes.at(-1) !== "Failed"; sent += MAX_HEADERS_RESULTS) {
      const run = new Uint8Array(HEADER_SIZE * MAX_HEADERS_RESULTS)
      const view = new DataView(run.buffer)
      for (let i = 0; i < MAX_HEADERS_RESULTS; i++) view.setUint32(HEADER_SIZE * i + 72, params.genesis.bits, true)
      run.set(last, 4)
      const hashes = hashRun(portableSha256, run, MAX_HEADERS_RESULTS)
      outcomes.push(presync.take(run, MAX_HEADERS_RESULTS, hashes, true)._tag)
      last = presync.next
      heldBytes = Math.max(heldBytes, presync.heldBytes)
    }
    return { outcomes, heldBytes }
  }

  it("is given up when it has more headers than time has passed for, and until then costs a bit now and then", () => {
    const { heldBytes, outcomes } = endless(100_000)
    // Six a second for the two hours that a header may be ahead.
    const most = 6 * 7200
    expect(outcomes.at(-1)).toBe("Failed")
    expect(outcomes.length * MAX_HEADERS_RESULTS).toBeGreaterThan(most - MAX_HEADERS_RESULTS)
    expect(outcomes.length * MAX_HEADERS_RESULTS).toBeLessThan(most + 2 * MAX_HEADERS_RESULTS)
    expect(heldBytes).toBeLessThanOrEqual(64)
  })
})

describe("the buffer of what is fetched again", () => {
  it("hands out every header once and in order, holding back as many as it has to until the work is there", () => {
    const params = { ...base, headersSync: { commitmentPeriod: 7, redownloadBufferSize: 2500 } }
    const presync = new HeadersPresync({
      params,
      proof: new ProofOfWork(params),
      random: ChaChaRandom.fromNumber(4),
      unix: LATER,
      minimumWork: workAt(4900),
      start: { hash: base.genesisHash, height: 0, bits: base.genesis.bits, chainWork: workAt(0), medianTime: START }
    })
    const take = (from: number, to: number): PresyncOutcome => {
      const run = part(from, to)
      const hashes = hashRun(portableSha256, run, to - from + 1)
      return presync.take(run, to - from + 1, hashes, to - from + 1 === MAX_HEADERS_RESULTS)
    }
    for (const [from, to] of [
      [1, 2000],
      [2001, 4000],
      [4001, 5000]
    ] as const) {
      expect(take(from, to)._tag).toBe("More")
    }
    expect(presync.phase).toBe("redownload")
    const ready: Array<Uint8Array> = []
    const heights: Array<number> = []
    for (const [from, to] of [
      [1, 2000],
      [2001, 4000],
      [4001, 5000]
    ] as const) {
      const outcome = take(from, to)
      if (outcome._tag === "More" || outcome._tag === "Done") ready.push(...outcome.ready)
      heights.push(ready.reduce((sum, run) => sum + run.length / HEADER_SIZE, 0))
    }
    expect(heights).toEqual([0, 1500, 5000])
    const all = new Uint8Array(HEADER_SIZE * COUNT)
    let at = 0
    for (const run of ready) {
      all.set(run, at)
      at += run.length
    }
    expect(all).toEqual(part(1, COUNT))
  })
})

describe("targets of a chain whose times were not kept", () => {
  const bits = 0x1b0404cb
  const scaled = (factor: number): number =>
    bitsFromTarget(((targetFromBits(bits) ?? 0n) * BigInt(Math.round(1000 * factor))) / 1000n)

  it("change at retargets alone, and at most by four", () => {
    expect(permittedDifficultyTransition(mainnet, 2016, bits, scaled(4))).toBe(true)
    expect(permittedDifficultyTransition(mainnet, 2016, bits, scaled(0.25))).toBe(true)
    expect(permittedDifficultyTransition(mainnet, 2016, bits, scaled(4.1))).toBe(false)
    expect(permittedDifficultyTransition(mainnet, 2016, bits, scaled(0.24))).toBe(false)
    expect(permittedDifficultyTransition(mainnet, 2017, bits, scaled(2))).toBe(false)
    expect(permittedDifficultyTransition(mainnet, 2017, bits, bits)).toBe(true)
    expect(permittedDifficultyTransition(mainnet, 2016, bits, 0)).toBe(false)
    expect(permittedDifficultyTransition(mainnet, 2016, 0x1d00ffff, 0x1d00ffff)).toBe(true)
  })

  it("are anything on networks with easy blocks", () => {
    expect(permittedDifficultyTransition({ ...mainnet, powAllowMinDifficultyBlocks: true }, 5, bits, scaled(9))).toBe(
      true
    )
  })

  it("that no chain can have end the presync", () => {
    const params = { ...base, powAllowMinDifficultyBlocks: false }
    const presync = new HeadersPresync({
      params,
      proof: new ProofOfWork(params),
      random: ChaChaRandom.fromNumber(5),
      unix: LATER,
      minimumWork: 1n << 200n,
      start: { hash: base.genesisHash, height: 0, bits: 0x1f00ffff, chainWork: 1n, medianTime: START }
    })
    const run = part(1, 10)
    expect(presync.take(run, 10, hashRun(portableSha256, run, 10), true)).toEqual({ _tag: "Failed" })
  })
})

describe("a queue of bits", () => {
  it("gives back what it was given, in a bit of memory each", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 3000 }), (bits) => {
        const queue = new BitQueue()
        for (const bit of bits) queue.push(bit)
        expect(queue.length).toBe(bits.length)
        expect(queue.capacityBytes).toBeLessThanOrEqual(Math.max(16, bits.length / 4))
        expect(bits.map(() => queue.shift())).toEqual(bits)
        expect(queue.length).toBe(0)
      })
    )
  })
})
