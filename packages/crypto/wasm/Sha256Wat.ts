/**
 * SHA-256d as WebAssembly text: one message, or four side by side in the lanes of 128-bit vectors.
 *
 * ```
 *  memory   0        256     384     640          1152     1408   BUFFER_AT
 *           │ K      │ state │ block │ four tails │ K and  │ …    │ what JavaScript puts in and takes out
 *           │ 64×u32 │ 8     │ 16    │ 128 B each │ pair's │
 * ```
 *
 * State and block are words of the width at hand (4 bytes, or 16 for four lanes), in the machine's own order. A tail is what follows a
 * message's last whole block: the rest, the bit 1, zeros, and the length in bits.
 *
 * Specification: FIPS 180-4 §5.1.1 (padding), §5.3.3 (first state), §6.2.2 (rounds).
 */
import { type Words, fourLanes, get, i32, plus, scalar, set, times, upTo } from "./Words.ts"

const STATE_AT = 256
const BLOCK_AT = 384
const TAILS_AT = 640
const TAIL_BYTES = 128
const PAIR_K_AT = 1152

/** Where JavaScript's part of the memory begins. */
export const BUFFER_AT = 2048
/** Pages of 64 KiB that the modules begin and stay with. */
export const PAGES = 8

const primes = (count: number): ReadonlyArray<number> => {
  const found: Array<number> = []
  for (let n = 2; found.length < count; n++) if (found.every((prime) => n % prime !== 0)) found.push(n)
  return found
}

/** The first 32 bits of the fraction of an n-th root, worked out exactly in integers. */
const rootFraction = (n: number, of: number): number => {
  const scaled = BigInt(of) << BigInt(32 * n)
  let low = 0n
  let high = 1n << 40n
  while (low < high) {
    const middle = (low + high + 1n) >> 1n
    if (middle ** BigInt(n) <= scaled) low = middle
    else high = middle - 1n
  }
  return Number(low & 0xffffffffn)
}

/** Of the cube roots of the first 64 primes. */
const K = primes(64).map((prime) => rootFraction(3, prime))
/** Of the square roots of the first 8 primes. */
const FIRST_STATE = primes(8).map((prime) => rootFraction(2, prime))

/**
 * The constants with the schedule of what follows 64 bytes: the bit 1, zeros, and 512. It is the second block of every pair of a merkle level,
 * and nothing of it is left to be worked out (measured: a fifth of the hash of a pair).
 */
const pairConstants = (): ReadonlyArray<number> => {
  const schedule = [0x80000000, ...upTo(14).map(() => 0), 512]
  const small = (x: number, [a, b]: readonly [number, number], shift: number): number =>
    ((x >>> a) | (x << (32 - a))) ^ ((x >>> b) | (x << (32 - b))) ^ (x >>> shift)
  for (let i = 16; i < 64; i++) {
    const word = (j: number): number => schedule[i - 16 + j] ?? 0
    schedule.push((word(0) + small(word(1), [7, 18], 3) + word(9) + small(word(14), [17, 19], 10)) >>> 0)
  }
  return K.map((k, i) => (k + (schedule[i] ?? 0)) >>> 0)
}

const stateAt = (w: Words, i: number): number => STATE_AT + i * w.bytes
const blockAt = (w: Words, i: number): number => BLOCK_AT + i * w.bytes

/** Takes the block at `BLOCK_AT` into the state: sixteen rounds, then three times sixteen with the schedule worked on in place. */
const rounds = (name: string, w: Words): string => {
  const words = upTo(16).map((i) => `w${i}`)
  const lines = words.map((word, i) => set(word, w.load(blockAt(w, i))))
  for (const i of upTo(16)) lines.push(round(w, i, w.add(w.constant(K[i] ?? 0), get(`w${i}`))))
  lines.push(set("k", i32(64)), "(loop $again")
  for (const i of upTo(16)) lines.push(schedule(w, i), round(w, i, w.add(w.loadOne(get("k"), 4 * i), get(`w${i}`))))
  lines.push(set("k", plus(get("k"), i32(64))), `(br_if $again (i32.lt_u ${get("k")} ${i32(256)})))`)
  return roundsOver(name, w, words, lines)
}

