import { equals } from "@satwire/bytes"
import { DeploymentStates, ProofOfWork, headerFault } from "@satwire/consensus"
import { portableSha256 } from "@satwire/crypto"
import {
  type Block,
  type ChainParams,
  type Deployment,
  Satoshis,
  type Transaction,
  blockMerkleRoot,
  regtest,
  scriptNumber,
  txid,
  witnessCommitment,
  witnessCommitmentHash,
  witnessMerkleRoot
} from "@satwire/primitives"
import { MinedChain, arbitraryTransaction, fastTestNetwork } from "@satwire/testkit"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { blockSubsidy } from "../src/index.ts"

/** Whether the block's coinbase commits to the witnesses that the block has. */
const commits = (block: Block): boolean => {
  const [coinbase] = block.transactions
  const committed = coinbase && witnessCommitment(coinbase)
  const reserved = coinbase?.inputs[0]?.witness[0]
  if (committed === undefined || reserved === undefined) return false
  const root = witnessMerkleRoot(portableSha256, block.transactions).root
  return equals(witnessCommitmentHash(portableSha256, root, reserved), committed)
}

/** Judges the tip of `chain` by the rules of headers and by what its coinbase must hold. */
const judge = (chain: MinedChain, block: Block, unix: number, fees = 0n): void => {
  const { params, best } = chain
  expect(headerFault(params, chain, best - 1, block.header, unix)).toBeUndefined()
  expect(new ProofOfWork(params).meets(chain.hash(best), 0, block.header.bits)).toBe(true)
  expect(block.header.merkleRoot).toEqual(blockMerkleRoot(portableSha256, block.transactions).root)
  const [coinbase] = block.transactions
  const height = scriptNumber(best)
  expect(coinbase?.inputs[0]?.scriptSig.slice(0, height.length)).toEqual(height)
  const paid = coinbase?.outputs.reduce((sum, output) => sum + output.amount, 0n)
  expect(paid).toBe(blockSubsidy(params, best) + fees)
}

describe("a mined block", () => {
  it("obeys every rule of headers and of coinbases, however the miner's clock goes", () => {
    const clocks = fc.array(fc.integer({ min: -7200, max: 7200 }), { minLength: 1, maxLength: 70 })
    fc.assert(
      fc.property(clocks, fc.boolean(), (steps, enforceBip94) => {
        const chain = new MinedChain(fastTestNetwork({ enforceBip94 }))
        let unix = chain.params.genesis.time
        for (const [i, step] of steps.entries()) {
          unix += step
          const block = chain.mine({ unix, extraNonce: i })
          // The clock of the judge is right; the miner's may have gone back behind the median.
          judge(chain, block, Math.max(unix, block.header.time))
        }
      }),
      { numRuns: 25 }
    )
  })

  it("takes its clock's time, or the second after the median time past where the clock is behind", () => {
    const chain = new MinedChain(fastTestNetwork())
    const { time } = chain.params.genesis
    expect(chain.mine({ unix: time + 5000 }).header.time).toBe(time + 5000)
    expect(chain.mine({ unix: 0 }).header.time).toBe(time + 5001)
    // Of genesis, +5000 and +5001 the median is +5000.
    expect(chain.mine({ unix: 0 }).header.time).toBe(time + 5001)
  })

  it("holds the transactions that it was given, in their order, and pays their fees to the miner", () => {
    const others = fc.array(arbitraryTransaction, { maxLength: 5 })
    fc.assert(
      fc.property(others, fc.bigInt(0n, 2n ** 50n), (transactions, fees) => {
        const chain = new MinedChain(regtest)
        const block = chain.mine({ transactions, fees })
        expect(block.transactions.slice(1)).toEqual(transactions)
        expect(commits(block)).toBe(true)
        judge(chain, block, block.header.time, fees)
      }),
      { numRuns: 30 }
    )
  })

  it("differs from another of the same parent and time by its extra nonce", () => {
    const ids = [1, 2].map((extraNonce) => {
      const block = new MinedChain(regtest).mine({ extraNonce })
      return txid(portableSha256, block.transactions[0] as Transaction)
    })
    expect(ids[0]).not.toEqual(ids[1])
  })

  it("pays whom it was told to, or anybody", () => {
    const scriptPubKey = Uint8Array.of(0x6a)
    const outputs = (block: Block): unknown => block.transactions[0]?.outputs[0]
    const amount = Satoshis(5_000_000_000n)
    expect(outputs(new MinedChain(regtest).mine({ scriptPubKey }))).toEqual({ amount, scriptPubKey })
    expect(outputs(new MinedChain(regtest).mine())).toEqual({ amount, scriptPubKey: Uint8Array.of(0x51) })
  })
})

