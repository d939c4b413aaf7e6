/** Chains for tests and benchmarks: valid by every rule of a network whose target two tries meet. */
import { nextBits } from "@satwire/consensus"
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import {
  type ChainParams,
  HEADER_BITS,
  HEADER_NONCE,
  HEADER_PREVIOUS,
  HEADER_SIZE,
  HEADER_TIME,
  encodeHeader,
  meetsTarget,
  targetFromBits,
  targetWords,
  workFromBits
} from "@satwire/primitives"
import { HeaderTree } from "../src/index.ts"

const hash = new Uint8Array(32)

/** Counts the nonce of 80 raw bytes up until their hash meets their bits, and gives that hash, which the next call overwrites. */
export const findNonce = (raw: Uint8Array): Uint8Array => {
  const view = new DataView(raw.buffer, raw.byteOffset, HEADER_SIZE)
  const target = targetFromBits(view.getUint32(HEADER_BITS, true))
  if (target === undefined) throw new RangeError("no hash meets these bits")
  const words = targetWords(target)
  for (let nonce = 0; ; nonce++) {
    view.setUint32(HEADER_NONCE, nonce, true)
    portableSha256.sha256d(raw, 0, HEADER_SIZE, hash, 0)
    if (meetsTarget(hash, 0, words)) return hash
  }
}

/** The raw headers of a chain of `count` on top of genesis, about a spacing apart, so that targets change a little at each retarget. */
export const mineChain = (params: ChainParams, count: number, seed: number): Uint8Array => {
  const random = ChaChaRandom.fromNumber(seed)
  const tree = HeaderTree.fromGenesis(params, random)
  const headers = new Uint8Array(count * HEADER_SIZE)
  const raw = encodeHeader({
    version: 0x20000000,
    previousBlock: params.genesisHash,
    merkleRoot: random.bytes(32),
    time: params.genesis.time,
    bits: params.genesis.bits,
    nonce: 0
  })
  const view = new DataView(raw.buffer)
  let previous: Uint8Array = params.genesisHash
  for (let i = 0; i < count; i++) {
    const time = params.genesis.time + (i + 1) * params.powTargetSpacing + random.below(params.powTargetSpacing)
    const parent = tree.size - 1
    const bits = nextBits(params, tree, parent, time)
    raw.set(previous, HEADER_PREVIOUS)
    view.setUint32(HEADER_TIME, time, true)
    view.setUint32(HEADER_BITS, bits, true)
    previous = findNonce(raw)
    headers.set(raw, i * HEADER_SIZE)
    tree.stage(raw, 0, 1)
    tree.append(previous, 0, parent, workFromBits(bits))
  }
  return headers
}