/** Takes the block into the state that follows 64 bytes. */
const pairRounds = (name: string, w: Words): string => {
  const lines = [set("k", i32(PAIR_K_AT)), "(loop $again"]
  for (const i of upTo(16)) lines.push(round(w, i, w.loadOne(get("k"), 4 * i)))
  lines.push(set("k", plus(get("k"), i32(64))), `(br_if $again (i32.lt_u ${get("k")} ${i32(PAIR_K_AT + 256)})))`)
  return roundsOver(name, w, [], lines)
}

const REGISTERS: ReadonlyArray<string> = "abcdefgh".split("")

/** Rounds, between the state that is taken into registers and the registers that are added to it. */
const roundsOver = (name: string, w: Words, words: ReadonlyArray<string>, rounds: ReadonlyArray<string>): string => {
  const begin = REGISTERS.map((register, i) => set(register, w.load(stateAt(w, i))))
  const end = REGISTERS.map((register, i) => w.store(stateAt(w, i), w.add(w.load(stateAt(w, i)), get(register))))
  const declared = ["t", "ab", "bc", ...REGISTERS, ...words].map((local) => `(local $${local} ${w.type})`).join(" ")
  const lines = [...begin, set("bc", w.xor(get("b"), get("c"))), ...rounds, ...end]
  return `(func $${name} (local $k i32) ${declared}\n${lines.join("\n")})`
}

/**
 * Round i: the registers change places instead of values, so eight rounds bring each back to its own.
 *
 * @param kw the constant and the word of the schedule, added
 */
const round = (w: Words, i: number, kw: string): string => {
  const at = (j: number): string => REGISTERS[(j - i + 64) % 8] ?? ""
  const [a, b, d, e, f, g, h] = [at(0), at(1), at(3), at(4), at(5), at(6), at(7)]
  const sum = (x: string, n: readonly [number, number, number]): string =>
    w.xor(w.xor(w.rotateRight(get(x), n[0]), w.rotateRight(get(x), n[1])), w.rotateRight(get(x), n[2]))
  const choose = w.xor(get(g), w.and(get(e), w.xor(get(f), get(g))))
  // The majority of a, b, c is b where a = b, else c: b ^ ((a ^ b) & (b ^ c)), and b ^ c was the last round's a ^ b.
  const majority = w.xor(get(b), w.and(get("ab"), get("bc")))
  return [
    set("t", w.add(w.add(w.add(get(h), kw), choose), sum(e, [6, 11, 25]))),
    set(d, w.add(get(d), get("t"))),
    set("ab", w.xor(get(a), get(b))),
    set(h, w.add(w.add(get("t"), majority), sum(a, [2, 13, 22]))),
    set("bc", get("ab"))
  ].join("\n")
}

/** Word i of the schedule, from the fifteen before it. */
const schedule = (w: Words, i: number): string => {
  const word = (j: number): string => get(`w${(i + j) % 16}`)
  const small = (x: string, n: readonly [number, number], shift: number): string =>
    w.xor(w.xor(w.rotateRight(x, n[0]), w.rotateRight(x, n[1])), w.shiftRight(x, shift))
  return set(`w${i}`, w.add(w.add(word(0), small(word(1), [7, 18], 3)), w.add(word(9), small(word(14), [17, 19], 10))))
}

const begin = (name: string, w: Words): string =>
  `(func $${name} ${FIRST_STATE.map((value, i) => w.store(stateAt(w, i), w.constant(value))).join("\n")})`

/** Makes the digest in the state the block of the second hash, and takes it in. */
const hashDigest = (name: string, w: Words, beginName: string, roundsName: string): string => {
  const lines = upTo(8).map((i) => w.store(blockAt(w, i), w.load(stateAt(w, i))))
  lines.push(w.store(blockAt(w, 8), w.constant(0x80000000)))
  for (const i of [9, 10, 11, 12, 13, 14]) lines.push(w.store(blockAt(w, i), w.constant(0)))
  lines.push(w.store(blockAt(w, 15), w.constant(256)), `(call $${beginName})`, `(call $${roundsName})`)
  return `(func $${name} ${lines.join("\n")})`
}

