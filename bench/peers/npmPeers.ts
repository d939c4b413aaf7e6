/**
 * What npm offers for the same work, behind one small interface each. This file lies where the packages are installed, outside the
 * workspaces; bcoin is the one of `interop/`. Nothing here is typed by its owner, so the shapes that are used are said here.
 */
import { createRequire } from "node:module"
import process from "node:process"
import { fileURLToPath } from "node:url"

export interface HeaderPeer {
  readonly name: string
  /** What it does not check, for the table. */
  readonly checks: string
  /** Validates raw 80-byte headers, one after another, and gives how many passed. */
  validate(headers: Uint8Array): number
}

export interface FramePeer {
  readonly name: string
  /** Parses a whole stream of mainnet v1 frames and gives how many messages came out. */
  parse(stream: Uint8Array): number
}

interface BitcoinJs {
  readonly Block: {
    fromBuffer(raw: Uint8Array): { getHash(): Uint8Array; checkProofOfWork(): boolean; readonly prevHash: Uint8Array }
  }
}

interface Bcoin {
  readonly Headers: {
    fromHead(raw: Uint8Array): { hash(encoding: "hex"): string; verifyPOW(): boolean; readonly prevBlock: string }
  }
  readonly Parser: new (network: string) => {
    on(event: "packet" | "error", listener: (value: unknown) => void): void
    feed(data: Buffer): void
  }
}

const HEADER_SIZE = 80
/** Not a literal, because the types of what lies outside the workspaces are nobody's concern. */
const BITCOINJS: string = "bitcoinjs-lib"
const HASH_WASM: string = "hash-wasm"
const NOBLE: string = "@noble/hashes/sha2.js"

const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

/** bitcoinjs-lib 7: hash, target and link. */
export const bitcoinJsHeaders = async (): Promise<HeaderPeer> => {
  const { Block } = (await import(BITCOINJS)) as BitcoinJs
  return {
    name: "bitcoinjs-lib",
    checks: "hash, target, link",
    validate(headers) {
      let previous: Uint8Array | undefined
      let count = 0
      for (let at = 0; at < headers.length; at += HEADER_SIZE) {
        const header = Block.fromBuffer(headers.subarray(at, at + HEADER_SIZE))
        if (previous !== undefined && !equal(previous, header.prevHash)) break
        if (!header.checkProofOfWork()) break
        previous = header.getHash()
        count += 1
      }
      return count
    }
  }
}

/** bcoin 1.0.2, as `interop/` installs it, without its native parts. */
const loadBcoin = (): Bcoin => {
  process.env["NODE_BACKEND"] = "js"
  const require = createRequire(fileURLToPath(new URL("../../interop/package.json", import.meta.url)))
  return {
    Headers: require("bcoin/lib/primitives/headers") as Bcoin["Headers"],
    Parser: require("bcoin/lib/net/parser") as Bcoin["Parser"]
  }
}

/** bcoin's headers: hash, target and link. */
export const bcoinHeaders = (): HeaderPeer => {
  const { Headers } = loadBcoin()
  return {
    name: "bcoin",
    checks: "hash, target, link",
    validate(headers) {
      let previous: string | undefined
      let count = 0
      for (let at = 0; at < headers.length; at += HEADER_SIZE) {
        const header = Headers.fromHead(Buffer.from(headers.buffer, headers.byteOffset + at, HEADER_SIZE))
        if (previous !== undefined && previous !== header.prevBlock) break
        if (!header.verifyPOW()) break
        previous = header.hash("hex")
        count += 1
      }
      return count
    }
  }
}

/** bcoin's parser of the v1 transport, fed in chunks of a socket's size. */
export const bcoinFrames = (): FramePeer => {
  const { Parser } = loadBcoin()
  return {
    name: "bcoin",
    parse(stream) {
      let count = 0
      const parser = new Parser("main")
      parser.on("packet", () => {
        count += 1
      })
      parser.on("error", (error) => {
        throw error instanceof Error ? error : new Error(String(error))
      })
      for (let at = 0; at < stream.length; at += 65_536) {
        const end = Math.min(at + 65_536, stream.length)
        parser.feed(Buffer.from(stream.buffer, stream.byteOffset + at, end - at))
      }
      return count
    }
  }
}

/** A library's way with a whole block. */
export interface BlockPeer {
  readonly name: string
  /** Decodes it and tells how many transactions it has. */
  readonly decode: (raw: Uint8Array) => number
  /** Decodes it, hashes every transaction, and gives the merkle root. */
  readonly merkleRoot: (raw: Uint8Array) => Uint8Array
}

export const bitcoinJsBlock = async (): Promise<BlockPeer> => {
  const { Block } = (await import(BITCOINJS)) as {
    readonly Block: {
      fromBuffer(raw: Uint8Array): { readonly transactions: ReadonlyArray<unknown> }
      calculateMerkleRoot(transactions: ReadonlyArray<unknown>): Uint8Array
    }
  }
  return {
    name: "bitcoinjs-lib",
    decode: (raw) => Block.fromBuffer(raw).transactions.length,
    merkleRoot: (raw) => Block.calculateMerkleRoot(Block.fromBuffer(raw).transactions)
  }
}

