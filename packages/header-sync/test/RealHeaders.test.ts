import { concat, fromHex as bytesFromHex } from "@satwire/bytes"
import { ProofOfWork, medianTimePast, nextBits } from "@satwire/consensus"
import { ChaChaRandom, sha256d } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"
import {
  type BlockHash,
  type ChainParams,
  HEADER_PREVIOUS,
  HEADER_SIZE,
  encodeHeader,
  headerHash,
  mainnet,
  regtest,
  signet,
  targetFromBits,
  testnet3,
  toHex
} from "@satwire/primitives"
import { type HeaderSegment, type RealData, blockFile, describeWithData } from "@satwire/testkit"
import { describe, expect, it } from "vitest"
import { type Acceptance, HeaderTree, type RunFault, acceptHeaders } from "../src/index.ts"

const BATCH = 2000
/** The day on which the last real header here was long known. */
const NOW = 1_750_000_000
const random = ChaChaRandom.fromNumber(1)

const accept = (tree: HeaderTree, run: Uint8Array): Acceptance =>
  acceptHeaders(tree, new ProofOfWork(tree.params), platformSha256, run, run.length / HEADER_SIZE, NOW)

/** Accepts raw headers in batches as peers send them, and gives the first fault, with its index in the whole. */
const acceptAll = (tree: HeaderTree, raw: Uint8Array): { index: number; rule: string } | undefined => {
  for (let at = 0; at < raw.length; at += BATCH * HEADER_SIZE) {
    const acceptance = accept(tree, raw.subarray(at, at + BATCH * HEADER_SIZE))
    if (acceptance._tag === "Unconnected") return { index: at / HEADER_SIZE, rule: "unconnected" }
    const { fault } = acceptance
    if (fault !== undefined) return { index: at / HEADER_SIZE + fault.index, rule: fault.rule }
  }
  return undefined
}

/** A tree that the segment's first header follows, and the headers that follow it. */
const begin = (data: RealData, params: ChainParams, segment: HeaderSegment): [HeaderTree, Uint8Array] => {
  const base = data.headerBase(segment)
  const raw = segment.read()
  return base === undefined
    ? [HeaderTree.fromGenesis(params, random), raw.subarray(HEADER_SIZE)]
    : [HeaderTree.fromBase(params, base, platformSha256, random), raw]
}

const mainnetSegment = (data: RealData, firstHeight: number): HeaderSegment =>
  data.headerSegments("mainnet").find((segment) => segment.firstHeight === firstHeight) as HeaderSegment

/** The whole segment in a tree, accepted without a fault. */
const wholeTree = (data: RealData, params: ChainParams, segment: HeaderSegment): HeaderTree => {
  const [tree, raw] = begin(data, params, segment)
  expect(acceptAll(tree, raw)).toBeUndefined()
  expect(tree.height(tree.best)).toBe(segment.lastHeight)
  expect(tree.size).toBe(raw.length / HEADER_SIZE + 1)
  return tree
}

const at = (tree: HeaderTree, height: number): number => tree.ancestor(tree.best, height)

describeWithData(describe, "real headers of mainnet", (data) => {
  const rows = data
    .text("headers/mainnet/retarget_points_0-832608.csv")
    .trim()
    .split("\n")
    .slice(1)
    .map((row) => row.split(","))
  const checkpoints = JSON.parse(
    // Targets are numbers beyond 2^53: read them as text.
    data.text("headers/checkpoints/electrum_mainnet_checkpoints.json").replace(/\b(\d{16,})\b/g, '"$1"')
  ) as ReadonlyArray<readonly [hash: string, target: string]>

  it.each(data.headerSegments("mainnet").map((segment) => [segment.firstHeight, segment.lastHeight, segment] as const))(
    "from %i to %i pass every rule; hash, header and work are those of the known retarget points",
    (firstHeight, lastHeight, segment) => {
      const tree = wholeTree(data, mainnet, segment)
      let compared = 0
      for (const [height = "", hash, header, work = ""] of rows) {
        const number = Number(height)
        if (number < firstHeight || number > lastHeight) continue
        expect(toHex(tree.hash(at(tree, number)))).toBe(hash)
        expect(tree.rawChain(tree.best, number, number)).toEqual(bytesFromHex(header ?? ""))
        expect(tree.chainWork(at(tree, number))).toBe(BigInt(`0x${work}`))
        compared += 1
      }
      expect(compared).toBeGreaterThan(0)
      // Electrum keeps the last hash of each period, and the target that the next one has.
      let agreed = 0
      for (const [i, [hash, target]] of checkpoints.entries()) {
        const number = 2016 * (i + 1) - 1
        if (number < firstHeight || number > lastHeight) continue
        const header = at(tree, number)
        expect(toHex(tree.hash(header))).toBe(hash)
        expect(targetFromBits(nextBits(mainnet, tree, header, 0))).toBe(BigInt(target))
        agreed += 1
      }
      expect(agreed).toBe(Math.floor((lastHeight + 1) / 2016) - Math.floor(firstHeight / 2016))
    }
  )

  it("have the median time past that explorers show for block 100,000", () => {
    const tree = wholeTree(data, mainnet, mainnetSegment(data, 80_001))
    expect(toHex(tree.hash(tree.best))).toBe("000000000003ba27aa200b1cecaad478d2b00432346c3f1f3986da1afd33e506")
    expect([tree.time(tree.best), medianTimePast(tree, tree.best)]).toEqual([1_293_623_863, 1_293_622_620])
  })
})

