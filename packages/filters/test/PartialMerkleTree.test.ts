import { Reader, fromHex, toHex } from "@satwire/bytes"
import { portableSha256 } from "@satwire/crypto"
import { BlockView, headerHash, merkleRoot } from "@satwire/primitives"
import { describeWithData } from "@satwire/testkit"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  type PartialMerkleProof,
  type PartialMerkleTree,
  type PartialTreeFault,
  buildPartialTree,
  verifyPartialTree
} from "../src/index.ts"

const leaf = (n: number): Uint8Array => new Uint8Array(32).map((_, i) => (i < 4 ? n >>> (8 * i) : 0xaa))
const leaves = (count: number): ReadonlyArray<Uint8Array> => Array.from({ length: count }, (_, n) => leaf(n))
const flat = (hashes: ReadonlyArray<Uint8Array>): Uint8Array => {
  const all = new Uint8Array(32 * hashes.length)
  hashes.forEach((hash, i) => all.set(hash, 32 * i))
  return all
}

const proof = (tree: PartialMerkleTree): PartialMerkleProof => {
  const result = verifyPartialTree(portableSha256, tree)
  if (Result.isFailure(result)) throw new Error(result.failure)
  return result.success
}
const fault = (tree: PartialMerkleTree): PartialTreeFault | undefined => {
  const result = verifyPartialTree(portableSha256, tree)
  return Result.isFailure(result) ? result.failure : undefined
}

describe("a partial merkle tree", () => {
  it("proves the transactions that it was built for, whichever they are, and no others", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.infiniteStream(fc.boolean()), (count, stream) => {
        const txids = leaves(count)
        const wanted = txids.map(() => stream.next().value as boolean)
        const tree = buildPartialTree(portableSha256, flat(txids), (i) => wanted[i] === true)
        const { root, proven, height } = proof(tree)
        expect(root).toEqual(merkleRoot(portableSha256, txids).root)
        expect(height).toBe(Math.ceil(Math.log2(count)))
        expect(proven).toEqual(txids.flatMap((txid, index) => (wanted[index] === true ? [{ index, txid }] : [])))
      }),
      { numRuns: 60 }
    )
  })

  it("is small: a hash for each level for one transaction, one for none", () => {
    const txids = flat(leaves(1000))
    expect(buildPartialTree(portableSha256, txids, (i) => i === 500).hashes.length / 32).toBe(11)
    const none = buildPartialTree(portableSha256, txids, () => false)
    expect([none.hashes.length / 32, none.flags]).toEqual([1, Uint8Array.of(0)])
    expect(buildPartialTree(portableSha256, txids, () => true).hashes).toEqual(txids)
  })

  it("is of a block that has transactions", () => {
    expect(() => buildPartialTree(portableSha256, new Uint8Array(0), () => true)).toThrow(RangeError)
    expect(() => buildPartialTree(portableSha256, new Uint8Array(33), () => true)).toThrow(RangeError)
  })
})

