/**
 * Backends that need the platform's own cryptography, on Node and Deno. The one subpath below the seam that imports `node:*`; the
 * edge picks from it and injects the value.
 */
import * as Crypto from "node:crypto"
import { AEAD_PIECE_BYTES, AEAD_TAG_SIZE, type Aead, type AeadKey, aeadBySize, portableAead } from "./Aead.ts"
import { type Sha256, type Sha256Range, sha256From } from "./Sha256.ts"
import { makeWasmSha256 } from "./WasmSha256.ts"

const createHash = (): Crypto.Hash => Crypto.createHash("sha256")

const oneShot: Sha256Range = (input, start, end, out, outOffset) => {
  out.set(Crypto.hash("sha256", input.subarray(start, end), "buffer"), outOffset)
}

const byCreateHash: Sha256Range = (input, start, end, out, outOffset) => {
  out.set(createHash().update(input.subarray(start, end)).digest(), outOffset)
}

/** The platform's SHA-256 through its one-shot `hash`. */
export const nativeSha256: Sha256 = sha256From("hash", oneShot, createHash)

/** The platform's SHA-256 through `createHash`. */
export const createHashSha256: Sha256 = sha256From("createHash", byCreateHash, createHash)

declare const Deno: unknown
const isDeno = typeof Deno !== "undefined"

/** Node's `hash` beats its `createHash` by a third at 1 KiB; on Deno it is the other way round, by a tenth (measured, `bench/sha256.bench.ts`). */
const native = isDeno ? createHashSha256 : nativeSha256

/**
 * From how many bytes on the platform is faster than one message in WebAssembly. A call into it costs 1 µs on Node 24 and 3 to 6 µs on
 * Deno 2.9 before the first byte (measured, as above).
 */
export const NATIVE_FROM_BYTES: number = isDeno ? 2048 : 512
/** The same where four messages go side by side. */
export const NATIVE_OF_MANY_FROM_BYTES: number = isDeno ? 8192 : 2048

/** WebAssembly for what is short and the platform for what is long: what a node hashes with. */
export const platformSha256: Sha256 = makeWasmSha256({
  fromBytes: NATIVE_FROM_BYTES,
  ofManyFromBytes: NATIVE_OF_MANY_FROM_BYTES,
  name: native.name,
  sha256: (input, start, end, out, outOffset) => native.sha256(input, start, end, out, outOffset)
})

const CHACHA = "chacha20-poly1305"
const CHACHA_OPTIONS = { authTagLength: AEAD_TAG_SIZE }

class NativeKey implements AeadKey {
  readonly #key: Crypto.KeyObject

  constructor(key: Uint8Array) {
    this.#key = Crypto.createSecretKey(key)
  }

  seal(...[nonce, associated, input, start, end, out, outOffset]: Parameters<AeadKey["seal"]>): void {
    const cipher = Crypto.createCipheriv(CHACHA, this.#key, nonce, CHACHA_OPTIONS)
    if (associated.length > 0) cipher.setAAD(associated, { plaintextLength: end - start })
    pass(cipher, input, start, end, out, outOffset)
    cipher.final()
    out.set(cipher.getAuthTag(), outOffset + end - start)
  }

  open(...[nonce, associated, input, start, end, out, outOffset]: Parameters<AeadKey["open"]>): boolean {
    const textEnd = end - AEAD_TAG_SIZE
    if (textEnd < start) return false
    const cipher = Crypto.createDecipheriv(CHACHA, this.#key, nonce, CHACHA_OPTIONS)
    cipher.setAuthTag(input.subarray(textEnd, end))
    if (associated.length > 0) cipher.setAAD(associated, { plaintextLength: textEnd - start })
    pass(cipher, input, start, textEnd, out, outOffset)
    try {
      cipher.final()
      return true
    } catch {
      // The platform has no other way to say that a tag is wrong.
      return false
    }
  }
}

/** Every call makes an array for what it gives out: in pieces, so that a packet of 4 MB needs no 4 MB more. */
const pass = (
  cipher: { update(input: Uint8Array): Uint8Array },
  input: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  outOffset: number
): void => {
  for (let at = start; at < end; at += AEAD_PIECE_BYTES) {
    out.set(cipher.update(input.subarray(at, Math.min(end, at + AEAD_PIECE_BYTES))), outOffset + at - start)
  }
}

/** The platform's ChaCha20-Poly1305. */
export const nativeAead: Aead = { name: "node:crypto", withKey: (key) => new NativeKey(key) }

/**
 * From how many bytes on the platform's cipher is the faster one: with a key that it keeps, a call costs 4 µs on both runtimes, and plain
 * JavaScript costs 3 µs on Node 24 and 6 on Deno 2.9 before the first byte (measured, `bench/aead.bench.ts`).
 */
export const NATIVE_AEAD_FROM_BYTES: number = isDeno ? 0 : 128

/** The platform from {@link NATIVE_AEAD_FROM_BYTES} on and plain JavaScript below: what a node encrypts with. */
export const platformAead: Aead = isDeno ? nativeAead : aeadBySize(portableAead, nativeAead, NATIVE_AEAD_FROM_BYTES)

/** `length` bytes of the platform's entropy. */
export const entropy = (length: number): Uint8Array => new Uint8Array(Crypto.randomBytes(length))
