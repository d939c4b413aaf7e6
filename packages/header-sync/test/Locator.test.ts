import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import { mainnet, regtest } from "@satwire/primitives"
import { MAX_LOCATOR_SZ } from "@satwire/wire"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { HeaderTree, locate, locator } from "../src/index.ts"
import { append } from "./TestHeaders.ts"

/** A tree with its heads, of headers that nobody judges: a trunk, and branches that leave it at some height. */
const treeOf = (
  trunk: number,
  branches: ReadonlyArray<{ at: number; length: number }>
): [HeaderTree, Array<number>] => {
  const tree = HeaderTree.fromGenesis(regtest, ChaChaRandom.fromNumber(1))
  const raw = new Uint8Array(80)
  const hash = new Uint8Array(32)
  const view = new DataView(hash.buffer)
  const grow = (from: number, length: number): number => {
    let at = from
    for (let i = 0; i < length; i++) {
      view.setUint32(0, Math.imul(tree.size, 0x9e3779b1))
      view.setUint32(28, tree.size)
      at = append(tree, raw, hash, at, 2n)
    }
    return at
  }
  const heads = [grow(0, trunk)]
  for (const { at, length } of branches) heads.push(grow(tree.ancestor(heads[0] as number, at % (trunk + 1)), length))
  return [tree, heads]
}

const heightsOf = (tree: HeaderTree, tip: number): ReadonlyArray<number> =>
  locator(tree, tip).map((hash) => tree.height(tree.find(hash)))

describe("a locator", () => {
  it("names the tip, ten more one below the other, then ever fewer, and genesis", () => {
    const [tree, [tip]] = treeOf(100, [])
    expect(heightsOf(tree, tip as number)).toEqual([
      100, 99, 98, 97, 96, 95, 94, 93, 92, 91, 90, 89, 87, 83, 75, 59, 27, 0
    ])
    expect(heightsOf(tree, 0)).toEqual([0])
    expect(heightsOf(tree, 3)).toEqual([3, 2, 1, 0])
  })

  it("has 28 hashes at height 131,072, and one more for each doubling: 42 for the longest chain of a tree", () => {
    const [tree, [tip]] = treeOf(1 << 17, [])
    expect(locator(tree, tip as number).length).toBe(28)
    expect(28 + 31 - 17).toBeLessThan(MAX_LOCATOR_SZ)
  })

  it("is followed from its first hash that is on the chain, never higher than the fork, and near to it", () => {
    const branches = fc.array(fc.record({ at: fc.nat(400), length: fc.nat(60) }), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(fc.nat(400), branches, fc.nat(), fc.nat(), (trunk, some, x, y) => {
        const [tree, heads] = treeOf(trunk, some)
        const ours = heads[x % heads.length] as number
        const theirs = heads[y % heads.length] as number
        const found = locate(tree, ours, locator(tree, theirs))
        const fork = tree.fork(ours, theirs)
        expect(tree.ancestor(ours, tree.height(found))).toBe(found)
        expect(tree.ancestor(theirs, tree.height(found))).toBe(found)
        // What is told twice is never more than what their chain has above the fork, and the eleven single steps.
        const above = tree.height(theirs) - tree.height(fork)
        expect(tree.height(fork) - tree.height(found)).toBeLessThanOrEqual(above)
      })
    )
  })

  it("is followed from the root where nothing of it is known", () => {
    const [tree, [tip]] = treeOf(50, [])
    expect(locate(tree, tip as number, [])).toBe(0)
    expect(locate(tree, tip as number, [new Uint8Array(32).fill(7)])).toBe(0)
  })

  it("does not tell that a stale header is known", () => {
    const [tree, [tip, stale]] = treeOf(50, [{ at: 40, length: 3 }])
    const hashes = [tree.hash(stale as number), tree.hash(tree.ancestor(tip as number, 10))]
    expect(tree.height(locate(tree, tip as number, hashes))).toBe(10)
    expect(locate(tree, tip as number, [tree.hash(stale as number)])).toBe(0)
  })

  it("from beyond the tip is followed from the tip", () => {
    const [tree, [tip]] = treeOf(50, [])
    expect(locate(tree, 40, [tree.hash(tip as number)])).toBe(40)
  })

  it("of a tree in mid-chain ends with its base", () => {
    const base = {
      height: 40_000,
      hash: mainnet.genesisHash,
      bits: 0x1d00ffff,
      chainWork: 1n << 50n,
      periodFirstTime: 1_231_006_505
    }
    const tree = HeaderTree.fromBase(mainnet, base, portableSha256, ChaChaRandom.fromNumber(1))
    for (let i = 1; i <= 20; i++) {
      append(tree, new Uint8Array(80), new Uint8Array(32).fill(i), i - 1, 1n)
    }
    expect(heightsOf(tree, 20).map((height) => height - 40_000)).toEqual([
      20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 7, 3, 0
    ])
  })
})
