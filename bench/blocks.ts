/**
 * Real blocks: one of 1 MB decoded alone, and decoded with every txid and the merkle root; that one and one with witnesses checked by every
 * rule that needs no coins.
 */
import { type BlockContext, checkBlockBytes } from "@satwire/consensus"
import { platformSha256 } from "@satwire/crypto/node"
import { BlockView } from "@satwire/primitives"
import { type RealData, realData } from "@satwire/testkit"
import * as Result from "effect/Result"
import { type BlockPeer, bcoinBlock, bitcoinJsBlock } from "./peers/npmPeers.ts"
import type { Suite } from "./Suite.ts"

const BLOCK = "blocks/mainnet/block_413567_25aff8be8a55.bin"
const WITH_WITNESSES = "blocks/mainnet/run_831328-831333/block_831333_1c3c0b449282.bin"

const contextAt = (height: number): BlockContext => ({
  height,
  hasHeight: true,
  lockTimeCutoff: undefined,
  hasWitness: height >= 481_824,
  signetChallenge: undefined
})

const checks = (data: RealData, path: string, height: number): Suite => {
  const raw = data.bytes(path)
  const context = contextAt(height)
  const run = (isGood: () => boolean): number => {
    if (!isGood()) throw new Error(`block ${height} was refused`)
    return raw.length
  }
  const bcoin = bcoinBlock()
  return {
    title: `block ${height}, ${(raw.length / 1e6).toFixed(1)} MB: decoded and checked by every rule that needs no coins`,
    unit: "bytes",
    contenders: [
      { name: satwire.name, run: () => run(() => checkBlockBytes(platformSha256, raw, context) === undefined) },
      { name: bcoin.name, run: () => run(() => bcoin.check(raw)) }
    ]
  }
}

const satwire: BlockPeer = {
  name: "satwire",
  decode: (raw) => Result.getOrThrow(BlockView.decode(raw)).value.transactionCount,
  merkleRoot: (raw) => Result.getOrThrow(BlockView.decode(raw)).value.merkleRoot(platformSha256).root
}

/** None where the folder of real data is absent. */
export const blockSuites = async (): Promise<ReadonlyArray<Suite>> => {
  const data = realData()
  if (data === undefined) return []
  const raw = data.bytes(BLOCK)
  const peers = [satwire, await bitcoinJsBlock(), bcoinBlock()]
  const [count, root] = [satwire.decode(raw), Buffer.from(satwire.merkleRoot(raw)).toString("hex")]
  return [
    {
      title: `block 413567, 1 MB of ${count} transactions: decoded`,
      unit: "bytes",
      contenders: peers.map(({ name, decode }) => ({
        name,
        run() {
          if (decode(raw) !== count) throw new Error(`${name} sees another block`)
          return raw.length
        }
      }))
    },
    {
      title: "the same: decoded, every txid and the merkle root",
      unit: "bytes",
      contenders: peers.map(({ name, merkleRoot }) => ({
        name,
        run() {
          if (Buffer.from(merkleRoot(raw)).toString("hex") !== root) throw new Error(`${name} has another root`)
          return raw.length
        }
      }))
    },
    checks(data, BLOCK, 413_567),
    checks(data, WITH_WITNESSES, 831_333)
  ]
}