/** The bytes of a 32-bit word in the other order. */
const swapped = (word: string): string =>
  `(i32.or (i32.and (i32.rotl ${word} ${i32(8)}) ${i32(0x00ff00ff)}) (i32.and (i32.rotr ${word} ${i32(8)}) ${i32(0xff00ff00)}))`

const BYTES_SWAPPED = "3 2 1 0 7 6 5 4 11 10 9 8 15 14 13 12"
const swappedLanes = (vector: string): string => `(i8x16.shuffle ${BYTES_SWAPPED} ${vector} (v128.const i32x4 0 0 0 0))`

/** Takes the 64 bytes at `$p` in. */
const block1 = `(func $block1 (export "block1") (param $p i32)
${upTo(16)
  .map((i) => scalar.store(blockAt(scalar, i), swapped(`(i32.load offset=${4 * i} ${get("p")})`)))
  .join("\n")}
(call $rounds1))`

/** Takes 64 bytes of each of four messages in: four times four words are read along the messages and turned into lanes. */
const block4 = (): string => {
  const picked = (a: string, b: string, words: ReadonlyArray<number>): string =>
    `(i8x16.shuffle ${words.flatMap((word) => upTo(4).map((k) => 4 * word + k)).join(" ")} ${get(a)} ${get(b)})`
  const lines: Array<string> = []
  for (const quarter of upTo(4)) {
    for (const lane of upTo(4)) {
      lines.push(set(`r${lane}`, swappedLanes(`(v128.load offset=${16 * quarter} ${get(`p${lane}`)})`)))
    }
    lines.push(set("t0", picked("r0", "r1", [0, 4, 1, 5])), set("t1", picked("r0", "r1", [2, 6, 3, 7])))
    lines.push(set("t2", picked("r2", "r3", [0, 4, 1, 5])), set("t3", picked("r2", "r3", [2, 6, 3, 7])))
    const word = (i: number, value: string): string => fourLanes.store(blockAt(fourLanes, 4 * quarter + i), value)
    lines.push(word(0, picked("t0", "t2", [0, 1, 4, 5])), word(1, picked("t0", "t2", [2, 3, 6, 7])))
    lines.push(word(2, picked("t1", "t3", [0, 1, 4, 5])), word(3, picked("t1", "t3", [2, 3, 6, 7])))
  }
  const params = upTo(4).map((lane) => `(param $p${lane} i32)`)
  const locals = ["r0", "r1", "r2", "r3", "t0", "t1", "t2", "t3"].map((local) => `(local $${local} v128)`)
  return `(func $block4 ${params.join(" ")} ${locals.join(" ")}\n${lines.join("\n")}\n(call $rounds4))`
}

/**
 * Writes the tail of a message into slot `$slot`: `$rest` bytes from `$p`, the bit 1, zeros, and `$bits`, the length of the whole message,
 * at the end of one block, or of two where one does not suffice.
 */
const tail = `(func $tail (export "tail") (param $slot i32) (param $p i32) (param $rest i32) (param $bits i64)
(local $at i32)
${set("at", plus(i32(TAILS_AT), times(get("slot"), i32(TAIL_BYTES))))}
(memory.copy ${get("at")} ${get("p")} ${get("rest")})
(memory.fill ${plus(get("at"), get("rest"))} ${i32(0)} (i32.sub ${i32(TAIL_BYTES)} ${get("rest")}))
(i32.store8 ${plus(get("at"), get("rest"))} ${i32(0x80)})
${set("at", plus(get("at"), `(select ${i32(56)} ${i32(120)} (i32.lt_u ${get("rest")} ${i32(56)}))`))}
(i32.store ${get("at")} ${swapped(`(i32.wrap_i64 (i64.shr_u ${get("bits")} (i64.const 32)))`)})
(i32.store offset=4 ${get("at")} ${swapped(`(i32.wrap_i64 ${get("bits")})`)}))`

