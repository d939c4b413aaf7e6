/**
 * One message of an application as it goes from node to node: what it is, whose it is, until when it counts, and a body that nobody on
 * the way reads.
 *
 * ```
 *  0x99  version  hops │ expires    nonce      type  origin  target  body │ signature
 *  array    1     0..127  uint 32   uint 64     str    str   str/nil  bin │ bin/nil 64
 *   0       1      2    │  3          8         17 …                      │
 *                       └──────────────── content: its SHA-256 is the id ─┘
 * ```
 *
 * It is one array of MessagePack, and any reader of MessagePack reads it. Each value has one encoding: a length that takes more bytes than it
 * needs is malformed, so that the same envelope is the same bytes. Hops stand before all that is hashed and take one byte: who passes an
 * envelope on changes that byte and nothing else. Hops and signature are no part of the id: a replay has the id of the first, and whatever is
 * altered has another.
 *
 * The origin of a signed envelope is its key in lower-case hexadecimal, so that nobody can sign in the name of another. The origin of one
 * without a signature is a claim.
 */
import { copyOut, fromHex, toHex } from "@satwire/bytes"
import { SIGNATURE_SIZE, type SchnorrKey, type Sha256, type Signatures, taggedHash } from "@satwire/crypto"
import { UnixSeconds } from "@satwire/machine"
import * as Result from "effect/Result"
import { EnvelopeError } from "./EnvelopeError.ts"

export const ENVELOPE_VERSION = 1
/**
 * Bytes of a type, such as `chat/1`.
 *
 * @limit bytes of an envelope's type
 */
export const MAX_TYPE_BYTES = 64
/**
 * Bytes of an origin or a target.
 *
 * @limit bytes of the name of a node in an envelope
 */
export const MAX_NODE_ID_BYTES = 128
/**
 * Bytes of a whole envelope, unless the reader says otherwise.
 *
 * @limit bytes of one envelope, unless the reader says otherwise
 */
export const MAX_ENVELOPE_BYTES: number = 4 * 1024 * 1024
/**
 * What is over by ours, or not sent yet, still counts within it; what two such clocks may lie apart is twice as much.
 *
 * @limit seconds by which the clock of a message's author may lie beside ours
 */
export const CLOCK_SKEW_SECONDS = 30
/** The highest count that a byte of MessagePack holds by itself. */
export const MAX_HOPS = 127
export const ENVELOPE_ID_SIZE = 32

export interface EnvelopeSignature {
  /** x coordinate of the public key, 32 bytes. */
  readonly key: Uint8Array
  /** 64 bytes, as of BIP-0340. */
  readonly bytes: Uint8Array
}

/** An envelope before anybody has signed it. Names are visible ASCII, without spaces. */
export interface EnvelopeContent {
  /** Which message the body is: 1 to 64 bytes. */
  readonly type: string
  /** Whose it is: 1 to 128 bytes. */
  readonly origin: string
  /** Tells messages of one origin apart that say the same: a whole number from 0 to 2^53 - 1, drawn or counted. */
  readonly nonce: number
  /** From this second on it is nobody's business any more. */
  readonly expires: UnixSeconds
  /** The one node that it is for; `undefined` for all. */
  readonly target: string | undefined
  /** MessagePack of the message. After decoding a view into what was decoded. */
  readonly body: Uint8Array
}

export interface Envelope extends EnvelopeContent {
  /** How often it was passed on: 0 from its origin. */
  readonly hops: number
  readonly signature: EnvelopeSignature | undefined
}

const ARRAY_OF_9 = 0x99
const HOPS_AT = 2
const EXPIRES_AT = 3
const NONCE_AT = 8
const TYPE_AT = 17
const NIL = 0xc0
const BIN_8 = 0xc4
const BIN_16 = 0xc5
const BIN_32 = 0xc6
const UINT_32 = 0xce
const UINT_64 = 0xcf
const FIXSTR = 0xa0
const MAX_FIXSTR = 31
const STR_8 = 0xd9
const SIGNATURE_BYTES = 2 + SIGNATURE_SIZE
const KEY_HEX_LENGTH = 64
const MAX_UINT_32 = 0xffff_ffff

const fail = (kind: EnvelopeError["kind"], what: string, at: number): Result.Result<never, EnvelopeError> =>
  Result.fail(new EnvelopeError(kind, what, at))

