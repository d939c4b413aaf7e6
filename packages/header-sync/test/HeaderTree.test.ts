import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import {
  type BlockHash,
  HEADER_PREVIOUS,
  HEADER_SIZE,
  genesisHeader,
  mainnet,
  networks,
  regtest
} from "@satwire/primitives"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { HeaderTree, type TreeBase } from "../src/index.ts"
import { append } from "./TestHeaders.ts"

const random = ChaChaRandom.fromNumber(1)

/** A header of no meaning: nothing here judges it. Its bytes tell which it is, and its parent's hash is that of number `parent`. */
const plain = (number: number, parent: number): Uint8Array => {
  const raw = new Uint8Array(HEADER_SIZE).fill(number & 0xff)
  raw.set(hashOf(parent), HEADER_PREVIOUS)
  return raw
}

const hashOf = (number: number): Uint8Array => {
  const hash = new Uint8Array(32)
  new DataView(hash.buffer).setUint32(0, Math.imul(number, 0x9e3779b1))
  new DataView(hash.buffer).setUint32(28, number)
  return hash
}

/** The base at `height`, by its hash alone. */
const baseAt = (height: number): TreeBase => ({
  height,
  hash: hashOf(0) as BlockHash,
  bits: 0x1d00ffff,
  chainWork: BigInt(height + 1) * 0x100010001n,
  periodFirstTime: 1_231_006_505
})

interface Naive {
  readonly parent: number
  readonly height: number
  readonly work: bigint
}

/** A tree beside a list of what each header's parent, height and work must be. `shape[i]` says how far back header i + 1 grows. */
const grow = (shape: ReadonlyArray<{ back: number; work: bigint }>, baseHeight: number): [HeaderTree, Array<Naive>] => {
  const base = baseAt(baseHeight)
  const tree = HeaderTree.fromBase(mainnet, base, portableSha256, random)
  const naive: Array<Naive> = [{ parent: -1, height: baseHeight, work: base.chainWork }]
  shape.forEach(({ back, work }, i) => {
    const parent = Math.max(0, i - back)
    const before = naive[parent] as Naive
    naive.push({ parent, height: before.height + 1, work: before.work + work })
    expect(append(tree, plain(i + 1, parent), hashOf(i + 1), parent, work)).toBe(i + 1)
  })
  return [tree, naive]
}

const pathOf = (naive: ReadonlyArray<Naive>, header: number): ReadonlyArray<number> => {
  const path: Array<number> = []
  for (let at = header; at >= 0; at = (naive[at] as Naive).parent) path.unshift(at)
  return path
}

/** Mostly chains, with forks here and there, on bases at all kinds of heights. */
const shapes = fc.array(
  fc.record({
    back: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat(60) }),
    work: fc.oneof(fc.constant(1n), fc.bigInt({ min: 1n, max: (1n << 96n) - 1n }))
  }),
  { minLength: 1, maxLength: 120 }
)
const baseHeights = fc.oneof(fc.nat(200), fc.constant(822_526), fc.nat(900_000)).filter((h) => (h + 1) % 2016 !== 0)