/** Takes the tail in slot 0 in, of one block or two. */
const tail1 = `(func $tail1 (export "tail1") (param $rest i32)
(call $block1 ${i32(TAILS_AT)})
(if (i32.ge_u ${get("rest")} ${i32(56)}) (then (call $block1 ${i32(TAILS_AT + 64)}))))`

/** Writes the digest to `$out`. */
const digest1 = `(func $digest1 (export "digest1") (param $out i32)
${upTo(8)
  .map((i) => `(i32.store offset=${4 * i} ${get("out")} ${swapped(scalar.load(stateAt(scalar, i)))})`)
  .join("\n")})`

/** SHA-256d of `$count` records of `$length` bytes, one after another. */
const many1 = `(func $many1 (export "many1")
(param $in i32) (param $length i32) (param $stride i32) (param $count i32) (param $out i32)
(local $p i32) (local $end i32) (local $rest i32)
${set("rest", `(i32.and ${get("length")} ${i32(63)})`)}
(block $done (loop $next
(br_if $done (i32.eqz ${get("count")}))
(call $begin1)
${set("p", get("in"))}
${set("end", plus(get("in"), `(i32.sub ${get("length")} ${get("rest")})`))}
(block $whole (loop $again
(br_if $whole (i32.ge_u ${get("p")} ${get("end")}))
(call $block1 ${get("p")})
${set("p", plus(get("p"), i32(64)))}
(br $again)))
(call $tail ${i32(0)} ${get("p")} ${get("rest")} (i64.shl (i64.extend_i32_u ${get("length")}) (i64.const 3)))
(call $tail1 ${get("rest")})
(call $hashDigest1)
(call $digest1 ${get("out")})
${set("in", plus(get("in"), get("stride")))}
${set("out", plus(get("out"), i32(32)))}
${set("count", `(i32.sub ${get("count")} ${i32(1)})`)}
(br $next))))`

/**
 * SHA-256d of four messages with the same number of whole blocks and of tail blocks, one in each lane. Lane l has `$whole` blocks at `$pl`
 * and its tail in slot l; its digest goes to `$outl`.
 */
const group4 = (): string => {
  const params = upTo(4).flatMap((lane) => [`(param $p${lane} i32)`, `(param $out${lane} i32)`])
  const advance = upTo(4).map((lane) => set(`p${lane}`, plus(get(`p${lane}`), i32(64))))
  const tails = (offset: number): string =>
    `(call $block4 ${upTo(4)
      .map((lane) => i32(TAILS_AT + lane * TAIL_BYTES + offset))
      .join(" ")})`
  return `(func $group4 (export "group4") ${params.join(" ")} (param $whole i32) (param $two i32) (local $v v128)
(call $begin4)
(block $done (loop $again
(br_if $done (i32.eqz ${get("whole")}))
(call $block4 ${upTo(4)
    .map((lane) => get(`p${lane}`))
    .join(" ")})
${advance.join("\n")}
${set("whole", `(i32.sub ${get("whole")} ${i32(1)})`)}
(br $again)))
${tails(0)}
(if ${get("two")} (then ${tails(64)}))
(call $hashDigest4)
${digests4(upTo(4).map((lane) => [get(`out${lane}`), 0]))})`
}

/** Writes the digest of each lane to its place: a pointer, and so many bytes behind. */
const digests4 = (places: ReadonlyArray<readonly [pointer: string, bytes: number]>): string =>
  upTo(8)
    .flatMap((i) => [
      set("v", swappedLanes(fourLanes.load(stateAt(fourLanes, i)))),
      ...places.map(
        ([pointer, bytes], lane) =>
          `(i32.store offset=${bytes + 4 * i} ${pointer} (i32x4.extract_lane ${lane} ${get("v")}))`
      )
    ])
    .join("\n")

/** As `many4`, for records of 64 bytes. */
const pairs4 = (): string => `(func $pairs4
(param $in i32) (param $stride i32) (param $count i32) (param $out i32) (local $v v128)
(loop $next
(call $begin4)
(call $block4 ${upTo(4)
  .map((lane) => plus(get("in"), times(get("stride"), i32(lane))))
  .join(" ")})
(call $pairRounds4)
(call $hashDigest4)
${digests4(upTo(4).map((lane) => [get("out"), 32 * lane]))}
${set("in", plus(get("in"), times(get("stride"), i32(4))))}
${set("out", plus(get("out"), i32(128)))}
${set("count", `(i32.sub ${get("count")} ${i32(4)})`)}
(br_if $next ${get("count")})))`

