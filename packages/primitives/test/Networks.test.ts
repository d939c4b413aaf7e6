import { toHex as bytesToHex } from "@satwire/bytes"
import { portableSha256 } from "@satwire/crypto"
import { describeWithData } from "@satwire/testkit"
import { describe, expect, it } from "vitest"
import {
  type ChainParams,
  type Deployment,
  HEADER_BITS,
  bitsFromTarget,
  genesisHeader,
  headerHash,
  meetsTarget,
  networks,
  retargetPeriod,
  targetFromBits,
  targetWords,
  toHex
} from "../src/index.ts"

const all = Object.entries(networks)

describe("the networks", () => {
  it("are the five of Bitcoin Core, each under its own name", () => {
    expect(Object.keys(networks)).toEqual(["mainnet", "testnet3", "testnet4", "signet", "regtest"])
    for (const [name, params] of all) expect(params.name).toBe(name)
  })

  it("differ in magic, port and directory, so that none is taken for another", () => {
    const fields: ReadonlyArray<(params: ChainParams) => unknown> = [
      (params) => params.magic,
      (params) => params.defaultPort,
      (params) => params.directory,
      (params) => toHex(params.genesisHash)
    ]
    for (const field of fields) expect(new Set(all.map(([, params]) => field(params))).size).toBe(all.length)
  })
})

describe.each(all)("%s", (_, params) => {
  it("has a genesis block whose header hashes to the genesis hash and meets its own target", () => {
    const raw = genesisHeader(params)
    expect(headerHash(portableSha256, raw)).toEqual(params.genesisHash)
    expect(new DataView(raw.buffer, raw.byteOffset).getUint32(HEADER_BITS, true)).toBe(params.genesis.bits)
    const target = targetFromBits(params.genesis.bits) ?? 0n
    expect(target).toBeLessThanOrEqual(params.powLimit)
    expect(meetsTarget(params.genesisHash, 0, targetWords(target))).toBe(true)
  })

  it("begins at its easiest target", () => {
    expect(bitsFromTarget(params.powLimit)).toBe(params.genesis.bits)
  })

  it("retargets after a whole number of blocks", () => {
    expect(retargetPeriod(params)).toBe(params.name === "regtest" ? 144 : 2016)
  })
})

/** What Core's `chainparams.cpp` says of a network, as the folder of real data has it. */
interface CoreParams {
  readonly [field: string]: unknown
  readonly dns_seeds: ReadonlyArray<string>
  readonly base58: { readonly [field: string]: number | string }
  readonly headers_sync_params: { readonly commitment_period: number; readonly redownload_buffer_size: number }
  readonly genesis_args: string
}

const hexOf = (number: bigint): string => number.toString(16).padStart(64, "0")

const magicHex = (magic: number): string => {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, magic, true)
  return bytesToHex(bytes)
}

const buriedHeight = (deployment: Deployment): number => (deployment._tag === "Buried" ? deployment.height : Number.NaN)

/** Our parameters under Core's names. */
const inCoresWords = (params: ChainParams): { readonly [field: string]: unknown } => {
  const { genesis } = params
  return {
    magic: magicHex(params.magic),
    nDefaultPort: params.defaultPort,
    genesis_hash: toHex(params.genesisHash),
    genesis_merkle_root: genesis.merkleRoot,
    powLimit: hexOf(params.powLimit),
    nPowTargetTimespan: params.powTargetTimespan,
    nPowTargetSpacing: params.powTargetSpacing,
    fPowAllowMinDifficultyBlocks: params.powAllowMinDifficultyBlocks,
    fPowNoRetargeting: params.powNoRetargeting,
    nSubsidyHalvingInterval: params.subsidyHalvingInterval,
    BIP34Height: params.bip34Height,
    BIP65Height: params.bip65Height,
    BIP66Height: params.bip66Height,
    CSVHeight: buriedHeight(params.csv),
    SegwitHeight: buriedHeight(params.segwit),
    nMinimumChainWork: hexOf(params.minimumChainWork),
    defaultAssumeValid: params.assumeValid === undefined ? hexOf(0n) : toHex(params.assumeValid),
    headers_sync_params: {
      commitment_period: params.headersSync.commitmentPeriod,
      redownload_buffer_size: params.headersSync.redownloadBufferSize
    },
    bech32_hrp: params.bech32Hrp,
    signet_challenge: params.signetChallenge
  }
}

describeWithData(describe, "the networks beside Bitcoin Core's chainparams.cpp", (data) => {
  const { networks: core } = data.json("chainparams/chainparams_core_31.99.json") as {
    readonly networks: { readonly [name: string]: CoreParams }
  }

  it("are as many", () => {
    expect(Object.keys(core).toSorted()).toEqual(Object.keys(networks).toSorted())
  })

  for (const [name, params] of all) {
    const theirs = core[name]
    if (theirs === undefined) continue

    it(`agree field by field: ${name}`, () => {
      for (const [field, value] of Object.entries(inCoresWords(params))) {
        expect({ [field]: value }).toEqual({ [field]: theirs[field] })
      }
    })

    it(`agree on what ${name}'s genesis, prefixes and seeds are`, () => {
      const { time, nonce, bits, version } = params.genesis
      const args = `${time}, ${nonce}, 0x${bits.toString(16)}, ${version}, 50 * COIN`
      expect(theirs.genesis_args.endsWith(args)).toBe(true)
      expect(params.base58).toEqual({
        pubkeyAddress: theirs.base58["PUBKEY_ADDRESS"],
        scriptAddress: theirs.base58["SCRIPT_ADDRESS"],
        secretKey: theirs.base58["SECRET_KEY"]
      })
      // Core writes names with their final dot, and gives regtest a name that cannot exist.
      const seeds = theirs.dns_seeds.filter((seed) => !seed.endsWith(".invalid."))
      expect(params.dnsSeeds.map((seed) => `${seed}.`)).toEqual(seeds)
      // A number, or an option of Core's regtest whose default is off.
      const bip94 = theirs["enforce_BIP94"]
      expect(params.enforceBip94).toBe(bip94 === true)
    })
  }
})
