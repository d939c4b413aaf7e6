import { type DecodeError, fromHex, toHex } from "@satwire/bytes"
import { portableSha256, sipHash24, sipKey } from "@satwire/crypto"
import {
  BlockHash,
  BlockView,
  Satoshis,
  type Transaction,
  blockHashFromHex,
  fromHex as hashFromHex,
  mainnet,
  toHex as hashToHex
} from "@satwire/primitives"
import { blockFile, bunzip2, describeWithData } from "@satwire/testkit"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  BASIC_FILTER_M,
  BASIC_FILTER_P,
  GcsFilter,
  type GcsParams,
  buildBasicFilter,
  decodeBasicFilter,
  filterHash,
  filterHeader,
  filterHeaders
} from "../src/index.ts"

const bytes = (hex: string): Uint8Array => fromHex(hex) ?? new Uint8Array(0)
const params = (p: number, m: number, key = 0): GcsParams => ({ key: sipKey(new Uint8Array(16).fill(key)), p, m })
const BASIC = params(BASIC_FILTER_P, BASIC_FILTER_M)
const element = fc.uint8Array({ maxLength: 40 })

const decoded = (filter: Uint8Array, of: GcsParams = BASIC): GcsFilter => {
  const result = GcsFilter.decode(of, filter)
  if (Result.isFailure(result)) throw new Error(String(result.failure))
  return result.success
}
const failure = (filter: Uint8Array): DecodeError | undefined => {
  const result = GcsFilter.decode(BASIC, filter)
  return Result.isFailure(result) ? result.failure : undefined
}

/** The coded set by the letter of BIP-0158, in `bigint`s and a string of bits. */
const naive = ({ key, p, m }: GcsParams, elements: ReadonlyArray<Uint8Array>): string => {
  const set = [...new Set(elements.map(toHex))].map(bytes)
  const range = BigInt(set.length) * BigInt(m)
  const halves = new Uint32Array(2)
  const hashes = set.map((one) => {
    sipHash24(key, one, 0, one.length, halves)
    const hash = (BigInt(halves[1] as number) << 32n) | BigInt(halves[0] as number)
    return (hash * range) >> 64n
  })
  let bits = ""
  let previous = 0n
  for (const hash of hashes.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))) {
    const difference = hash - previous
    bits += `${"1".repeat(Number(difference >> BigInt(p)))}0`
    bits += (difference & ((1n << BigInt(p)) - 1n)).toString(2).padStart(p, "0")
    previous = hash
  }
  const coded = bits.match(/.{1,8}/gu)?.map((byte) => Number.parseInt(byte.padEnd(8, "0"), 2)) ?? []
  const count = set.length < 0xfd ? [set.length] : [0xfd, set.length & 0xff, set.length >> 8]
  return toHex(Uint8Array.from([...count, ...coded]))
}

describe("a Golomb-coded set", () => {
  it("is what BIP-0158 says, bit by bit, for any elements and parameters", () => {
    const cases = fc.constantFrom([19, 784_931], [1, 2], [8, 300], [24, 0xffffff], [3, 5000])
    fc.assert(
      fc.property(fc.array(element, { maxLength: 30 }), cases, fc.nat(255), (elements, [p = 1, m = 1], key) => {
        const of = params(p, m, key)
        expect(toHex(GcsFilter.build(of, elements).bytes)).toBe(naive(of, elements))
      })
    )
  })

  it("counts in three bytes from 253 elements on", () => {
    const elements = Array.from({ length: 300 }, (_, i) => Uint8Array.of(i, i >>> 8))
    expect(toHex(GcsFilter.build(BASIC, elements).bytes)).toBe(naive(BASIC, elements))
  })

  it("has each of its elements, alone and among others, also after it was sent", () => {
    fc.assert(
      fc.property(fc.array(element, { minLength: 1, maxLength: 30 }), fc.array(element), (elements, others) => {
        const filter = decoded(GcsFilter.build(BASIC, elements).bytes)
        for (const one of elements) {
          expect(filter.match(one)).toBe(true)
          expect(filter.matchAny([...others, one])).toBe(true)
        }
      })
    )
  })

  it("matches any of a list exactly where it matches one of them", () => {
    // One in four matches for nothing, so that both answers come often.
    const coarse = params(2, 4)
    fc.assert(
      fc.property(fc.array(element, { maxLength: 20 }), fc.array(element, { maxLength: 6 }), (elements, asked) => {
        const filter = GcsFilter.build(coarse, elements)
        expect(filter.matchAny(asked)).toBe(asked.some((one) => filter.match(one)))
        expect(filter.matchAll(asked)).toBe(asked.every((one) => filter.match(one)))
      }),
      { numRuns: 500 }
    )
  })

  it("matches for nothing about once in M", () => {
    const filter = GcsFilter.build(
      params(6, 64),
      Array.from({ length: 500 }, (_, i) => Uint8Array.of(1, i, i >>> 8))
    )
    let found = 0
    for (let i = 0; i < 20_000; i++) if (filter.match(Uint8Array.of(2, i, i >>> 8))) found += 1
    expect(found / 20_000).toBeGreaterThan(1 / 64 / 1.4)
    expect(found / 20_000).toBeLessThan((1 / 64) * 1.4)
  })

  it("of nothing is one byte and matches nothing", () => {
    const filter = GcsFilter.build(BASIC, [])
    expect(filter.bytes).toEqual(Uint8Array.of(0))
    expect(decoded(Uint8Array.of(0)).matchAny([new Uint8Array(0)])).toBe(false)
    expect(GcsFilter.build(BASIC, [new Uint8Array(0)]).matchAny([])).toBe(false)
  })
})

