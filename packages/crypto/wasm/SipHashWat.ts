/**
 * SipHash-2-4 of 32-byte ids in batches, as WebAssembly text: there a word of 64 bits is one value and not two halves.
 *
 * One id waits for each of its steps; so where there are vectors, four go side by side, in two vectors of two (measured: half as fast again
 * as one after another, and a third vector brings nothing more).
 *
 * ```
 *  in   │ id 0 │ id 1 │ id 2 │ id 3 │      vector a: word w of ids 0 and 1      vector b: word w of ids 2 and 3
 * ```
 *
 * Specification: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012, §2.
 */
import { get, i32, plus, set, upTo } from "./Words.ts"

/** Where JavaScript's part of the memory begins. */
export const SIP_BUFFER_AT = 0
/** Pages of 64 KiB that the modules begin and stay with. */
export const SIP_PAGES = 8

/** How the arithmetic is said, once for a word and once for a vector of two. */
interface SipWords {
  readonly type: "i64" | "v128"
  readonly add: (a: string, b: string) => string
  readonly xor: (a: string, b: string) => string
  readonly rotate: (a: string, bits: number) => string
  /** A constant, in every lane. */
  readonly constant: (value: string) => string
  /** A parameter, in every lane. */
  readonly splat: (value: string) => string
}

const one: SipWords = {
  type: "i64",
  add: (a, b) => `(i64.add ${a} ${b})`,
  xor: (a, b) => `(i64.xor ${a} ${b})`,
  rotate: (a, bits) => `(i64.rotl ${a} (i64.const ${bits}))`,
  constant: (value) => `(i64.const ${value})`,
  splat: (value) => value
}

const two: SipWords = {
  type: "v128",
  add: (a, b) => `(i64x2.add ${a} ${b})`,
  xor: (a, b) => `(v128.xor ${a} ${b})`,
  // There is no rotation of vectors: by whole bytes one is a shuffle, else two shifts.
  rotate: (a, bits) =>
    bits % 8 === 0
      ? `(i8x16.shuffle ${upTo(16)
          .map((i) => (i & 8) | ((i - bits / 8) & 7))
          .join(" ")} ${a} ${a})`
      : `(v128.or (i64x2.shl ${a} ${i32(bits)}) (i64x2.shr_u ${a} ${i32(64 - bits)}))`,
  constant: (value) => `(v128.const i64x2 ${value} ${value})`,
  splat: (value) => `(i64x2.splat ${value})`
}

/** The steps of a round over the state of one stream, `v0` to `v3` with its letter. */
const sipRound = (w: SipWords, letter: string): ReadonlyArray<string> => {
  const v = (i: number): string => `v${i}${letter}`
  const add = (to: number, i: number): string => set(v(to), w.add(get(v(to)), get(v(i))))
  const turn = (i: number, bits: number): string => set(v(i), w.rotate(get(v(i)), bits))
  const xor = (to: number, i: number): string => set(v(to), w.xor(get(v(to)), get(v(i))))
  return [
    ...[add(0, 1), turn(1, 13), xor(1, 0), turn(0, 32)],
    ...[add(2, 3), turn(3, 16), xor(3, 2)],
    ...[add(0, 3), turn(3, 21), xor(3, 0)],
    ...[add(2, 1), turn(1, 17), xor(1, 2), turn(2, 32)]
  ]
}

/** The first step of each stream, then the second of each, and so on. */
const sideBySide = (streams: ReadonlyArray<ReadonlyArray<string>>): string =>
  (streams[0] ?? []).flatMap((_, step) => streams.map((steps) => steps[step])).join("\n")

/**
 * Hashes what each stream has loaded: `load(stream, w)` is its word w. The length that the last block carries is always 32.
 *
 * @param letters one for each stream
 */
