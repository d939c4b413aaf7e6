import { DecodeError, concat, equals, toHex } from "@satwire/bytes"
import { portableSha256 as sha256 } from "@satwire/crypto"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  MAX_KEY_BYTES,
  MAX_RANGE_BYTES,
  MAX_VALUE_BYTES,
  MerkleTree,
  type ProvenRange,
  type StateEntry,
  StateTree,
  compareKeys,
  decodeRange,
  encodeRange,
  entriesOf,
  rangeBytes,
  verifyKey,
  verifyRange
} from "../src/index.ts"
import { naiveRoot } from "./Naive.ts"

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const entry = (key: string, value: string): StateEntry => ({ key: text(key), value: text(value) })
const stateOf = (...entries: ReadonlyArray<StateEntry>): StateTree => Result.getOrThrow(StateTree.make(sha256, entries))
const reasonOf = (result: Result.Result<unknown, { readonly reason: string }>): string =>
  Result.isFailure(result) ? result.failure.reason : "none"

const leavesArb = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 70 })
/** A list, and a run of it that is not empty unless the list is. */
const rangeArb = leavesArb.chain((leaves) =>
  fc.tuple(fc.nat(Math.max(0, leaves.length - 1)), fc.nat(leaves.length)).map(([start, length]) => {
    const end = Math.min(leaves.length, start + Math.max(1, length))
    return { leaves, start, end }
  })
)
const proven = (leaves: ReadonlyArray<Uint8Array>, start: number, end: number): ProvenRange => ({
  proof: new MerkleTree(sha256, leaves).prove(start, end),
  leaves: leaves.slice(start, end)
})

describe("a tree", () => {
  it("has these roots", () => {
    const roots = [[], ["a"], ["a", "b"], ["a", "b", "c"]].map((leaves) =>
      toHex(new MerkleTree(sha256, leaves.map(text)).root)
    )
    expect(roots).toMatchInlineSnapshot(`
      [
        "c6c0aa07f27493d2f2e5cff56c890a353a20086d6c25ec825128e12ae752b2d9",
        "35a1c30d7d145747099995f71e8e5df983d1efd6dea4d82aee1f9dcd2623f218",
        "1fe9aafb495d085101c4c18ee8897d9d02c4c1872e9f3fa17d02369d9cb43e28",
        "9e02dbdc2618853530e6efc1b84d50c0efb7cbbafea86c904a02459a491e0930",
      ]
    `)
  })

  it("has the root that the words of RFC 6962 give, for any list", () => {
    fc.assert(
      fc.property(leavesArb, (leaves) => {
        expect(new MerkleTree(sha256, leaves).root).toEqual(naiveRoot(leaves))
      })
    )
  })

  it("has another root where the last leaf stands twice (CVE-2012-2459)", () => {
    const leaves = ["a", "b", "c"].map(text)
    const doubled = [...leaves, text("c")]
    expect(new MerkleTree(sha256, doubled).root).not.toEqual(new MerkleTree(sha256, leaves).root)
  })

  it("takes no node for a leaf", () => {
    const leaves = ["a", "b", "c", "d"].map(text)
    const tree = new MerkleTree(sha256, leaves)
    // The two hashes below a node, given as the leaf of a tree of half the leaves.
    const right = tree.prove(0, 2).siblings[0] as Uint8Array
    const inner = concat([tree.prove(1, 2).siblings[0] as Uint8Array, tree.prove(0, 1).siblings[0] as Uint8Array])
    const forged = { proof: { count: 2, start: 0, siblings: [right] }, leaves: [inner] }
    expect(reasonOf(verifyRange(sha256, tree.root, forged))).toBe("root")
  })
})