describe("a stranger's partial merkle tree", () => {
  const txids = flat(leaves(7))
  const tree = buildPartialTree(portableSha256, txids, (i) => i === 2 || i === 6)

  it("proves nothing false when a bit or a hash of it changes", () => {
    const { root } = proof(tree)
    const { hashes, flags } = tree
    for (let i = 0; i < 8 * (hashes.length + flags.length); i++) {
      const changed = { ...tree, hashes: hashes.slice(), flags: flags.slice() }
      const bytes = i < 8 * hashes.length ? changed.hashes : changed.flags
      const at = (i >>> 3) % (bytes === changed.hashes ? hashes.length : flags.length)
      bytes[at] = (bytes[at] as number) ^ (1 << (i & 7))
      const result = verifyPartialTree(portableSha256, changed)
      if (Result.isFailure(result) || toHex(result.success.root) !== toHex(root)) continue
      // A leaf's own bit and the padding of the last byte are under no hash, as in Core: they can only hide a leaf or show its neighbour.
      expect(bytes).toBe(changed.flags)
      for (const { index, txid } of result.success.proven) expect(txid).toEqual(leaf(index))
    }
  })

  it.each<readonly [PartialTreeFault, PartialMerkleTree]>([
    ["noTransactions", { ...tree, transactionCount: 0 }],
    ["tooManyTransactions", { ...tree, transactionCount: 16_667 }],
    ["tooManyTransactions", { ...tree, transactionCount: 0xffffffff }],
    ["moreHashesThanTransactions", { ...tree, transactionCount: 1 }],
    ["fewerBitsThanHashes", { ...tree, flags: new Uint8Array(0) }],
    ["endsEarly", { ...tree, hashes: tree.hashes.subarray(0, 64) }],
    ["endsEarly", { ...tree, flags: tree.flags.subarray(0, 1) }],
    ["endsEarly", { transactionCount: 1, hashes: new Uint8Array(0), flags: Uint8Array.of(1) }],
    ["bitsLeftOver", { ...tree, flags: Uint8Array.of(...tree.flags, 0) }],
    ["hashesLeftOver", { ...tree, hashes: flat([...leaves(1), ...leaves(1)]), flags: Uint8Array.of(0) }],
    ["hashesLeftOver", { ...tree, hashes: new Uint8Array(33), flags: Uint8Array.of(0) }]
  ])("is refused: %s", (why, bad) => {
    expect(fault(bad)).toBe(why)
  })

  it("is refused where a right-hand node repeats its left (CVE-2012-2459)", () => {
    const [a, b, c] = leaves(3) as [Uint8Array, Uint8Array, Uint8Array]
    const honest = buildPartialTree(portableSha256, flat([a, b, c]), (i) => i === 2)
    const doubled = buildPartialTree(portableSha256, flat([a, b, c, c]), (i) => i === 3)
    expect(merkleRoot(portableSha256, [a, b, c]).root).toEqual(merkleRoot(portableSha256, [a, b, c, c]).root)
    expect(fault(honest)).toBeUndefined()
    expect(fault(doubled)).toBe("repeatedNode")
  })

  it("tells by its height that two hashes were given for a transaction of 64 bytes (CVE-2017-12842)", () => {
    // The inner node over the last two leaves is, to a liar, a transaction: he shows a tree that is one level lower.
    const four = leaves(4)
    const upper = [0, 2].map((i) => merkleRoot(portableSha256, four.slice(i, i + 2)).root)
    const honest = proof(buildPartialTree(portableSha256, flat(four), (i) => i === 0))
    const lie = proof(buildPartialTree(portableSha256, flat(upper), (i) => i === 1))
    expect(lie.root).toEqual(honest.root)
    expect(lie.height).not.toBe(honest.height)
  })

  it("never throws, whatever it is", () => {
    const any = fc.record({
      transactionCount: fc.oneof(fc.nat(20), fc.nat(0xffffffff)),
      hashes: fc.uint8Array({ maxLength: 300 }),
      flags: fc.uint8Array({ maxLength: 6 })
    })
    fc.assert(
      fc.property(any, (tree) => {
        expect(Result.isResult(verifyPartialTree(portableSha256, tree))).toBe(true)
      }),
      { numRuns: 2000 }
    )
  })

  it("of the largest size is walked without trouble", () => {
    const txids = flat(leaves(16_666))
    const largest = buildPartialTree(portableSha256, txids, () => true)
    expect(proof(largest).proven).toHaveLength(16_666)
  })
})

/** The payload of a `merkleblock`, by hand: `wire` stands beside this package and not below. */
const merkleblock = (payload: Uint8Array): PartialMerkleTree & { readonly header: Uint8Array } => {
  const r = new Reader(payload)
  const header = r.view(80)
  const transactionCount = r.u32()
  const hashes = r.view(32 * r.compactSize())
  return { header, transactionCount, hashes, flags: r.varBytes(Infinity, "flags") }
}

const rootIn = (header: Uint8Array): Uint8Array => header.subarray(36, 68)

describeWithData(describe, "real partial trees", (data) => {
  const folder = "vectors/merkleblock"
  const proofs = data.list(folder).filter((name) => name.startsWith("txoutproof_"))

  it.each(proofs)("%s proves the transactions of its name, and is built again to the same bytes", (name) => {
    const [, height = "", indexes = ""] = /^txoutproof_0?(\d+)-([\d_]+)\.bin$/u.exec(name) ?? []
    const found = merkleblock(data.bytes(`${folder}/${name}`))
    const { root, proven } = proof(found)
    expect(root).toEqual(rootIn(found.header))
    const wanted = indexes.split("_").map(Number)
    expect(proven.map(({ index }) => index)).toEqual(wanted)

    const files = ["blocks/mainnet", "blocks/mainnet/run_831328-831333"].flatMap((path) =>
      data.list(path).flatMap((file) => (file.startsWith(`block_${height}_`) ? [`${path}/${file}`] : []))
    )
    const block = BlockView.decode(data.bytes(files[0] as string))
    if (Result.isFailure(block)) throw new Error(String(block.failure))
    const txids = block.success.value.txids(portableSha256)
    for (const { index, txid } of proven) expect(txid).toEqual(txids.slice(32 * index, 32 * index + 32))
    const built = buildPartialTree(portableSha256, txids, (i) => wanted.includes(i))
    expect(toHex(built.hashes)).toBe(toHex(found.hashes))
    expect(toHex(built.flags)).toBe(toHex(found.flags))
  })

  it.each([
    ["bcoin_merkle300025.raw", 461],
    ["bcoin_merkle300025-extended.raw", 461]
  ])("%s holds against its header", (name, count) => {
    const found = merkleblock(data.bytes(`${folder}/${name}`))
    expect(found.transactionCount).toBe(count)
    expect(proof(found).root).toEqual(rootIn(found.header))
  })

  it("holds in an old client's vector, whose header has work", () => {
    const found = merkleblock(fromHex(data.text(`${folder}/rustbitcoin_merkle_block.hex`).trim()) as Uint8Array)
    expect(proof(found).root).toEqual(rootIn(found.header))
    expect(headerHash(portableSha256, found.header).slice(28)).toEqual(new Uint8Array(4))
  })
})
