/**
 * Signs as BIP-0340 does, for protocols of our own: envelopes, proofs of a key. It signs no transactions and keeps no key safe: numbers in
 * JavaScript cannot be wiped, and nothing here is constant in time.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import { schnorr } from "@noble/secp256k1"
import type { Random } from "@satwire/machine"
import { withSha256 } from "./Signatures.ts"

export const TAGGED_HASH_SIZE = 32
const KEY_SIZE = 32

/** A secret key that signs, and its public half. */
export interface SchnorrKey {
  /** The x coordinate, 32 bytes: what `verifySchnorr` is asked with. */
  readonly publicKey: Uint8Array
  /**
   * 64 bytes.
   *
   * @param auxiliary 32 random bytes, which BIP-0340 §"Default Signing" has against leaks in hardware; all zero is right as well
   */
  sign(message: Uint8Array, auxiliary: Uint8Array): Uint8Array
}

/** The key of 32 secret bytes, or `undefined` where they are none: another length, zero, or from the group's order on. */
export const schnorrKey = (secretKey: Uint8Array): SchnorrKey | undefined => {
  if (secretKey.length !== KEY_SIZE) return undefined
  const secret = secretKey.slice()
  const publicKey = publicKeyOf(secret)
  if (publicKey === undefined) return undefined
  return { publicKey, sign: (message, auxiliary) => withSha256(() => schnorr.sign(message, secret, auxiliary)) }
}

/** A new key. */
export const makeSchnorrKey = (random: Random): SchnorrKey => {
  for (;;) {
    const key = schnorrKey(random.bytes(KEY_SIZE))
    if (key !== undefined) return key
  }
}

/** The library has no other way to say that a number is no key. */
const publicKeyOf = (secretKey: Uint8Array): Uint8Array | undefined => {
  try {
    return schnorr.getPublicKey(secretKey)
  } catch {
    return undefined
  }
}

const asAscii = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0))

/**
 * The hash of BIP-0340 §"Design" that has a name, so that what is signed for one purpose is never valid for another.
 *
 * @param tag ASCII
 */
export const taggedHash = (tag: string): ((message: Uint8Array) => Uint8Array) => {
  const name = sha256(asAscii(tag))
  const beginning = sha256.create().update(name).update(name)
  return (message) => beginning.clone().update(message).digest()
}
