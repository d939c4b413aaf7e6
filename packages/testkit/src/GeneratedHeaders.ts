/**
 * A chain of headers as long as one likes, with real proof of work on a network whose target a few tries meet: every rule of a public
 * network is on, periods have 2,016 headers and take different times, and so the difficulty goes up and down between 1 and 16. The same number
 * of headers always gives the same bytes, and what was made once is kept outside the repository.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, join } from "node:path"
import process from "node:process"
import { retargetedBits } from "@satwire/consensus"
import { ChaChaRandom, type Sha256 } from "@satwire/crypto"
import {
  type ChainParams,
  HEADER_BITS,
  HEADER_MERKLE_ROOT,
  HEADER_NONCE,
  HEADER_PREVIOUS,
  HEADER_SIZE,
  HEADER_TIME,
  mainnet,
  meetsTarget,
  regtest,
  retargetPeriod,
  targetFromBits,
  targetWords,
  workFromBits
} from "@satwire/primitives"
import { fastTestNetwork } from "./FastNetwork.ts"

export interface GeneratedHeaders {
  readonly params: ChainParams
  /** Raw headers on top of genesis. */
  readonly headers: Uint8Array
  /** The work of all of them and of genesis. */
  readonly chainWork: bigint
}

/** When its files are other bytes, so that none made before is taken. */
const FORMAT = 1
const TWO_WEEKS = 14 * 24 * 60 * 60
/** A million headers later it is 2026. */
const START = 1_150_000_000
/** How much harder than the easiest a period may be. */
const MOST_DIFFICULT = 16

const params: ChainParams = fastTestNetwork({
  name: "generated",
  magic: 0xf457f458,
  powTargetTimespan: TWO_WEEKS,
  powTargetSpacing: 600,
  headersSync: mainnet.headersSync,
  genesis: { ...regtest.genesis, time: START }
})

/** `count` headers, from `$XDG_CACHE_HOME/satwire` or `~/.cache/satwire`, where they are put if they are not there. */
export const generatedHeaders = (count: number, sha256: Sha256): GeneratedHeaders => {
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache")
  const file = join(cache, "satwire", `headers-${FORMAT}-${count}.bin`)
  const kept = read(file)
  const headers = kept?.length === count * HEADER_SIZE ? kept : generate(count, sha256)
  if (headers !== kept) write(file, headers)
  return { params, headers, chainWork: workOf(headers) }
}

const read = (file: string): Uint8Array | undefined => {
  try {
    return new Uint8Array(readFileSync(file))
  } catch {
    return undefined
  }
}

const write = (file: string, headers: Uint8Array): void => {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(`${file}.${process.pid}`, headers)
  renameSync(`${file}.${process.pid}`, file)
}

const workOf = (headers: Uint8Array): bigint => {
  const view = new DataView(headers.buffer, headers.byteOffset)
  let work = workFromBits(params.genesis.bits)
  for (let at = 0; at < headers.length; at += HEADER_SIZE) work += workFromBits(view.getUint32(at + HEADER_BITS, true))
  return work
}

/** The chain, made anew. */
const generate = (count: number, sha256: Sha256): Uint8Array => {
  const random = ChaChaRandom.fromNumber(count)
  const period = retargetPeriod(params)
  const headers = new Uint8Array(count * HEADER_SIZE)
  const view = new DataView(headers.buffer)
  const hash = new Uint8Array(params.genesisHash)
  let { bits, time } = params.genesis
  let words = targetWords(targetFromBits(bits) ?? params.powLimit)
  let difficulty = 1
  let spacing = 600
  let periodFirst = time
  for (let height = 1; height <= count; height++) {
    const at = (height - 1) * HEADER_SIZE
    if (height % period === 0) {
      bits = retargetedBits(params, bits, time - periodFirst)
      words = targetWords(targetFromBits(bits) ?? params.powLimit)
      const next = Math.min(MOST_DIFFICULT, Math.max(1, difficulty * (0.7 + 0.65 * random.unit())))
      spacing = Math.round((TWO_WEEKS * difficulty) / next / (period - 1))
      difficulty = next
    }
    time += spacing
    if (height % period === 0) periodFirst = time
    view.setInt32(at, 0x20000000, true)
    headers.set(hash, at + HEADER_PREVIOUS)
    view.setUint32(at + HEADER_MERKLE_ROOT, height)
    view.setUint32(at + HEADER_TIME, time, true)
    view.setUint32(at + HEADER_BITS, bits, true)
    for (let nonce = 0; ; nonce++) {
      view.setUint32(at + HEADER_NONCE, nonce, true)
      sha256.sha256d(headers, at, at + HEADER_SIZE, hash, 0)
      if (meetsTarget(hash, 0, words)) break
    }
  }
  return headers
}
