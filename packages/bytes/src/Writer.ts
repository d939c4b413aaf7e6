/**
 * A cursor that fills an exactly sized array: size first, one allocation, no growth. Writing past the end is our own bug and
 * throws a `RangeError`.
 */

export class Writer {
  readonly bytes: Uint8Array
  readonly #view: DataView
  /** Where the next write begins. */
  offset: number

  constructor(bytes: Uint8Array, start: number = 0) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.offset = start
  }

  u8(value: number): void {
    this.#view.setUint8(this.offset, value)
    this.offset += 1
  }

  bool(value: boolean): void {
    this.u8(value ? 1 : 0)
  }

  u16(value: number): void {
    this.#view.setUint16(this.offset, value, true)
    this.offset += 2
  }

  /** A port, the only big-endian number of the protocol. */
  u16be(value: number): void {
    this.#view.setUint16(this.offset, value, false)
    this.offset += 2
  }

  u32(value: number): void {
    this.#view.setUint32(this.offset, value, true)
    this.offset += 4
  }

  i32(value: number): void {
    this.#view.setInt32(this.offset, value, true)
    this.offset += 4
  }

  u64(value: bigint): void {
    this.#view.setBigUint64(this.offset, value, true)
    this.offset += 8
  }

  i64(value: bigint): void {
    this.#view.setBigInt64(this.offset, value, true)
    this.offset += 8
  }

  raw(value: Uint8Array): void {
    this.bytes.set(value, this.offset)
    this.offset += value.length
  }

  compactSize(value: number): void {
    if (value < 0xfd) {
      this.u8(value)
    } else if (value <= 0xffff) {
      this.u8(0xfd)
      this.u16(value)
    } else if (value <= 0xffffffff) {
      this.u8(0xfe)
      this.u32(value)
    } else {
      this.u8(0xff)
      this.u64(BigInt(value))
    }
  }

  /** Any of 64 bits, in the shortest form. */
  compactSize64(value: bigint): void {
    if (value <= 0xffffffffn) {
      this.compactSize(Number(value))
    } else {
      this.u8(0xff)
      this.u64(value)
    }
  }

  varBytes(value: Uint8Array): void {
    this.compactSize(value.length)
    this.raw(value)
  }
}

/** How many bytes the CompactSize of `value` takes: 1, 3, 5 or 9. */
export const compactSizeLength = (value: number): number =>
  value < 0xfd ? 1 : value <= 0xffff ? 3 : value <= 0xffffffff ? 5 : 9

/** How many bytes the CompactSize of any of 64 bits takes. */
export const compactSize64Length = (value: bigint): number =>
  value <= 0xffffffffn ? compactSizeLength(Number(value)) : 9

/** How many bytes `value` takes with its CompactSize length before it. */
export const varBytesLength = (value: Uint8Array): number => compactSizeLength(value.length) + value.length

/** Allocates exactly `size` bytes, lets `write` fill them and gives them back. */
export const encode = (size: number, write: (writer: Writer) => void): Uint8Array => {
  const writer = new Writer(new Uint8Array(size))
  write(writer)
  if (writer.offset !== size) throw new RangeError(`wrote ${writer.offset} bytes where ${size} were sized`)
  return writer.bytes
}
