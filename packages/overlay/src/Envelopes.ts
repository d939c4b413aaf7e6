/**
 * Envelopes on a stream of bytes, for messengers: each with its length before it, made and judged in one place.
 *
 * ```
 *   u32 length | envelope | u32 length | envelope …
 * ```
 */
import { Writer, copyOut, toHex } from "@satwire/bytes"
import { type SchnorrKey, type Sha256, type Signatures, portableSha256, portableSignatures } from "@satwire/crypto"
import {
  CLOCK_SKEW_SECONDS,
  type Envelope,
  MAX_ENVELOPE_BYTES,
  decodeEnvelope,
  encodeEnvelope,
  encodeSigned,
  envelopeId,
  isSignedBy
} from "@satwire/envelope"
import { type Now, type Random, UnixSeconds } from "@satwire/machine"
import { nowReader, seededRandom } from "@satwire/runtime"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Letter, MessengerFault, Outgoing } from "./Messenger.ts"

/** How long a message counts after it was sent. */
const LIFETIME_SECONDS = 60
/**
 * Seconds by which the expiry of a signed message may lie ahead: so long it has to be remembered.
 *
 * @limit seconds that a signed message of an overlay may count
 */
export const MAX_LIFETIME_SECONDS = 600
/**
 * Signed messages that are remembered, so that none comes twice; the oldest are forgotten.
 *
 * @limit signed messages of an overlay that are remembered
 */
export const MAX_SEEN = 65_536
const HEAD_BYTES = 4

/** How a messenger makes and judges envelopes. */
export interface EnvelopesOptions {
  /** Signs what has to be signed. Without one nothing can be. */
  readonly key?: SchnorrKey | undefined
  /** The origin of what is not signed: visible ASCII, `anonymous` where not given. Nobody verifies it. */
  readonly origin?: string | undefined
  readonly sha256?: Sha256 | undefined
  readonly signatures?: Signatures | undefined
}

/** Envelopes made, opened and judged. It remembers those that were signed, so there is one for a messenger. */
export class Envelopes {
  readonly #options: EnvelopesOptions
  readonly #now: () => Now
  readonly #random: Random
  readonly #sha256: Sha256
  readonly #signatures: Signatures
  /** Ids of signed envelopes, the oldest first. */
  readonly #seen: Set<string> = new Set()

  private constructor(options: EnvelopesOptions, now: () => Now, random: Random) {
    this.#options = options
    this.#now = now
    this.#random = random
    this.#sha256 = options.sha256 ?? portableSha256
    this.#signatures = options.signatures ?? portableSignatures
  }

  static make(options: EnvelopesOptions): Effect.Effect<Envelopes> {
    return Effect.gen(function* () {
      return new Envelopes(options, yield* nowReader, yield* seededRandom)
    })
  }

  get canSign(): boolean {
    return this.#options.key !== undefined
  }

  /** The envelope of a message with its length before it. What no envelope can say is our own fault, and a `RangeError`. */
  seal({ body, isSigned, type }: Outgoing): Uint8Array {
    const { key, origin = "anonymous" } = this.#options
    const content = {
      type,
      nonce: this.#random.u32() * 0x20_0000 + this.#random.below(0x20_0000),
      expires: UnixSeconds(Math.floor(this.#now().unix) + LIFETIME_SECONDS),
      target: undefined,
      body
    }
    const sealed =
      isSigned && key !== undefined
        ? encodeSigned(content, key, this.#sha256, this.#random.bytes(32))
        : encodeEnvelope({ ...content, origin, hops: 0, signature: undefined })
    if (Result.isFailure(sealed)) throw new RangeError(`no envelope: ${sealed.failure.toString()}`)
    const writer = new Writer(new Uint8Array(HEAD_BYTES + sealed.success.length))
    writer.u32(sealed.success.length)
    writer.raw(sealed.success)
    return writer.bytes
  }

  /** What is in an envelope; `undefined` where it is passed over, and `stop` where nothing more is to be read. */
  open(bytes: Uint8Array, fault: (what: MessengerFault, detail: string) => void): Letter | undefined | "stop" {
    const opened = decodeEnvelope(bytes)
    if (Result.isFailure(opened)) {
      const isOfLater = opened.failure.kind === "badVersion"
      fault(isOfLater ? "other version" : "not an envelope", opened.failure.toString())
      return isOfLater ? undefined : "stop"
    }
    const { body, signature, type } = opened.success
    // A copy: the letter may outlive what it came with.
    if (signature === undefined) return { type, body: copyOut(body) }
    const wrong = this.#judge(opened.success, bytes)
    if (wrong === undefined) return { type, body: copyOut(body), signer: copyOut(signature.key) }
    fault(wrong, type)
    return wrong === "forged" ? "stop" : undefined
  }

  #judge(envelope: Envelope, bytes: Uint8Array): MessengerFault | undefined {
    const { unix } = this.#now()
    if (envelope.expires + CLOCK_SKEW_SECONDS < unix || envelope.expires > unix + MAX_LIFETIME_SECONDS) return "expired"
    const id = envelopeId(this.#sha256, bytes, true)
    const name = toHex(id)
    if (this.#seen.has(name)) return "replayed"
    if (!isSignedBy(this.#signatures, envelope, id)) return "forged"
    this.#seen.add(name)
    if (this.#seen.size > MAX_SEEN) this.#seen.delete(this.#seen.values().next().value as string)
    return undefined
  }
}

/** Finds the envelopes in a stream of bytes. It holds at most twice what has come. */
export class FrameReader {
  #memory: Uint8Array = new Uint8Array(0)
  /** What is not read yet lies from here to there. */
  #from = 0
  #to = 0

  /** False where these bytes are no frames. Reading ends where `onFrame` says false; the frame is valid during that call only. */
  read(bytes: Uint8Array, onFrame: (frame: Uint8Array) => boolean): boolean {
    this.#append(bytes)
    for (;;) {
      const held = this.#to - this.#from
      if (held < HEAD_BYTES) break
      const view = new DataView(this.#memory.buffer, this.#memory.byteOffset + this.#from)
      const length = view.getUint32(0, true)
      if (length === 0 || length > MAX_ENVELOPE_BYTES) return false
      if (held < HEAD_BYTES + length) break
      const start = this.#from + HEAD_BYTES
      this.#from = start + length
      if (!onFrame(this.#memory.subarray(start, start + length))) return true
    }
    if (this.#from === this.#to) {
      this.#memory = new Uint8Array(0)
      this.#from = 0
      this.#to = 0
    }
    return true
  }

  #append(bytes: Uint8Array): void {
    const held = this.#memory.subarray(this.#from, this.#to)
    if (this.#to + bytes.length > this.#memory.length || this.#memory.length === 0) {
      this.#memory = new Uint8Array(2 * held.length + bytes.length)
      this.#memory.set(held)
      this.#from = 0
      this.#to = held.length
    }
    this.#memory.set(bytes, this.#to)
    this.#to += bytes.length
  }
}
