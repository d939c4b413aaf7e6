/**
 * Which MessagePack a body may be: values that JSON has, and bytes and 64-bit numbers. Nothing that would be more than it says:
 *
 * - no extensions, which libraries make dates, sets, errors and typed arrays of;
 * - keys of maps are strings, and none that objects have a meaning for already: `__proto__`, `constructor`, `prototype`;
 * - counts are judged before anything is made, and so is depth.
 *
 * It walks over the bytes and makes nothing.
 */
import { EnvelopeError } from "./EnvelopeError.ts"

/**
 * Maps and arrays in one another, unless the reader says otherwise.
 *
 * @limit depth of a body
 */
export const MAX_BODY_DEPTH = 32
/**
 * Values of one body, keys among them, unless the reader says otherwise.
 *
 * @limit values in one body
 */
export const MAX_BODY_VALUES = 65_536

export interface BodyLimits {
  readonly maxDepth: number
  readonly maxValues: number
}

export const defaultBodyLimits: BodyLimits = { maxDepth: MAX_BODY_DEPTH, maxValues: MAX_BODY_VALUES }

const asciiOf = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0))
const FORBIDDEN_KEYS = ["__proto__", "constructor", "prototype"].map(asciiOf)

/** Bytes behind the head of what has a fixed size, by heads from 0xc0 on; `undefined` for what has none. */
const FIXED: ReadonlyMap<number, number> = new Map([
  [0xc0, 0],
  [0xc2, 0],
  [0xc3, 0],
  [0xca, 4],
  [0xcb, 8],
  [0xcc, 1],
  [0xcd, 2],
  [0xce, 4],
  [0xcf, 8],
  [0xd0, 1],
  [0xd1, 2],
  [0xd2, 4],
  [0xd3, 8]
])
/** Bytes of the length of strings and byte strings. */
const LENGTHS: ReadonlyMap<number, number> = new Map([
  [0xc4, 1],
  [0xc5, 2],
  [0xc6, 4],
  [0xd9, 1],
  [0xda, 2],
  [0xdb, 4]
])
const isString = (head: number): boolean => (head & 0xe0) === 0xa0 || (head >= 0xd9 && head <= 0xdb)

class Walk {
  readonly #bytes: Uint8Array
  readonly #limits: BodyLimits
  #at = 0
  #values = 0
  error: EnvelopeError | undefined = undefined

  constructor(bytes: Uint8Array, limits: BodyLimits) {
    this.#bytes = bytes
    this.#limits = limits
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  fail(kind: EnvelopeError["kind"], what: string): false {
    this.error ??= new EnvelopeError(kind, what, this.#at)
    return false
  }

  /** Walks over one value; whether it may be. */
  value(depth: number): boolean {
    if (this.isAtEnd) return this.fail("malformed", "body that ends too early")
    if (++this.#values > this.#limits.maxValues) return this.fail("overLimit", "values of the body")
    const head = this.#bytes[this.#at] as number
    if (head < 0x80 || head >= 0xe0) return this.#skip(1)
    if (head < 0x90) return this.#map(1, head & 0x0f, depth)
    if (head < 0xa0) return this.#array(1, head & 0x0f, depth)
    if (head < 0xc0) return this.#skip(1 + (head & 0x1f))
    const fixed = FIXED.get(head)
    if (fixed !== undefined) return this.#skip(1 + fixed)
    const lengthSize = LENGTHS.get(head)
    if (lengthSize !== undefined) return this.#sized(lengthSize)
    if (head >= 0xdc) {
      const size = head % 2 === 0 ? 2 : 4
      const count = this.#number(size)
      if (count === undefined) return this.fail("malformed", "body that ends too early")
      return head < 0xde ? this.#array(1 + size, count, depth) : this.#map(1 + size, count, depth)
    }
    return this.fail("malformed", "extension in the body")
  }

  #sized(lengthSize: number): boolean {
    const length = this.#number(lengthSize)
    if (length === undefined) return this.fail("malformed", "body that ends too early")
    return this.#skip(1 + lengthSize + length)
  }

  #skip(bytes: number): boolean {
    if (this.#at + bytes > this.#bytes.length) return this.fail("malformed", "body that ends too early")
    this.#at += bytes
    return true
  }

  /** The number of `size` bytes behind the head. */
  #number(size: number): number | undefined {
    if (this.#at + size >= this.#bytes.length) return undefined
    let value = 0
    for (let i = 1; i <= size; i++) value = value * 0x100 + (this.#bytes[this.#at + i] as number)
    return value
  }

  #array(head: number, count: number, depth: number): boolean {
    if (!this.#enter(head, count, depth)) return false
    for (let i = 0; i < count; i++) if (!this.value(depth + 1)) return false
    return true
  }

  #map(head: number, count: number, depth: number): boolean {
    if (!this.#enter(head, 2 * count, depth)) return false
    for (let i = 0; i < count; i++) if (!this.#key(depth + 1) || !this.value(depth + 1)) return false
    return true
  }

  /** Each of `count` values takes a byte at least. */
  #enter(head: number, count: number, depth: number): boolean {
    if (depth >= this.#limits.maxDepth) return this.fail("overLimit", "depth of the body")
    if (this.#values + count > this.#limits.maxValues) return this.fail("overLimit", "values of the body")
    if (this.#at + head + count > this.#bytes.length) return this.fail("malformed", "body that ends too early")
    return this.#skip(head)
  }

  #key(depth: number): boolean {
    const from = this.#at
    if (!this.isAtEnd && !isString(this.#bytes[from] as number)) return this.fail("malformed", "key that is no string")
    if (!this.value(depth)) return false
    return FORBIDDEN_KEYS.some((key) => this.#endsWith(key, from))
      ? this.fail("malformed", "key that objects have a meaning for")
      : true
  }

  /** Whether the string from `from` to here is `text`. */
  #endsWith(text: Uint8Array, from: number): boolean {
    const start = this.#at - text.length
    const head = start - from
    if (head !== headSize(this.#bytes[from] as number)) return false
    for (let i = 0; i < text.length; i++) if (this.#bytes[start + i] !== text[i]) return false
    return true
  }
}

const headSize = (head: number): number => 1 + (LENGTHS.get(head) ?? 0)

/** What a body breaks of the rules above, or `undefined` where it keeps them all. */
export const judgeBody = (body: Uint8Array, limits: BodyLimits = defaultBodyLimits): EnvelopeError | undefined => {
  const walk = new Walk(body, limits)
  if (!walk.value(0)) return walk.error
  return walk.isAtEnd ? undefined : new EnvelopeError("malformed", "bytes behind the body", 0)
}