describe("what a stranger calls a filter", () => {
  const good = GcsFilter.build(BASIC, [bytes("00"), bytes("01"), bytes("02")]).bytes

  it("ends in a DecodeError or a filter that answers, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), element, (filter, asked) => {
        const result = GcsFilter.decode(BASIC, filter)
        if (Result.isSuccess(result)) expect(typeof result.success.match(asked)).toBe("boolean")
        else expect(result.failure._tag).toBe("DecodeError")
      }),
      { numRuns: 1000 }
    )
  })

  it("is refused where it ends early or goes on", () => {
    expect(failure(good)).toBeUndefined()
    expect(failure(good.subarray(0, good.length - 1))?.kind).toBe("malformed")
    expect(failure(Uint8Array.of(...good, 0))?.kind).toBe("malformed")
    expect(failure(new Uint8Array(0))?.kind).toBe("malformed")
    expect(failure(Uint8Array.of(0, 0))?.kind).toBe("malformed")
  })

  it("is refused at its count, before any bit is read, where too few bits follow", () => {
    expect(failure(bytes("fe00000002ffff"))).toMatchObject({ kind: "malformed", at: 0 })
    expect(failure(bytes("0100"))).toMatchObject({ at: 0 })
  })

  it("is refused where ones never end", () => {
    expect(failure(Uint8Array.of(1, ...new Uint8Array(100).fill(0xff)))?.kind).toBe("malformed")
  })

  it("may have numbers far beyond any range, which match nothing that is asked", () => {
    // Quotients of 800 and more: no element of one lies there.
    const filter = Uint8Array.of(1, ...new Uint8Array(100).fill(0xff), 0, 0, 0)
    expect(decoded(filter).matchAny([bytes("00"), bytes("01")])).toBe(false)
  })
})

describe("the basic filter of a block", () => {
  const hash = BlockHash(new Uint8Array(32).fill(7))
  const paying = (...scripts: ReadonlyArray<string>): Transaction => ({
    version: 1,
    inputs: [],
    outputs: scripts.map((script) => ({ amount: Satoshis(0n), scriptPubKey: bytes(script) })),
    lockTime: 0
  })

  it("has the scripts that are paid to and spent from, each once, but no empty ones and no OP_RETURN", () => {
    const filter = buildBasicFilter(
      hash,
      [paying("51", "", "6a0101", "52"), paying("51")],
      [bytes("53"), bytes(""), bytes("52")]
    )
    expect(filter.count).toBe(3)
    for (const script of ["51", "52", "53"]) expect(filter.match(bytes(script))).toBe(true)
  })

  it("keeps a spent script that begins with OP_RETURN, as Core does", () => {
    expect(buildBasicFilter(hash, [], [bytes("6a01")]).count).toBe(1)
  })

  it("is hashed under the block's hash", () => {
    const other = BlockHash(new Uint8Array(32).fill(8))
    expect(buildBasicFilter(hash, [paying("51")], []).bytes).not.toEqual(
      buildBasicFilter(other, [paying("51")], []).bytes
    )
  })

  it("of the genesis block of testnet is the first of the BIP's vectors", () => {
    const script =
      "4104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac"
    const genesis = blockHashFromHex("000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943")
    const filter = buildBasicFilter(genesis, [paying(script)], [])
    expect(toHex(filter.bytes)).toBe("019dfca8")
    const header = filterHeader(portableSha256, filterHash(portableSha256, filter.bytes), new Uint8Array(32))
    expect(hashToHex(header)).toBe("21584579b7eb08997773e5aeff3a7f932700042d0ed2a6129012b7d7ae81b750")
  })
})

