/**
 * SipHash-2-4 of many 32-byte ids in one call: WebAssembly, where a word of 64 bits is one value and four ids go side by side where the engine
 * has vectors, or the halves of `SipHash.ts` where there is none. Short ids of a block (BIP-0152) are the ids of a whole pool under one key.
 */
import { type SipKey, sipHash24 } from "./SipHash.ts"
import { wasmExports } from "./WasmInstance.ts"
import { SCALAR_SIPHASH, SIMD_SIPHASH, SIPHASH_BUFFER_AT, SIPHASH_BUFFER_END } from "./WasmModules.ts"

/** Bytes of an id that is hashed. */
export const ID_BYTES = 32

/**
 * Hashes `count` ids that lie one after another from `start` of `ids`; hash i goes to `out[2i]` (low half) and `out[2i + 1]` (high half).
 */
export type SipHashMany = (key: SipKey, ids: Uint8Array, start: number, count: number, out: Uint32Array) => void

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  ids32(input: number, count: number, out: number, k0: bigint, k1: bigint): void
  /** Of the last up to three that are no four, nothing. */
  fours32?(input: number, count: number, out: number, k0: bigint, k1: bigint): void
}

/** Ids of one call into the module: 32 bytes in, 8 out. */
const MOST_IDS = Math.floor((SIPHASH_BUFFER_END - SIPHASH_BUFFER_AT) / (ID_BYTES + 8))
const OUT_AT = SIPHASH_BUFFER_AT + MOST_IDS * ID_BYTES

/** In plain JavaScript. */
export const portableSipHashMany: SipHashMany = (key, ids, start, count, out) => {
  for (let i = 0; i < count; i++) {
    const at = start + i * ID_BYTES
    sipHash24(key, ids, at, at + ID_BYTES, halves)
    out[2 * i] = halves[0] as number
    out[2 * i + 1] = halves[1] as number
  }
}
const halves = new Uint32Array(2)

const word = (low: number, high: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)

const wasmSipHashMany = (module: string): SipHashMany | undefined => {
  const made = wasmExports(module)
  if (made === undefined) return undefined
  const exports = made as Exports
  const memory = new Uint8Array(exports.memory.buffer)
  const hashes = new Uint32Array(exports.memory.buffer, OUT_AT, 2 * MOST_IDS)
  return (key, ids, start, count, out) => {
    const k0 = word(key.k0Low, key.k0High)
    const k1 = word(key.k1Low, key.k1High)
    for (let done = 0; done < count;) {
      const part = Math.min(count - done, MOST_IDS)
      const from = start + done * ID_BYTES
      memory.set(ids.subarray(from, from + part * ID_BYTES), SIPHASH_BUFFER_AT)
      const inFours = exports.fours32 === undefined ? 0 : part - (part % 4)
      if (inFours > 0) exports.fours32?.(SIPHASH_BUFFER_AT, inFours, OUT_AT, k0, k1)
      if (inFours < part) {
        const rest = SIPHASH_BUFFER_AT + inFours * ID_BYTES
        exports.ids32(rest, part - inFours, OUT_AT + 8 * inFours, k0, k1)
      }
      out.set(hashes.subarray(0, 2 * part), 2 * done)
      done += part
    }
  }
}

/** One id at a time in WebAssembly, or `undefined` where there is none. */
export const makeScalarSipHashMany = (): SipHashMany | undefined => wasmSipHashMany(SCALAR_SIPHASH)

/** Four ids at a time, or `undefined` where the engine has no vectors or no WebAssembly. */
export const makeSimdSipHashMany = (): SipHashMany | undefined => wasmSipHashMany(SIMD_SIPHASH)

let shared: SipHashMany | undefined

/** The fastest way that this engine has, made at the first call and kept. */
export const sipHashMany: SipHashMany = (key, ids, start, count, out) => {
  shared ??= makeSimdSipHashMany() ?? makeScalarSipHashMany() ?? portableSipHashMany
  shared(key, ids, start, count, out)
}