describe("a proof of a range", () => {
  it("holds for every range of every small tree", () => {
    for (let count = 0; count <= 17; count++) {
      const leaves = Array.from({ length: count }, (_, i) => new Uint8Array([i]))
      const { root } = new MerkleTree(sha256, leaves)
      for (let start = 0; start <= Math.max(0, count - 1); start++) {
        for (let end = Math.min(count, start + 1); end <= count; end++) {
          expect(reasonOf(verifyRange(sha256, root, proven(leaves, start, end))), `${start}-${end} of ${count}`).toBe(
            "none"
          )
        }
      }
    }
  })

  it("comes back from its bytes, of the size that was foretold", () => {
    fc.assert(
      fc.property(rangeArb, ({ end, leaves, start }) => {
        const range = proven(leaves, start, end)
        const bytes = encodeRange(range)
        expect(bytes.length).toBe(rangeBytes(range))
        const { value } = Result.getOrThrow(decodeRange(bytes))
        expect(value).toEqual(range)
        expect(reasonOf(verifyRange(sha256, naiveRoot(leaves), value))).toBe("none")
      })
    )
  })

  it("holds no more once any byte of it is changed", () => {
    fc.assert(
      fc.property(rangeArb, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ end, leaves, start }, at, flip) => {
        const bytes = encodeRange(proven(leaves, start, end))
        const place = at % bytes.length
        bytes[place] = (bytes[place] as number) ^ flip
        const read = decodeRange(bytes)
        if (Result.isSuccess(read)) {
          expect(Result.isFailure(verifyRange(sha256, naiveRoot(leaves), read.success.value))).toBe(true)
        }
      })
    )
  })

  it("says no more and no fewer leaves than it proves, and at no other place", () => {
    fc.assert(
      fc.property(rangeArb, fc.nat(80), ({ end, leaves, start }, elsewhere) => {
        const { leaves: run, proof } = proven(leaves, start, end)
        const root = naiveRoot(leaves)
        const holds = (range: ProvenRange) => Result.isSuccess(verifyRange(sha256, root, range))
        expect(holds({ proof, leaves: [...run, new Uint8Array(3)] })).toBe(false)
        if (run.length > 0) expect(holds({ proof, leaves: run.slice(1) })).toBe(false)
        if (elsewhere !== start) expect(holds({ proof: { ...proof, start: elsewhere }, leaves: run })).toBe(false)
        if (elsewhere !== leaves.length)
          expect(holds({ proof: { ...proof, count: elsewhere }, leaves: run })).toBe(false)
        expect(holds({ proof: { ...proof, siblings: [...proof.siblings, root] }, leaves: run })).toBe(false)
      })
    )
  })

  it("never throws on bytes that somebody else made", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const read = decodeRange(bytes)
        if (Result.isSuccess(read)) verifyRange(sha256, new Uint8Array(32), read.success.value)
        else expect(read.failure).toBeInstanceOf(DecodeError)
      })
    )
  })

  it("is refused by its size and by its counts before anything is made of it", () => {
    const refusal = (bytes: Uint8Array) => {
      const read = decodeRange(bytes)
      return Result.isFailure(read) ? String(read.failure) : "none"
    }
    expect(refusal(new Uint8Array(MAX_RANGE_BYTES + 1))).toBe("over the limit: a proven range at byte 0")
    expect(refusal(new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0xfe, 1, 0, 1, 0]))).toContain("65537 where 65536")
    expect(refusal(new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0xfd, 0, 4, 0]))).toContain("too few bytes follow")
    expect(refusal(new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 61]))).toContain("61 where 60")
    expect(refusal(new Uint8Array([1, 0, 0, 0x40, 0, 0, 0, 0, 0, 0]))).toContain("leaves of the tree")
    expect(refusal(new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]))).toContain("bytes after a proven range")
  })
})

const entriesArb = fc
  .uniqueArray(fc.tuple(fc.string({ maxLength: 4 }), fc.string({ maxLength: 6 })), {
    selector: ([key]) => toHex(text(key)),
    maxLength: 30
  })
  .map((pairs) => pairs.map(([key, value]) => entry(key, value)))