describe("a tree of headers", () => {
  it("agrees with a naive one on parents, heights, work and the best header", () => {
    fc.assert(
      fc.property(shapes, baseHeights, (shape, baseHeight) => {
        const [tree, naive] = grow(shape, baseHeight)
        let best = 0
        naive.forEach(({ parent, height, work }, header) => {
          expect([tree.parent(header), tree.height(header), tree.chainWork(header)]).toEqual([parent, height, work])
          expect(tree.find(hashOf(header))).toBe(header)
          if (work > (naive[best] as Naive).work) best = header
        })
        expect(tree.best).toBe(best)
        expect(tree.size).toBe(naive.length)
        expect(tree.find(hashOf(naive.length))).toBe(-1)
      })
    )
  })

  it("agrees with a naive one on ancestors, forks and which of two has more work", () => {
    fc.assert(
      fc.property(shapes, baseHeights, fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 30 }), (shape, h, pairs) => {
        const [tree, naive] = grow(shape, h)
        for (const [x, y] of pairs) {
          const [a, b] = [x % naive.length, y % naive.length]
          const [left, right] = [pathOf(naive, a), pathOf(naive, b)]
          left.forEach((ancestor, i) => expect(tree.ancestor(a, h + i)).toBe(ancestor))
          expect(tree.ancestor(a, h + left.length)).toBe(-1)
          expect(tree.ancestor(a, h - 1)).toBe(-1)
          expect(tree.fork(a, b)).toBe(left.findLast((header, i) => right[i] === header))
          const [workA, workB] = [(naive[a] as Naive).work, (naive[b] as Naive).work]
          expect(Math.sign(tree.compareWork(a, b))).toBe(workA > workB ? 1 : workA < workB ? -1 : 0)
        }
      })
    )
  })

  it("finds every ancestor in long chains, wherever they begin", () => {
    const shape = Array.from({ length: 3000 }, () => ({ back: 0, work: 1n }))
    for (const baseHeight of [0, 1, 2, 63, 64, 1000]) {
      const [tree] = grow(shape, baseHeight)
      let wrong = 0
      for (let header = 0; header <= 3000; header += 7) {
        for (let to = 0; to <= header; to++) if (tree.ancestor(header, baseHeight + to) !== to) wrong += 1
      }
      expect(wrong).toBe(0)
    }
  })

  it("carries work beyond 32, 64 and 96 bits", () => {
    const huge = (1n << 127n) - 1n
    const tree = HeaderTree.fromBase(mainnet, { ...baseAt(5), chainWork: huge }, portableSha256, random)
    append(tree, plain(1, 0), hashOf(1), 0, 1n)
    expect(tree.chainWork(1)).toBe(1n << 127n)
    expect(tree.compareWork(1, 0)).toBeGreaterThan(0)
    expect(tree.best).toBe(1)
  })

  it("keeps the first of two headers of the same work as the best", () => {
    const [tree] = grow(
      [
        { back: 0, work: 5n },
        { back: 1, work: 5n }
      ],
      0
    )
    expect(tree.parent(2)).toBe(0)
    expect(tree.best).toBe(1)
  })

  it("gives raw headers as they came, by number and along a chain", () => {
    const [tree] = grow(
      [0, 0, 0, 2, 0].map((back) => ({ back, work: 1n })),
      7
    )
    // 0 ─ 1 ─ 2 ─ 3 and 1 ─ 4 ─ 5: header 4 grows two back.
    expect([tree.parent(4), tree.parent(5)]).toEqual([1, 4])
    const bytes = (numbers: ReadonlyArray<number>): ReadonlyArray<number> =>
      numbers.flatMap((n) => [...plain(n, tree.parent(n))])
    expect([...tree.rawRange(2, 3)]).toEqual(bytes([2, 3, 4]))
    expect([...tree.rawChain(5, 8, 10)]).toEqual(bytes([1, 4, 5]))
    expect([...tree.rawChain(3, 9, 9)]).toEqual(bytes([2]))
    expect(tree.rawChain(3, 9, 8).length).toBe(0)
  })

  it("takes at most 150 bytes for each of a million headers, and little for a few", () => {
    const tree = HeaderTree.fromBase(mainnet, baseAt(7), portableSha256, random)
    expect(tree.bytes).toBeLessThan(16_384)
    const run = { raw: new Int32Array(20), hashes: new Int32Array(8) }
    for (let i = 0; i < 1_000_000; i++) {
      run.hashes[0] = Math.imul(i + 1, 0x9e3779b1)
      tree.append(run, 0, 1, i, 1n)
      if (i % 100_000 === 90_000) expect(tree.bytes / i).toBeLessThan(150)
    }
    expect(tree.bytes / tree.size).toBeLessThan(140)
  })
})

