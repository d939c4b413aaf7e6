/**
 * From two public keys to the secrets of a BIP-0324 connection.
 *
 * ```
 *  our private key ┐
 *  their 64 bytes  ┴─▶ shared x ─┐
 *  both 64 bytes ────────────────┴─▶ tagged hash ─▶ HKDF, salted with the network's magic ─▶ keys, terminators, session id
 * ```
 *
 * Source: BIP-0324 §"Shared secret computation", §"Keys and session ID derivation".
 */
import { expand, extract } from "@noble/hashes/hkdf.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { type EllSwiftKey, ellSwiftSharedX } from "./EllSwift.ts"
import type { XOnlyCurve } from "./XOnlyCurve.ts"

/** Bytes of a garbage terminator (Bitcoin Core's `GARBAGE_TERMINATOR_LEN`, bip324.h). */
export const GARBAGE_TERMINATOR_SIZE = 16

/** What one side of a connection needs to send and to receive. */
export interface Bip324Secrets {
  /** 32 bytes that only this connection has: both ends may compare them. */
  readonly sessionId: Uint8Array
  readonly sendLengthKey: Uint8Array
  readonly sendPacketKey: Uint8Array
  readonly receiveLengthKey: Uint8Array
  readonly receivePacketKey: Uint8Array
  readonly sendTerminator: Uint8Array
  readonly receiveTerminator: Uint8Array
}

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0))

const TAG = sha256(ascii("bip324_ellswift_xonly_ecdh"))
const SALT = ascii("bitcoin_v2_shared_secret")
const INFO = {
  sessionId: ascii("session_id"),
  initiatorLength: ascii("initiator_L"),
  initiatorPacket: ascii("initiator_P"),
  responderLength: ascii("responder_L"),
  responderPacket: ascii("responder_P"),
  terminators: ascii("garbage_terminators")
}

/** `v2_ecdh`: 32 bytes that both sides work out. A few milliseconds. */
export const bip324SharedSecret = (
  curve: XOnlyCurve,
  ours: EllSwiftKey,
  theirs: Uint8Array,
  initiating: boolean
): Uint8Array => {
  const sharedX = ellSwiftSharedX(curve, ours.privateKey, theirs)
  const hash = sha256.create().update(TAG).update(TAG)
  hash.update(initiating ? ours.publicKey : theirs).update(initiating ? theirs : ours.publicKey)
  const secret = hash.update(sharedX).digest()
  sharedX.fill(0)
  return secret
}

/**
 * `initialize_v2_transport`: everything that is derived from the shared secret.
 *
 * @param magic the network's four bytes, as `ChainParams.magic`
 */
export const bip324Secrets = (sharedSecret: Uint8Array, magic: number, initiating: boolean): Bip324Secrets => {
  const salt = new Uint8Array(SALT.length + 4)
  salt.set(SALT)
  new DataView(salt.buffer).setUint32(SALT.length, magic, true)
  const key = extract(sha256, sharedSecret, salt)
  const derived = (info: Uint8Array): Uint8Array => expand(sha256, key, info, 32)
  const terminators = derived(INFO.terminators)
  const initiator = {
    length: derived(INFO.initiatorLength),
    packet: derived(INFO.initiatorPacket),
    terminator: terminators.slice(0, GARBAGE_TERMINATOR_SIZE)
  }
  const responder = {
    length: derived(INFO.responderLength),
    packet: derived(INFO.responderPacket),
    terminator: terminators.slice(GARBAGE_TERMINATOR_SIZE)
  }
  const sessionId = derived(INFO.sessionId)
  key.fill(0)
  const [ours, theirs] = initiating ? [initiator, responder] : [responder, initiator]
  return {
    sessionId,
    sendLengthKey: ours.length,
    sendPacketKey: ours.packet,
    receiveLengthKey: theirs.length,
    receivePacketKey: theirs.packet,
    sendTerminator: ours.terminator,
    receiveTerminator: theirs.terminator
  }
}
