/** Regtest headers for nodes to follow, and a data directory that has them already. */
import { platformSha256 } from "@satwire/crypto/node"
import {
  HEADER_NONCE,
  HEADER_PREVIOUS,
  HEADER_SIZE,
  HEADER_TIME,
  encodeHeader,
  headerHash,
  regtest
} from "@satwire/primitives"
import { HeaderStore } from "@satwire/store"
import * as Effect from "effect/Effect"
import { layerOnDisk } from "@satwire/node"

/** `count` raw headers on top of genesis. */
export const regtestHeaders = (count: number): Uint8Array => {
  const chain = new Uint8Array(count * HEADER_SIZE)
  const { bits, time } = regtest.genesis
  const merkleRoot = new Uint8Array(32)
  const raw = encodeHeader({ version: 4, previousBlock: regtest.genesisHash, merkleRoot, time, bits, nonce: 0 })
  const view = new DataView(raw.buffer)
  for (let i = 0; i < count; i++) {
    view.setUint32(HEADER_TIME, time + 1 + i, true)
    for (let nonce = 0; ; nonce++) {
      view.setUint32(HEADER_NONCE, nonce, true)
      const hash = headerHash(platformSha256, raw)
      if ((hash[31] ?? 0) > 0x7e) continue
      chain.set(raw, i * HEADER_SIZE)
      raw.set(hash, HEADER_PREVIOUS)
      break
    }
  }
  return chain
}

/** Keeps the headers where a node whose data directory this is will look for them. */
export const keepHeaders = (directory: string, headers: Uint8Array): Promise<void> =>
  HeaderStore.use((store) => store.append(headers, headers.length / HEADER_SIZE)).pipe(
    Effect.provide(layerOnDisk(directory, regtest)),
    Effect.runPromise
  )
