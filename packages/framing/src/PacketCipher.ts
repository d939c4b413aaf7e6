/**
 * One packet of the v2 transport, sealed and opened.
 *
 * ```
 *  0          3        4
 *  │ length   │ header │ contents …                          │ tag │
 *  │ u24 of   │ flags  │ one-byte id │ payload                │ 16  │
 *  │ contents │        │ 0 │ command, 12 bytes │ payload      │     │
 *   FSChaCha20  └────────── FSChaCha20Poly1305 ──────────────┘
 * ```
 *
 * Source: BIP-0324 §"Overall packet encryption and decryption pseudocode".
 */
import { AEAD_TAG_SIZE, type Aead, FsChaCha20, FsChaCha20Poly1305 } from "@satwire/crypto"

/** Bytes of the encrypted length. */
export const LENGTH_SIZE = 3
/** Bytes of the header, which is encrypted with the contents. */
export const HEADER_SIZE = 1
/** What a packet has more than its contents (Bitcoin Core's `EXPANSION`, bip324.h). */
export const EXPANSION: number = LENGTH_SIZE + HEADER_SIZE + AEAD_TAG_SIZE
/** Set in the header of a decoy. The other bits mean nothing yet. */
export const IGNORE_BIT = 0x80

export class PacketSealer {
  readonly #lengths: FsChaCha20
  readonly #packets: FsChaCha20Poly1305

  constructor(aead: Aead, lengthKey: Uint8Array, packetKey: Uint8Array) {
    this.#lengths = new FsChaCha20(lengthKey)
    this.#packets = new FsChaCha20Poly1305(aead, packetKey)
  }

  /** Makes a packet in place of `bytes[start, …)`, whose contents lie where they will lie, and says where it ends. */
  seal(bytes: Uint8Array, start: number, contentsSize: number, isDecoy: boolean, associated: Uint8Array): number {
    const textStart = start + LENGTH_SIZE
    const textEnd = textStart + HEADER_SIZE + contentsSize
    bytes[textStart] = isDecoy ? IGNORE_BIT : 0
    this.#packets.seal(associated, bytes, textStart, textEnd, bytes, textStart)
    const length = this.#lengths.crypt(contentsSize)
    bytes[start] = length & 0xff
    bytes[start + 1] = (length >>> 8) & 0xff
    bytes[start + 2] = length >>> 16
    return textEnd + AEAD_TAG_SIZE
  }
}

export class PacketOpener {
  readonly #lengths: FsChaCha20
  readonly #packets: FsChaCha20Poly1305

  constructor(aead: Aead, lengthKey: Uint8Array, packetKey: Uint8Array) {
    this.#lengths = new FsChaCha20(lengthKey)
    this.#packets = new FsChaCha20Poly1305(aead, packetKey)
  }

  /** The size of the contents, from the three bytes as a little-endian number. Nobody vouches for it until the packet is opened. */
  contentsSize(encrypted: number): number {
    return this.#lengths.crypt(encrypted)
  }

  /** Decrypts header, contents and tag in `input[start, end)` to `out`; `false` where they are not what the peer sealed next. */
  open(
    associated: Uint8Array,
    input: Uint8Array,
    start: number,
    end: number,
    out: Uint8Array,
    outOffset: number
  ): boolean {
    return this.#packets.open(associated, input, start, end, out, outOffset)
  }
}
