/**
 * The two ciphers of a BIP-0324 connection, one of each in each direction. Both take a new key after 224 packets and forget the old one, so
 * that who steals a key later cannot read what went before.
 *
 * ```
 *  FSChaCha20          │ 224 × 3 bytes of key stream, for lengths │ 32 bytes: the next key │   = 11 blocks, made at once
 *  FSChaCha20Poly1305  nonce = packets under this key (u32) │ keys before this one (u64)
 *                      next key = 32 zeros sealed under nonce 0xffffffff │ keys before this one
 * ```
 *
 * Source: BIP-0324 §"Rekeying wrappers: FSChaCha20Poly1305 and FSChaCha20".
 */
import { chacha20 } from "@noble/ciphers/chacha.js"
import type { Aead, AeadKey } from "./Aead.ts"

/** Packets under one key (Bitcoin Core's name, bip324.h). */
export const REKEY_INTERVAL = 224

const LENGTH_BYTES = 3
const KEY_BYTES = 32
const STREAM_BYTES = REKEY_INTERVAL * LENGTH_BYTES
const ZEROS = new Uint8Array(STREAM_BYTES + KEY_BYTES)
const REKEY_PACKET = 0xffffffff

/** Twelve bytes: a u32 and a u64, little-endian. Its numbers stay below 2^53. */
class Nonce {
  readonly bytes: Uint8Array = new Uint8Array(12)
  readonly #view: DataView = new DataView(this.bytes.buffer)

  set(packet: number, keys: number): Uint8Array {
    this.#view.setUint32(0, packet, true)
    this.#view.setUint32(4, keys, true)
    this.#view.setUint32(8, Math.floor(keys / 0x1_0000_0000), true)
    return this.bytes
  }
}

/** `FSChaCha20` for the lengths of packets, which are always three bytes. */
export class FsChaCha20 {
  readonly #stream: Uint8Array = new Uint8Array(STREAM_BYTES + KEY_BYTES)
  readonly #nonce: Nonce = new Nonce()
  #keys = 0
  #used = 0

  /** @param key 32 bytes, which are copied */
  constructor(key: Uint8Array) {
    this.#fill(key)
  }

  /** Encrypts or decrypts three bytes, given and told as a little-endian number. */
  crypt(length: number): number {
    if (this.#used === STREAM_BYTES) {
      this.#keys += 1
      this.#fill(this.#stream.slice(STREAM_BYTES))
    }
    const at = this.#used
    this.#used = at + LENGTH_BYTES
    const stream = this.#stream
    const mask = (stream[at] as number) | ((stream[at + 1] as number) << 8) | ((stream[at + 2] as number) << 16)
    return length ^ mask
  }

  #fill(key: Uint8Array): void {
    chacha20(key, this.#nonce.set(0, this.#keys), ZEROS, this.#stream, 0)
    this.#used = 0
  }
}

/** `FSChaCha20Poly1305` for the packets themselves. An instance either seals or opens. */
export class FsChaCha20Poly1305 {
  readonly #aead: Aead
  readonly #nonce: Nonce = new Nonce()
  readonly #key: Uint8Array
  #cipher: AeadKey
  #packets = 0
  #keys = 0

  /** @param key 32 bytes, which are copied */
  constructor(aead: Aead, key: Uint8Array) {
    this.#aead = aead
    this.#key = new Uint8Array(key)
    this.#cipher = aead.withKey(key)
  }

  /** As {@link AeadKey.seal}, under the next nonce. */
  seal(
    associated: Uint8Array,
    input: Uint8Array,
    start: number,
    end: number,
    out: Uint8Array,
    outOffset: number
  ): void {
    this.#cipher.seal(this.#nonce.set(this.#packets, this.#keys), associated, input, start, end, out, outOffset)
    this.#next()
  }

  /** As {@link AeadKey.open}, under the next nonce. After `false` nothing more can be opened that makes sense. */
  open(
    associated: Uint8Array,
    input: Uint8Array,
    start: number,
    end: number,
    out: Uint8Array,
    outOffset: number
  ): boolean {
    const nonce = this.#nonce.set(this.#packets, this.#keys)
    const isGood = this.#cipher.open(nonce, associated, input, start, end, out, outOffset)
    this.#next()
    return isGood
  }

  #next(): void {
    this.#packets += 1
    if (this.#packets < REKEY_INTERVAL) return
    // Sealing 32 zeros gives bytes 64 to 95 of the key stream, with a tag that nobody needs.
    const key = chacha20(
      this.#key,
      this.#nonce.set(REKEY_PACKET, this.#keys),
      ZEROS.subarray(0, KEY_BYTES),
      undefined,
      1
    )
    this.#key.set(key)
    key.fill(0)
    this.#cipher = this.#aead.withKey(this.#key)
    this.#packets = 0
    this.#keys += 1
  }
}