/** A block that can be checked as far as that needs no coins. */
export interface CheckedBlockPeer extends BlockPeer {
  /** Decodes it and tells whether it keeps the rules; bcoin leaves out lock times, height and weight. */
  readonly check: (raw: Uint8Array) => boolean
}

interface BcoinBlock {
  readonly txs: ReadonlyArray<unknown>
  createMerkleRoot(): Buffer
  verifyBody(): boolean
  getCommitmentHash(): Buffer | null
  createCommitmentHash(): Buffer
}

export const bcoinBlock = (): CheckedBlockPeer => {
  process.env["NODE_BACKEND"] = "js"
  const require = createRequire(fileURLToPath(new URL("../../interop/package.json", import.meta.url)))
  const Block = require("bcoin/lib/primitives/block") as { fromRaw(raw: Buffer): BcoinBlock }
  const read = (raw: Uint8Array): BcoinBlock => Block.fromRaw(Buffer.from(raw.buffer, raw.byteOffset, raw.length))
  return {
    name: "bcoin",
    decode: (raw) => read(raw).txs.length,
    merkleRoot: (raw) => read(raw).createMerkleRoot(),
    check(raw) {
      const block = read(raw)
      const commitment = block.getCommitmentHash()
      return block.verifyBody() && (commitment === null || commitment.equals(block.createCommitmentHash()))
    }
  }
}

interface BcoinTransaction {
  hash(): Buffer
  witnessHash(): Buffer
}

interface BcoinCompactBlock {
  init(): boolean
  fillMempool(witness: boolean, mempool: { readonly map: Map<number, { readonly tx: BcoinTransaction }> }): boolean
  toBlock(): BcoinBlock & { toRaw(): Buffer; readonly merkleRoot: string }
}

/** A library's way with a compact block and a mempool; each call is one block. */
export interface CompactPeer {
  /** All transactions at hand. */
  readonly find: () => number
  /** And the block's bytes, with both roots checked. */
  readonly rebuild: () => number
}

/**
 * bcoin's way with a compact block and a mempool whose hashes are at hand. Its map has objects that give them, as its own entries do.
 *
 * @param raw the block
 * @param payload the same as a `cmpctblock`
 * @param wtxids the mempool's, of which some are those of the block
 */
export const bcoinCompactBlock = (raw: Uint8Array, payload: Uint8Array, wtxids: Uint8Array): CompactPeer => {
  process.env["NODE_BACKEND"] = "js"
  const require = createRequire(fileURLToPath(new URL("../../interop/package.json", import.meta.url)))
  const Block = require("bcoin/lib/primitives/block") as {
    fromRaw(raw: Buffer): { readonly txs: ReadonlyArray<BcoinTransaction> }
  }
  const { CompactBlock } = require("bcoin/lib/net/bip152") as {
    readonly CompactBlock: { fromRaw(raw: Buffer): BcoinCompactBlock }
  }
  const own = new Map(Block.fromRaw(Buffer.from(raw)).txs.map((tx) => [tx.witnessHash().toString("hex"), tx]))
  const map = new Map<number, { readonly tx: BcoinTransaction }>()
  for (let slot = 0; 32 * slot < wtxids.length; slot++) {
    const hash = Buffer.from(wtxids.subarray(32 * slot, 32 * slot + 32))
    const hashOf = (): Buffer => hash
    map.set(slot, { tx: own.get(hash.toString("hex")) ?? { hash: hashOf, witnessHash: hashOf } })
  }
  const bytes = Buffer.from(payload)
  const found = (): BcoinCompactBlock => {
    const compact = CompactBlock.fromRaw(bytes)
    if (!compact.init() || !compact.fillMempool(true, { map })) throw new Error("bcoin does not find the block")
    return compact
  }
  return {
    find: () => (found(), 1),
    rebuild() {
      const block = found().toBlock()
      const root = block.createMerkleRoot().toString("hex") === block.merkleRoot
      const commitment = block.getCommitmentHash()?.equals(block.createCommitmentHash()) === true
      if (!root || !commitment || block.toRaw().length !== raw.length)
        throw new Error("bcoin does not rebuild the block")
      return 1
    }
  }
}

/** hash-wasm's SHA-256, made once and started over for each input, which is its fastest way. */
export const hashWasmSha256 = async (): Promise<(input: Uint8Array) => Uint8Array> => {
  const { createSHA256 } = (await import(HASH_WASM)) as {
    readonly createSHA256: () => Promise<{
      init(): { update(input: Uint8Array): { digest(format: "binary"): Uint8Array } }
    }>
  }
  const hasher = await createSHA256()
  return (input) => hasher.init().update(input).digest("binary")
}

/** `@noble/hashes` as its users call it. */
export const nobleSha256 = async (): Promise<(input: Uint8Array) => Uint8Array> => {
  const { sha256 } = (await import(NOBLE)) as { readonly sha256: (input: Uint8Array) => Uint8Array }
  return sha256
}
