/**
 * A cursor over bytes that somebody else sent.
 *
 * Reading past the end, or a CompactSize that is not minimal, throws one stackless sentinel that only {@link decode} catches: code
 * that reads stays a straight line, a failed decode costs no stack trace, and nothing is ever thrown out of a package.
 *
 * Byte fields come back as **views** into the input. Who keeps one longer than the input's owner allows copies it (`copyOut`).
 */
import * as Result from "effect/Result"
import { DecodeError, type DecodeErrorKind, type DecodeResult } from "./DecodeError.ts"

/** Bitcoin Core's `MAX_SIZE` (serialize.h): no count or length on the wire may be larger. */
export const MAX_SIZE = 0x02000000

class Failure {
  kind: DecodeErrorKind = "malformed"
  what = ""
  at = 0
}
/** Reused: a decode fails at most once before it is caught. */
const failure: Failure = new Failure()

export class Reader {
  readonly bytes: Uint8Array
  readonly #view: DataView
  readonly #end: number
  /** Where the next read begins. */
  offset: number

  constructor(bytes: Uint8Array, start: number = 0, end: number = bytes.length) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.offset = start
    this.#end = end
  }

  /** How many bytes are left to read. */
  get left(): number {
    return this.#end - this.offset
  }

  /** Ends the decode: the bytes do not follow the format. */
  malformed(what: string, at: number = this.offset): never {
    return fail("malformed", what, at)
  }

  /** Ends the decode: the bytes name more than the protocol allows. */
  overLimit(what: string, at: number = this.offset): never {
    return fail("overLimit", what, at)
  }

  #take(length: number, what: string): number {
    const at = this.offset
    if (length > this.#end - at) fail("malformed", `${what} ends early`, at)
    this.offset = at + length
    return at
  }

  u8(what = "u8"): number {
    return this.bytes[this.#take(1, what)] as number
  }

  /** One byte where any value but 0 means true, as Core reads a bool. */
  bool(what = "bool"): boolean {
    return this.u8(what) !== 0
  }

  u16(what = "u16"): number {
    return this.#view.getUint16(this.#take(2, what), true)
  }

  /** A port, the only big-endian number of the protocol. */
  u16be(what = "port"): number {
    return this.#view.getUint16(this.#take(2, what), false)
  }

  u32(what = "u32"): number {
    return this.#view.getUint32(this.#take(4, what), true)
  }

  i32(what = "i32"): number {
    return this.#view.getInt32(this.#take(4, what), true)
  }

  u64(what = "u64"): bigint {
    return this.#view.getBigUint64(this.#take(8, what), true)
  }

  i64(what = "i64"): bigint {
    return this.#view.getBigInt64(this.#take(8, what), true)
  }

  /** A view of the next `length` bytes. */
  view(length: number, what = "bytes"): Uint8Array {
    const at = this.#take(length, what)
    return this.bytes.subarray(at, at + length)
  }

  /** A CompactSize of at most `MAX_SIZE`, in its shortest form. */
  compactSize(what = "compact size"): number {
    const at = this.offset
    const first = this.u8(what)
    if (first < 0xfd) return first
    let value: number
    if (first === 0xfd) {
      value = this.u16(what)
      if (value < 0xfd) fail("malformed", `${what}: compact size is not minimal`, at)
    } else if (first === 0xfe) {
      value = this.u32(what)
      if (value < 0x10000) fail("malformed", `${what}: compact size is not minimal`, at)
    } else {
      const low = this.u32(what)
      const high = this.u32(what)
      if (high === 0) fail("malformed", `${what}: compact size is not minimal`, at)
      value = high * 0x100000000 + low
    }
    if (value > MAX_SIZE) fail("malformed", `${what}: compact size is over MAX_SIZE`, at)
    return value
  }

  /**
   * A count of items of at least `minItemBytes` each. Over `limit`, or more than the remaining bytes can hold, ends the decode
   * before anything is allocated.
   */
  count(limit: number, minItemBytes: number, what: string): number {
    const at = this.offset
    const count = this.compactSize(what)
    if (count > limit) fail("overLimit", `${what}: ${count} where ${limit} are allowed`, at)
    if (count * minItemBytes > this.left) fail("malformed", `${what}: ${count} announced, too few bytes follow`, at)
    return count
  }

  /** A CompactSize length and that many bytes, as a view. */
  varBytes(limit: number, what: string): Uint8Array {
    return this.view(this.count(limit, 1, what), what)
  }
}

const fail = (kind: DecodeErrorKind, what: string, at: number): never => {
  failure.kind = kind
  failure.what = what
  failure.at = at
  throw failure
}

/** Runs `read` over `bytes` and turns a failed read into a {@link DecodeError}. Never throws on any input. */
export const decode = <A>(bytes: Uint8Array, read: (reader: Reader) => A): DecodeResult<A> => {
  const reader = new Reader(bytes)
  try {
    const value = read(reader)
    return Result.succeed({ value, bytesLeft: reader.left })
  } catch (thrown) {
    if (thrown === failure) return Result.fail(new DecodeError(failure.kind, failure.what, failure.at))
    throw thrown
  }
}