// --- Writing -------------------------------------------------------------------------------------------------------------------------

const strSize = (length: number): number => (length <= MAX_FIXSTR ? 1 : 2) + length
const binSize = (length: number): number => (length <= 0xff ? 2 : length <= 0xffff ? 3 : 5) + length

/** Whether `text` is 1 to `max` visible ASCII characters. */
const isName = (text: string, max: number): boolean => {
  if (text.length === 0 || text.length > max) return false
  for (let i = 0; i < text.length; i++) if (!isVisible(text.charCodeAt(i))) return false
  return true
}
/** Whether an envelope can be of that type: 1 to 64 visible ASCII characters, so no spaces. */
export const isEnvelopeType = (text: string): boolean => isName(text, MAX_TYPE_BYTES)
const isVisible = (code: number): boolean => code > 0x20 && code < 0x7f

/** What of `content` no envelope can say. */
const unsayable = (content: EnvelopeContent): EnvelopeError | undefined => {
  const { type, origin, nonce, expires, target, body } = content
  if (!isEnvelopeType(type)) return new EnvelopeError("malformed", "type", TYPE_AT)
  if (!isName(origin, MAX_NODE_ID_BYTES)) return new EnvelopeError("malformed", "origin", TYPE_AT)
  if (target !== undefined && !isName(target, MAX_NODE_ID_BYTES))
    return new EnvelopeError("malformed", "target", TYPE_AT)
  if (!Number.isSafeInteger(nonce) || nonce < 0) return new EnvelopeError("malformed", "nonce", NONCE_AT)
  if (!Number.isInteger(expires) || expires < 0 || expires > MAX_UINT_32)
    return new EnvelopeError("malformed", "expiry", EXPIRES_AT)
  return body.length > MAX_UINT_32 ? new EnvelopeError("overLimit", "body", TYPE_AT) : undefined
}

class Writing {
  readonly bytes: Uint8Array
  at = 0

  constructor(size: number) {
    this.bytes = new Uint8Array(size)
  }

  byte(value: number): void {
    this.bytes[this.at++] = value
  }

  u32(value: number): void {
    this.byte(value >>> 24)
    this.byte(value >>> 16)
    this.byte(value >>> 8)
    this.byte(value)
  }

  str(text: string): void {
    if (text.length > MAX_FIXSTR) this.byte(STR_8)
    this.byte(text.length > MAX_FIXSTR ? text.length : FIXSTR | text.length)
    for (let i = 0; i < text.length; i++) this.byte(text.charCodeAt(i))
  }

  bin(bytes: Uint8Array): void {
    const { length } = bytes
    if (length <= 0xff) {
      this.byte(BIN_8)
    } else if (length <= 0xffff) {
      this.byte(BIN_16)
      this.byte(length >>> 8)
    } else {
      this.byte(BIN_32)
      this.byte(length >>> 24)
      this.byte(length >>> 16)
      this.byte(length >>> 8)
    }
    this.byte(length)
    this.bytes.set(bytes, this.at)
    this.at += length
  }
}

const TWO_32 = 0x1_0000_0000

/** Writes all but a signature, for which `signatureBytes` are left at the end. */
const write = (content: EnvelopeContent, hops: number, signatureBytes: number): Writing => {
  const { type, origin, nonce, expires, target, body } = content
  const targetSize = target === undefined ? 1 : strSize(target.length)
  const w = new Writing(
    TYPE_AT + strSize(type.length) + strSize(origin.length) + targetSize + binSize(body.length) + signatureBytes
  )
  w.byte(ARRAY_OF_9)
  w.byte(ENVELOPE_VERSION)
  w.byte(hops)
  w.byte(UINT_32)
  w.u32(expires)
  w.byte(UINT_64)
  w.u32(Math.floor(nonce / TWO_32))
  w.u32(nonce % TWO_32)
  w.str(type)
  w.str(origin)
  if (target === undefined) w.byte(NIL)
  else w.str(target)
  w.bin(body)
  return w
}

const writeSignature = (w: Writing, signature: Uint8Array): Uint8Array => {
  w.bin(signature)
  return w.bytes
}

/**
 * The bytes of an envelope in one exact array. Fails where it says what none can: a name that is empty, too long or not of visible ASCII, an
 * expiry or a nonce out of range, a signature by another key than its origin.
 */
