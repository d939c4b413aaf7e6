import { portableSha256, sipHash24 } from "@satwire/crypto"
import { equals, toHex } from "@satwire/bytes"
import { describeWithData } from "@satwire/testkit"
import { type CmpctBlock, decodePayload, encodePayload } from "@satwire/wire"
import * as fc from "fast-check"
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import { MAX_PREFILLED_BYTES } from "../src/index.ts"
import { shortIdKey } from "../src/ShortIds.ts"
import { begun, compact, decoded, madeBlock, transactionsOf, whole } from "./Blocks.ts"
import { TestPool } from "./TestPool.ts"

describeWithData(describe, "cmpctblock payloads that were recorded", (data) => {
  it.each([
    ["compact426884.raw", "blocks/mainnet/block_426884_431d0ead6e0b.bin"],
    ["compact898352.raw", "blocks/testnet3/block_898352_00000000c269ad542ed9ac68.bin"]
  ])("%s is what its block gives under its nonce, and gives its block", (file, path) => {
    const payload = data.bytes(`vectors/bip152/${file}`)
    const message = Result.getOrThrow(decodePayload("cmpctblock", payload, { strict: true })).value
    const block = decoded(data.bytes(path))
    expect(toHex(encodePayload(compact(block, { nonce: message.nonce })))).toBe(toHex(payload))
    for (const hasTxids of [true, false]) {
      const partial = begun(message, new TestPool(transactionsOf(block), hasTxids))
      expect(partial.missing).toEqual([])
      expect(equals(whole(partial.complete([])).block.bytes, block.bytes)).toBe(true)
    }
  })
})

const block = madeBlock(12)

/** A short id as BIP-0152 words it: the lower six bytes of SipHash-2-4 of the wtxid. */
const shortIdOf = (message: CmpctBlock, wtxid: Uint8Array): string => {
  const halves = new Uint32Array(2)
  sipHash24(shortIdKey(portableSha256, block.rawHeader, message.nonce), wtxid, 0, 32, halves)
  return toHex(new Uint8Array(halves.buffer).subarray(0, 6))
}

const idsOf = ({ shortIds }: CmpctBlock): ReadonlyArray<string> =>
  Array.from({ length: shortIds.length / 6 }, (_, i) => toHex(shortIds.subarray(6 * i, 6 * i + 6)))

const prefilledOf = ({ prefilled }: CmpctBlock): ReadonlyArray<number> => prefilled.map(({ index }) => index)

describe("a compact block", () => {
  it("has a short id for each transaction but the coinbase, which is whole", () => {
    const message = compact(block)
    expect(prefilledOf(message)).toEqual([0])
    expect(message.prefilled[0]?.tx.bytes).toEqual(block.transaction(0).bytes)
    const others = transactionsOf(block).slice(1)
    expect(idsOf(message)).toEqual(others.map((tx) => shortIdOf(message, tx.wtxid(portableSha256))))
  })

  it("has other ids under another nonce, and the same from wtxids that are at hand", () => {
    const ids = idsOf(compact(block))
    expect(idsOf(compact(block, { nonce: 8n })).filter((id) => ids.includes(id))).toEqual([])
    expect(compact(block, { wtxids: block.wtxids(portableSha256) })).toEqual(compact(block))
  })

  it("holds the transactions whole that others lack, in the order of the block, and each once", () => {
    expect(prefilledOf(compact(block, { prefill: [9, 2, 9, 0, 44] }))).toEqual([0, 2, 9])
  })

  it("holds no more of them than fit, and the coinbase whatever its size", () => {
    const size = (n: number): number => block.transaction(n).bytes.length
    const most = size(0) + size(2) + size(5)
    expect(prefilledOf(compact(block, { prefill: [2, 5, 7], maxPrefilledBytes: most }))).toEqual([0, 2, 5])
    expect(prefilledOf(compact(block, { prefill: [2, 5, 7], maxPrefilledBytes: most - 1 }))).toEqual([0, 2])
    expect(prefilledOf(compact(block, { prefill: [2], maxPrefilledBytes: 0 }))).toEqual([0])
    const big = madeBlock(200)
    const whole = compact(big, { prefill: Array.from({ length: 200 }, (_, i) => i) }).prefilled
    const sum = whole.reduce((bytes, { tx }) => bytes + tx.bytes.length, 0)
    expect([sum <= MAX_PREFILLED_BYTES, sum > MAX_PREFILLED_BYTES - 300]).toEqual([true, true])
  })

  it("keeps nothing of the block's memory", () => {
    const bytes = block.bytes.slice()
    const message = compact(decoded(bytes), { prefill: [3] })
    const payload = encodePayload(message)
    bytes.fill(0)
    expect(encodePayload(message)).toEqual(payload)
  })

  it("passes over the wire as it is", () => {
    const options = fc.record({ nonce: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), prefill: fc.array(fc.nat(14)) })
    fc.assert(
      fc.property(options, (chosen) => {
        const message = compact(block, chosen)
        const back = Result.getOrThrow(decodePayload("cmpctblock", encodePayload(message), { strict: true })).value
        expect(back).toEqual(message)
      }),
      { numRuns: 30 }
    )
  })
})
