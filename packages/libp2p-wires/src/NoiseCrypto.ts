/**
 * The cryptography of js-libp2p's Noise, with keys that the platform keeps: Noise brings the bytes of its key for every packet, and to make a key of
 * them takes Node 24 longer than 16 KiB take to encrypt, 20 to 30 µs. What is short stays with Noise's own WebAssembly.
 *
 * Specification: a ciphertext has the pieces of its text and a tag, and none is copied. Rationale: `platformAead` of `@satwire/crypto/node` writes
 * into memory of its caller, of which Noise has none to give: it took 1 MiB of gossip as long as Noise's own does (measured).
 */
import * as Crypto from "node:crypto"
import type { ICryptoInterface } from "@libp2p/noise"
import { defaultCrypto } from "@libp2p/noise/crypto"
import { Uint8ArrayList } from "uint8arraylist"

const CHACHA = "chacha20-poly1305"
const TAG_BYTES = 16
const OPTIONS = { authTagLength: TAG_BYTES }

/** From so many bytes on the platform is the faster one: 6 µs and 3 for each KiB, against 1 µs and 10 for each KiB (measured on Node 24). */
const PLATFORM_FROM_BYTES = 640

/** Noise keeps the bytes of a key as long as the key. */
const kept = new WeakMap<Uint8Array, Crypto.KeyObject>()

const keyOf = (bytes: Uint8Array): Crypto.KeyObject => {
  let key = kept.get(bytes)
  if (key === undefined) kept.set(bytes, (key = Crypto.createSecretKey(bytes)))
  return key
}

type Bytes = Uint8Array | Uint8ArrayList

const pass = (cipher: { update(bytes: Uint8Array): Uint8Array }, bytes: Bytes): Uint8ArrayList => {
  const out = new Uint8ArrayList()
  if (bytes instanceof Uint8Array) out.append(cipher.update(bytes))
  else for (const piece of bytes) out.append(cipher.update(piece))
  return out
}

export const keptKeyCrypto: ICryptoInterface = {
  ...defaultCrypto,
  chaCha20Poly1305Encrypt: (text, nonce, associated, key) => {
    const length = text.byteLength
    if (length < PLATFORM_FROM_BYTES) return defaultCrypto.chaCha20Poly1305Encrypt(text, nonce, associated, key)
    const cipher = Crypto.createCipheriv(CHACHA, keyOf(key), nonce, OPTIONS)
    if (associated.length > 0) cipher.setAAD(associated, { plaintextLength: length })
    const out = pass(cipher, text)
    cipher.final()
    out.append(cipher.getAuthTag())
    return out
  },
  /** @throws Error where the tag is wrong */
  chaCha20Poly1305Decrypt: (sealed, nonce, associated, key, memory) => {
    const length = sealed.byteLength - TAG_BYTES
    if (length < PLATFORM_FROM_BYTES)
      return defaultCrypto.chaCha20Poly1305Decrypt(sealed, nonce, associated, key, memory)
    const cipher = Crypto.createDecipheriv(CHACHA, keyOf(key), nonce, OPTIONS)
    cipher.setAuthTag(sealed.subarray(length))
    if (associated.length > 0) cipher.setAAD(associated, { plaintextLength: length })
    const out = pass(cipher, sealed instanceof Uint8Array ? sealed.subarray(0, length) : sealed.sublist(0, length))
    cipher.final()
    return out
  }
}
