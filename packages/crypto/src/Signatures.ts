/**
 * Checks ECDSA and Schnorr signatures over secp256k1, by the rules of Bitcoin's consensus. A backend interface: plain JavaScript here, and
 * {@link signaturesFrom} makes one of any library with the interface of `tiny-secp256k1`, which nobody has to install.
 *
 * It is no script interpreter: signature hashes, the encodings that scripts carry (DER and its lax reading, the sighash byte) and what is
 * policy alone (low S) belong to the caller. Who signs: `Signing.ts`.
 *
 * Everything here is total: bytes of a wrong length, off the curve or out of range are a signature that is not valid. Two kinds of valid
 * Schnorr signatures nobody can make, so that backends may differ on them: s = 0 (noble says no), and an r from the group's order on.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import { hashes, schnorr, verify } from "@noble/secp256k1"

/** Bytes of r and s, 32 each, big-endian. */
export const SIGNATURE_SIZE = 64

export interface Signatures {
  /** For logs and benchmarks: which backend this is. */
  readonly name: string
  /**
   * ECDSA. `signature` is r and s in 64 bytes, and s may be of either half, as Core 28.1 `CPubKey::Verify` has it; `hash` is the 32 bytes
   * that were signed; `publicKey` has 33 bytes, or 65 with 4 in front or, as consensus allows, the hybrid 6 and 7.
   */
  verifyEcdsa(signature: Uint8Array, hash: Uint8Array, publicKey: Uint8Array): boolean
  /** BIP-0340 §"Verification": a signature of 64 bytes, a message of any length, and the x coordinate of a public key in 32 bytes. */
  verifySchnorr(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean
}

const HASH_SIZE = 32
const COMPRESSED_SIZE = 33
const UNCOMPRESSED_SIZE = 65
const UNCOMPRESSED = 4
const HYBRID_EVEN = 6
const HYBRID_ODD = 7
const CONSENSUS = { prehash: false, lowS: false } as const

/**
 * `publicKey` in a form that every library reads: a hybrid key says the parity of y in front and is an uncompressed one where that holds.
 * `undefined` if it is no public key by its length or its first byte.
 */
const plainKey = (publicKey: Uint8Array): Uint8Array | undefined => {
  const first = publicKey[0]
  if (publicKey.length === COMPRESSED_SIZE) return first === 2 || first === 3 ? publicKey : undefined
  if (publicKey.length !== UNCOMPRESSED_SIZE) return undefined
  if (first === UNCOMPRESSED) return publicKey
  const isOdd = ((publicKey[UNCOMPRESSED_SIZE - 1] as number) & 1) === 1
  if (first !== (isOdd ? HYBRID_ODD : HYBRID_EVEN)) return undefined
  const plain = publicKey.slice()
  plain[0] = UNCOMPRESSED
  return plain
}

/** Lengths and first bytes judged once for all backends: `judge` gets what a library may be asked about. */
const ecdsaBy =
  (judge: Signatures["verifyEcdsa"]): Signatures["verifyEcdsa"] =>
  (signature, hash, publicKey) => {
    if (signature.length !== SIGNATURE_SIZE || hash.length !== HASH_SIZE) return false
    const key = plainKey(publicKey)
    return key !== undefined && judge(signature, hash, key)
  }

const schnorrBy =
  (judge: Signatures["verifySchnorr"]): Signatures["verifySchnorr"] =>
  (signature, message, publicKey) =>
    signature.length === SIGNATURE_SIZE && publicKey.length === HASH_SIZE && judge(signature, message, publicKey)

/** The library hashes by a function in a slot that all its users share: lent for the time of the call. */
export const withSha256 = <A>(judge: () => A): A => {
  const before = hashes.sha256
  hashes.sha256 = sha256
  try {
    return judge()
  } finally {
    hashes.sha256 = before
  }
}

const nobleEcdsa: Signatures["verifyEcdsa"] = (signature, hash, publicKey) =>
  verify(signature, hash, publicKey, CONSENSUS)

const nobleSchnorr: Signatures["verifySchnorr"] = (signature, message, publicKey) =>
  withSha256(() => schnorr.verify(signature, message, publicKey))

/** `@noble/secp256k1`: runs anywhere, and what every other backend is held against. */
export const portableSignatures: Signatures = {
  name: "noble",
  verifyEcdsa: ecdsaBy(nobleEcdsa),
  verifySchnorr: schnorrBy(nobleSchnorr)
}

/** What is asked of a library: `tiny-secp256k1` has it, and what was made to stand in its place. */
export interface SignatureLibrary {
  verify(hash: Uint8Array, publicKey: Uint8Array, signature: Uint8Array): boolean
  verifySchnorr(hash: Uint8Array, publicKey: Uint8Array, signature: Uint8Array): boolean
}

/** A throw means that the library does not take the question, not that the answer is no. */
const answered = (judge: () => boolean): boolean | undefined => {
  try {
    return judge()
  } catch {
    return undefined
  }
}

/**
 * A backend made of `library`. Questions that it refuses go to {@link portableSignatures}: `tiny-secp256k1` throws on points that are off
 * the curve, and takes no Schnorr message but one of 32 bytes.
 */
export const signaturesFrom = (name: string, library: SignatureLibrary): Signatures => ({
  name,
  verifyEcdsa: ecdsaBy(
    (signature, hash, publicKey) =>
      answered(() => library.verify(hash, publicKey, signature)) ?? nobleEcdsa(signature, hash, publicKey)
  ),
  verifySchnorr: schnorrBy(
    (signature, message, publicKey) =>
      (message.length === HASH_SIZE
        ? answered(() => library.verifySchnorr(message, publicKey, signature))
        : undefined) ?? nobleSchnorr(signature, message, publicKey)
  )
})
