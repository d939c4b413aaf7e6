import { platformSha256 } from "@satwire/crypto/node"
import { BlockView, type ChainParams, mainnet, regtest, testnet3 } from "@satwire/primitives"
import { type RealData, blockFile, describeWithData } from "@satwire/testkit"
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import {
  type BlockContext,
  BlockContexts,
  checkBlock,
  checkBlockBytes,
  isBlockMutated,
  transactionFault
} from "../src/index.ts"
import { ListView, type PlainHeader } from "./ListView.ts"
import { naiveSigOps, naiveTransactionFault } from "./NaiveChecks.ts"

const decoded = (bytes: Uint8Array): BlockView => Result.getOrThrow(BlockView.decode(bytes)).value

/** A list whose heights are its numbers: those of `ListView` are counted anew each time. */
class ListFromGenesis extends ListView {
  override height(header: number): number {
    return header
  }
  override ancestor(header: number, height: number): number {
    return height <= header ? height : -1
  }
}

const headerOf = (block: BlockView): Partial<PlainHeader> => {
  const { version, time, bits } = block.header
  return { version, time, bits }
}

/** What a block of mainnet must satisfy of which only the height is known. */
const contextAt = (params: ChainParams, height: number): BlockContext => {
  const isActive = (deployment: ChainParams["csv"]): boolean =>
    deployment._tag === "Buried" && height >= deployment.height
  return {
    height,
    hasHeight: height >= params.bip34Height,
    lockTimeCutoff: undefined,
    hasWitness: isActive(params.segwit),
    signetChallenge: undefined
  }
}

/** The blocks that stand alone: a name with the height in it, the network and the path. */
const singleBlocks = (data: RealData): ReadonlyArray<readonly [string, ChainParams, string]> =>
  [mainnet, testnet3].flatMap((params) =>
    data
      .list(`blocks/${params.name}`)
      .filter((name) => name.endsWith(".bin"))
      .map(
        (name) => [`${params.name} ${/^block_(\d+)/.exec(name)?.[1]}`, params, `blocks/${params.name}/${name}`] as const
      )
  )

describeWithData(describe, "real blocks in chains", (data) => {
  it.each([
    ["mainnet", mainnet, "blocks/mainnet/blocks_000000-000599.blk", 599],
    ["testnet3", testnet3, "blocks/testnet3/blocks_000001-004000.blk", 4000],
    ["regtest", regtest, "blocks/regtest/blocks_000001-000206.blk", 206]
  ] as const)("of %s, on top of each other, keep every rule", (_, params, path, expected) => {
    const view = new ListFromGenesis(2016)
    const contexts = new BlockContexts(params, view)
    let passed = 0
    for (const raw of blockFile(data.bytes(path), params.magic)) {
      const block = decoded(raw)
      if (view.headers.length === 0) {
        view.add(params.genesis)
        if (path.includes("000000")) continue
      }
      const context = contexts.after(view.headers.length - 1, block.header.time)
      expect(checkBlock(platformSha256, block, context)).toBeUndefined()
      expect(isBlockMutated(platformSha256, block, context.hasWitness)).toBe(false)
      view.add(headerOf(block))
      passed += 1
    }
    expect(passed).toBe(expected)
  })

  it("of 2024, six in a row, keep every rule", () => {
    const folder = "blocks/mainnet/run_831328-831333"
    const view = new ListView(2016, [], 831_327)
    // The parent of the first is known by its hash alone.
    view.add({ time: -1 })
    const contexts = new BlockContexts(mainnet, view)
    const names = data.list(folder)
    for (const name of names) {
      const block = decoded(data.bytes(`${folder}/${name}`))
      const context = contexts.after(view.headers.length - 1, block.header.time)
      expect(context).toMatchObject({ height: Number(name.slice(6, 12)), lockTimeCutoff: undefined, hasWitness: true })
      expect(checkBlock(platformSha256, block, context)).toBeUndefined()
      view.add(headerOf(block))
    }
    expect(names.length).toBe(6)
  })
})

describeWithData(describe, "real blocks that stand alone", (data) => {
  it.each(singleBlocks(data))(
    "%s keeps every rule at its height, but not at the next since BIP-0034",
    (name, params, path) => {
      const block = decoded(data.bytes(path))
      const context = contextAt(params, Number(name.split(" ")[1]))
      expect(checkBlock(platformSha256, block, context)).toBeUndefined()
      const next = checkBlock(platformSha256, block, { ...context, height: context.height + 1 })
      expect(next?.rule).toBe(context.hasHeight ? "bad-cb-height" : undefined)
    }
  )

  it("have transactions of which objects say the same as the walk over their bytes", () => {
    for (const path of [
      "blocks/mainnet/block_574200_1602407ac498.bin",
      "blocks/mainnet/block_300025_821c4e0acc40.bin"
    ]) {
      const block = decoded(data.bytes(path))
      const { transactions } = block.materialise()
      let sigOps = 0
      transactions.forEach((tx, i) => {
        expect(transactionFault(block.transaction(i))).toBe(naiveTransactionFault(tx))
        for (const { scriptSig } of tx.inputs) sigOps += naiveSigOps(scriptSig)
        for (const { scriptPubKey } of tx.outputs) sigOps += naiveSigOps(scriptPubKey)
      })
      expect(sigOps).toBeLessThanOrEqual(20_000)
    }
  })
})

describeWithData(describe, "real blocks that somebody changed", (data) => {
  it("are refused or undecodable with any one bit of their transactions flipped", () => {
    const sample = [
      ["blocks/testnet3/block_898352_00000000c269ad542ed9ac68.bin", testnet3, 898_352],
      ["blocks/mainnet/block_482683_c238240ef6dc.bin", mainnet, 482_683]
    ] as const
    for (const [path, params, height] of sample) {
      const bytes = data.bytes(path)
      const context = contextAt(params, height)
      // The header ends at byte 80; before it only the merkle root is the block's own concern.
      for (let bit = 8 * 36; bit < 8 * bytes.length; bit += bit < 8 * 200 ? 1 : 13) {
        if (bit >= 8 * 68 && bit < 8 * 80) continue
        bytes[bit >>> 3] = (bytes[bit >>> 3] as number) ^ (1 << (bit & 7))
        expect(checkBlockBytes(platformSha256, bytes, context)?.isMutation).toBe(true)
        bytes[bit >>> 3] = (bytes[bit >>> 3] as number) ^ (1 << (bit & 7))
      }
      expect(checkBlockBytes(platformSha256, bytes, context)).toBeUndefined()
    }
  })

  it("are mutations and never invalid with their tail doubled", () => {
    let doubled = 0
    for (const [name, params, path] of singleBlocks(data)) {
      const block = decoded(data.bytes(path))
      const { header, transactions } = block.materialise()
      const count = transactions.length
      const size = count & -count
      if (size === count) continue
      const mutant = BlockView.of({ header, transactions: [...transactions, ...transactions.slice(-size)] })
      const context = contextAt(params, Number(name.split(" ")[1]))
      const fault = { rule: "bad-txns-duplicate", isMutation: true, transaction: undefined }
      expect(checkBlock(platformSha256, mutant, context)).toEqual(fault)
      doubled += 1
    }
    expect(doubled).toBeGreaterThan(12)
  })
})