export const encodeEnvelope = (envelope: Envelope): Result.Result<Uint8Array, EnvelopeError> => {
  const { hops, signature, origin } = envelope
  const wrong = unsayable(envelope)
  if (wrong !== undefined) return Result.fail(wrong)
  if (!Number.isInteger(hops) || hops < 0 || hops > MAX_HOPS) return fail("malformed", "hops", HOPS_AT)
  if (signature === undefined) {
    const w = write(envelope, hops, 1)
    w.byte(NIL)
    return Result.succeed(w.bytes)
  }
  if (signature.bytes.length !== SIGNATURE_SIZE) return fail("malformed", "signature", TYPE_AT)
  if (toHex(signature.key) !== origin) return fail("malformed", "origin that is not the key", TYPE_AT)
  return Result.succeed(writeSignature(write(envelope, hops, SIGNATURE_BYTES), signature.bytes))
}

// --- Ids and signatures --------------------------------------------------------------------------------------------------------------

/** Writes the 32 bytes of the id of an envelope that was encoded here or has been decoded: of its bytes from the expiry to the body. */
export const envelopeId = (sha256: Sha256, bytes: Uint8Array, isSigned: boolean): Uint8Array<ArrayBuffer> => {
  const id = new Uint8Array(ENVELOPE_ID_SIZE)
  sha256.sha256(bytes, EXPIRES_AT, bytes.length - (isSigned ? SIGNATURE_BYTES : 1), id, 0)
  return id
}

/** A signature is never over a bare hash, so that what is signed for another purpose with the same key is no envelope. */
const signedHash = taggedHash("satwire/envelope/1")

/** The bytes of an envelope whose origin is `key`, signed; no hops yet. `auxiliary` as in `SchnorrKey`. */
export const encodeSigned = (
  content: Omit<EnvelopeContent, "origin">,
  key: SchnorrKey,
  sha256: Sha256,
  auxiliary: Uint8Array
): Result.Result<Uint8Array, EnvelopeError> => {
  const { type, nonce, expires, target, body } = content
  const whole: EnvelopeContent = { type, origin: toHex(key.publicKey), nonce, expires, target, body }
  const wrong = unsayable(whole)
  if (wrong !== undefined) return Result.fail(wrong)
  const w = write(whole, 0, SIGNATURE_BYTES)
  return Result.succeed(writeSignature(w, key.sign(signedHash(envelopeId(sha256, w.bytes, true)), auxiliary)))
}

/** Whether the signature of an envelope is its key's over `id`. One without a signature has none that is valid. */
export const isSignedBy = (signatures: Signatures, envelope: Envelope, id: Uint8Array): boolean => {
  const { signature } = envelope
  return signature !== undefined && signatures.verifySchnorr(signature.bytes, signedHash(id), signature.key)
}

// --- Passing on ----------------------------------------------------------------------------------------------------------------------

/** Changes the hops of an envelope that has been decoded, in its bytes, which it gives back: nothing is read or encoded again. */
export const setHops = (bytes: Uint8Array, hops: number): Uint8Array => {
  bytes[HOPS_AT] = hops
  return bytes
}

/** A copy with other hops. */
export const withHops = (bytes: Uint8Array, hops: number): Uint8Array => setHops(copyOut(bytes), hops)

// --- Reading -------------------------------------------------------------------------------------------------------------------------

/** What makes a reading end: one for all, without a stack. */
class Stop {
  error: EnvelopeError | undefined = undefined
}
const STOP = new Stop()

class Reading {
  readonly bytes: Uint8Array
  at = TYPE_AT

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  stop(kind: EnvelopeError["kind"], what: string): never {
    STOP.error = new EnvelopeError(kind, what, this.at)
    throw STOP
  }

  byte(): number {
    if (this.at === this.bytes.length) this.stop("malformed", "envelope that ends too early")
    return this.bytes[this.at++] as number
  }