describe("a run of filter headers", () => {
  it("is each header in turn", () => {
    const hashes = new Uint8Array(5 * 32).map((_, i) => i)
    const previous = new Uint8Array(32).fill(9)
    const run = filterHeaders(portableSha256, hashes, previous)
    let header: Uint8Array = previous
    for (let i = 0; i < 5; i++) {
      header = filterHeader(portableSha256, hashes.subarray(32 * i, 32 * i + 32), header)
      expect(run.subarray(32 * i, 32 * i + 32)).toEqual(header)
    }
    expect(() => filterHeaders(portableSha256, hashes.subarray(1), previous)).toThrow(RangeError)
  })
})

type Row = readonly [number, string, string, ReadonlyArray<string>, string, string, string, string]

const block = (raw: Uint8Array): BlockView => {
  const result = BlockView.decode(raw)
  if (Result.isFailure(result)) throw new Error(String(result.failure))
  return result.success.value
}

const files = [
  "vectors/core/blockfilters.json",
  "vectors/bip158/testnet-19.json",
  "vectors/bip158/bcoin_filter-valid.json"
]

describeWithData(describe, "the vectors of BIP-0158", (data) => {
  const rows = files.flatMap((file) =>
    (data.json(file) as ReadonlyArray<Row>).filter((row) => row.length > 1 && typeof row[0] === "number")
  )

  it.each(rows)("the block at height %i, %s", (_, hash, raw, spent, previousHeader, filter, header) => {
    const view = block(bytes(raw))
    const blockHash = view.hash(portableSha256)
    expect(hashToHex(blockHash)).toBe(hash)
    const built = buildBasicFilter(blockHash, view.materialise().transactions, spent.map(bytes))
    expect(toHex(built.bytes)).toBe(filter)
    const previous = hashFromHex(previousHeader) as Uint8Array
    expect(hashToHex(filterHeader(portableSha256, filterHash(portableSha256, built.bytes), previous))).toBe(header)
    const sent = decodeBasicFilter(blockHash, bytes(filter))
    expect(Result.isSuccess(sent) && sent.success.count).toBe(built.count)
    for (const script of spent.filter((one) => one !== "")) {
      expect(Result.isSuccess(sent) && sent.success.match(bytes(script))).toBe(true)
    }
  })
})

describeWithData(describe, "the first 600 blocks of mainnet", (data) => {
  it("have the filter headers that the network has", () => {
    const known = bunzip2(data.bytes("headers/mainnet/filter-headers-mainnet-1-100000.bz2"), 10 + 600 * 32).subarray(10)
    /** Scripts by outpoint: early blocks spend what earlier ones paid. */
    const paid = new Map<string, Uint8Array>()
    const hashes = new Uint8Array(600 * 32)
    let height = 0
    for (const raw of blockFile(data.bytes("blocks/mainnet/blocks_000000-000599.blk"), mainnet.magic)) {
      const view = block(raw)
      const txids = view.txids(portableSha256)
      const { transactions } = view.materialise()
      const spent: Array<Uint8Array> = []
      transactions.forEach((tx, i) => {
        if (i > 0) {
          for (const { previousOutput } of tx.inputs) {
            spent.push(paid.get(`${toHex(previousOutput.txid)}:${previousOutput.index}`) as Uint8Array)
          }
        }
        const txid = toHex(txids.subarray(32 * i, 32 * i + 32))
        tx.outputs.forEach(({ scriptPubKey }, index) => paid.set(`${txid}:${index}`, scriptPubKey))
      })
      const blockHash = view.hash(portableSha256)
      hashes.set(filterHash(portableSha256, buildBasicFilter(blockHash, transactions, spent).bytes), 32 * height)
      height += 1
    }
    expect(height).toBe(600)
    const headers = filterHeaders(portableSha256, hashes, new Uint8Array(32))
    expect(Buffer.compare(headers, known.subarray(0, headers.length))).toBe(0)
  })
})
