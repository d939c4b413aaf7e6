import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { DecodeError, type Reader, Writer, decode, encode, toHex } from "../src/index.ts"

/** One kind of field: its values, how many bytes it takes, how it is written and read. */
interface Field {
  readonly name: string
  readonly values: fc.Arbitrary<unknown>
  readonly write: (w: Writer, value: never) => void
  readonly read: (r: Reader) => unknown
}

const field = <A>(
  name: string,
  values: fc.Arbitrary<A>,
  write: (w: Writer, value: A) => void,
  read: (r: Reader) => A
): Field => ({ name, values, write, read })

const integers = (min: number, max: number): fc.Arbitrary<number> =>
  fc.oneof(fc.constantFrom(min, max), fc.integer({ min, max }))

const bigints = (min: bigint, max: bigint): fc.Arbitrary<bigint> =>
  fc.oneof(fc.constantFrom(min, max), fc.bigInt({ min, max }))

const fields: ReadonlyArray<Field> = [
  field(
    "u8",
    integers(0, 0xff),
    (w, v) => w.u8(v),
    (r) => r.u8()
  ),
  field(
    "bool",
    fc.boolean(),
    (w, v) => w.bool(v),
    (r) => r.bool()
  ),
  field(
    "u16",
    integers(0, 0xffff),
    (w, v) => w.u16(v),
    (r) => r.u16()
  ),
  field(
    "u16be",
    integers(0, 0xffff),
    (w, v) => w.u16be(v),
    (r) => r.u16be()
  ),
  field(
    "u32",
    integers(0, 0xffffffff),
    (w, v) => w.u32(v),
    (r) => r.u32()
  ),
  field(
    "i32",
    integers(-0x80000000, 0x7fffffff),
    (w, v) => w.i32(v),
    (r) => r.i32()
  ),
  field(
    "u64",
    bigints(0n, 2n ** 64n - 1n),
    (w, v) => w.u64(v),
    (r) => r.u64()
  ),
  field(
    "i64",
    bigints(-(2n ** 63n), 2n ** 63n - 1n),
    (w, v) => w.i64(v),
    (r) => r.i64()
  ),
  field(
    "compact size",
    integers(0, 0x02000000),
    (w, v) => w.compactSize(v),
    (r) => r.compactSize()
  ),
  field(
    "raw",
    fc.uint8Array({ minLength: 5, maxLength: 5 }),
    (w, v) => w.raw(v),
    (r) => new Uint8Array(r.view(5))
  ),
  field(
    "bytes",
    fc.uint8Array({ maxLength: 300 }),
    (w, v) => w.varBytes(v),
    (r) => new Uint8Array(r.varBytes(300, "bytes"))
  )
]

/** Some fields, each with a value. */
const records = fc.array(fc.oneof(...fields.map((kind) => kind.values.map((value) => ({ kind, value })))), {
  maxLength: 12
})

const written = (record: ReadonlyArray<{ kind: Field; value: unknown }>): Uint8Array => {
  const w = new Writer(new Uint8Array(8192))
  for (const { kind, value } of record) kind.write(w, value as never)
  return w.bytes.slice(0, w.offset)
}

const read = (bytes: Uint8Array, kinds: ReadonlyArray<Field>): ReturnType<typeof decode<ReadonlyArray<unknown>>> =>
  decode(bytes, (r) => kinds.map((kind) => kind.read(r)))

describe("what a Writer wrote", () => {
  it("is read back, with nothing left over", () => {
    fc.assert(
      fc.property(records, (record) => {
        const result = read(
          written(record),
          record.map(({ kind }) => kind)
        )
        expect(result).toEqual(Result.succeed({ value: record.map(({ value }) => value), bytesLeft: 0 }))
      })
    )
  })

  it("is malformed when it is cut anywhere", () => {
    fc.assert(
      fc.property(records, fc.nat(), (record, cut) => {
        const bytes = written(record)
        fc.pre(bytes.length > 0)
        const result = read(
          bytes.subarray(0, cut % bytes.length),
          record.map(({ kind }) => kind)
        )
        expect(Result.isFailure(result) && result.failure).toMatchObject({ _tag: "DecodeError", kind: "malformed" })
      })
    )
  })

  it("leaves over what follows it", () => {
    const result = decode(Uint8Array.of(7, 1, 2, 3), (r) => r.u8())
    expect(result).toEqual(Result.succeed({ value: 7, bytesLeft: 3 }))
  })

  it("is little-endian but for ports", () => {
    const bytes = encode(32, (w) => {
      w.u16(0x0102)
      w.u16be(0x0102)
      w.u32(0x01020304)
      w.i32(-2)
      w.u64(0x0102030405060708n)
      w.i64(-2n)
      w.compactSize(0x1234)
      w.bool(true)
    })
    expect(toHex(bytes)).toBe("0201010204030201feffffff0807060504030201fefffffffffffffffd341201")
  })
})

