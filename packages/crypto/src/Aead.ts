/**
 * ChaCha20-Poly1305 (RFC 8439 §2.8) as the encrypted transport needs it: under one key for many packets, over flat memory, in place
 * where wanted, and without a copy of the whole packet at any time. The backend is a value that the edge chooses once
 * (`@satwire/crypto/node` on Node and Deno, {@link portableAead} elsewhere).
 */
import { poly1305 } from "@noble/ciphers/_poly1305.js"
import { chacha20 } from "@noble/ciphers/chacha.js"

/** Bytes of the tag that follows a ciphertext. */
export const AEAD_TAG_SIZE = 16

export interface Aead {
  /** For logs and benchmarks: which backend this is. */
  readonly name: string
  /** The cipher under one key of 32 bytes, which it copies. */
  withKey(key: Uint8Array): AeadKey
}

/** A nonce, 12 bytes, must never be used twice with one key. */
export interface AeadKey {
  /**
   * Encrypts `input[start, end)` to `out` from `outOffset` on and writes the tag behind it. `out` may be `input` where `outOffset` is
   * `start`.
   */
  seal(
    nonce: Uint8Array,
    associated: Uint8Array,
    input: Uint8Array,
    start: number,
    end: number,
    out: Uint8Array,
    outOffset: number
  ): void
  /**
   * Decrypts `input[start, end)`, whose last 16 bytes are the tag, to `out` as {@link seal} does. Where it says `false` somebody else wrote
   * these bytes, or changed them, and what stands in `out` means nothing.
   */
  open(
    nonce: Uint8Array,
    associated: Uint8Array,
    input: Uint8Array,
    start: number,
    end: number,
    out: Uint8Array,
    outOffset: number
  ): boolean
}

/** What is worked on at once, so that the copies that libraries make stay small. Whole blocks of the cipher. */
export const AEAD_PIECE_BYTES: number = 64 * 1024

const BLOCK_BYTES = 64
/** Up to here one call makes the key of the tag and the ciphertext: half the price of a small packet (measured, `bench/aead.bench.ts`). */
const SMALL_BYTES = 4096
const ZEROS = new Uint8Array(32)

// Reused: sealing and opening are synchronous and call nothing of their caller's.
const work = new Uint8Array(BLOCK_BYTES + SMALL_BYTES)
const authenticated = new Uint8Array(SMALL_BYTES + 32)
const lengths = new Uint8Array(16)
const lengthsView = new DataView(lengths.buffer)
const tag = new Uint8Array(AEAD_TAG_SIZE)

const padded = (length: number): number => (length + 15) & ~15

const writeLengths = (associated: number, text: number): void => {
  lengthsView.setUint32(0, associated, true)
  // Text of 4 GiB has no place in an array of bytes that comes from a peer; packets have at most 4 MB.
  lengthsView.setUint32(8, text, true)
}

/** The tag's key in the first half block of `work`, and `input[start, end)` under the cipher behind that block. */
const cryptSmall = (key: Uint8Array, nonce: Uint8Array, input: Uint8Array, start: number, end: number): void => {
  const whole = work.subarray(0, BLOCK_BYTES + end - start)
  whole.fill(0, 0, BLOCK_BYTES)
  copy(input, start, end, work, BLOCK_BYTES)
  chacha20(key, nonce, whole, whole, 0)
}

/** The tag over a ciphertext that lies in `text[start, end)`, by the key in `work`, with no associated data. */
const tagSmall = (text: Uint8Array, start: number, end: number): void => {
  const length = end - start
  const pad = padded(length)
  copy(text, start, end, authenticated, 0)
  authenticated.fill(0, length, pad)
  writeLengths(0, length)
  authenticated.set(lengths, pad)
  const mac = poly1305.create(work.subarray(0, 32))
  mac.update(authenticated.subarray(0, pad + 16))
  mac.digestInto(tag)
}

