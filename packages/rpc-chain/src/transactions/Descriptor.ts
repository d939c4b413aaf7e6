/**
 * Output descriptors, as far as no keys are derived: `raw(hex)` and `addr(address)` are read (BIP-0385), and what Bitcoin Core infers of a script
 * by itself is written. The checksum is that of BIP-0380.
 */
import { fromHex } from "@satwire/bytes"
import { type ChainParams, decodeAddress, encodeAddress, recognizeOutput } from "@satwire/primitives"
import * as Result from "effect/Result"
import { hexOf } from "../Hex.ts"

const INPUT = [
  "0123456789()[],'/*abcdefgh@:$%{}",
  "IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~",
  'ijklmnopqrstuvwxyzABCDEFGH`#"\\ '
].join("")
const OUTPUT = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
const CHECKSUM_LENGTH = 8
/** The place of each character by its code, or -1. */
const PLACES: Int8Array = new Int8Array(128).fill(-1)
for (let place = 0; place < INPUT.length; place++) PLACES[INPUT.charCodeAt(place)] = place

/** Forty bits each: the upper eight, the lower 32. */
const GENERATORS = [
  [0xf5, 0xdee51989],
  [0xa9, 0xfdca3312],
  [0x1b, 0xab10e32d],
  [0x37, 0x06b1677a],
  [0x64, 0x4d626ffd]
] as const
const combined = (which: 0 | 1): Int32Array =>
  Int32Array.from({ length: 32 }, (_, bits) => {
    return GENERATORS.reduce((all, generator, i) => (((bits >>> i) & 1) === 0 ? all : all ^ generator[which]), 0)
  })
/** What the generators come to for each five bits that leave. */
const HIGH: Int32Array = combined(0)
const LOW: Int32Array = combined(1)

/** A remainder of forty bits, in two words: as one number its bits could not be had. */
class Remainder {
  #high = 0
  #low = 1

  push(value: number): void {
    const out = this.#high >>> 3
    this.#high = (((this.#high & 7) << 5) | (this.#low >>> 27)) ^ (HIGH[out] as number)
    this.#low = (this.#low << 5) ^ value ^ (LOW[out] as number)
  }

  get text(): string {
    const value = this.#high * 2 ** 32 + ((this.#low ^ 1) >>> 0)
    const digit = (i: number): number => Math.floor(value / 32 ** (CHECKSUM_LENGTH - 1 - i)) % 32
    return Array.from({ length: CHECKSUM_LENGTH }, (_, i) => OUTPUT[digit(i)]).join("")
  }
}

/** The eight characters behind `#`; `undefined` where a character is none of those that a descriptor may have. */
export const descriptorChecksum = (descriptor: string): string | undefined => {
  const remainder = new Remainder()
  let group = 0
  let grouped = 0
  for (let i = 0; i < descriptor.length; i++) {
    const place = PLACES[descriptor.charCodeAt(i)] ?? -1
    if (place < 0) return undefined
    remainder.push(place & 31)
    group = 3 * group + (place >>> 5)
    grouped = (grouped + 1) % 3
    if (grouped > 0) continue
    remainder.push(group)
    group = 0
  }
  if (grouped > 0) remainder.push(group)
  for (let i = 0; i < CHECKSUM_LENGTH; i++) remainder.push(0)
  return remainder.text
}

export const withChecksum = (descriptor: string): string => `${descriptor}#${descriptorChecksum(descriptor) ?? ""}`

const isPlainKey = (key: Uint8Array): boolean => (key[0] as number) <= 4

/**
 * What Core infers of a script whose keys it does not know. One thing is simpler: that the key of a taproot output is a point of the curve is
 * taken for granted.
 */
export const inferDescriptor = (script: Uint8Array, params: ChainParams): string => {
  const output = recognizeOutput(script)
  if (output._tag === "p2pk" && isPlainKey(output.publicKey)) return withChecksum(`pk(${hexOf(output.publicKey)})`)
  if (output._tag === "p2tr") return withChecksum(`rawtr(${hexOf(output.outputKey)})`)
  if (output._tag === "multisig" && output.publicKeys.every(isPlainKey)) {
    return withChecksum(`multi(${[output.required, ...output.publicKeys.map(hexOf)].join(",")})`)
  }
  const address = encodeAddress(script, params)
  return withChecksum(address === undefined ? `raw(${hexOf(script)})` : `addr(${address})`)
}

export interface Descriptor {
  /** Without its checksum. */
  readonly text: string
  readonly hasChecksum: boolean
  readonly script: Uint8Array
}

const FORM = /^(\w+)\((.*)\)$/s

/** Reads `raw(…)` or `addr(…)`; else says why it is none, in Core's words where Core has the same reason. */
export const readDescriptor = (given: string, params: ChainParams): Result.Result<Descriptor, string> => {
  const at = given.indexOf("#")
  const text = at < 0 ? given : given.slice(0, at)
  const checksum = descriptorChecksum(text)
  if (checksum === undefined) return Result.fail("Invalid characters in payload")
  const claimed = given.slice(at + 1)
  if (at >= 0 && claimed.length !== CHECKSUM_LENGTH) {
    return Result.fail(`Expected ${CHECKSUM_LENGTH} character checksum, not ${claimed.length} characters`)
  }
  if (at >= 0 && claimed !== checksum) {
    return Result.fail(`Provided checksum '${claimed}' does not match computed checksum '${checksum}'`)
  }
  const [, form, content = ""] = FORM.exec(text) ?? []
  const found = (script: Uint8Array): Result.Result<Descriptor, string> =>
    Result.succeed({ text, hasChecksum: at >= 0, script })
  if (form === "raw") {
    const script = fromHex(content)
    return script === undefined ? Result.fail("Raw script is not hex") : found(script)
  }
  if (form === "addr") {
    const script = decodeAddress(content, params)
    return Result.isFailure(script) ? Result.fail("Address is not valid") : found(script.success)
  }
  return Result.fail(
    `'${form ?? text}' is not a descriptor that this node can read: it derives no keys, and knows raw(…) and addr(…)`
  )
}