describe("decoding bytes that anybody may have sent", () => {
  it("never throws, and fails only with a DecodeError at a byte of the input", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.array(fc.constantFrom(...fields)), (bytes, kinds) => {
        const result = read(bytes, kinds)
        if (Result.isSuccess(result)) return
        expect(result.failure).toBeInstanceOf(DecodeError)
        expect(result.failure.at).toBeGreaterThanOrEqual(0)
        expect(result.failure.at).toBeLessThanOrEqual(bytes.length)
      }),
      { numRuns: 1000 }
    )
  })

  it("says in one sentence what was wrong and where", () => {
    const early = decode(Uint8Array.of(1, 2), (r) => r.u32("nonce"))
    expect(Result.isFailure(early) && String(early.failure)).toBe("malformed: nonce ends early at byte 0")
    const many = decode(Uint8Array.of(0, 9), (r) => r.u8() + r.count(5, 1, "entries"))
    expect(Result.isFailure(many) && String(many.failure)).toBe(
      "over the limit: entries: 9 where 5 are allowed at byte 1"
    )
  })

  it("lets a codec refuse what it read", () => {
    const malformed = decode(Uint8Array.of(1), (r) => (r.u8() === 1 ? r.malformed("flag 1", 0) : 0))
    expect(malformed).toEqual(Result.fail(new DecodeError("malformed", "flag 1", 0)))
    const over = decode(Uint8Array.of(1), (r) => (r.u8() === 1 ? r.overLimit("flag 1") : 0))
    expect(over).toEqual(Result.fail(new DecodeError("overLimit", "flag 1", 1)))
  })

  it("takes any byte but 0 for true", () => {
    expect(decode(Uint8Array.of(0, 1, 2), (r) => [r.bool(), r.bool(), r.bool()])).toEqual(
      Result.succeed({ value: [false, true, true], bytesLeft: 0 })
    )
  })

  it("hands on an exception that is our own", () => {
    const bug = new TypeError("a bug")
    expect(() =>
      decode(new Uint8Array(1), () => {
        throw bug
      })
    ).toThrow(bug)
  })

  it("may decode within a decode", () => {
    const outer = decode(Uint8Array.of(1, 2, 3, 4), (r) => {
      const inner = decode(r.view(2), (within) => within.u32())
      return [Result.isFailure(inner), r.u8()]
    })
    expect(outer).toEqual(Result.succeed({ value: [true, 3], bytesLeft: 1 }))
  })

  it("gives byte fields as views of the input", () => {
    const input = Uint8Array.of(2, 7, 8, 9)
    const result = decode(input, (r) => r.varBytes(10, "script"))
    input[1] = 1
    expect(Result.isSuccess(result) && [...result.success.value]).toEqual([1, 8])
  })
})

describe("a count", () => {
  it("over its limit ends the decode as overLimit", () => {
    const result = decode(
      encode(5, (w) => w.compactSize(50_001 + 0x10000)),
      (r) => r.count(50_000, 36, "inv entries")
    )
    expect(Result.isFailure(result) && result.failure.kind).toBe("overLimit")
  })

  it("that the bytes which follow cannot hold is malformed before anything is allocated", () => {
    const bytes = encode(3 + 71, (w) => {
      w.compactSize(0x100)
      w.raw(new Uint8Array(71))
    })
    const result = decode(bytes, (r) => r.count(Infinity, 36, "entries"))
    expect(result).toEqual(Result.fail(new DecodeError("malformed", "entries: 256 announced, too few bytes follow", 0)))
  })

  it("that just fits is taken", () => {
    const bytes = encode(1 + 72, (w) => {
      w.compactSize(2)
      w.raw(new Uint8Array(72))
    })
    expect(decode(bytes, (r) => r.count(2, 36, "entries"))).toEqual(Result.succeed({ value: 2, bytesLeft: 72 }))
  })
})

describe("an exactly sized encoding", () => {
  it("is refused when it writes less than was sized", () => {
    expect(() => encode(2, (w) => w.u8(1))).toThrow("wrote 1 bytes where 2 were sized")
  })

  it("is refused when it writes more than was sized", () => {
    expect(() => encode(1, (w) => w.u16(1))).toThrow(RangeError)
    expect(() => encode(1, (w) => w.raw(new Uint8Array(2)))).toThrow(RangeError)
  })
})
