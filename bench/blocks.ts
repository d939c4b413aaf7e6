/** A real block of 1 MB: decoded alone, and decoded with every txid and the merkle root. */
import { platformSha256 } from "@satwire/crypto/node"
import { BlockView } from "@satwire/primitives"
import { realData } from "@satwire/testkit"
import * as Result from "effect/Result"
import { type BlockPeer, bcoinBlock, bitcoinJsBlock } from "./peers/npmPeers.ts"
import type { Suite } from "./Suite.ts"

const BLOCK = "blocks/mainnet/block_413567_25aff8be8a55.bin"

const satwire: BlockPeer = {
  name: "satwire",
  decode: (raw) => Result.getOrThrow(BlockView.decode(raw)).value.transactionCount,
  merkleRoot: (raw) => Result.getOrThrow(BlockView.decode(raw)).value.merkleRoot(platformSha256).root
}

/** None where the folder of real data is absent. */
export const blockSuites = async (): Promise<ReadonlyArray<Suite>> => {
  const raw = realData()?.bytes(BLOCK)
  if (raw === undefined) return []
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
    }
  ]
}
