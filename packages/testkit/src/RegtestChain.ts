/** Chains of regtest headers, made on the spot. */
import { portableSha256 } from "@satwire/crypto"
import {
  HEADER_NONCE,
  HEADER_PREVIOUS,
  HEADER_SIZE,
  HEADER_TIME,
  type BlockHash,
  encodeHeader,
  headerHash,
  regtest
} from "@satwire/primitives"

/** `count` raw headers on top of genesis, or of the header with the hash `parent`. Those of another salt are others. */
export const regtestChain = (
  count: number,
  options: { readonly salt?: number; readonly parent?: BlockHash; readonly time?: number } = {}
): Uint8Array => {
  const chain = new Uint8Array(count * HEADER_SIZE)
  const time = options.time ?? regtest.genesis.time + 600
  const raw = encodeHeader({
    version: 0x20000000,
    previousBlock: options.parent ?? regtest.genesisHash,
    merkleRoot: new Uint8Array(32).fill(options.salt ?? 0),
    time,
    bits: regtest.genesis.bits,
    nonce: 0
  })
  const view = new DataView(raw.buffer)
  for (let i = 0; i < count; i++) {
    view.setUint32(HEADER_TIME, time + i, true)
    let hash: BlockHash
    let nonce = 0
    do {
      view.setUint32(HEADER_NONCE, nonce++, true)
      hash = headerHash(portableSha256, raw)
      // The easiest target: a hash meets it whose highest bit is not set.
    } while ((hash[31] ?? 0) > 0x7e)
    chain.set(raw, i * HEADER_SIZE)
    raw.set(hash, HEADER_PREVIOUS)
  }
  return chain
}
