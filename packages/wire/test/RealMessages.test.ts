/** Payloads that other software wrote. */
import { fromHex, toHex } from "@satwire/bytes"
import { portableSha256, sipHash24, sipKey } from "@satwire/crypto"
import { BlockView, encodeHeader } from "@satwire/primitives"
import { describeWithData } from "@satwire/testkit"
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import {
  type CmpctBlock,
  type Command,
  type MessageOf,
  SHORTTXIDS_LENGTH,
  decodePayload,
  encodePayload
} from "../src/index.ts"

const decoded = <C extends Command>(command: C, payload: Uint8Array): MessageOf<C> => {
  const result = decodePayload(command, payload)
  if (Result.isFailure(result)) throw new Error(String(result.failure))
  return result.success.value
}

/** BIP-0152 §"Short transaction IDs", of all transactions of a block. */
const shortIds = (message: CmpctBlock, ids: Uint8Array): ReadonlyArray<string> => {
  const seed = new Uint8Array(88)
  seed.set(encodeHeader(message.header))
  new DataView(seed.buffer).setBigUint64(80, message.nonce, true)
  const digest = new Uint8Array(32)
  portableSha256.sha256(seed, 0, 88, digest, 0)
  const key = sipKey(digest.subarray(0, 16))
  const out = new Uint32Array(2)
  return Array.from({ length: ids.length / 32 }, (_, i) => {
    sipHash24(key, ids, 32 * i, 32 * i + 32, out)
    return toHex(new Uint8Array(out.buffer.slice(0, SHORTTXIDS_LENGTH)))
  })
}

const sent = ({ shortIds }: CmpctBlock): ReadonlyArray<string> =>
  Array.from({ length: shortIds.length / SHORTTXIDS_LENGTH }, (_, i) =>
    toHex(shortIds.subarray(SHORTTXIDS_LENGTH * i, SHORTTXIDS_LENGTH * (i + 1)))
  )

describeWithData(describe, "compact blocks that bcoin wrote", (data) => {
  it.each([
    ["compact426884.raw", "blocks/mainnet/block_426884_431d0ead6e0b.bin"],
    ["compact898352.raw", "blocks/testnet3/block_898352_00000000c269ad542ed9ac68.bin"]
  ])("%s is decoded, written again to the same bytes, and names the transactions of its block", (name, file) => {
    const payload = data.bytes(`vectors/bip152/${name}`)
    const message = decoded("cmpctblock", payload)
    expect(toHex(encodePayload(message))).toBe(toHex(payload))

    const block = BlockView.decode(data.bytes(file))
    if (Result.isFailure(block)) throw new Error(String(block.failure))
    const view = block.success.value
    expect(message.header).toEqual(view.header)
    const ids = shortIds(message, view.txids(portableSha256))
    const prefilled = new Map(message.prefilled.map(({ index, tx }) => [index, tx]))
    expect(sent(message)).toEqual(ids.filter((_, index) => !prefilled.has(index)))
    expect(ids.length).toBe(prefilled.size + sent(message).length)
    for (const [index, tx] of prefilled) expect(toHex(tx.bytes)).toBe(toHex(view.transaction(index).bytes))
  })
})

describeWithData(describe, "merkle blocks that Core wrote", (data) => {
  const folder = "vectors/merkleblock"
  const proofs = data.list(folder).filter((name) => name.endsWith(".bin") || name === "bcoin_merkle300025.raw")

  it.each(proofs)("%s is decoded and written again to the same bytes", (name) => {
    const payload = data.bytes(`${folder}/${name}`)
    expect(toHex(encodePayload(decoded("merkleblock", payload)))).toBe(toHex(payload))
  })
})

describeWithData(describe, "headers that bcoin wrote", (data) => {
  it("are decoded and written again to the same bytes", () => {
    const payload = data.bytes("vectors/p2p/bcoin_headers1.raw")
    // A list of one, without its count.
    const counted = Uint8Array.of(1, ...payload)
    const message = decoded("headers", counted)
    expect(message.count).toBe(1)
    expect(encodePayload(message)).toEqual(counted)
  })
})

describeWithData(describe, "a transaction with a witness of half a megabyte", (data) => {
  it("is decoded and written again to the same bytes", () => {
    const payload = fromHex(data.text("vectors/p2p/rustbitcoin_huge_witness.hex").trim()) ?? new Uint8Array(0)
    expect(Buffer.compare(encodePayload(decoded("tx", payload)), payload)).toBe(0)
  })
})
