import { Reader } from "@satwire/bytes"
import { type Block, mainnet, readBlock, regtest, scriptNumber } from "@satwire/primitives"
import { blockFile, describeWithData } from "@satwire/testkit"
import { describe, expect, it } from "vitest"
import { blockSubsidy } from "../src/index.ts"

describeWithData(describe, "the coinbases of real blocks", (data) => {
  const coinbaseOf = (raw: Uint8Array): Block["transactions"][number] =>
    readBlock(new Reader(raw)).transactions[0] as Block["transactions"][number]

  it("begin with the height as we push it, since BIP-0034", () => {
    const path = "blocks/mainnet"
    let compared = 0
    for (const name of data.list(path)) {
      const height = Number(/^block_(\d+)_/.exec(name)?.[1])
      if (Number.isNaN(height) || height < mainnet.bip34Height) continue
      const expected = scriptNumber(height)
      const script = coinbaseOf(data.bytes(`${path}/${name}`)).inputs[0]?.scriptSig
      expect(script?.slice(0, expected.length)).toEqual(expected)
      compared += 1
    }
    expect(compared).toBeGreaterThan(8)
    let height = 0
    for (const raw of blockFile(data.bytes("blocks/regtest/blocks_000001-000206.blk"), regtest.magic)) {
      height += 1
      const expected = scriptNumber(height)
      expect(coinbaseOf(raw).inputs[0]?.scriptSig.slice(0, expected.length)).toEqual(expected)
    }
  })

  it("create what we say that they may: all of it where there are no fees, over a halving too", () => {
    let height = 0
    for (const raw of blockFile(data.bytes("blocks/regtest/blocks_000001-000206.blk"), regtest.magic)) {
      height += 1
      const block = readBlock(new Reader(raw))
      if (block.transactions.length > 1) continue
      const paid = coinbaseOf(raw).outputs.reduce((sum, { amount }) => sum + amount, 0n)
      expect(paid).toBe(blockSubsidy(regtest, height))
    }
    expect(height).toBe(206)
  })
})
