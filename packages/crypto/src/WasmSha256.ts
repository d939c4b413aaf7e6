/**
 * SHA-256d in WebAssembly: one message at a time, or four side by side where the engine has vectors. Bytes are copied into the module's
 * memory and digests out of it, a part that fits at a time.
 *
 * The modules are made by `wasm/`, readable there; `test/WasmModules.test.ts` compiles them again and compares.
 */
import { type Sha256, type Sha256Range, portableSha256 } from "./Sha256.ts"
import { wasmExports } from "./WasmInstance.ts"
import { SCALAR_SHA256, SHA256_BUFFER_AT, SHA256_BUFFER_END, SIMD_SHA256 } from "./WasmModules.ts"

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  begin1(): void
  block1(pointer: number): void
  tail(slot: number, pointer: number, rest: number, bits: bigint): void
  tail1(rest: number): void
  hashDigest1(): void
  digest1(out: number): void
  many1(input: number, length: number, stride: number, count: number, out: number): void
  many4?(input: number, length: number, stride: number, count: number, out: number): void
  group4?(
    p0: number,
    out0: number,
    p1: number,
    out1: number,
    p2: number,
    out2: number,
    p3: number,
    out3: number,
    whole: number,
    two: number
  ): void
}

const DIGEST = 32
const BLOCK = 64
/** Digests go to the end of the memory, records before them. */
const OUT_BYTES = 64 * 1024
const OUT_AT = SHA256_BUFFER_END - OUT_BYTES
const IN_BYTES = OUT_AT - SHA256_BUFFER_AT
/** Records of one call. */
const MOST_RECORDS = OUT_BYTES / DIGEST
/** The longest message that has a place in memory beside three others. */
const MOST_IN_LANE = 16 * 1024
/** The state lies here in the module's memory, in 8 words. */
const STATE_AT = 256

/** A hash of the platform's own, which long messages go to. */
export interface LongMessages {
  /** From how many bytes on it is the faster one for one message … */
  readonly fromBytes: number
  /** … and for one of many, which otherwise go four at a time. */
  readonly ofManyFromBytes: number
  readonly name: string
  readonly sha256: Sha256Range
}

/** Between two hashes. Reused: hashing is synchronous and calls nothing of its caller's. */
const inner = new Uint8Array(DIGEST)

class WasmSha256 implements Sha256 {
  readonly name: string
  readonly #exports: Exports
  readonly #memory: Uint8Array
  readonly #lanes: boolean
  readonly #long: LongMessages | undefined
  /** What is longer is hashed by itself. */
  readonly #mostOfMany: number

  constructor(exports: Exports, long: LongMessages | undefined) {
    this.#exports = exports
    this.#memory = new Uint8Array(exports.memory.buffer)
    this.#lanes = exports.many4 !== undefined
    this.#long = long
    this.#mostOfMany = Math.min(MOST_IN_LANE, (long?.ofManyFromBytes ?? Infinity) - 1)
    this.name = `wasm${this.#lanes ? ", 4 lanes" : ""}${long === undefined ? "" : `; ${long.name} from ${long.fromBytes} bytes`}`
  }

  sha256(input: Uint8Array, start: number, end: number, out: Uint8Array, outOffset: number): void {
    if (this.#long !== undefined && end - start >= this.#long.fromBytes) {
      return this.#long.sha256(input, start, end, out, outOffset)
    }
    this.#absorb(input, start, end)
    this.#take(out, outOffset)
  }

  sha256d(input: Uint8Array, start: number, end: number, out: Uint8Array, outOffset: number): void {
    if (this.#long !== undefined && end - start >= this.#long.fromBytes) {
      this.#long.sha256(input, start, end, inner, 0)
      this.#absorb(inner, 0, DIGEST)
      return this.#take(out, outOffset)
    }
    this.#absorb(input, start, end)
    this.#exports.hashDigest1()
    this.#take(out, outOffset)
  }

