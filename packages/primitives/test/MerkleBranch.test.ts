import { portableSha256 } from "@satwire/crypto"
import { arbitraryHash, describeWithData } from "@satwire/testkit"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { BlockView, merkleBranch, merkleRoot, rootOfBranch } from "../src/index.ts"

const flat = (hashes: ReadonlyArray<Uint8Array>): Uint8Array => {
  const all = new Uint8Array(32 * hashes.length)
  hashes.forEach((hash, i) => all.set(hash, 32 * i))
  return all
}

describe("a merkle branch", () => {
  it("leads from every leaf of every list to its root, and from no other leaf or place", () => {
    fc.assert(
      fc.property(fc.uniqueArray(arbitraryHash, { minLength: 1, maxLength: 20, selector: String }), (hashes) => {
        const { root } = merkleRoot(portableSha256, hashes)
        hashes.forEach((leaf, i) => {
          const branch = merkleBranch(portableSha256, flat(hashes), i)
          expect(branch.length).toBe(32 * Math.ceil(Math.log2(hashes.length)))
          expect(rootOfBranch(portableSha256, leaf, i, branch)).toEqual({ root, mutated: false })
          if ((i ^ 1) < hashes.length) expect(rootOfBranch(portableSha256, leaf, i ^ 1, branch).root).not.toEqual(root)
          const other = leaf.map((byte) => byte ^ 1)
          expect(rootOfBranch(portableSha256, other, i, branch).root).not.toEqual(root)
        })
      }),
      { numRuns: 30 }
    )
  })

  it("of a leaf that only a doubled list has is mutated (CVE-2012-2459)", () => {
    const [a, b, c] = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte)) as [Uint8Array, Uint8Array, Uint8Array]
    const { root } = merkleRoot(portableSha256, [a, b, c])
    const doubled = flat([a, b, c, c])
    expect(rootOfBranch(portableSha256, c, 3, merkleBranch(portableSha256, doubled, 3))).toEqual({
      root,
      mutated: true
    })
    expect(rootOfBranch(portableSha256, c, 2, merkleBranch(portableSha256, doubled, 2))).toEqual({
      root,
      mutated: false
    })
  })

  it("is for a leaf that exists", () => {
    for (const index of [-1, 1, NaN]) {
      expect(() => merkleBranch(portableSha256, new Uint8Array(32), index)).toThrow(RangeError)
    }
  })
})

describeWithData(describe, "branches of a real block", (data) => {
  it("lead to the root in its header", () => {
    const block = BlockView.decode(data.bytes("blocks/mainnet/block_300025_821c4e0acc40.bin"))
    if (Result.isFailure(block)) throw new Error(String(block.failure))
    const view = block.success.value
    const txids = view.txids(portableSha256)
    for (const i of [0, 1, 255, 256, 460]) {
      const leaf = txids.slice(32 * i, 32 * i + 32)
      expect(rootOfBranch(portableSha256, leaf, i, merkleBranch(portableSha256, txids, i)).root).toEqual(
        view.header.merkleRoot
      )
    }
  })
})