describeWithData(describe, "real forks of mainnet", (data) => {
  it("hold a stale header at 823,226, as high and as heavy as its rival and not the best", () => {
    const tree = wholeTree(data, mainnet, mainnetSegment(data, 822_527))
    const { best, size } = tree
    const stale = data.bytes("headers/mainnet/stale_823226.bin")
    expect(accept(tree, stale)).toEqual({ _tag: "Accepted", first: size, count: 1, last: size, fault: undefined })
    expect(tree.height(size)).toBe(823_226)
    expect(tree.best).toBe(best)
    const rival = at(tree, 823_226)
    expect([tree.parent(size), tree.compareWork(size, rival)]).toEqual([tree.parent(rival), 0])
    expect(tree.fork(size, best)).toBe(tree.parent(rival))
  })

  it("hold one of valid work at 363,731 that BIP-0066 refuses", () => {
    const path = "headers/mainnet/invalid_bip66_fork_363731-363736.bin"
    const [tree, raw] = begin(data, mainnet, {
      network: "mainnet",
      firstHeight: 363_731,
      lastHeight: 363_736,
      path,
      read: () => data.bytes(path)
    })
    expect(tree.height(0) + 1).toBe(363_731)
    expect(acceptAll(tree, raw)).toEqual({ index: 0, rule: "bad-version" })
    expect(tree.size).toBe(1)
    // Nothing else is wrong with it.
    const lenient = { ...mainnet, bip66Height: 363_737 }
    const base = data.headerBase({ ...mainnetSegment(data, 0), firstHeight: 363_731, read: () => data.bytes(path) })
    const other = HeaderTree.fromBase(lenient, base as NonNullable<typeof base>, platformSha256, random)
    expect(acceptAll(other, raw)).toBeUndefined()
  })
})

describeWithData(describe, "damaged headers of mainnet", (data) => {
  it("are refused with any one bit flipped, and the tree stays as it was", () => {
    const rules = new Set<RunFault>()
    let refused = 0
    for (const [firstHeight, heights] of [
      [0, [1, 2, 2015, 2016, 2017, 10_236]],
      [822_527, [822_527, 822_528, 822_538, 824_543, 824_544, 830_592]]
    ] as const) {
      const segment = mainnetSegment(data, firstHeight)
      const [tree, raw] = begin(data, mainnet, segment)
      const root = tree.height(0) + 1
      for (const height of heights) {
        const index = height - root
        expect(acceptAll(tree, raw.subarray((tree.size - 1) * HEADER_SIZE, index * HEADER_SIZE))).toBeUndefined()
        const { size, best } = tree
        for (let bit = 0; bit < 8 * HEADER_SIZE; bit++) {
          const flipped = raw.slice(index * HEADER_SIZE, (index + 3) * HEADER_SIZE)
          flipped[bit >>> 3] = (flipped[bit >>> 3] as number) ^ (1 << (bit & 7))
          const acceptance = accept(tree, flipped)
          if (acceptance._tag === "Unconnected" || acceptance.fault === undefined) throw new Error(`bit ${bit} passes`)
          rules.add(acceptance.fault.rule)
          if (acceptance.fault.index !== 0 || tree.size !== size || tree.best !== best)
            throw new Error(`bit ${bit} stays`)
          refused += 1
        }
      }
      // None of it got in the way of the real ones.
      expect(acceptAll(tree, raw.subarray((tree.size - 1) * HEADER_SIZE))).toBeUndefined()
    }
    expect(refused).toBe(12 * 640)
    expect([...rules]).toEqual(["high-hash"])
  })

  it("are kept up to a flipped bit where it stands in a later batch", () => {
    const segment = mainnetSegment(data, 40_000)
    const [tree, raw] = begin(data, mainnet, segment)
    const damaged = new Uint8Array(raw)
    damaged[5000 * HEADER_SIZE + 50] = (damaged[5000 * HEADER_SIZE + 50] as number) ^ 4
    expect(acceptAll(tree, damaged)).toEqual({ index: 5000, rule: "high-hash" })
    expect(tree.height(tree.best)).toBe(43_999)
    expect(acceptAll(tree, raw)).toBeUndefined()
    expect(tree.height(tree.best)).toBe(49_999)
  })
})

