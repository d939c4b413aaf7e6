import { DecodeError, decode, encode, equals, fromHex } from "@satwire/bytes"
import { type Sha256, portableSha256 } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"
import { arbitraryBlock, arbitraryTransaction, blockFile, describeWithData } from "@satwire/testkit"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  type Block,
  BlockView,
  HEADER_SIZE,
  Satoshis,
  type Transaction,
  blockMerkleRoot,
  blockSize,
  headerHash,
  mainnet,
  readBlock,
  readTransaction,
  regtest,
  testnet3,
  toHex,
  txid,
  witnessCommitment,
  witnessCommitmentHash,
  witnessMerkleRoot,
  writeBlock,
  wtxid
} from "../src/index.ts"

const read = (raw: Uint8Array): Block => {
  const result = decode(raw, readBlock)
  if (Result.isFailure(result)) throw new Error(String(result.failure))
  expect(result.success.bytesLeft).toBe(0)
  return result.success.value
}

const written = (block: Block, witness = true): Uint8Array =>
  encode(blockSize(block, witness), (w) => writeBlock(w, block, witness))

describe("a block", () => {
  it("is read back as it was written, in exactly the bytes that it was sized", () => {
    fc.assert(
      fc.property(arbitraryBlock, (block) => {
        expect(read(written(block))).toEqual(block)
      })
    )
  })

  it("loses its witnesses and nothing else in the form without", () => {
    fc.assert(
      fc.property(arbitraryBlock, (block) => {
        const plain = read(written(block, false))
        const ids = (of: Block): Array<string> => of.transactions.map((tx) => toHex(txid(portableSha256, tx)))
        expect(ids(plain)).toEqual(ids(block))
        expect(written(plain)).toEqual(written(block, false))
      })
    )
  })

  it("as a view loses its witnesses in the same way, and is the same in other memory of its size", () => {
    fc.assert(
      fc.property(arbitraryBlock, (block) => {
        const view = BlockView.of(block)
        const plain = view.withoutWitness()
        expect(plain.bytes).toEqual(written(block, false))
        expect(plain.txids(portableSha256)).toEqual(view.txids(portableSha256))
        expect(plain.materialise()).toEqual(read(written(block, false)))
        const moved = view.movedTo(view.bytes.slice())
        expect(moved.wtxids(portableSha256)).toEqual(view.wtxids(portableSha256))
        expect(moved.materialise()).toEqual(block)
        expect(() => view.movedTo(new Uint8Array(view.bytes.length + 1))).toThrow(RangeError)
      })
    )
  })

  it("never makes a reader throw, whatever the bytes are", () => {
    const inputs = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      // A real one with a byte changed goes deeper than noise does.
      fc.tuple(arbitraryBlock, fc.nat(), fc.nat(255)).map(([block, place, byte]) => {
        const raw = written(block)
        raw[place % raw.length] = byte
        return raw
      })
    )
    fc.assert(
      fc.property(inputs, (raw) => {
        const block = decode(raw, readBlock)
        if (Result.isFailure(block)) expect(block.failure).toBeInstanceOf(DecodeError)
        const transaction = decode(raw, readTransaction)
        if (Result.isFailure(transaction)) expect(transaction.failure).toBeInstanceOf(DecodeError)
      }),
      { numRuns: 1000 }
    )
  })

  it("announcing more transactions than its bytes can hold is malformed before anything is allocated", () => {
    const raw = new Uint8Array(HEADER_SIZE + 5 + 100)
    raw.set([0xfe, 0, 0, 0, 2], HEADER_SIZE)
    const result = decode(raw, readBlock)
    expect(Result.isFailure(result) && result.failure.what).toContain("transactions")
  })
})

describe("the commitment to witnesses (BIP-0141)", () => {
  const output = (hex: string): Transaction["outputs"][number] => ({
    amount: Satoshis(0n),
    scriptPubKey: fromHex(hex) ?? new Uint8Array(0)
  })
  const coinbase = (...scripts: ReadonlyArray<string>): Transaction => ({
    version: 1,
    inputs: [],
    outputs: scripts.map(output),
    lockTime: 0
  })
  const committing = (byte: string): string => `6a24aa21a9ed${byte.repeat(32)}`

  it("is found in the last output of its form, also where more bytes follow it", () => {
    expect(witnessCommitment(coinbase("51", committing("aa"), committing("bb"), "51"))?.[0]).toBe(0xbb)
    expect(witnessCommitment(coinbase(`${committing("cc")}00`))).toEqual(new Uint8Array(32).fill(0xcc))
  })

  it("is not found in an output that is shorter or begins otherwise", () => {
    const wrong = ["", "6a24aa21a9ed", committing("aa").slice(0, -2), committing("aa").replace("6a24", "6a25")]
    expect(witnessCommitment(coinbase(...wrong))).toBeUndefined()
  })

  it("counts the coinbase as zero, so that the coinbase may hold it", () => {
    fc.assert(
      fc.property(arbitraryTransaction, arbitraryTransaction, arbitraryTransaction, (one, other, second) => {
        const root = (first: Transaction): Uint8Array => witnessMerkleRoot(portableSha256, [first, second]).root
        expect(root(one)).toEqual(root(other))
        const swapped = witnessMerkleRoot(portableSha256, [second, one]).root
        expect(equals(swapped, root(one))).toBe(equals(wtxid(portableSha256, one), wtxid(portableSha256, second)))
      })
    )
  })
})

