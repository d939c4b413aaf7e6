/**
 * How SHA-256 says its arithmetic in WebAssembly's text, once for one message (32-bit integers) and once for four side by side (128-bit
 * vectors of four). The rounds are written over this and know nothing of the width.
 */
export interface Words {
  /** WebAssembly's type of one word, or of one word of each lane. */
  readonly type: "i32" | "v128"
  /** Its size in memory. */
  readonly bytes: number
  readonly add: (a: string, b: string) => string
  readonly xor: (a: string, b: string) => string
  readonly and: (a: string, b: string) => string
  readonly rotateRight: (a: string, bits: number) => string
  readonly shiftRight: (a: string, bits: number) => string
  /** A constant, in every lane. */
  readonly constant: (value: number) => string
  /** One 32-bit value from memory, in every lane. */
  readonly loadOne: (pointer: string, offset: number) => string
  readonly load: (offset: number) => string
  readonly store: (offset: number, value: string) => string
}

/** One message. */
export const scalar: Words = {
  type: "i32",
  bytes: 4,
  add: (a, b) => `(i32.add ${a} ${b})`,
  xor: (a, b) => `(i32.xor ${a} ${b})`,
  and: (a, b) => `(i32.and ${a} ${b})`,
  rotateRight: (a, bits) => `(i32.rotr ${a} (i32.const ${bits}))`,
  shiftRight: (a, bits) => `(i32.shr_u ${a} (i32.const ${bits}))`,
  constant: (value) => `(i32.const ${value})`,
  loadOne: (pointer, offset) => `(i32.load offset=${offset} ${pointer})`,
  load: (offset) => `(i32.load offset=${offset} (i32.const 0))`,
  store: (offset, value) => `(i32.store offset=${offset} (i32.const 0) ${value})`
}

/** Four messages, one in each lane. There is no rotation of vectors: two shifts make one. */
export const fourLanes: Words = {
  type: "v128",
  bytes: 16,
  add: (a, b) => `(i32x4.add ${a} ${b})`,
  xor: (a, b) => `(v128.xor ${a} ${b})`,
  and: (a, b) => `(v128.and ${a} ${b})`,
  rotateRight: (a, bits) =>
    `(v128.or (i32x4.shr_u ${a} (i32.const ${bits})) (i32x4.shl ${a} (i32.const ${32 - bits})))`,
  shiftRight: (a, bits) => `(i32x4.shr_u ${a} (i32.const ${bits}))`,
  constant: (value) => `(v128.const i32x4 ${value} ${value} ${value} ${value})`,
  loadOne: (pointer, offset) => `(v128.load32_splat offset=${offset} ${pointer})`,
  load: (offset) => `(v128.load offset=${offset} (i32.const 0))`,
  store: (offset, value) => `(v128.store offset=${offset} (i32.const 0) ${value})`
}

export const get = (name: string): string => `(local.get $${name})`
export const set = (name: string, value: string): string => `(local.set $${name} ${value})`
export const i32 = (value: number): string => `(i32.const ${value})`
export const plus = (a: string, b: string): string => `(i32.add ${a} ${b})`
export const times = (a: string, b: string): string => `(i32.mul ${a} ${b})`
/** The integers from 0 up to `end`. */
export const upTo = (end: number): ReadonlyArray<number> => Array.from({ length: end }, (_, i) => i)
