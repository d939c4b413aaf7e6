/**
 * What changed from one message to the next, as bytes: copies out of the message before, and what is new.
 *
 * ```
 *   length of the message │ { length << 1 | 1, offset }  copy      numbers in LEB128
 *                         │ { length << 1, bytes … }     insert
 * ```
 *
 * It finds what stands in blocks of 16 bytes of the message before, wherever it went, in one pass: neither end does more work than the bytes are.
 */

const BLOCK = 16
/** Shorter copies cost as much as they spare. */
const FREE = -1

const hashAt = (b: Uint8Array, at: number): number => {
  let hash = 0
  for (let i = 0; i < BLOCK; i++) hash = Math.imul(hash, 0x01000193) ^ (b[at + i] as number)
  return Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
}

class Numbers {
  bytes: Uint8Array
  at = 0

  constructor(most: number) {
    this.bytes = new Uint8Array(most)
  }

  /** Whether there was room. */
  number(value: number): boolean {
    let left = value
    while (left >= 0x80) {
      this.bytes[this.at++] = (left % 0x80) | 0x80
      left = Math.floor(left / 0x80)
    }
    this.bytes[this.at++] = left
    return this.at <= this.bytes.length
  }

  insert(from: Uint8Array): boolean {
    if (from.length === 0) return true
    if (!this.number(2 * from.length) || this.at + from.length > this.bytes.length) return false
    this.bytes.set(from, this.at)
    this.at += from.length
    return true
  }
}

/** Where each block of `before` lies, by hash; of two that share a slot the later. */
const blocksOf = (before: Uint8Array): Int32Array => {
  const blocks = Math.floor(before.length / BLOCK)
  const slots = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(2, 2 * blocks)))).fill(FREE)
  for (let i = 0; i < blocks; i++) slots[hashAt(before, i * BLOCK) & (slots.length - 1)] = i * BLOCK
  return slots
}

const agreeing = (a: Uint8Array, aAt: number, b: Uint8Array, bAt: number): number => {
  const most = Math.min(a.length - aAt, b.length - bAt)
  let n = 0
  while (n < most && a[aAt + n] === b[bAt + n]) n++
  return n
}

/** What makes `after` of `before`, or `undefined` where that is not shorter than three quarters of `after`. */
export const encodeDelta = (before: Uint8Array, after: Uint8Array): Uint8Array | undefined => {
  const out = new Numbers(Math.floor((3 * after.length) / 4))
  if (out.bytes.length < 8) return undefined
  const slots = blocksOf(before)
  out.number(after.length)
  let from = 0
  let at = 0
  while (at + BLOCK <= after.length) {
    const found = slots[hashAt(after, at) & (slots.length - 1)] as number
    const length = found === FREE ? 0 : agreeing(before, found, after, at)
    if (length < BLOCK) {
      at += 1
      continue
    }
    if (!out.insert(after.subarray(from, at)) || !out.number(2 * length + 1) || !out.number(found)) return undefined
    at += length
    from = at
  }
  return out.insert(after.subarray(from)) ? out.bytes.slice(0, out.at) : undefined
}

/** The message that a delta makes of `before`, at most `maxBytes`; `undefined` where it makes none. */
export const decodeDelta = (before: Uint8Array, delta: Uint8Array, maxBytes: number): Uint8Array | undefined => {
  let at = 0
  const number = (): number => {
    let value = 0
    for (let scale = 1; scale <= 2 ** 28 && at < delta.length; scale *= 0x80) {
      const byte = delta[at++] as number
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    return Number.NaN
  }
  const length = number()
  // Not so: NaN is no length either.
  if (!(length <= maxBytes)) return undefined
  const after = new Uint8Array(length)
  let made = 0
  while (at < delta.length) {
    const head = number()
    const size = Math.floor(head / 2)
    if (!(size >= 1 && made + size <= length)) return undefined
    const source = head % 2 === 1 ? before : delta
    const from = head % 2 === 1 ? number() : at
    if (!(from + size <= source.length)) return undefined
    after.set(source.subarray(from, from + size), made)
    if (head % 2 === 0) at += size
    made += size
  }
  return made === length ? after : undefined
}
