/**
 * The 80-byte block header.
 *
 * ```
 *  0        4                     36                    68      72      76      80
 *  │ version│ previous block hash │ merkle root         │ time  │ bits  │ nonce │
 *  │ i32    │ 32 bytes            │ 32 bytes            │ u32   │ u32   │ u32   │
 * ```
 *
 * Where many headers are handled they stay raw and lie in columns; this object is for one header at a time.
 */
import { type Reader, Writer } from "@satwire/bytes"
import { type Sha256, sha256d } from "@satwire/crypto"
import type { BlockHash } from "./Hash.ts"

/** Bytes of one header. */
export const HEADER_SIZE = 80

/** Offsets of the fields in the raw header. */
export const HEADER_PREVIOUS = 4
export const HEADER_MERKLE_ROOT = 36
export const HEADER_TIME = 68
export const HEADER_BITS = 72
export const HEADER_NONCE = 76

export interface BlockHeader {
  /** Signed, as consensus compares it; its low 29 bits signal deployments (BIP-0009). */
  readonly version: number
  /** Hash of the parent, wire order. */
  readonly previousBlock: BlockHash
  /** Wire order. */
  readonly merkleRoot: Uint8Array
  /** Seconds since 1970, as the miner claims. */
  readonly time: number
  /** The target in compact form. */
  readonly bits: number
  readonly nonce: number
}

/** Reads 80 bytes. The hash fields are views into the input. */
export const readHeader = (r: Reader): BlockHeader => ({
  version: r.i32("header version"),
  previousBlock: r.view(32, "previous block hash") as BlockHash,
  merkleRoot: r.view(32, "merkle root"),
  time: r.u32("header time"),
  bits: r.u32("header bits"),
  nonce: r.u32("header nonce")
})

/** Writes 80 bytes. */
export const writeHeader = (w: Writer, header: BlockHeader): void => {
  w.i32(header.version)
  w.raw(header.previousBlock)
  w.raw(header.merkleRoot)
  w.u32(header.time)
  w.u32(header.bits)
  w.u32(header.nonce)
}

/** The 80 raw bytes of a header. */
export const encodeHeader = (header: BlockHeader): Uint8Array => {
  const w = new Writer(new Uint8Array(HEADER_SIZE))
  writeHeader(w, header)
  return w.bytes
}

/** The hash of a raw header. */
export const headerHash = (backend: Sha256, raw: Uint8Array): BlockHash =>
  sha256d(backend, raw) as Uint8Array as BlockHash
