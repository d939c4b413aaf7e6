/** Chains of regtest headers, made on the spot. */
import { concat } from "@satwire/bytes"
import { portableSha256 } from "@satwire/crypto"
import { HEADER_NONCE, encodeHeader, headerHash, regtest } from "@satwire/primitives"

/** On regtest a hash meets the target whose highest bit is not set. */
const isProven = (raw: Uint8Array): boolean => (headerHash(portableSha256, raw)[31] as number) < 0x7f

export interface ChainOptions {
  /** The hash to build on; genesis where it is not given. */
  readonly parent?: Uint8Array
  /** The time of the first header; a second more for each that follows. */
  readonly time: number
  /** Chains of another salt have other headers. */
  readonly salt?: number
}

/** `count` raw headers, each the child of the one before. */
export const chain = (count: number, options: ChainOptions): Uint8Array => {
  const headers: Array<Uint8Array> = []
  let parent: Uint8Array = options.parent ?? regtest.genesisHash
  for (let i = 0; i < count; i++) {
    const merkleRoot = new Uint8Array(32).fill(options.salt ?? 0)
    const raw = encodeHeader({
      version: 0x20000000,
      previousBlock: parent as typeof regtest.genesisHash,
      merkleRoot,
      time: options.time + i,
      bits: regtest.genesis.bits,
      nonce: 0
    })
    const view = new DataView(raw.buffer)
    for (let nonce = 0; !isProven(raw); nonce++) view.setUint32(HEADER_NONCE, nonce, true)
    headers.push(raw)
    parent = headerHash(portableSha256, raw)
  }
  return concat(headers)
}

/** The hash of the last of these headers. */
export const tipOf = (headers: Uint8Array): Uint8Array => headerHash(portableSha256, headers.subarray(-80))

/** The same headers, the one at `index` without its proof of work. */
export const unproven = (headers: Uint8Array, index: number): Uint8Array => {
  const spoiled = Uint8Array.from(headers)
  const raw = spoiled.subarray(80 * index, 80 * (index + 1))
  const view = new DataView(raw.buffer, raw.byteOffset)
  for (let nonce = 0; isProven(raw); nonce++) view.setUint32(HEADER_NONCE, nonce, true)
  return spoiled
}
