import { MAX_BLOCK_WEIGHT } from "@satwire/consensus"
import { portableSha256 } from "@satwire/crypto"
import { Instant, UnixSeconds } from "@satwire/machine"
import {
  type ChainParams,
  type Transaction,
  TransactionView,
  encodeHeader,
  headerHash,
  mainnet,
  meetsTarget,
  regtest,
  targetFromBits,
  targetWords,
  toHex
} from "@satwire/primitives"
import { MinedChain, arbitraryTransaction, fastTestNetwork } from "@satwire/testkit"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  ANYONE_CAN_SPEND,
  Miner,
  type MinerInput,
  type MinerOutput,
  RESERVED_WEIGHT,
  type TransactionSource,
  blockSubsidy
} from "../src/index.ts"

/** A miner on a chain of its own, driven by hand. */
class Rig {
  readonly chain: MinedChain
  readonly miner: Miner
  readonly out: Array<MinerOutput> = []
  ms = 0

  constructor(params: ChainParams = fastTestNetwork(), firstExtraNonce = 0, transactions?: TransactionSource) {
    this.chain = new MinedChain(params)
    this.miner = new Miner({
      params,
      view: this.chain,
      sha256: portableSha256,
      payTo: ANYONE_CAN_SPEND,
      transactions,
      firstExtraNonce
    })
  }

  input(tag: MinerInput["_tag"]): void {
    const unix = UnixSeconds(this.chain.params.genesis.time + 60 + Math.floor(this.ms / 1000))
    this.miner.handle({ _tag: tag }, { instant: Instant(this.ms), unix }, this.out)
  }

  /** Answers timeouts until the miner wants none, or `turns` have passed. */
  run(turns = 100): void {
    for (let i = 0; i < turns && this.miner.nextTimeout() !== undefined; i++) {
      this.ms += 1
      this.input("Timeout")
    }
  }
}

describe("a miner", () => {
  it("does nothing until a block is wanted, and nothing after it was made", () => {
    const rig = new Rig()
    rig.input("Timeout")
    rig.input("TipMoved")
    expect(rig.miner.nextTimeout()).toBeUndefined()
    expect(rig.out).toEqual([])
    rig.input("MakeBlock")
    rig.run()
    expect(rig.out.length).toBe(1)
    expect(rig.miner.nextTimeout()).toBeUndefined()
  })

  it("makes a block on the best header, whose raw header is the block's own and meets its target", () => {
    const rig = new Rig()
    rig.chain.mine()
    rig.input("MakeBlock")
    expect(rig.miner.nextTimeout()).toBe(0)
    rig.run()
    const [made] = rig.out
    expect(made?.block.header.previousBlock).toEqual(rig.chain.hash(1))
    expect(made?.header).toEqual(made && encodeHeader(made.block.header))
    const target = targetWords(targetFromBits(made?.block.header.bits ?? 0) ?? 0n)
    expect(made && meetsTarget(headerHash(portableSha256, made.header), 0, target)).toBe(true)
  })

  it("makes as many blocks as were asked for, none the same", () => {
    const rig = new Rig()
    for (let i = 0; i < 3; i++) rig.input("MakeBlock")
    rig.run()
    expect(rig.out.length).toBe(3)
    expect(new Set(rig.out.map(({ header }) => toHex(headerHash(portableSha256, header)))).size).toBe(3)
  })

  it("begins anew on a tip that moved while it searched", () => {
    const rig = new Rig()
    rig.input("MakeBlock")
    rig.chain.mine()
    rig.input("TipMoved")
    rig.run()
    expect(rig.out.map(({ block }) => block.header.previousBlock)).toEqual([rig.chain.hash(1)])
  })

  it("makes each block on the tip of its moment where the tip moves as a block is put out, as it does in a node", () => {
    const rig = new Rig()
    const parents: Array<string> = []
    const now = { instant: Instant(0), unix: UnixSeconds(rig.chain.params.genesis.time + 60) }
    const out = {
      push({ block }: MinerOutput) {
        parents.push(toHex(block.header.previousBlock))
        rig.chain.mine()
        rig.miner.handle({ _tag: "TipMoved" }, now, out)
      }
    }
    for (let i = 0; i < 3; i++) rig.miner.handle({ _tag: "MakeBlock" }, now, out)
    while (rig.miner.nextTimeout() !== undefined) rig.miner.handle({ _tag: "Timeout" }, now, out)
    expect(parents).toEqual([0, 1, 2].map((height) => toHex(rig.chain.hash(height))))
  })

  it("makes other blocks than a miner whose extra nonces begin elsewhere", () => {
    const made = [0, 1 << 16].map((firstExtraNonce) => {
      const rig = new Rig(fastTestNetwork(), firstExtraNonce)
      rig.input("MakeBlock")
      rig.run()
      return toHex(rig.out[0]?.block.header.merkleRoot ?? new Uint8Array(32))
    })
    expect(made[0]).not.toBe(made[1])
  })

  it("gives up its turn after a bounded number of tries, and asks for the next at once", () => {
    const hard = fastTestNetwork({ genesis: { ...regtest.genesis, bits: 0x207fffff }, powNoRetargeting: true })
    const { time, nonce, version } = mainnet.genesis
    // Mainnet's first target is met by one hash of four thousand million.
    const params = {
      ...hard,
      powLimit: mainnet.powLimit,
      genesis: { ...hard.genesis, time, nonce, version, bits: 0x1d00ffff }
    }
    const rig = new Rig(params)
    rig.input("MakeBlock")
    rig.run(5)
    expect(rig.out).toEqual([])
    expect(rig.miner.nextTimeout()).toBeDefined()
    expect(rig.ms).toBe(5)
  })
})

describe("a miner that is given transactions", () => {
  it("asks for them once a template, puts them behind the coinbase as they come, and claims their fees", () => {
    const [tx, viewed] = fc.sample(arbitraryTransaction, { numRuns: 2, seed: 1 }) as [Transaction, Transaction]
    const asked: Array<readonly [number, boolean]> = []
    const source: TransactionSource = {
      select(maxWeight, withWitness) {
        asked.push([maxWeight, withWitness])
        return asked.length === 1
          ? { transactions: [tx, TransactionView.of(viewed)], fees: 777n }
          : { transactions: [], fees: 0n }
      }
    }
    const rig = new Rig(regtest, 0, source)
    for (let i = 0; i < 2; i++) rig.input("MakeBlock")
    rig.run()
    const most = MAX_BLOCK_WEIGHT - RESERVED_WEIGHT
    expect(asked).toEqual([
      [most, true],
      [most, true]
    ])
    expect(rig.out.map(({ block }) => block.transactions.slice(1))).toEqual([[tx, viewed], []])
    const claimed = rig.out.map(({ block }) => block.transactions[0]?.outputs[0]?.amount)
    expect(claimed).toEqual([blockSubsidy(regtest, 1) + 777n, blockSubsidy(regtest, 1)])
  })

  it("says that a block may hold no witnesses where segwit is not active", () => {
    const asked: Array<boolean> = []
    const source: TransactionSource = {
      select(_, withWitness) {
        asked.push(withWitness)
        return { transactions: [], fees: 0n }
      }
    }
    const rig = new Rig(fastTestNetwork({ segwit: { _tag: "Buried", height: 2 } }), 0, source)
    for (let i = 0; i < 2; i++) {
      rig.input("MakeBlock")
      rig.run()
      rig.chain.mine()
    }
    expect(asked).toEqual([false, true])
  })
})
