/** A spender, a pool and a miner that meet by the lookups that each declares, on a chain that is checked block by block. */
import { BlockContexts, checkBlock } from "@satwire/consensus"
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import { Instant, type Now, UnixSeconds } from "@satwire/machine"
import { Mempool } from "@satwire/mempool"
import { ANYONE_CAN_SPEND_P2SH, ANYONE_CAN_SPEND_P2WSH, Spender, blockSubsidy } from "@satwire/mining"
import { type Block, BlockView, TransactionView, regtest } from "@satwire/primitives"
import { MinedChain } from "@satwire/testkit"
import { describe, expect, it } from "vitest"

class Town {
  readonly chain = new MinedChain(regtest)
  readonly contexts = new BlockContexts(regtest, this.chain)
  readonly spender: Spender
  readonly pool: Mempool
  readonly #payTo: Uint8Array

  constructor(payTo: Uint8Array) {
    this.#payTo = payTo
    const random = ChaChaRandom.fromNumber(1)
    this.spender = new Spender({ sha256: portableSha256, random: random.fork() })
    this.pool = new Mempool({
      sha256: portableSha256,
      random: random.fork(),
      nextBlock: () => this.contexts.after(this.chain.best, this.chain.time(this.chain.best)),
      coins: this.spender
    })
  }

  get now(): Now {
    return { instant: Instant(0), unix: UnixSeconds(this.chain.time(this.chain.best)) }
  }

  mine(): Block {
    const { transactions, fees } = this.pool.forBlock(3_992_000)
    const parent = this.chain.best
    const block = this.chain.mine({
      scriptPubKey: this.#payTo,
      transactions: transactions.map((tx) => tx.materialise()),
      fees
    })
    const view = BlockView.of(block)
    const context = this.contexts.after(parent, block.header.time)
    expect(checkBlock(portableSha256, view, context)).toBeUndefined()
    this.spender.connected(view, this.chain.best)
    this.pool.connected(view, this.now)
    return block
  }
}

describe("spends of one's own coinbases", () => {
  it.each([
    ["without witnesses", ANYONE_CAN_SPEND_P2SH],
    ["with witnesses", ANYONE_CAN_SPEND_P2WSH]
  ])("%s are taken by the pool with their fees, and fill blocks that pay these", (_, payTo) => {
    const town = new Town(payTo)
    for (let i = 0; i < 103; i++) town.mine()
    let fees = 0
    for (let round = 0; round < 4; round++) {
      const made = [...town.spender.spendMany(round === 0 ? 2 : 60, { outputs: round === 0 ? 40 : 2, payTo })]
      expect(made.length).toBe(round === 0 ? 2 : 60)
      for (const tx of made) {
        const result = town.pool.submit(TransactionView.of(tx), town.now)
        expect(result._tag).toBe("Accepted")
        if (result._tag === "Accepted") fees += result.entry.fee ?? Number.NaN
      }
      const block = town.mine()
      expect(block.transactions.length).toBe(1 + made.length)
      const claimed =
        Number(block.transactions[0]?.outputs[0]?.amount ?? 0n) - Number(blockSubsidy(regtest, town.chain.best))
      expect(claimed).toBe(fees)
      fees = 0
      expect(town.pool.count).toBe(0)
    }
  })
})