describe("state", () => {
  it("has one root, in whatever order its entries come", () => {
    const entries = [entry("b", "2"), entry("a", "1"), entry("ab", "3")]
    expect(stateOf(...entries).root).toEqual(stateOf(...entries.reverse()).root)
  })

  it("proves each key's value or that it is not there, as a map would tell", () => {
    fc.assert(
      fc.property(entriesArb, fc.string({ maxLength: 4 }), (entries, other) => {
        const state = stateOf(...entries)
        const model = new Map(entries.map(({ key, value }) => [toHex(key), value]))
        for (const key of [text(other), ...entries.map((each) => each.key)]) {
          const range = Result.getOrThrow(decodeRange(encodeRange(state.proveKey(key)))).value
          const value = Result.getOrThrow(verifyKey(sha256, state.root, key, range))
          expect(value).toEqual(model.get(toHex(key)))
          expect(state.get(key)).toEqual(value)
        }
      })
    )
  })

  it("takes no range as settled that leaves a key open", () => {
    fc.assert(
      fc.property(entriesArb, fc.nat(), fc.string({ maxLength: 4 }), (entries, at, other) => {
        if (entries.length === 0) return
        const state = stateOf(...entries)
        const key = text(other)
        const verdict = verifyKey(sha256, state.root, key, state.chunk(at % entries.length, 0))
        if (Result.isSuccess(verdict)) expect(verdict.success).toEqual(state.get(key))
        else expect(verdict.failure.reason).toBe("gap")
      })
    )
  })

  it("comes whole in chunks that fit, each proven", () => {
    fc.assert(
      fc.property(entriesArb, fc.integer({ min: 0, max: 2300 }), (entries, maxBytes) => {
        const state = stateOf(...entries)
        const got: Array<StateEntry> = []
        do {
          const range = state.chunk(got.length, maxBytes)
          if (range.leaves.length > 1) expect(rangeBytes(range)).toBeLessThanOrEqual(maxBytes)
          expect(reasonOf(verifyRange(sha256, state.root, range))).toBe("none")
          got.push(...Result.getOrThrow(entriesOf(range)))
        } while (got.length < state.count)
        expect(got).toEqual([...entries].sort((a, b) => compareKeys(a.key, b.key)))
      })
    )
  })

  it("comes in chunks of so many entries", () => {
    const state = stateOf(entry("a", "1"), entry("b", "2"), entry("c", "3"))
    expect(state.chunk(0, MAX_RANGE_BYTES, 2).leaves.length).toBe(2)
    expect(state.chunk(2, MAX_RANGE_BYTES, 2).leaves.length).toBe(1)
  })

  it("lets every entry that it takes be sent, with a neighbour's proof", () => {
    const big = (first: number) => ({
      key: new Uint8Array(MAX_KEY_BYTES).fill(first),
      value: new Uint8Array(MAX_VALUE_BYTES)
    })
    const state = stateOf(big(1), big(2), big(3), big(4))
    const range = state.chunk(0)
    expect(range.leaves.length).toBe(3)
    expect(Result.isSuccess(decodeRange(encodeRange(range)))).toBe(true)
    const absent = encodeRange(state.proveKey(new Uint8Array([2])))
    expect(Result.isSuccess(decodeRange(absent))).toBe(true)
  })

  it("is not made of a key twice, or of what is too long", () => {
    const refused = (...entries: ReadonlyArray<StateEntry>) => reasonOf(StateTree.make(sha256, entries))
    expect(refused(entry("a", "1"), entry("b", "2"), entry("a", "3"))).toBe("key twice")
    expect(refused({ key: new Uint8Array(MAX_KEY_BYTES + 1), value: text("") })).toBe("key too long")
    expect(refused({ key: text("a"), value: new Uint8Array(MAX_VALUE_BYTES + 1) })).toBe("value too long")
  })

  it("that is not in order, or made of no entries, is no proof of a key", () => {
    const leaves = [new Uint8Array([1, 98]), new Uint8Array([1, 97])]
    const tree = new MerkleTree(sha256, leaves)
    const range = { proof: tree.prove(0, 2), leaves }
    expect(reasonOf(verifyKey(sha256, tree.root, text("a"), range))).toBe("order")
    const noEntry = [new Uint8Array([9, 1])]
    const other = new MerkleTree(sha256, noEntry)
    expect(reasonOf(verifyKey(sha256, other.root, text("a"), { proof: other.prove(0, 1), leaves: noEntry }))).toBe(
      "order"
    )
  })

  it("of two roots has no proof in common", () => {
    const a = stateOf(entry("a", "1"), entry("b", "2"))
    const b = stateOf(entry("a", "1"), entry("b", "3"))
    expect(equals(a.root, b.root)).toBe(false)
    expect(reasonOf(verifyKey(sha256, b.root, text("a"), a.proveKey(text("a"))))).toBe("root")
  })
})