  sha256dMany(
    input: Uint8Array,
    start: number,
    length: number,
    stride: number,
    count: number,
    out: Uint8Array,
    outOffset: number
  ): void {
    const atOnce = Math.min(MOST_RECORDS, Math.floor((IN_BYTES - length) / Math.max(stride, 1)) + 1)
    if (length > this.#mostOfMany) {
      for (let i = 0; i < count; i++) {
        const at = start + i * stride
        this.sha256d(input, at, at + length, out, outOffset + DIGEST * i)
      }
      return
    }
    for (let done = 0; done < count;) {
      const records = Math.min(count - done, atOnce)
      const from = start + done * stride
      this.#memory.set(input.subarray(from, from + (records - 1) * stride + length), SHA256_BUFFER_AT)
      const lanes = this.#lanes ? records - (records % 4) : 0
      if (lanes > 0) this.#exports.many4?.(SHA256_BUFFER_AT, length, stride, lanes, OUT_AT)
      if (lanes < records) {
        const rest = SHA256_BUFFER_AT + lanes * stride
        this.#exports.many1(rest, length, stride, records - lanes, OUT_AT + lanes * DIGEST)
      }
      out.set(this.#memory.subarray(OUT_AT, OUT_AT + records * DIGEST), outOffset + done * DIGEST)
      done += records
    }
  }

  sha256dRanges(input: Uint8Array, ranges: Uint32Array, count: number, out: Uint8Array, outOffset: number): void {
    if (!this.#lanes) {
      for (let i = 0; i < count; i++) this.#range(input, ranges, i, out, outOffset)
      return
    }
    const lined = new LinedUp(input, ranges, out, outOffset, this.#memory, this.#exports)
    for (let i = 0; i < count; i++) {
      const length = (ranges[2 * i + 1] as number) - (ranges[2 * i] as number)
      if (length > this.#mostOfMany) this.#range(input, ranges, i, out, outOffset)
      else lined.add(i, length)
    }
    lined.finish((i) => this.#range(input, ranges, i, out, outOffset))
  }

  createSha256d(): ReturnType<Sha256["createSha256d"]> {
    return new Incremental(this.#exports, this.#memory)
  }

  #range(input: Uint8Array, ranges: Uint32Array, i: number, out: Uint8Array, outOffset: number): void {
    this.sha256d(input, ranges[2 * i] as number, ranges[2 * i + 1] as number, out, outOffset + DIGEST * i)
  }

  /** Takes a whole message into the state. */
  #absorb(input: Uint8Array, start: number, end: number): void {
    const exports = this.#exports
    const memory = this.#memory
    const length = end - start
    const rest = length % BLOCK
    const whole = end - rest
    exports.begin1()
    for (let at = start; at < whole;) {
      const part = Math.min(whole - at, IN_BYTES - (IN_BYTES % BLOCK))
      memory.set(input.subarray(at, at + part), SHA256_BUFFER_AT)
      for (let block = 0; block < part; block += BLOCK) exports.block1(SHA256_BUFFER_AT + block)
      at += part
    }
    // For so few bytes a loop is faster than a view and a copy (measured).
    for (let i = 0; i < rest; i++) memory[SHA256_BUFFER_AT + i] = input[whole + i] as number
    exports.tail(0, SHA256_BUFFER_AT, rest, BigInt(length) * 8n)
    exports.tail1(rest)
  }

  #take(out: Uint8Array, outOffset: number): void {
    this.#exports.digest1(OUT_AT)
    const memory = this.#memory
    for (let i = 0; i < DIGEST; i++) out[outOffset + i] = memory[OUT_AT + i] as number
  }
}

/** Messages of like length wait until there are four, one for each lane. */
class LinedUp {
  readonly #input: Uint8Array
  readonly #ranges: Uint32Array
  readonly #out: Uint8Array
  readonly #outOffset: number
  readonly #memory: Uint8Array
  readonly #exports: Exports
  /** By number of whole blocks and of tail blocks: up to three messages that wait. */
  readonly #waiting: Map<number, Array<number>> = new Map()

  constructor(
    input: Uint8Array,
    ranges: Uint32Array,
    out: Uint8Array,
    outOffset: number,
    memory: Uint8Array,
    exports: Exports
  ) {
    this.#input = input
    this.#ranges = ranges
    this.#out = out
    this.#outOffset = outOffset
    this.#memory = memory
    this.#exports = exports
  }

  /** Lines message `i` up, which has `length` bytes. */
  add(i: number, length: number): void {
    const key = 2 * (length >>> 6) + (length % BLOCK >= 56 ? 1 : 0)
    const waiting = this.#waiting.get(key)
    if (waiting === undefined) this.#waiting.set(key, [i])
    else if (waiting.push(i) === 4) {
      this.#hash(waiting, key >>> 1, key & 1)
      waiting.length = 0
    }
  }

  /** Hashes those that found no company, one by one. */
  finish(hashOne: (i: number) => void): void {
    for (const waiting of this.#waiting.values()) for (const i of waiting) hashOne(i)
  }

  #hash(four: ReadonlyArray<number>, whole: number, two: number): void {
    const memory = this.#memory
    const exports = this.#exports
    let at = SHA256_BUFFER_AT
    const starts: Array<number> = []
    for (let lane = 0; lane < 4; lane++) {
      const i = four[lane] as number
      const start = this.#ranges[2 * i] as number
      const end = this.#ranges[2 * i + 1] as number
      memory.set(this.#input.subarray(start, end), at)
      starts.push(at)
      const rest = (end - start) % BLOCK
      exports.tail(lane, at + whole * BLOCK, rest, BigInt(end - start) * 8n)
      at += MOST_IN_LANE + BLOCK
    }
    const [p0 = 0, p1 = 0, p2 = 0, p3 = 0] = starts
    exports.group4?.(p0, OUT_AT, p1, OUT_AT + 32, p2, OUT_AT + 64, p3, OUT_AT + 96, whole, two)
    for (let lane = 0; lane < 4; lane++) {
      const to = this.#outOffset + DIGEST * (four[lane] as number)
      const from = OUT_AT + DIGEST * lane
      for (let k = 0; k < DIGEST; k++) this.#out[to + k] = memory[from + k] as number
    }
  }
}

/** A SHA-256d in pieces. Its state leaves the module between two pieces, because others hash meanwhile. */
class Incremental {
  readonly #exports: Exports
  readonly #memory: Uint8Array
  readonly #state: Uint8Array = new Uint8Array(DIGEST)
  readonly #block: Uint8Array = new Uint8Array(BLOCK)
  #held = 0
  #length = 0

  constructor(exports: Exports, memory: Uint8Array) {
    this.#exports = exports
    this.#memory = memory
    exports.begin1()
    this.#leave()
  }

  update(input: Uint8Array, start: number, end: number): void {
    this.#enter()
    this.#length += end - start
    for (let at = start; at < end;) {
      const part = Math.min(BLOCK - this.#held, end - at)
      this.#block.set(input.subarray(at, at + part), this.#held)
      this.#held += part
      at += part
      if (this.#held < BLOCK) break
      this.#memory.set(this.#block, SHA256_BUFFER_AT)
      this.#exports.block1(SHA256_BUFFER_AT)
      this.#held = 0
    }
    this.#leave()
  }

  digest(out: Uint8Array, outOffset: number): void {
    this.#enter()
    this.#memory.set(this.#block.subarray(0, this.#held), SHA256_BUFFER_AT)
    this.#exports.tail(0, SHA256_BUFFER_AT, this.#held, BigInt(this.#length) * 8n)
    this.#exports.tail1(this.#held)
    this.#exports.hashDigest1()
    this.#exports.digest1(OUT_AT)
    out.set(this.#memory.subarray(OUT_AT, OUT_AT + DIGEST), outOffset)
  }

  #enter(): void {
    this.#memory.set(this.#state, STATE_AT)
  }

  #leave(): void {
    this.#state.set(this.#memory.subarray(STATE_AT, STATE_AT + DIGEST))
  }
}

/** SHA-256d with four lanes, or `undefined` where the engine has no vectors or no WebAssembly. */
export const makeSimdSha256 = (long?: LongMessages): Sha256 | undefined => {
  const exports = wasmExports(SIMD_SHA256)
  return exports === undefined ? undefined : new WasmSha256(exports as Exports, long)
}

/** SHA-256d of one message at a time, or `undefined` where there is no WebAssembly. */
export const makeScalarSha256 = (long?: LongMessages): Sha256 | undefined => {
  const exports = wasmExports(SCALAR_SHA256)
  return exports === undefined ? undefined : new WasmSha256(exports as Exports, long)
}

/**
 * A new backend of the fastest kind that this engine has: four lanes, one, or plain JavaScript. Making one compiles a module, which takes
 * about a millisecond (measured).
 */
export const makeWasmSha256 = (long?: LongMessages): Sha256 =>
  makeSimdSha256(long) ?? makeScalarSha256(long) ?? portableSha256

let shared: Sha256 | undefined

/** The fastest backend that needs nothing of the platform, made at the first call and kept: the default on every runtime. */
export const wasmSha256 = (): Sha256 => (shared ??= makeWasmSha256())
