/**
 * The 32-byte hashes of the protocol: always in wire order in memory, reversed only for people. The brands keep a block's hash from
 * being taken for a transaction's; they cost nothing at run time.
 */
import { fromHex as bytesFromHex, toHex as bytesToHex } from "@satwire/bytes"
import type { Brand } from "effect/Brand"

/** SHA-256d of a block header, 32 bytes in wire order. */
export type BlockHash = Uint8Array & Brand<"BlockHash">
/** SHA-256d of a transaction without its witness, 32 bytes in wire order. */
export type Txid = Uint8Array & Brand<"Txid">
/** SHA-256d of a transaction with its witness (BIP-0141), 32 bytes in wire order. */
export type Wtxid = Uint8Array & Brand<"Wtxid">

/** A block's distance from genesis. */
export type Height = number & Brand<"Height">
export const Height = (height: number): Height => height as Height

/**
 * An amount in satoshis, over the whole range of the wire's signed 64 bits: what a peer sends need not be money. Always a `bigint`,
 * because a `number` loses the range above 2^53 (ADR 0005).
 */
export type Satoshis = bigint & Brand<"Satoshis">
export const Satoshis = (amount: bigint): Satoshis => amount as Satoshis

/** Marks 32 bytes in wire order as a block hash. */
export const BlockHash = (bytes: Uint8Array): BlockHash => hash(bytes) as BlockHash
/** Marks 32 bytes in wire order as a txid. */
export const Txid = (bytes: Uint8Array): Txid => hash(bytes) as Txid
/** Marks 32 bytes in wire order as a wtxid. */
export const Wtxid = (bytes: Uint8Array): Wtxid => hash(bytes) as Wtxid

const hash = (bytes: Uint8Array): Uint8Array => {
  if (bytes.length !== 32) throw new RangeError(`a hash has 32 bytes, not ${bytes.length}`)
  return bytes
}

/** The hash of all zeros: the parent of a genesis block, and a `getheaders` that asks for as many as there are. */
export const ZERO_HASH: BlockHash = new Uint8Array(32) as BlockHash

/** The 64 digits that explorers show: the bytes from last to first. */
export const toHex = (hash: Uint8Array): string => bytesToHex(new Uint8Array(hash).reverse())

/** The hash that 64 digits name as explorers show them, or `undefined`. */
export const fromHex = (hex: string): Uint8Array | undefined =>
  hex.length === 64 ? bytesFromHex(hex)?.reverse() : undefined

/** A block hash from 64 digits written in a source file; throws where they are not. */
export const blockHashFromHex = (hex: string): BlockHash => {
  const bytes = fromHex(hex)
  if (bytes === undefined) throw new RangeError(`not a hash in hexadecimal: ${hex}`)
  return bytes as BlockHash
}