const hash = (w: SipWords, letters: ReadonlyArray<string>, load: (letter: string, word: number) => string): string => {
  const rounds = (count: number): string =>
    upTo(count)
      .map(() => sideBySide(letters.map((letter) => sipRound(w, letter))))
      .join("\n")
  const each = (steps: (letter: string) => ReadonlyArray<string>): string => sideBySide(letters.map(steps))
  const keyed = (key: string, value: string): string => w.xor(w.splat(get(key)), w.constant(value))
  const mix = (letter: string, to: string, word: string): string =>
    set(`${to}${letter}`, w.xor(get(`${to}${letter}`), word))
  const absorb = (word: (letter: string) => string): ReadonlyArray<string> => [
    each((letter) => [set(`m${letter}`, word(letter)), mix(letter, "v3", get(`m${letter}`))]),
    rounds(2),
    each((letter) => [mix(letter, "v0", get(`m${letter}`))])
  ]
  return [
    each((letter) => [
      set(`v0${letter}`, keyed("k0", "0x736f6d6570736575")),
      set(`v1${letter}`, keyed("k1", "0x646f72616e646f6d")),
      set(`v2${letter}`, keyed("k0", "0x6c7967656e657261")),
      set(`v3${letter}`, keyed("k1", "0x7465646279746573"))
    ]),
    ...upTo(4).flatMap((word) => absorb((letter) => load(letter, word))),
    ...absorb(() => w.constant("0x2000000000000000")),
    each((letter) => [mix(letter, "v2", w.constant("0xff"))]),
    rounds(4)
  ].join("\n")
}

const hashed = (w: SipWords, letter: string): string => {
  const [v0, v1, v2, v3] = upTo(4).map((i) => get(`v${i}${letter}`)) as [string, string, string, string]
  return w.xor(w.xor(v0, v1), w.xor(v2, v3))
}

/**
 * `ids32(in, count, out, k0, k1)`: the 64-bit hash of each of `count` ids of 32 bytes, one after another, to eight bytes each. Of `atOnce`
 * ids at a time, what is left over is left out.
 */
const ids = (name: string, w: SipWords, letters: ReadonlyArray<string>, atOnce: number, body: string): string => {
  const locals = letters.flatMap((letter) => ["v0", "v1", "v2", "v3", "m", "x", "y"].map((local) => local + letter))
  return `(func (export "${name}") (param $in i32) (param $count i32) (param $out i32) (param $k0 i64) (param $k1 i64)
${locals.map((local) => `(local $${local} ${w.type})`).join(" ")}
(block $done (loop $next
(br_if $done (i32.lt_u ${get("count")} ${i32(atOnce)}))
${body}
${set("in", plus(get("in"), i32(32 * atOnce)))}
${set("out", plus(get("out"), i32(8 * atOnce)))}
${set("count", `(i32.sub ${get("count")} ${i32(atOnce)})`)}
(br $next))))`
}

const ids32 = ids(
  "ids32",
  one,
  ["a"],
  1,
  `${hash(one, ["a"], (_, word) => `(i64.load offset=${8 * word} ${get("in")})`)}
(i64.store ${get("out")} ${hashed(one, "a")})`
)

const STREAMS: ReadonlyArray<string> = ["a", "b"]

/** Word `word` of a stream's two ids: sixteen bytes of each are read at once, and serve two words. */
const loadTwo = (letter: string, word: number): string => {
  const at = 64 * STREAMS.indexOf(letter) + 8 * word
  const read = (local: string, offset: number): string =>
    `(local.tee $${local}${letter} (v128.load offset=${offset} ${get("in")}))`
  return word % 2 === 0
    ? `(i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 ${read("x", at)} ${read("y", at + 32)})`
    : `(i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 ${get(`x${letter}`)} ${get(`y${letter}`)})`
}

const fours32 = ids(
  "fours32",
  two,
  STREAMS,
  4,
  [
    hash(two, STREAMS, loadTwo),
    ...STREAMS.map((letter, i) => `(v128.store offset=${16 * i} ${get("out")} ${hashed(two, letter)})`)
  ].join("\n")
)

const moduleOf = (functions: ReadonlyArray<string>): string =>
  `(module (memory (export "memory") ${SIP_PAGES} ${SIP_PAGES})\n${functions.join("\n")})`

/** For engines without vectors. */
export const scalarSipHashWat: string = moduleOf([ids32])
/** One id and four. */
export const simdSipHashWat: string = moduleOf([ids32, fours32])
