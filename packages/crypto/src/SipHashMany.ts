/**
 * SipHash-2-4 of many 32-byte ids in one call: WebAssembly, where a word of 64 bits is one value, or the halves of `SipHash.ts` where there
 * is none. Short ids of a block (BIP-0152) are the ids of a whole pool under one key.
 */
import { type SipKey, sipHash24 } from "./SipHash.ts"
import { wasmExports } from "./WasmInstance.ts"
import { SIPHASH, SIPHASH_BUFFER_AT, SIPHASH_BUFFER_END } from "./WasmModules.ts"

/** Bytes of an id that is hashed. */
export const ID_BYTES = 32

/**
 * Hashes `count` ids that lie one after another from `start` of `ids`; hash i goes to `out[2i]` (low half) and `out[2i + 1]` (high half).
 */
export type SipHashMany = (key: SipKey, ids: Uint8Array, start: number, count: number, out: Uint32Array) => void

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  ids32(input: number, count: number, out: number, k0: bigint, k1: bigint): void
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

/** In WebAssembly, or `undefined` where there is none. */
export const makeWasmSipHashMany = (): SipHashMany | undefined => {
  const made = wasmExports(SIPHASH)
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
      exports.ids32(SIPHASH_BUFFER_AT, part, OUT_AT, k0, k1)
      out.set(hashes.subarray(0, 2 * part), 2 * done)
      done += part
    }
  }
}

let shared: SipHashMany | undefined

/** The fastest way that this engine has, made at the first call and kept. */
export const sipHashMany: SipHashMany = (key, ids, start, count, out) => {
  shared ??= makeWasmSipHashMany() ?? portableSipHashMany
  shared(key, ids, start, count, out)
}