  /** Bytes from here; where they are fewer, the reading ends. */
  view(length: number, what: string): Uint8Array {
    if (this.at + length > this.bytes.length) this.stop("malformed", what)
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  name(max: number, what: string): string {
    const head = this.byte()
    const isFix = (head & 0xe0) === FIXSTR
    if (!isFix && head !== STR_8) this.stop("malformed", what)
    const length = isFix ? head & MAX_FIXSTR : this.byte()
    if (length === 0 || (!isFix && length <= MAX_FIXSTR)) this.stop("malformed", what)
    if (length > max) this.stop("overLimit", what)
    if (this.at + length > this.bytes.length) this.stop("malformed", what)
    let text = ""
    for (const end = this.at + length; this.at < end; this.at++) {
      const code = this.bytes[this.at] as number
      if (!isVisible(code)) this.stop("malformed", what)
      text += String.fromCharCode(code)
    }
    return text
  }

  body(): Uint8Array {
    const head = this.byte()
    let length = this.byte()
    if (head === BIN_16) {
      length = length * 0x100 + this.byte()
      if (length <= 0xff) this.stop("malformed", "length of the body")
    } else if (head === BIN_32) {
      length = length * 0x100_0000 + this.byte() * 0x1_0000 + this.byte() * 0x100 + this.byte()
      if (length <= 0xffff) this.stop("malformed", "length of the body")
    } else if (head !== BIN_8) {
      this.stop("malformed", "body")
    }
    return this.view(length, "body")
  }
}

const u32At = (b: Uint8Array, at: number): number =>
  (b[at] as number) * 0x100_0000 +
  (((b[at + 1] as number) << 16) | ((b[at + 2] as number) << 8) | (b[at + 3] as number))

/** The fixed part, which ends where the type begins. */
const wrongHead = (bytes: Uint8Array): EnvelopeError | undefined => {
  if (bytes.length < TYPE_AT || bytes[0] !== ARRAY_OF_9) return new EnvelopeError("malformed", "envelope", 0)
  if (bytes[1] !== ENVELOPE_VERSION) return new EnvelopeError("badVersion", "version", 1)
  if ((bytes[HOPS_AT] as number) > MAX_HOPS) return new EnvelopeError("malformed", "hops", HOPS_AT)
  if (bytes[EXPIRES_AT] !== UINT_32) return new EnvelopeError("malformed", "expiry", EXPIRES_AT)
  if (bytes[NONCE_AT] !== UINT_64 || u32At(bytes, NONCE_AT + 1) >= 0x20_0000)
    return new EnvelopeError("malformed", "nonce", NONCE_AT)
  return undefined
}

const signatureOf = (r: Reading, origin: string): EnvelopeSignature | undefined => {
  const head = r.byte()
  if (head === NIL) return undefined
  if (head !== BIN_8 || r.byte() !== SIGNATURE_SIZE) r.stop("malformed", "signature")
  const bytes = r.view(SIGNATURE_SIZE, "signature")
  const key = origin.length === KEY_HEX_LENGTH ? fromHex(origin) : undefined
  // Upper-case digits would be the same key under another name.
  if (key === undefined || toHex(key) !== origin) return r.stop("malformed", "origin that is no key")
  return { key, bytes }
}

const read = (bytes: Uint8Array): Envelope => {
  const r = new Reading(bytes)
  const type = r.name(MAX_TYPE_BYTES, "type")
  const origin = r.name(MAX_NODE_ID_BYTES, "origin")
  let target: string | undefined = undefined
  if (bytes[r.at] === NIL) r.at += 1
  else target = r.name(MAX_NODE_ID_BYTES, "target")
  const body = r.body()
  const signature = signatureOf(r, origin)
  if (r.at !== bytes.length) r.stop("malformed", "bytes behind the envelope")
  return {
    type,
    origin,
    nonce: u32At(bytes, NONCE_AT + 1) * TWO_32 + u32At(bytes, NONCE_AT + 5),
    expires: UnixSeconds(u32At(bytes, EXPIRES_AT + 1)),
    target,
    body,
    hops: bytes[HOPS_AT] as number,
    signature
  }
}

/**
 * The envelope of all of `bytes`, at most `maxBytes` of them. Its body and its signature are views. A signature is not verified: see
 * {@link isSignedBy}. The body is not read: see `@satwire/envelope/body`.
 */
export const decodeEnvelope = (
  bytes: Uint8Array,
  maxBytes: number = MAX_ENVELOPE_BYTES
): Result.Result<Envelope, EnvelopeError> => {
  if (bytes.length > maxBytes) return fail("overLimit", "bytes of the envelope", maxBytes)
  const wrong = wrongHead(bytes)
  if (wrong !== undefined) return Result.fail(wrong)
  try {
    return Result.succeed(read(bytes))
  } catch (thrown) {
    if (thrown !== STOP) throw thrown
    return Result.fail(STOP.error as EnvelopeError)
  }
}
