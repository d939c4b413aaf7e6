/**
 * A network for tests: two hashes find a block, yet every rule of a public network is on. The target is retargeted every 20 blocks, and
 * there is no exception for slow blocks.
 */
import { portableSha256 } from "@satwire/crypto"
import {
  type ChainParams,
  HEADER_NONCE,
  genesisHeader,
  headerHash,
  meetsTarget,
  regtest,
  targetFromBits,
  targetWords
} from "@satwire/primitives"

const base: ChainParams = {
  ...regtest,
  name: "fast",
  magic: 0xf457f457,
  defaultPort: 28_444,
  directory: "fast",
  powTargetTimespan: 20 * 60,
  powTargetSpacing: 60,
  powAllowMinDifficultyBlocks: false,
  powNoRetargeting: false,
  subsidyHalvingInterval: 50
}

/**
 * The fast network with some parameters changed. A changed genesis gets the next nonce that meets its target, and the hash of the
 * header that this makes: a test says when its network began and nothing more.
 */
export const fastTestNetwork = (overrides: Partial<ChainParams> = {}): ChainParams => {
  const params: ChainParams = { ...base, ...overrides }
  const target = targetFromBits(params.genesis.bits)
  if (target === undefined) throw new RangeError("no hash meets the target of this genesis")
  const words = targetWords(target)
  const raw = genesisHeader(params)
  const view = new DataView(raw.buffer)
  for (let nonce = params.genesis.nonce; ; nonce++) {
    view.setUint32(HEADER_NONCE, nonce, true)
    const genesisHash = headerHash(portableSha256, raw)
    if (meetsTarget(genesisHash, 0, words)) return { ...params, genesis: { ...params.genesis, nonce }, genesisHash }
  }
}
