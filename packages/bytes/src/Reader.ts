/**
 * A cursor over bytes that somebody else sent.
 *
 * Reading past the end, or a CompactSize that is not minimal, throws one stackless sentinel that only {@link decode} catches: code
 * that reads stays a straight line, a failed decode costs no stack trace, and nothing is ever thrown out of a package.
 *
 * Byte fields come back as **views** into the input. Who keeps one longer than the input's owner allows copies it (`copyOut`).
 * A {@link Reader.borrowing | borrowing} reader is for memory that its owner reuses: its byte fields are views into a copy, made
 * when the first of them is read, so that nothing that was decoded ever aliases the input (ADR 0004).
 */
import * as Result from "effect/Result"
import { copyOut } from "./Bytes.ts"
import { DecodeError, type DecodeErrorKind, type DecodeResult } from "./DecodeError.ts"

/**
 * Bitcoin Core's `MAX_SIZE` (serialize.h): no count or length on the wire may be larger.
 *
 * @limit any count or length on the wire
 */
export const MAX_SIZE = 0x02000000

/**
 * How much a borrowing reader copies at once, and so the most memory that a forgotten view of a small field keeps alive. An array of
 * its own for each field costs several times as much (measured, `packages/framing/bench/framing.bench.ts`).
 *
 * @limit bytes that a forgotten view of a small field keeps alive
 */
const BORROWED_WINDOW_BYTES = 16 * 1024

/** What an empty field is, so that four million of them are four million references and no more. */
const NOTHING: Uint8Array = new Uint8Array(0)

class Failure {
  kind: DecodeErrorKind = "malformed"
  what = ""
  at = 0
}
/** Reused: a decode fails at most once before it is caught. */
const failure: Failure = new Failure()

export class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #borrowed: boolean
  #end: number
  /** Of a borrowing reader: the copy of `#bytes` from `#copiedFrom` on that views are made of. */
  #copy: Uint8Array = NOTHING
  #copiedFrom = 0
  /** Where the next read begins. */
  offset: number

  constructor(bytes: Uint8Array, start: number = 0, end: number = bytes.length, borrowed: boolean = false) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#borrowed = borrowed
    this.offset = start
    this.#end = end
  }

  /** A reader of memory that will be reused: no byte field that it gives out aliases `bytes`. */
  static borrowing(bytes: Uint8Array): Reader {
    return new Reader(bytes, 0, bytes.length, true)
  }

  /** Sets out to read `[start, end)` of the same bytes, at a fraction of what another reader costs. */
  aim(start: number, end: number): void {
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
    return this.#bytes[this.#take(1, what)] as number
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

  /** The next `length` bytes: a view of the input, or of a copy where the input is borrowed. */
  view(length: number, what = "bytes"): Uint8Array {
    const at = this.#take(length, what)
    if (length === 0) return NOTHING
    return this.#borrowed ? this.#copied(at, length) : this.#bytes.subarray(at, at + length)
  }

  /** Passes over the next `length` bytes. */
  skip(length: number, what = "bytes"): void {
    this.#take(length, what)
  }

  /** Lets `walk` look at the bytes from `start` on, before any are read. It must keep none of them: they may be borrowed. */
  look<A>(walk: (bytes: Uint8Array, start: number, end: number) => A): A {
    return walk(this.#bytes, this.offset, this.#end)
  }

  /** Copies the next `length` bytes to `target` from `targetOffset` on. */
  copyTo(target: Uint8Array, targetOffset: number, length: number, what = "bytes"): void {
    const at = this.#take(length, what)
    target.set(this.#bytes.subarray(at, at + length), targetOffset)
  }

  #copied(at: number, length: number): Uint8Array {
    let from = at - this.#copiedFrom
    if (from < 0 || from + length > this.#copy.length) {
      this.#copy = copyOut(this.#bytes.subarray(at, at + Math.max(length, BORROWED_WINDOW_BYTES)))
      this.#copiedFrom = at
      from = 0
    }
    return this.#copy.subarray(from, from + length)
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

  /** A CompactSize over the whole range of 64 bits, in its shortest form: the services of BIP-0155. */
  compactSize64(what = "compact size"): bigint {
    const at = this.offset
    const first = this.u8(what)
    if (first < 0xfd) return BigInt(first)
    const value = first === 0xfd ? BigInt(this.u16(what)) : first === 0xfe ? BigInt(this.u32(what)) : this.u64(what)
    if (value < (first === 0xfd ? 0xfdn : first === 0xfe ? 0x10000n : 0x100000000n)) {
      fail("malformed", `${what}: compact size is not minimal`, at)
    }
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
export const decode = <A>(bytes: Uint8Array, read: (reader: Reader) => A): DecodeResult<A> =>
  decodeFrom(new Reader(bytes), { decode: read })

/** Does as {@link decode} from where `reader` stands to its end. The error's offset counts from there. */
export const decodeFrom = <A>(reader: Reader, format: { decode(reader: Reader): A }): DecodeResult<A> => {
  const start = reader.offset
  try {
    const value = format.decode(reader)
    return Result.succeed({ value, bytesLeft: reader.left })
  } catch (thrown) {
    if (thrown === failure) return Result.fail(new DecodeError(failure.kind, failure.what, failure.at - start))
    throw thrown
  }
}
