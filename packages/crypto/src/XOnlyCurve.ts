/**
 * The two multiplications on secp256k1 that an ElligatorSwift exchange needs. Only x coordinates of results are told, because BIP-0324
 * uses nothing else. A backend interface: plain JavaScript here, WASM or native code where somebody injects it.
 */
import { Point, etc } from "@noble/secp256k1"

/** A point of the curve that is not the one at infinity. */
export interface CurvePoint {
  readonly x: bigint
  readonly y: bigint
}

export interface XOnlyCurve {
  /** For logs and benchmarks: which backend this is. */
  readonly name: string
  /** The x coordinate of `scalar` times the generator. `scalar` lies in 1 .. n - 1. */
  baseX(scalar: bigint): bigint
  /** The x coordinate of `scalar` times `point`. */
  multiplyX(scalar: bigint, point: CurvePoint): bigint
}

const { n: N } = Point.CURVE()
const { mod } = etc

/** λ·(x, y) = (β·x, y), and a scalar is k1 + k2·λ with halves of 128 bits: half of the doublings are saved. */
const BETA = 0x7ae96a2b657c07106e64479eac3434e99cf0497512f58995c1396c28719501een
const A1 = 0x3086d221a7d46bcde86c90e49284eb15n
const MINUS_B1 = 0xe4437ed6010e88286f547fa90abfe4c3n
const A2 = 0x114ca50f7a8e2f3f657c1108d9d44cfd8n
const WINDOW_BITS = 4n
const TABLE_SIZE = 1 << Number(WINDOW_BITS)
const WINDOW_MASK = BigInt(TABLE_SIZE - 1)
/** The halves fit into 129 bits. */
const HIGHEST_WINDOW = 32n * WINDOW_BITS

const rounded = (numerator: bigint): bigint => (numerator + N / 2n) / N

/** 0, 1, … 15 times `point`. */
const multiples = (point: Point): ReadonlyArray<Point> => {
  const table = [Point.ZERO, point]
  for (let i = 2; i < TABLE_SIZE; i++) table.push((table[i - 1] as Point).add(point))
  return table
}

const negated = (table: ReadonlyArray<Point>): ReadonlyArray<Point> => table.map((point) => point.negate())

/** Twice a point, by Renes, Costello and Batina's algorithm 9 (eprint 2015/1060): a third of what adding it to itself costs. */
const doubled = ({ X, Y, Z }: Point): Point => {
  const yy = mod(Y * Y)
  const bzz3 = mod(21n * Z * Z)
  const yy8 = 8n * yy
  const rest = yy - 3n * bzz3
  return new Point(mod(2n * mod(X * Y) * rest), mod(bzz3 * yy8 + rest * (yy + bzz3)), mod(mod(Y * Z) * yy8))
}

/**
 * Both halves of the scalar are worked off four bits at a time. The same additions are done for every scalar, with formulas that have no
 * special cases; a third of the time of the library's own multiplication (measured, `bench/ellswift.bench.ts`).
 */
const multiplyX = (scalar: bigint, { x, y }: CurvePoint): bigint => {
  const c1 = rounded(A1 * scalar)
  const c2 = rounded(MINUS_B1 * scalar)
  let k1 = scalar - c1 * A1 - c2 * A2
  let k2 = c1 * MINUS_B1 - c2 * A1
  let table1 = multiples(Point.fromAffine({ x, y }))
  let table2: ReadonlyArray<Point> = table1.map((point) => new Point(mod(BETA * point.X), point.Y, point.Z))
  if (k1 < 0n) {
    k1 = -k1
    table1 = [...negated(table1)]
  }
  if (k2 < 0n) {
    k2 = -k2
    table2 = negated(table2)
  }
  let sum = Point.ZERO
  for (let shift = HIGHEST_WINDOW; shift >= 0n; shift -= WINDOW_BITS) {
    for (let i = 0n; i < WINDOW_BITS; i++) sum = doubled(sum)
    sum = sum.add(table1[Number((k1 >> shift) & WINDOW_MASK)] as Point)
    sum = sum.add(table2[Number((k2 >> shift) & WINDOW_MASK)] as Point)
  }
  return sum.toAffine().x
}

/** Plain JavaScript on the points of `@noble/secp256k1`: runs anywhere. */
export const portableCurve: XOnlyCurve = {
  name: "noble",
  baseX: (scalar) => Point.BASE.multiply(scalar).toAffine().x,
  multiplyX
}
