/**
 * How fast blocks are checked, decoding and hashing included, and what of that is hashing:
 *
 *   node --conditions=@satwire/source packages/consensus/bench/blocks.bench.ts
 *
 * Real blocks of mainnet, from one of 2016 without witnesses to ones of 2024; a regtest block with nothing but its coinbase; and blocks
 * that somebody made to be slow. The backend "no hash" looks its digests up: what it leaves are the rules.
 */
import process from "node:process"
import { type Sha256 } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"
import {
  BLOCK_PARTS,
  BlockView,
  type Transaction,
  type TxInput,
  type Txid,
  blockMerkleRoot,
  merkleRootInPlace,
  regtest
} from "@satwire/primitives"
import { type Contender, MinedChain, contest, contestClock, realData } from "@satwire/testkit"
import * as Result from "effect/Result"
import { type BlockContext, checkBlock } from "../src/index.ts"

const decoded = (bytes: Uint8Array): BlockView => Result.getOrThrow(BlockView.decode(bytes)).value

/** Digests that a backend gave once, in the order in which they were asked for. */
class Remembered {
  readonly digests: Array<Uint8Array> = []
  #at = 0

  /** Remembers what `backend` gives. */
  recorder(backend: Sha256): Sha256 {
    const keep = (out: Uint8Array, from: number, count: number): void => {
      this.digests.push(out.slice(from, from + 32 * count))
    }
    return {
      ...this.player(),
      sha256d(input, start, end, out, outOffset) {
        backend.sha256d(input, start, end, out, outOffset)
        keep(out, outOffset, 1)
      },
      sha256dMany(input, start, length, stride, count, out, outOffset) {
        backend.sha256dMany(input, start, length, stride, count, out, outOffset)
        keep(out, outOffset, count)
      },
      sha256dRanges(input, ranges, count, out, outOffset) {
        backend.sha256dRanges(input, ranges, count, out, outOffset)
        keep(out, outOffset, count)
      }
    }
  }

  /** Gives them again, over and over. */
  player(): Sha256 {
    const play = (out: Uint8Array, outOffset: number): void => {
      out.set(this.digests[this.#at++ % this.digests.length] as Uint8Array, outOffset)
    }
    return {
      ...platformSha256,
      name: "no hash",
      sha256d: (_input, _start, _end, out, outOffset) => play(out, outOffset),
      sha256dMany: (_input, _start, _length, _stride, _count, out, outOffset) => play(out, outOffset),
      sha256dRanges: (_input, _ranges, _count, out, outOffset) => play(out, outOffset)
    }
  }
}

/** Every hash that a check needs, and no rule. */
const hashes = (block: BlockView): void => {
  const txids = block.txids(platformSha256)
  merkleRootInPlace(platformSha256, txids.slice(), block.transactionCount)
  const { parts } = block
  for (let p = BLOCK_PARTS; p < parts.length; p += BLOCK_PARTS) {
    if (parts[p + 1] === (parts[p] as number) + 4) continue
    merkleRootInPlace(platformSha256, block.wtxids(platformSha256, txids), block.transactionCount)
    return
  }
}

const contextAt = (height: number): BlockContext => ({
  height,
  hasHeight: true,
  lockTimeCutoff: undefined,
  hasWitness: height >= 481_824,
  signetChallenge: undefined
})

const race = (name: string, bytes: Uint8Array, context: BlockContext): void => {
  const remembered = new Remembered()
  const check = (sha256: Sha256): number => {
    const fault = checkBlock(sha256, decoded(bytes), context)
    if (fault !== undefined) throw new Error(`${name}: ${fault.rule}`)
    return bytes.length
  }
  check(remembered.recorder(platformSha256))
  const player = remembered.player()
  const contenders: ReadonlyArray<Contender> = [
    { name: "checked", run: () => check(platformSha256) },
    {
      name: "hashing alone",
      run() {
        hashes(decoded(bytes))
        return bytes.length
      }
    },
    { name: "no hash", run: () => check(player) }
  ]
  for (const { name: way, perSecond } of contest(contenders, { rounds: 7, roundMs: 150 })) {
    const us = (1e6 * bytes.length) / perSecond
    console.log(
      `${name.padEnd(34)} ${way.padEnd(14)} ${(perSecond / 1e6).toFixed(0).padStart(6)} MB/s ${us.toFixed(1).padStart(9)} µs`
    )
  }
}

/** An input whose outpoint has its first word and its index in common with all others. */
const alike = (i: number): TxInput => {
  const txid = new Uint8Array(32)
  new DataView(txid.buffer).setUint32(16, i + 1)
  return {
    previousOutput: { txid: txid as Uint8Array as Txid, index: 0 },
    scriptSig: new Uint8Array(0),
    sequence: 0xffffffff,
    witness: []
  }
}

const mined = new MinedChain(regtest).mine()
const output = { amount: 1n, scriptPubKey: Uint8Array.of(0x51) } as Transaction["outputs"][number]

/** The regtest block with another transaction in it. */
const holding = (inputs: number, outputs: number): Uint8Array => {
  const more: Transaction = {
    version: 2,
    inputs: Array.from({ length: inputs }, (_, i) => alike(i)),
    outputs: Array.from({ length: outputs }, () => output),
    lockTime: 0
  }
  const [coinbase] = mined.transactions as readonly [Transaction]
  const transactions = [{ ...coinbase, inputs: coinbase.inputs.map((input) => ({ ...input, witness: [] })) }, more]
  const header = { ...mined.header, merkleRoot: blockMerkleRoot(platformSha256, transactions).root }
  return BlockView.of({ header, transactions }).bytes
}

console.log(`${process.version}, ${contestClock}, medians of 7 rounds, ${platformSha256.name}`)
race("regtest, coinbase alone", BlockView.of(mined).bytes, { ...contextAt(1), hasWitness: true })
race("24,000 inputs that look alike", holding(24_000, 1), contextAt(1))
race("95,000 outputs", holding(1, 95_000), contextAt(1))
const data = realData()
for (const [path, height] of [
  ["block_413567_25aff8be8a55.bin", 413_567],
  ["block_574200_1602407ac498.bin", 574_200],
  ["block_702861_c835b2adcaed.bin", 702_861],
  ["block_830000_11d55599ed27.bin", 830_000],
  ["run_831328-831333/block_831333_1c3c0b449282.bin", 831_333]
] as const) {
  const bytes = data?.bytes(`blocks/mainnet/${path}`)
  if (bytes !== undefined) race(`mainnet ${height}, ${(bytes.length / 1e6).toFixed(2)} MB`, bytes, contextAt(height))
}
