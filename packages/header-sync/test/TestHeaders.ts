/** Headers for tests and benchmarks, with real proof of work on networks whose target a few tries meet. */
import { type ChainView, nextBits } from "@satwire/consensus"
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import {
  type BlockHash,
  type ChainParams,
  HEADER_BITS,
  HEADER_NONCE,
  HEADER_SIZE,
  encodeHeader,
  headerHash,
  meetsTarget,
  retargetPeriod,
  targetFromBits,
  targetWords,
  workFromBits
} from "@satwire/primitives"
import { HeaderTree } from "../src/index.ts"

const hash = new Uint8Array(32)

/** Counts the nonce of 80 raw bytes up until their hash meets their bits. Bits that no hash can meet are left as they are. */
export const findNonce = (raw: Uint8Array): Uint8Array => {
  const view = new DataView(raw.buffer, raw.byteOffset, HEADER_SIZE)
  const target = targetFromBits(view.getUint32(HEADER_BITS, true))
  if (target === undefined) return raw
  const words = targetWords(target)
  for (let nonce = 0; ; nonce++) {
    view.setUint32(HEADER_NONCE, nonce, true)
    portableSha256.sha256d(raw, 0, HEADER_SIZE, hash, 0)
    if (meetsTarget(hash, 0, words)) return raw
  }
}

export interface ChildOptions {
  /** Seconds since 1970. */
  readonly time: number
  /** The bits that are due, where it is left out. */
  readonly bits?: number
  readonly version?: number
  /** Makes children of one parent and time differ. */
  readonly salt?: number
}

/** A raw header that follows `parent` and has its proof of work. */
export const child = (
  params: ChainParams,
  view: ChainView & { hash(header: number): BlockHash },
  parent: number,
  { time, bits, version, salt }: ChildOptions
): Uint8Array => {
  const merkleRoot = new Uint8Array(32)
  new DataView(merkleRoot.buffer).setUint32(0, salt ?? 0)
  return findNonce(
    encodeHeader({
      version: version ?? 4,
      previousBlock: view.hash(parent),
      merkleRoot,
      time,
      bits: bits ?? nextBits(params, view, parent, time),
      nonce: 0
    })
  )
}

/** Takes a header into a tree without judging it, and without asking whether that is its hash. */
export const append = (tree: HeaderTree, raw: Uint8Array, hash: Uint8Array, parent: number, work: bigint): number => {
  const words = (bytes: Uint8Array): Int32Array => new Int32Array(bytes.slice().buffer)
  const run = { raw: words(raw), hashes: words(hash) }
  return tree.append(run, 0, 1, parent, work)
}

/** Takes a header into a tree without judging it. */
export const force = (tree: HeaderTree, parent: number, raw: Uint8Array): number => {
  const bits = new DataView(raw.buffer, raw.byteOffset).getUint32(HEADER_BITS, true)
  return append(tree, raw, headerHash(portableSha256, raw), parent, workFromBits(bits))
}

/**
 * Mines `count` headers on `parent` into the tree and gives the number of the last. They are about so far apart that targets change a
 * little at each retarget and stay about as easy: a period is measured over one spacing less than it has headers.
 */
export const extend = (tree: HeaderTree, parent: number, count: number, seed = 0): number => {
  const random = ChaChaRandom.fromNumber(seed)
  const { params } = tree
  const spacing = params.powTargetTimespan / (retargetPeriod(params) - 1)
  let at = parent
  for (let i = 0; i < count; i++) {
    const time = tree.time(at) + Math.round(spacing * (0.8 + 0.4 * random.unit()))
    at = force(tree, at, child(params, tree, at, { time, salt: seed }))
  }
  return at
}

/** The raw headers of a chain of `count` on top of genesis. */
export const mineChain = (params: ChainParams, count: number, seed: number): Uint8Array => {
  const tree = HeaderTree.fromGenesis(params, ChaChaRandom.fromNumber(seed))
  return tree.rawChain(extend(tree, 0, count, seed), 1, count)
}