describe("on Core's regtest, where segwit is buried at 0, a block", () => {
  it("commits to witnesses from height 1 on and votes for nothing", () => {
    const chain = new MinedChain(regtest)
    for (let height = 1; height <= 20; height++) {
      const block = chain.mine()
      expect(commits(block)).toBe(true)
      expect(block.header.version).toBe(0x20000000)
    }
  })
})

describe("where segwit is buried at a height, a block", () => {
  it("commits to witnesses from that height on", () => {
    const chain = new MinedChain(fastTestNetwork({ segwit: { _tag: "Buried", height: 5 } }))
    const carried = Array.from({ length: 8 }, () => chain.mine()).map(commits)
    expect(carried).toEqual([false, false, false, false, true, true, true, true])
  })
})

describe("where segwit comes by votes (BIP-0009)", () => {
  const spacing = 60
  const genesisTime = regtest.genesis.time

  /** Of 20 blocks a period; the vote opens once the median passes `start` blocks of the usual spacing. */
  const voted = (bit: number, start: number, end: number): Deployment => ({
    _tag: "VersionBits",
    bit,
    startTime: genesisTime + start * spacing,
    timeout: genesisTime + end * spacing,
    period: 20,
    threshold: 15
  })

  const network = (segwit: Deployment, csv: Deployment = regtest.csv): ChainParams => fastTestNetwork({ segwit, csv })

  it("blocks live through defined, started, locked in and active: they vote in the middle and commit at the end", () => {
    const params = network(voted(1, 25, 10_000))
    const chain = new MinedChain(params)
    const states = new DeploymentStates(params.segwit, chain)
    const lived: Array<string> = []
    for (let height = 1; height < 110; height++) {
      const state = states.after(chain.best)
      const block = chain.mine()
      judge(chain, block, block.header.time)
      const votes = block.header.version === 0x20000002
      if (!votes) expect(block.header.version).toBe(0x20000000)
      expect(votes).toBe(state === "started" || state === "lockedIn")
      expect(commits(block)).toBe(state === "active")
      expect(block.transactions[0]?.inputs[0]?.witness.length).toBe(state === "active" ? 1 : 0)
      if (lived.at(-1)?.startsWith(state) !== true) lived.push(`${state} at ${height}`)
    }
    // The median of block 39 is the first at a period's end that has passed the start.
    expect(lived).toEqual(["defined at 1", "started at 40", "lockedIn at 60", "active at 80"])
  })

  it("blocks of a vote that failed neither vote nor commit", () => {
    const chain = new MinedChain(network(voted(1, 25, 26)))
    for (let height = 1; height < 70; height++) {
      const block = chain.mine()
      expect(block.header.version).toBe(0x20000000)
      expect(commits(block)).toBe(false)
    }
  })

  it("blocks vote for CSV beside it, each by its own bit and for as long as its own vote is open", () => {
    const chain = new MinedChain(network(voted(1, 25, 10_000), voted(0, 5, 10_000)))
    const versions = Array.from({ length: 85 }, () => chain.mine().header.version & 0x1fffffff)
    const at = (height: number): number | undefined => versions[height - 1]
    expect([19, 20, 39, 40, 59, 60, 79, 80].map(at)).toEqual([0, 1, 1, 3, 3, 2, 2, 0])
  })
})
