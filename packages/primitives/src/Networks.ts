/** The five networks of Bitcoin Core as plain data. Source: Core master of 2026-07-15 (31.99), `kernel/chainparams.cpp`. */
import type { ChainParams, Deployment } from "./ChainParams.ts"
import { blockHashFromHex } from "./Hash.ts"

const from = (height: number): Deployment => ({ _tag: "Buried", height })

/** The merkle root of every genesis block whose coinbase is Satoshi's: all but testnet4's. */
const SATOSHIS_GENESIS = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"

const TWO_WEEKS = 14 * 24 * 60 * 60
const MAINNET_POW_LIMIT = (1n << 224n) - 1n
const TESTNET_BASE58 = { pubkeyAddress: 111, scriptAddress: 196, secretKey: 239 }

/** Mainnet: the network whose coins have a price. */
export const mainnet: ChainParams = {
  name: "mainnet",
  magic: 0xd9b4bef9,
  defaultPort: 8333,
  directory: "",
  genesis: { version: 1, merkleRoot: SATOSHIS_GENESIS, time: 1_231_006_505, bits: 0x1d00ffff, nonce: 2_083_236_893 },
  genesisHash: blockHashFromHex("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"),
  powLimit: MAINNET_POW_LIMIT,
  powTargetTimespan: TWO_WEEKS,
  powTargetSpacing: 600,
  powAllowMinDifficultyBlocks: false,
  powNoRetargeting: false,
  enforceBip94: false,
  subsidyHalvingInterval: 210_000,
  bip34Height: 227_931,
  bip65Height: 388_381,
  bip66Height: 363_725,
  csv: from(419_328),
  segwit: from(481_824),
  minimumChainWork: 0x1128750f82f4c366153a3a030n,
  assumeValid: blockHashFromHex("00000000000000000000ccebd6d74d9194d8dcdc1d177c478e094bfad51ba5ac"),
  headersSync: { commitmentPeriod: 641, redownloadBufferSize: 15_218 },
  dnsSeeds: [
    "dnsseed.bluematt.me",
    "seed.bitcoin.jonasschnelli.ch",
    "seed.btc.petertodd.net",
    "seed.bitcoin.sprovoost.nl",
    "dnsseed.emzy.de",
    "seed.bitcoin.wiz.biz",
    "seed.mainnet.achownodes.xyz"
  ],
  base58: { pubkeyAddress: 0, scriptAddress: 5, secretKey: 128 },
  bech32Hrp: "bc",
  signetChallenge: undefined
}

/** Testnet3, of 2011: easy blocks after 20 minutes, and a wild history. */
export const testnet3: ChainParams = {
  name: "testnet3",
  magic: 0x0709110b,
  defaultPort: 18_333,
  directory: "testnet3",
  genesis: { version: 1, merkleRoot: SATOSHIS_GENESIS, time: 1_296_688_602, bits: 0x1d00ffff, nonce: 414_098_458 },
  genesisHash: blockHashFromHex("000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943"),
  powLimit: MAINNET_POW_LIMIT,
  powTargetTimespan: TWO_WEEKS,
  powTargetSpacing: 600,
  powAllowMinDifficultyBlocks: true,
  powNoRetargeting: false,
  enforceBip94: false,
  subsidyHalvingInterval: 210_000,
  bip34Height: 21_111,
  bip65Height: 581_885,
  bip66Height: 330_776,
  csv: from(770_112),
  segwit: from(834_624),
  minimumChainWork: 0x17dde1c649f3708d14b6n,
  assumeValid: blockHashFromHex("000000007a61e4230b28ac5cb6b5e5a0130de37ac1faf2f8987d2fa6505b67f4"),
  headersSync: { commitmentPeriod: 673, redownloadBufferSize: 14_460 },
  dnsSeeds: [
    "testnet-seed.bitcoin.jonasschnelli.ch",
    "seed.tbtc.petertodd.net",
    "seed.testnet.bitcoin.sprovoost.nl",
    "testnet-seed.bluematt.me",
    "seed.testnet.achownodes.xyz"
  ],
  base58: TESTNET_BASE58,
  bech32Hrp: "tb",
  signetChallenge: undefined
}

