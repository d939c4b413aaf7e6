/**
 * ElligatorSwift: 64 bytes for a point of secp256k1 that nobody can tell from 64 random bytes, so that a connection has no beginning by
 * which it is known. Every 64 bytes decode.
 *
 * Nothing here is constant in time. What is decoded is public; a private key is used for one exchange and forgotten.
 *
 * Source: BIP-0324 §"ElligatorSwift encoding of curve X coordinates".
 */
import { Point, etc } from "@noble/secp256k1"
import type { Random } from "@satwire/machine"
import type { CurvePoint, XOnlyCurve } from "./XOnlyCurve.ts"

/** Bytes of an encoded public key. */
export const ELL_SWIFT_SIZE = 64

export interface EllSwiftKey {
  /** 32 bytes, for one exchange. Wipe them afterwards. */
  readonly privateKey: Uint8Array
  /** 64 bytes. */
  readonly publicKey: Uint8Array
}

const { p: P, n: N } = Point.CURVE()
const { mod } = etc
const invert = (a: bigint): bigint => etc.invert(a, P)

/** The square root of −3 that is itself a square. */
const C = 0xa2d2ba93507f1df233770c2a797962cc61f6d15da14ecd47d8d27ae1cd5f852n
const HALF = (P + 1n) / 2n

const squared = (a: bigint, times: bigint): bigint => {
  let power = a
  for (let i = 0n; i < times; i++) power = (power * power) % P
  return power
}

/** a^(2^(i + j) - 1) from a^(2^i - 1) and a^(2^j - 1): that many ones more in the exponent. */
const join = (high: bigint, low: bigint, ones: bigint): bigint => (squared(high, ones) * low) % P

/**
 * The square root of `a` in 0 .. p - 1 that is itself a square; `undefined` where there is none. The exponent (p + 1) / 4 has 223 ones, a
 * zero, 22 ones, four zeros, two ones and two zeros.
 */
export const fieldSqrt = (a: bigint): bigint | undefined => {
  const ones2 = join(a, a, 1n)
  const ones3 = join(ones2, a, 1n)
  const ones6 = join(ones3, ones3, 3n)
  const ones9 = join(ones6, ones3, 3n)
  const ones11 = join(ones9, ones2, 2n)
  const ones22 = join(ones11, ones11, 11n)
  const ones44 = join(ones22, ones22, 22n)
  const ones88 = join(ones44, ones44, 44n)
  const ones176 = join(ones88, ones88, 88n)
  const ones220 = join(ones176, ones44, 44n)
  const ones223 = join(ones220, ones3, 3n)
  const root = squared(join(join(ones223, ones22, 23n), ones2, 6n), 2n)
  return (root * root) % P === a ? root : undefined
}

const cube = (a: bigint): bigint => (((a * a) % P) * a) % P

/** A point with this x coordinate, where the curve has one. */
const liftX = (x: bigint): CurvePoint | undefined => {
  const y = fieldSqrt(mod(cube(x) + 7n))
  return y === undefined ? undefined : { x, y }
}

/** `XSwiftEC(u, t)`: the point that the two numbers in 0 .. p - 1 stand for. One inversion does for all three candidates. */
export const xSwiftEC = (uGiven: bigint, tGiven: bigint): CurvePoint => {
  const u = uGiven === 0n ? 1n : uGiven
  let t = tGiven === 0n ? 1n : tGiven
  const g = mod(cube(u) + 7n)
  if (mod(g + t * t) === 0n) t = mod(2n * t)
  const square = (t * t) % P
  // X = minus / 2t and Y = plus / 2tcu, so X / Y = cu·minus / plus.
  const plus = mod(g + square)
  const minus = mod(g - square)
  const cu = (C * u) % P
  const below = mod(2n * t * cu)
  const inverse = invert(mod(below * plus))
  const y = mod(plus * plus * inverse)
  const quotient = mod(mod(cu * minus) * mod(below * inverse))
  const point = liftX(mod(u + 4n * y * y)) ?? liftX(mod((-quotient - u) * HALF)) ?? liftX(mod((quotient - u) * HALF))
  if (point === undefined) throw new RangeError("one of three candidates is on the curve")
  return point
}

