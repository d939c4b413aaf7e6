/**
 * What makes one Bitcoin network differ from another, as plain data: a test defines a network by spreading one of ours and changing
 * what it needs.
 *
 * Source: Bitcoin Core master of 2026-07-15 (31.99), `kernel/chainparams.cpp`.
 */
import { Writer } from "@satwire/bytes"
import { HEADER_SIZE, writeHeader } from "./BlockHeader.ts"
import { type BlockHash, blockHashFromHex } from "./Hash.ts"

/** When a rule of consensus begins to hold. */
export type Deployment =
  /** From this height on: 0 is from genesis. */
  | { readonly _tag: "Buried"; readonly height: number }
  /** By the votes of miners (BIP-0009). */
  | {
      readonly _tag: "VersionBits"
      readonly bit: number
      /** Median time past from which votes count. */
      readonly startTime: number
      /** Median time past at which an undecided vote has failed. */
      readonly timeout: number
      /** Blocks of one vote. */
      readonly period: number
      /** Votes out of a period that lock it in. */
      readonly threshold: number
    }

export interface Genesis {
  readonly version: number
  /** As explorers show it. */
  readonly merkleRoot: string
  readonly time: number
  readonly bits: number
  readonly nonce: number
}

export interface ChainParams {
  /** As `-chain` and `getblockchaininfo` would call it, except that Core says "main", "test" for the first two. */
  readonly name: string
  /** The four bytes that every v1 message begins with, as the little-endian number that they are on the wire. */
  readonly magic: number
  readonly defaultPort: number
  /** The folder below the data directory, empty for the directory itself. */
  readonly directory: string
  readonly genesis: Genesis
  readonly genesisHash: BlockHash
  /** The easiest target that a header may claim. */
  readonly powLimit: bigint
  /** Seconds that a retarget period should take. */
  readonly powTargetTimespan: number
  /** Seconds that a block should take. */
  readonly powTargetSpacing: number
  /** testnet3's rule: a block that comes 20 minutes after its parent may have the easiest target. */
  readonly powAllowMinDifficultyBlocks: boolean
  /** Regtest: the target never changes. */
  readonly powNoRetargeting: boolean
  /** BIP-0094: testnet4's retarget from the period's first target, and its limit on time warps. */
  readonly enforceBip94: boolean
  readonly subsidyHalvingInterval: number
  readonly bip34Height: number
  readonly bip65Height: number
  readonly bip66Height: number
  readonly csv: Deployment
  readonly segwit: Deployment
  /** Chains with less work are not followed. */
  readonly minimumChainWork: bigint
  /** A block whose ancestors' scripts Core takes as checked; `undefined` where there is none. */
  readonly assumeValid: BlockHash | undefined
  /** Low-work protection of header sync (Core `headerssync.h`). */
  readonly headersSync: { readonly commitmentPeriod: number; readonly redownloadBufferSize: number }
  readonly dnsSeeds: ReadonlyArray<string>
  readonly base58: { readonly pubkeyAddress: number; readonly scriptAddress: number; readonly secretKey: number }
  readonly bech32Hrp: string
  /** The script that a signet block must satisfy, in hexadecimal (BIP-0325). */
  readonly signetChallenge: string | undefined
}

/** Blocks between two retargets: 2,016 on every public network. */
export const retargetPeriod = (params: ChainParams): number => params.powTargetTimespan / params.powTargetSpacing

/** The 80 raw bytes of the network's first header. */
export const genesisHeader = (params: ChainParams): Uint8Array => {
  const w = new Writer(new Uint8Array(HEADER_SIZE))
  const { version, time, bits, nonce } = params.genesis
  const merkleRoot = blockHashFromHex(params.genesis.merkleRoot)
  writeHeader(w, { version, previousBlock: new Uint8Array(32) as BlockHash, merkleRoot, time, bits, nonce })
  return w.bytes
}
