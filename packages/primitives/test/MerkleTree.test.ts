import { concat, equals } from "@satwire/bytes"
import { portableSha256, sha256d } from "@satwire/crypto"
import { createHashSha256, nativeSha256, platformSha256 } from "@satwire/crypto/node"
import { arbitraryHash } from "@satwire/testkit"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { fromHex, merkleRoot, merkleRootInPlace, toHex } from "../src/index.ts"

/** The tree as its definition says it, a new list for each level. */
const naiveRoot = (level: ReadonlyArray<Uint8Array>): Uint8Array => {
  if (level.length === 0) return new Uint8Array(32)
  if (level.length === 1) return level[0] ?? new Uint8Array(32)
  const above: Array<Uint8Array> = []
  for (let i = 0; i < level.length; i += 2) {
    const left = level[i] ?? new Uint8Array(32)
    above.push(sha256d(portableSha256, concat([left, level[i + 1] ?? left])))
  }
  return naiveRoot(above)
}

const distinct = (maxLength: number): fc.Arbitrary<ReadonlyArray<Uint8Array>> =>
  fc.uniqueArray(arbitraryHash, { maxLength, comparator: equals })

describe("a merkle root", () => {
  it("is what the definition gives, for any number of hashes, and never mutated where all differ", () => {
    fc.assert(
      fc.property(distinct(40), (hashes) => {
        expect(merkleRoot(portableSha256, hashes)).toEqual({ root: naiveRoot(hashes), mutated: false })
      })
    )
  })

  it("of one hash is that hash, and of none is zero", () => {
    const hash = new Uint8Array(32).fill(7)
    expect(merkleRoot(portableSha256, [hash])).toEqual({ root: hash, mutated: false })
    expect(merkleRoot(portableSha256, [])).toEqual({ root: new Uint8Array(32), mutated: false })
  })

  it("is the same with every backend", () => {
    fc.assert(
      fc.property(distinct(20), (hashes) => {
        const expected = merkleRoot(portableSha256, hashes)
        for (const backend of [nativeSha256, createHashSha256, platformSha256]) {
          expect(merkleRoot(backend, hashes)).toEqual(expected)
        }
      }),
      { numRuns: 30 }
    )
  })

  it("leaves the hashes of the list alone", () => {
    const hashes = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte))
    merkleRoot(portableSha256, hashes)
    expect(hashes.map((hash) => hash[0])).toEqual([1, 2, 3])
  })

  it("is found in memory with and without room for an odd one, of which it uses no more than it was given", () => {
    for (const count of [1, 2, 3, 5, 6, 7]) {
      const hashes = Array.from({ length: count }, (_, i) => new Uint8Array(32).fill(i + 1))
      for (const room of [0, 1, 5]) {
        const flat = concat([...hashes, new Uint8Array(32 * room).fill(0xee)])
        expect(merkleRootInPlace(portableSha256, flat, count).root).toEqual(naiveRoot(hashes))
      }
    }
  })

  it("of block 100,000's four transactions is the one in its header", () => {
    const txids = [
      "8c14f0db3df150123e6f3dbbf30f8b955a8249b62ac1d1ff16284aefa3d06d87",
      "fff2525b8931402dd09222c50775608f75787bd2b87e56995a7bdd30f79702c4",
      "6359f0868171b1d194cbee1af2f16ea598ae8fad666d9b012c8ed2b79a236ec4",
      "e9a66845e05d5abc0ad04ec80f774a7e585c6e8db975962d069a522137b80c1d"
    ].map((hex) => fromHex(hex) ?? new Uint8Array(32))
    expect(toHex(merkleRoot(portableSha256, txids).root)).toBe(
      "f3e94742aca4b5ef85488dc37c06c3282295ffec960994b2c0d5ac2a25a95766"
    )
  })
})

describe("a list whose tail is repeated (CVE-2012-2459)", () => {
  it("has the root of the list that it was made of, and is told by being mutated", () => {
    const six = [1, 2, 3, 4, 5, 6].map((byte) => new Uint8Array(32).fill(byte))
    const eight = [...six, ...six.slice(4)]
    const good = merkleRoot(portableSha256, six)
    const bad = merkleRoot(portableSha256, eight)
    expect(good.mutated).toBe(false)
    expect(bad).toEqual({ root: good.root, mutated: true })
  })

  it("is told on every level, for any list that has such a double", () => {
    fc.assert(
      fc.property(distinct(40), fc.nat(5), (hashes, level) => {
        const size = 2 ** level
        // On this level the list has an odd number of nodes, more than one: the last is taken twice.
        const nodes = Math.ceil(hashes.length / size)
        fc.pre(nodes > 1 && nodes % 2 === 1 && hashes.length % size === 0)
        const doubled = [...hashes, ...hashes.slice(hashes.length - size)]
        const good = merkleRoot(portableSha256, hashes)
        expect(good.mutated).toBe(false)
        expect(merkleRoot(portableSha256, doubled)).toEqual({ root: good.root, mutated: true })
      })
    )
  })

  it("is not told where equal hashes are no neighbours", () => {
    const [a, b] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
    expect(merkleRoot(portableSha256, [a, b, b, a]).mutated).toBe(false)
    expect(merkleRoot(portableSha256, [a, b, a, b]).mutated).toBe(true)
    expect(merkleRoot(portableSha256, [a, a, b]).mutated).toBe(true)
  })
})