/** Testnet4 (BIP-0094). */
export const testnet4: ChainParams = {
  name: "testnet4",
  magic: 0x283f161c,
  defaultPort: 48_333,
  directory: "testnet4",
  genesis: {
    version: 1,
    merkleRoot: "7aa0a7ae1e223414cb807e40cd57e667b718e42aaf9306db9102fe28912b7b4e",
    time: 1_714_777_860,
    bits: 0x1d00ffff,
    nonce: 393_743_547
  },
  genesisHash: blockHashFromHex("00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043"),
  powLimit: MAINNET_POW_LIMIT,
  powTargetTimespan: TWO_WEEKS,
  powTargetSpacing: 600,
  powAllowMinDifficultyBlocks: true,
  powNoRetargeting: false,
  enforceBip94: true,
  subsidyHalvingInterval: 210_000,
  bip34Height: 1,
  bip65Height: 1,
  bip66Height: 1,
  csv: from(1),
  segwit: from(1),
  minimumChainWork: 0x9a0fe15d0177d086304n,
  assumeValid: blockHashFromHex("0000000002368b1e4ee27e2e85676ae6f9f9e69579b29093e9a82c170bf7cf8a"),
  headersSync: { commitmentPeriod: 606, redownloadBufferSize: 16_092 },
  dnsSeeds: ["seed.testnet4.bitcoin.sprovoost.nl", "seed.testnet4.wiz.biz"],
  base58: TESTNET_BASE58,
  bech32Hrp: "tb",
  signetChallenge: undefined
}

/** The default signet (BIP-0325): blocks carry a signature. */
export const signet: ChainParams = {
  name: "signet",
  magic: 0x40cf030a,
  defaultPort: 38_333,
  directory: "signet",
  genesis: { version: 1, merkleRoot: SATOSHIS_GENESIS, time: 1_598_918_400, bits: 0x1e0377ae, nonce: 52_613_770 },
  genesisHash: blockHashFromHex("00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6"),
  powLimit: 0x377aen << 216n,
  powTargetTimespan: TWO_WEEKS,
  powTargetSpacing: 600,
  powAllowMinDifficultyBlocks: false,
  powNoRetargeting: false,
  enforceBip94: false,
  subsidyHalvingInterval: 210_000,
  bip34Height: 1,
  bip65Height: 1,
  bip66Height: 1,
  csv: from(1),
  segwit: from(1),
  minimumChainWork: 0xb463ea0a4b8n,
  assumeValid: blockHashFromHex("00000008414aab61092ef93f1aacc54cf9e9f16af29ddad493b908a01ff5c329"),
  headersSync: { commitmentPeriod: 620, redownloadBufferSize: 15_724 },
  dnsSeeds: ["seed.signet.bitcoin.sprovoost.nl", "seed.signet.achownodes.xyz"],
  base58: TESTNET_BASE58,
  bech32Hrp: "tb",
  signetChallenge:
    "512103ad5e0edad18cb1f0fc0d28a3d4f1f3e445640337489abb10404f2d1e086be430210359ef5021964fe22d6f8e05b2463c9540ce96883fe3b278760f048f5189f2e6c452ae"
}

/** Core's regtest: a private network where anybody mines. */
export const regtest: ChainParams = {
  name: "regtest",
  magic: 0xdab5bffa,
  defaultPort: 18_444,
  directory: "regtest",
  genesis: { version: 1, merkleRoot: SATOSHIS_GENESIS, time: 1_296_688_602, bits: 0x207fffff, nonce: 2 },
  genesisHash: blockHashFromHex("0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"),
  powLimit: (1n << 255n) - 1n,
  powTargetTimespan: 24 * 60 * 60,
  powTargetSpacing: 600,
  powAllowMinDifficultyBlocks: true,
  powNoRetargeting: true,
  enforceBip94: false,
  subsidyHalvingInterval: 150,
  bip34Height: 1,
  bip65Height: 1,
  bip66Height: 1,
  csv: from(1),
  segwit: from(0),
  minimumChainWork: 0x0n,
  assumeValid: undefined,
  headersSync: { commitmentPeriod: 275, redownloadBufferSize: 7017 },
  dnsSeeds: [],
  base58: TESTNET_BASE58,
  bech32Hrp: "bcrt",
  signetChallenge: undefined
}

/** Every network that can be named on the command line. */
export const networks: { readonly [name: string]: ChainParams } = { mainnet, testnet3, testnet4, signet, regtest }