/** `s` and `v` of the inverse where `case & 2` is 0. */
const firstForm = (x: bigint, u: bigint, g: bigint): readonly [s: bigint, v: bigint] | undefined => {
  if (liftX(mod(-x - u)) !== undefined) return undefined
  return [mod(-g * invert(mod(u * u + u * x + x * x))), x]
}

/** As {@link firstForm} where it is 2. */
const secondForm = (x: bigint, u: bigint, g: bigint, isOdd: boolean): readonly [s: bigint, v: bigint] | undefined => {
  const s = mod(x - u)
  if (s === 0n) return undefined
  const r = fieldSqrt(mod(-s * mod(4n * g + 3n * u * u * s)))
  if (r === undefined || (isOdd && r === 0n)) return undefined
  return [s, mod((r * invert(s) - u) * HALF)]
}

/** `XSwiftECInv(x, u, case)`: a `t` for which `XSwiftEC(u, t)` has this x coordinate, the one of eight that `which` names, if it exists. */
export const xSwiftECInv = (x: bigint, u: bigint, which: number): bigint | undefined => {
  const isOdd = (which & 1) !== 0
  const g = mod(cube(u) + 7n)
  const form = (which & 2) === 0 ? firstForm(x, u, g) : secondForm(x, u, g, isOdd)
  if (form === undefined) return undefined
  const [s, v] = form
  const w = fieldSqrt(s)
  if (w === undefined) return undefined
  const t = mod(w * (u * (isOdd ? 1n + C : 1n - C) * HALF + v))
  return (which & 5) === 1 || (which & 5) === 4 ? t : mod(-t)
}

/** A random encoding of an x coordinate, one of about 2^256. Four attempts on average. */
const encode = (x: bigint, random: Random): Uint8Array => {
  for (;;) {
    const u = mod(etc.bytesToNumberBE(random.bytes(32)))
    if (u === 0n) continue
    const t = xSwiftECInv(x, u, random.below(8))
    if (t !== undefined) return etc.concatBytes(etc.numberToBytesBE(u), etc.numberToBytesBE(t))
  }
}

/** A fresh private key and an encoding of its public key. About a millisecond (measured, `bench/ellswift.bench.ts`). */
export const ellSwiftCreate = (curve: XOnlyCurve, random: Random): EllSwiftKey => {
  for (;;) {
    const privateKey = random.bytes(32)
    const scalar = etc.bytesToNumberBE(privateKey)
    if (scalar > 0n && scalar < N) return { privateKey, publicKey: encode(curve.baseX(scalar), random) }
  }
}

/** The point that 64 bytes stand for, whichever they are. */
const decode = (encoding: Uint8Array): CurvePoint => {
  if (encoding.length !== ELL_SWIFT_SIZE) throw new RangeError(`an encoded key has 64 bytes, not ${encoding.length}`)
  const u = mod(etc.bytesToNumberBE(encoding.subarray(0, 32)))
  const t = mod(etc.bytesToNumberBE(encoding.subarray(32)))
  return xSwiftEC(u, t)
}

/** The x coordinate that 64 bytes stand for, in 32 bytes. */
export const ellSwiftDecode = (encoding: Uint8Array): Uint8Array => etc.numberToBytesBE(decode(encoding).x)

/** The x coordinate of the shared point, in 32 bytes: the same for both sides. One to two milliseconds (measured, as above). */
export const ellSwiftSharedX = (curve: XOnlyCurve, privateKey: Uint8Array, theirs: Uint8Array): Uint8Array =>
  etc.numberToBytesBE(curve.multiplyX(etc.bytesToNumberBE(privateKey), decode(theirs)))