/**
 * As `many1`, for a `$count` that is a multiple of four. All records have one length, so the tails' padding is written once and only their
 * rests are renewed, sixteen bytes at a time where they are as many (headers). Records of 64 bytes, the pairs of a merkle level, have no rest.
 */
const many4 = (): string => {
  const record = (lane: number): string => plus(get("in"), times(get("stride"), i32(lane)))
  const prepare = upTo(4).map(
    (lane) =>
      `(call $tail ${i32(lane)} ${get("in")} ${get("rest")} (i64.shl (i64.extend_i32_u ${get("length")}) (i64.const 3)))`
  )
  const renew = upTo(4).map((lane) => {
    const to = i32(TAILS_AT + lane * TAIL_BYTES)
    const from = plus(record(lane), get("wholeBytes"))
    return `(if (i32.eq ${get("rest")} ${i32(16)})
(then (v128.store ${to} (v128.load ${from})))
(else (memory.copy ${to} ${from} ${get("rest")})))`
  })
  const group = upTo(4).map((lane) => `${record(lane)} ${plus(get("out"), i32(32 * lane))}`)
  return `(func $many4 (export "many4")
(param $in i32) (param $length i32) (param $stride i32) (param $count i32) (param $out i32)
(local $rest i32) (local $wholeBytes i32)
(if (i32.eqz ${get("count")}) (then (return)))
(if (i32.eq ${get("length")} ${i32(64)})
(then (call $pairs4 ${["in", "stride", "count", "out"].map(get).join(" ")}) (return)))
${set("rest", `(i32.and ${get("length")} ${i32(63)})`)}
${set("wholeBytes", `(i32.sub ${get("length")} ${get("rest")})`)}
${prepare.join("\n")}
(loop $next
${renew.join("\n")}
(call $group4 ${group.join(" ")} (i32.shr_u ${get("wholeBytes")} ${i32(6)}) (i32.ge_u ${get("rest")} ${i32(56)}))
${set("in", plus(get("in"), times(get("stride"), i32(4))))}
${set("out", plus(get("out"), i32(128)))}
${set("count", `(i32.sub ${get("count")} ${i32(4)})`)}
(br_if $next ${get("count")})))`
}

/** The 32 bytes of the state, for a hash that is taken up again later. */
const beginExported = `(func (export "begin1") (call $begin1))`
const hashDigestExported = `(func (export "hashDigest1") (call $hashDigest1))`

const table = (values: ReadonlyArray<number>): string =>
  values
    .flatMap((value) => upTo(4).map((i) => `\\${((value >>> (8 * i)) & 0xff).toString(16).padStart(2, "0")}`))
    .join("")

const oneMessage: ReadonlyArray<string> = [
  rounds("rounds1", scalar),
  begin("begin1", scalar),
  hashDigest("hashDigest1", scalar, "begin1", "rounds1"),
  block1,
  tail,
  tail1,
  digest1,
  many1,
  beginExported,
  hashDigestExported
]

const fourMessages: ReadonlyArray<string> = [
  rounds("rounds4", fourLanes),
  begin("begin4", fourLanes),
  hashDigest("hashDigest4", fourLanes, "begin4", "rounds4"),
  block4(),
  group4(),
  pairRounds("pairRounds4", fourLanes),
  pairs4(),
  many4()
]

const moduleOf = (functions: ReadonlyArray<string>, data: string = ""): string =>
  `(module (memory (export "memory") ${PAGES} ${PAGES})\n(data (i32.const 0) "${table(K)}")${data}\n${functions.join("\n")})`

/** For engines without vectors. */
export const scalarSha256Wat: string = moduleOf(oneMessage)
/** One message and four. */
export const simdSha256Wat: string = moduleOf(
  [...oneMessage, ...fourMessages],
  `(data ${i32(PAIR_K_AT)} "${table(pairConstants())}")`
)