describe("a tree from genesis", () => {
  it("begins with the first header of its network", () => {
    for (const params of Object.values(networks)) {
      const tree = HeaderTree.fromGenesis(params, random)
      expect(tree.hash(0)).toEqual(params.genesisHash)
      expect(tree.rawChain(0, 0, 0)).toEqual(genesisHeader(params))
      expect([tree.size, tree.best, tree.height(0), tree.parent(0)]).toEqual([1, 0, 0, -1])
      expect([tree.time(0), tree.bits(0), tree.version(0)]).toEqual([params.genesis.time, params.genesis.bits, 1])
      expect(tree.periodFirst(0)).toEqual({ time: params.genesis.time, bits: params.genesis.bits })
    }
    expect(HeaderTree.fromGenesis(mainnet, random).chainWork(0)).toBe(0x100010001n)
  })
})

describe("a base in mid-chain", () => {
  const from = (changes: Partial<TreeBase>, params = mainnet): (() => HeaderTree) => {
    return () => HeaderTree.fromBase(params, { ...baseAt(40_000), ...changes }, portableSha256, random)
  }
  const header = genesisHeader(mainnet)
  const known = { hash: mainnet.genesisHash, header }

  it("known by its hash alone has no time and is the first of its period by what it was told", () => {
    const tree = from({})()
    expect([tree.height(0), tree.time(0), tree.bits(0)]).toEqual([40_000, -1, 0x1d00ffff])
    expect(tree.periodFirst(0)).toEqual({ time: 1_231_006_505, bits: 0x1d00ffff })
    expect(tree.hash(0)).toEqual(hashOf(0))
  })

  it("known by its header has its time", () => {
    expect(from(known)().time(0)).toBe(1_231_006_505)
  })

  it("tells another target for the first of its period where the two may differ", () => {
    const params = { ...networks["testnet3"], ...mainnet, powAllowMinDifficultyBlocks: true }
    expect(from(known, params)).toThrow("give periodFirstBits")
    expect(from({ ...known, periodFirstBits: 0x1c05a3f4 }, params)().periodFirst(0).bits).toBe(0x1c05a3f4)
    expect(from({ ...known, height: 40_320, chainWork: 1n << 50n }, params)().periodFirst(0).bits).toBe(0x1d00ffff)
    const always = { ...regtest, genesis: mainnet.genesis, genesisHash: mainnet.genesisHash }
    expect(from({ bits: 0x207fffff }, always)().periodFirst(0).bits).toBe(0x207fffff)
  })

  it.each<readonly [string, Partial<TreeBase>, string]>([
    ["a height that is none", { height: -1 }, "height is not -1"],
    ["a height with a fraction", { height: 1.5 }, "height is not 1.5"],
    ["a hash of another length", { hash: new Uint8Array(31) as BlockHash }, "not 31"],
    ["bits that no hash can meet", { bits: 0 }, "no hash can meet the base's bits"],
    ["less work than its own", { chainWork: 1n }, "chain work is not 1"],
    ["more work than there can be", { chainWork: 1n << 128n }, "chain work is not"],
    ["a time that is none", { periodFirstTime: -1 }, "first header is not -1"],
    ["the end of a period and no header", { height: 40_319 }, "give its header"],
    ["a header of another length", { header: new Uint8Array(79) }, "not 79"],
    ["a header with another hash", { header }, "another hash"],
    ["a header with other bits", { ...known, bits: 0x1c00ffff, chainWork: 1n << 60n }, "other bits"],
    ["a first of its period with two times", { ...known, height: 40_320, periodFirstTime: 7 }, "another time"]
  ])("is refused with %s", (_, changes, message) => {
    expect(from(changes)).toThrow(RangeError)
    expect(from(changes)).toThrow(message)
  })

  it("needs its header under the 20-minute rule", () => {
    expect(from({}, { ...mainnet, powAllowMinDifficultyBlocks: true })).toThrow("needs its header")
  })
})