/** A call costs more than the few bytes of most packets. */
const copy = (from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void => {
  if (end - start > 64) to.set(from.subarray(start, end), at)
  else for (let i = start, j = at; i < end; i++, j++) to[j] = from[i] as number
}

const updatePadded = (mac: ReturnType<typeof poly1305.create>, bytes: Uint8Array, start: number, end: number): void => {
  for (let at = start; at < end; at += AEAD_PIECE_BYTES) {
    mac.update(bytes.subarray(at, Math.min(end, at + AEAD_PIECE_BYTES)))
  }
  mac.update(ZEROS.subarray(0, padded(end - start) - (end - start)))
}

const tagLarge = (
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  text: Uint8Array,
  start: number,
  end: number
): void => {
  const mac = poly1305.create(chacha20(key, nonce, ZEROS, undefined, 0))
  updatePadded(mac, associated, 0, associated.length)
  updatePadded(mac, text, start, end)
  writeLengths(associated.length, end - start)
  mac.update(lengths)
  mac.digestInto(tag)
}

const cryptLarge = (
  key: Uint8Array,
  nonce: Uint8Array,
  input: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  outOffset: number
): void => {
  for (let at = start; at < end; at += AEAD_PIECE_BYTES) {
    const stop = Math.min(end, at + AEAD_PIECE_BYTES)
    const target = out.subarray(outOffset + at - start, outOffset + stop - start)
    chacha20(key, nonce, input.subarray(at, stop), target, 1 + (at - start) / BLOCK_BYTES)
  }
}

/** Whether the tag at `at` is the one just made. Looks at every byte, whichever differs. */
const isTag = (bytes: Uint8Array, at: number): boolean => {
  let difference = 0
  for (let i = 0; i < AEAD_TAG_SIZE; i++) difference |= (bytes[at + i] as number) ^ (tag[i] as number)
  return difference === 0
}

class PortableKey implements AeadKey {
  readonly #key: Uint8Array

  constructor(key: Uint8Array) {
    this.#key = new Uint8Array(key)
  }

  seal(
    nonce: Uint8Array,
    associated: Uint8Array,
    input: Uint8Array,
    start: number,
    end: number,
    out: Uint8Array,
    outOffset: number
  ): void {
    const length = end - start
    if (length <= SMALL_BYTES && associated.length === 0) {
      cryptSmall(this.#key, nonce, input, start, end)
      tagSmall(work, BLOCK_BYTES, BLOCK_BYTES + length)
      copy(work, BLOCK_BYTES, BLOCK_BYTES + length, out, outOffset)
    } else {
      cryptLarge(this.#key, nonce, input, start, end, out, outOffset)
      tagLarge(this.#key, nonce, associated, out, outOffset, outOffset + length)
    }
    copy(tag, 0, AEAD_TAG_SIZE, out, outOffset + length)
  }

  open(
    nonce: Uint8Array,
    associated: Uint8Array,
    input: Uint8Array,
    start: number,
    end: number,
    out: Uint8Array,
    outOffset: number
  ): boolean {
    const textEnd = end - AEAD_TAG_SIZE
    if (textEnd < start) return false
    if (textEnd - start <= SMALL_BYTES && associated.length === 0) {
      cryptSmall(this.#key, nonce, input, start, textEnd)
      tagSmall(input, start, textEnd)
      if (!isTag(input, textEnd)) return false
      copy(work, BLOCK_BYTES, BLOCK_BYTES + textEnd - start, out, outOffset)
      return true
    }
    tagLarge(this.#key, nonce, associated, input, start, textEnd)
    if (!isTag(input, textEnd)) return false
    cryptLarge(this.#key, nonce, input, start, textEnd, out, outOffset)
    return true
  }
}

/** Plain JavaScript by `@noble/ciphers`: runs anywhere, and is what the other backends are tested against. */
export const portableAead: Aead = { name: "noble", withKey: (key) => new PortableKey(key) }

/** `large` from `fromBytes` on and `small` below, both under the same key. */
export const aeadBySize = (small: Aead, large: Aead, fromBytes: number): Aead => ({
  name: `${large.name} from ${fromBytes} bytes`,
  withKey: (key) => new KeyBySize(key, small, large, fromBytes)
})

class KeyBySize implements AeadKey {
  readonly #key: Uint8Array
  readonly #small: AeadKey
  readonly #largeAead: Aead
  /** Made at its first use: a native key is a kilobyte, and a quiet peer's never meets a large packet (measured). */
  #large: AeadKey | undefined = undefined
  readonly #fromBytes: number

  constructor(key: Uint8Array, small: Aead, large: Aead, fromBytes: number) {
    this.#key = new Uint8Array(key)
    this.#small = small.withKey(key)
    this.#largeAead = large
    this.#fromBytes = fromBytes
  }

  #of(length: number): AeadKey {
    if (length < this.#fromBytes) return this.#small
    this.#large ??= this.#largeAead.withKey(this.#key)
    return this.#large
  }

  seal(
    nonce: Uint8Array,
    associated: Uint8Array,
    input: Uint8Array,
    start: number,
    end: number,
    out: Uint8Array,
    outOffset: number
  ): void {
    this.#of(end - start).seal(nonce, associated, input, start, end, out, outOffset)
  }

  open(
    nonce: Uint8Array,
    associated: Uint8Array,
    input: Uint8Array,
    start: number,
    end: number,
    out: Uint8Array,
    outOffset: number
  ): boolean {
    return this.#of(end - start).open(nonce, associated, input, start, end, out, outOffset)
  }
}
