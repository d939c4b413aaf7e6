/**
 * Unpacks bzip2, in which some files of the real data come and which no runtime knows. Checks the format and not its checksums: what is
 * unpacked is held to something stronger by who asks for it.
 */

const BLOCK_MAGIC = 0x314159265359
const RUN_A = 0
const RUN_B = 1
/** Symbols of one selector. */
const GROUP_SYMBOLS = 50

class Bits {
  readonly #bytes: Uint8Array
  #at = 0
  #left = 0
  #word = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  bit(): number {
    if (this.#left === 0) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) throw new RangeError("bzip2 ends early")
      this.#word = byte
      this.#left = 8
    }
    this.#left -= 1
    return (this.#word >>> this.#left) & 1
  }

  bits(count: number): number {
    let value = 0
    for (let i = 0; i < count; i++) value = value * 2 + this.bit()
    return value
  }
}

/** A canonical Huffman code by the lengths of its words. */
class Huffman {
  readonly #symbols: ReadonlyArray<number>
  /** Of each length: its first code word, and where its symbols begin. */
  readonly #first: Array<number> = []
  readonly #start: Array<number> = []
  readonly #count: Array<number> = []

  constructor(lengths: ReadonlyArray<number>) {
    this.#symbols = lengths
      .map((_, symbol) => symbol)
      .toSorted((a, b) => (lengths[a] as number) - (lengths[b] as number))
    let code = 0
    let start = 0
    for (let length = 1; length <= 20; length++) {
      const count = lengths.filter((other) => other === length).length
      this.#first[length] = code
      this.#start[length] = start
      this.#count[length] = count
      code = (code + count) * 2
      start += count
    }
  }

  read(bits: Bits): number {
    let code = 0
    for (let length = 1; length <= 20; length++) {
      code = code * 2 + bits.bit()
      const place = code - (this.#first[length] as number)
      if (place < (this.#count[length] as number))
        return this.#symbols[(this.#start[length] as number) + place] as number
    }
    throw new RangeError("bzip2: no such code word")
  }
}

/** The first entry of `list` moves to its front. */
const toFront = <A>(list: Array<A>, place: number): A => {
  const [item] = list.splice(place, 1) as [A]
  list.unshift(item)
  return item
}

const readSymbols = (bits: Bits): ReadonlyArray<number> => {
  const used = bits.bits(16)
  const symbols: Array<number> = []
  for (let i = 0; i < 16; i++) {
    if (((used >>> (15 - i)) & 1) === 0) continue
    const row = bits.bits(16)
    for (let k = 0; k < 16; k++) if (((row >>> (15 - k)) & 1) === 1) symbols.push(16 * i + k)
  }
  return symbols
}

const readCodes = (bits: Bits, count: number, alphabet: number): ReadonlyArray<Huffman> =>
  Array.from({ length: count }, () => {
    let length = bits.bits(5)
    return new Huffman(
      Array.from({ length: alphabet }, () => {
        while (bits.bit() === 1) length += bits.bit() === 0 ? 1 : -1
        return length
      })
    )
  })

/** The last column of the block's sorted rotations. */
const readColumn = (bits: Bits): Array<number> => {
  const symbols = [...readSymbols(bits)]
  const groups = bits.bits(3)
  const order = Array.from({ length: groups }, (_, i) => i)
  const selectors = Array.from({ length: bits.bits(15) }, () => {
    let place = 0
    while (bits.bit() === 1) place += 1
    return toFront(order, place)
  })
  const codes = readCodes(bits, groups, symbols.length + 2)
  const column: Array<number> = []
  let run = 0
  let weight = 1
  for (let i = 0; ; i++) {
    const symbol = (codes[selectors[Math.floor(i / GROUP_SYMBOLS)] as number] as Huffman).read(bits)
    if (symbol === RUN_A || symbol === RUN_B) {
      run += weight * (symbol + 1)
      weight *= 2
      continue
    }
    for (; run > 0; run--) column.push(symbols[0] as number)
    weight = 1
    if (symbol === symbols.length + 1) return column
    column.push(toFront(symbols, symbol - 1))
  }
}

/** The rotation that begins at row `origin`, out of the last column of all. */
const inverse = (column: ReadonlyArray<number>, origin: number): Uint8Array => {
  const starts = new Uint32Array(257)
  for (const byte of column) starts[byte + 1] = (starts[byte + 1] as number) + 1
  for (let i = 0; i < 256; i++) starts[i + 1] = (starts[i + 1] as number) + (starts[i] as number)
  const next = new Uint32Array(column.length)
  column.forEach((byte, i) => {
    next[starts[byte] as number] = i
    starts[byte] = (starts[byte] as number) + 1
  })
  const block = new Uint8Array(column.length)
  let at = next[origin] as number
  for (let i = 0; i < block.length; i++) {
    block[i] = column[at] as number
    at = next[at] as number
  }
  return block
}

/** Four equal bytes are followed by how many more there are. */
const expand = (block: Uint8Array, out: Array<number>): void => {
  let same = 0
  for (let i = 0; i < block.length; i++) {
    const byte = block[i] as number
    if (same === 4) {
      for (let left = byte; left > 0; left--) out.push(block[i - 1] as number)
      same = 0
      continue
    }
    same = i > 0 && same > 0 && block[i - 1] === byte ? same + 1 : 1
    out.push(byte)
  }
}

/** The bytes that were packed: all, or those of the first blocks up to at least `wanted`. */
export const bunzip2 = (packed: Uint8Array, wanted: number = Infinity): Uint8Array => {
  const bits = new Bits(packed)
  if (bits.bits(24) !== 0x425a68) throw new RangeError("no bzip2")
  bits.bits(8)
  const out: Array<number> = []
  while (out.length < wanted && bits.bits(48) === BLOCK_MAGIC) {
    // The checksum, and whether the block is scrambled as no program has done since 1997.
    bits.bits(32)
    if (bits.bit() === 1) throw new RangeError("bzip2: a scrambled block")
    const origin = bits.bits(24)
    expand(inverse(readColumn(bits), origin), out)
  }
  return Uint8Array.from(out)
}