describeWithData(describe, "an alternative chain of mainnet, over its first retarget", (data) => {
  /** Core mined it with one coinbase a block, whose script is the height and, while that is one byte, a zero. */
  const merkleRoot = (height: number): Uint8Array => {
    const digits = height < 0x80 ? [height] : [height & 0xff, height >>> 8]
    const script = height <= 16 ? [0x50 + height, 0] : [digits.length, ...digits]
    const transaction = concat([
      Uint8Array.of(2, 0, 0, 0, 1),
      new Uint8Array(32),
      Uint8Array.of(0xff, 0xff, 0xff, 0xff, script.length, ...script, 0xff, 0xff, 0xff, 0xff),
      Uint8Array.of(1, 0x00, 0xf2, 0x05, 0x2a, 0x01, 0, 0, 0, 25),
      bytesFromHex("76a914eadbac7f36c37e39361168b7aaee3cb24a25312d88ac") as Uint8Array,
      new Uint8Array(4)
    ])
    return sha256d(platformSha256, transaction)
  }

  it("passes every rule, earns a harder target, and is a fork of the real chain, which has more work", () => {
    const { timestamps, nonces } = data.json("headers/mainnet/core_mainnet_alt.json") as {
      readonly timestamps: ReadonlyArray<number>
      readonly nonces: ReadonlyArray<number>
    }
    expect(timestamps.length).toBe(2016)
    const tree = HeaderTree.fromGenesis(mainnet, random)
    let previousBlock: BlockHash = mainnet.genesisHash
    for (const [i, time] of timestamps.entries()) {
      const bits = nextBits(mainnet, tree, tree.best, time)
      const raw = encodeHeader({
        version: 0x20000000,
        previousBlock,
        merkleRoot: merkleRoot(i + 1),
        time,
        bits,
        nonce: nonces[i] as number
      })
      expect(accept(tree, raw)).toMatchObject({ count: 1, fault: undefined })
      previousBlock = headerHash(platformSha256, raw)
    }
    expect(tree.height(tree.best)).toBe(timestamps.length)
    expect([tree.bits(at(tree, 2015)), tree.bits(at(tree, 2016))]).toEqual([0x1d00ffff, 0x1c3fffc0])
    const [, real] = begin(data, mainnet, mainnetSegment(data, 0))
    const alternative = tree.best
    expect(acceptAll(tree, real)).toBeUndefined()
    expect(tree.fork(alternative, tree.best)).toBe(0)
    expect(tree.height(tree.best)).toBe(10_236)
  })
})

describeWithData(describe, "real headers of signet", (data) => {
  it("from 0 to 2,015 pass every rule and end where Electrum's first checkpoint is", () => {
    const [segment] = data.headerSegments("signet")
    const tree = wholeTree(data, signet, segment as HeaderSegment)
    // Of signet Electrum keeps the hashes, and zero for every target.
    const [checkpoint] = data.json("headers/checkpoints/electrum_signet_checkpoints.json") as ReadonlyArray<[string, 0]>
    expect(checkpoint).toEqual([toHex(tree.hash(at(tree, 2015))), 0])
  })
})

describeWithData(describe, "real headers of testnet3", (data) => {
  it("from 1 to 546 pass every rule, and so does the fork of 2018 at genesis, which is not the best", () => {
    const lines = data.text("headers/testnet3/core_blockheader_testnet3.hex").trim().split("\n")
    const chain = lines.filter((line) => !line.startsWith("fork:"))
    const fork = lines.filter((line) => line.startsWith("fork:")).map((line) => line.slice("fork:".length))
    expect([chain.length, fork.length]).toEqual([546, 2])
    const bytes = (hex: ReadonlyArray<string>): Uint8Array => bytesFromHex(hex.join("").trim()) as Uint8Array
    const tree = HeaderTree.fromGenesis(testnet3, random)
    expect(acceptAll(tree, bytes(chain))).toBeUndefined()
    expect(tree.height(tree.best)).toBe(546)
    const { best } = tree
    expect(accept(tree, bytes(fork))).toEqual({ _tag: "Accepted", first: 547, count: 2, last: 548, fault: undefined })
    expect([tree.height(548), tree.parent(547), tree.best]).toEqual([2, 0, best])
    expect(bytes(fork).slice(HEADER_PREVIOUS, HEADER_PREVIOUS + 32)).toEqual(new Uint8Array(testnet3.genesisHash))
  })

  it("from 1 to 4,000 pass every rule: all have the easiest target, over a retarget too", () => {
    const blocks = [...blockFile(data.bytes("blocks/testnet3/blocks_000001-004000.blk"), testnet3.magic)]
    const tree = HeaderTree.fromGenesis(testnet3, random)
    expect(acceptAll(tree, concat(blocks.map((block) => block.subarray(0, HEADER_SIZE))))).toBeUndefined()
    expect(tree.height(tree.best)).toBe(4000)
    expect(tree.bits(tree.best)).toBe(0x1d00ffff)
  })
})

describeWithData(describe, "real headers of a regtest", (data) => {
  it("from 1 to 206 pass every rule", () => {
    const blocks = [...blockFile(data.bytes("blocks/regtest/blocks_000001-000206.blk"), regtest.magic)]
    const tree = HeaderTree.fromGenesis(regtest, random)
    expect(acceptAll(tree, concat(blocks.map((block) => block.subarray(0, HEADER_SIZE))))).toBeUndefined()
    expect(tree.height(tree.best)).toBe(206)
  })
})