/** Everything that can be recomputed of a real block. */
const checkReal = (backend: Sha256, raw: Uint8Array): Block => {
  const block = read(raw)
  expect(blockSize(block)).toBe(raw.length)
  expect(equals(written(block), raw)).toBe(true)
  const root = blockMerkleRoot(backend, block.transactions)
  expect(root.mutated).toBe(false)
  expect(toHex(root.root)).toBe(toHex(block.header.merkleRoot))
  const [coinbase] = block.transactions
  const committed = coinbase && witnessCommitment(coinbase)
  const reserved = coinbase?.inputs[0]?.witness[0]
  if (committed !== undefined && reserved !== undefined) {
    const witnesses = witnessMerkleRoot(backend, block.transactions).root
    expect(toHex(witnessCommitmentHash(backend, witnesses, reserved))).toBe(toHex(committed))
  }
  return block
}

describeWithData(describe, "real blocks", (data) => {
  const folders = ["blocks/mainnet", "blocks/mainnet/run_831328-831333", "blocks/testnet3"]
  const files = folders.flatMap((folder) =>
    data
      .list(folder)
      .filter((name) => name.endsWith(".bin"))
      .map((name) => ({ path: `${folder}/${name}`, hashPart: /_([0-9a-f]+)\.bin$/.exec(name)?.[1] ?? "none" }))
  )

  it("are there", () => {
    expect(files.length).toBeGreaterThanOrEqual(20)
  })

  for (const { path, hashPart } of files) {
    it(`are written as they came, with merkle root and witness commitment: ${path}`, () => {
      const raw = data.bytes(path)
      const block = checkReal(platformSha256, raw)
      expect(toHex(headerHash(platformSha256, raw.subarray(0, HEADER_SIZE)))).toContain(hashPart)
      expect(block.transactions.length).toBeGreaterThan(0)
    })
  }

  it("include the first payment, in block 170", () => {
    const blocks = [...blockFile(data.bytes("blocks/mainnet/blocks_000000-000599.blk"), mainnet.magic)]
    const block = checkReal(platformSha256, blocks[170] ?? new Uint8Array(0))
    expect(block.transactions.map((tx) => toHex(txid(platformSha256, tx)))).toEqual([
      "b1fea52486ce0c62bb442b530a3f0132b826c74e473d1f2c220bfa78111c5082",
      "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"
    ])
    expect(block.transactions[1]?.outputs.map((output) => output.amount)).toEqual([1_000_000_000n, 4_000_000_000n])
  })

  it("have the commitment that their coinbase holds wherever a transaction has a witness", () => {
    const block = read(data.bytes("blocks/mainnet/block_830000_11d55599ed27.bin"))
    const [coinbase] = block.transactions
    expect(coinbase && witnessCommitment(coinbase)).toHaveLength(32)
    expect(block.transactions.filter((tx) => equals(wtxid(platformSha256, tx), txid(platformSha256, tx))).length).toBe(
      1851 - 1722
    )
  })

  for (const [path, params] of [
    ["blocks/mainnet/blocks_000000-000599.blk", mainnet],
    ["blocks/testnet3/blocks_000001-004000.blk", testnet3],
    ["blocks/regtest/blocks_000001-000206.blk", regtest]
  ] as const) {
    it(`link to each other and have their merkle roots: ${path}`, () => {
      let previous = params.genesisHash
      for (const raw of blockFile(data.bytes(path), params.magic)) {
        const block = checkReal(platformSha256, raw)
        const hash = headerHash(platformSha256, raw.subarray(0, HEADER_SIZE))
        if (!equals(hash, params.genesisHash)) expect(block.header.previousBlock).toEqual(previous)
        previous = hash
      }
    })
  }
})
