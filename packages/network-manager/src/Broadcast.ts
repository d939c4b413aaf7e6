/**
 * A message for all: an envelope whose origin is a peer id, and after it the signature by that peer's key, so that it says who wrote it through
 * whichever hands it came.
 *
 * ```
 *   envelope (hops 0, unsigned) | [key 32, its signature of the envelope 64] | signature of "satwire/broadcast/1" and all before it, 64 bytes
 * ```
 *
 * Specification: kinds that have to be signed have the part in brackets, by the key that signs their direct messages, too; others have none. Both
 * signatures are over the peer id of the author, so that nobody spreads what another one has signed as his own.
 *
 * Rationale: the signature of envelopes is BIP-0340's, which takes milliseconds in JavaScript; a libp2p node has an Ed25519 key, which everybody
 * knows by its peer id, and whose signatures the platform verifies in a tenth of that.
 */
import type { PrivateKey } from "@libp2p/interface"
import { peerIdFromPrivateKey, peerIdFromString } from "@libp2p/peer-id"
import { concat } from "@satwire/bytes"
import { type SchnorrKey, portableSignatures, taggedHash } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"
import { type Envelope, type EnvelopeError, decodeEnvelope, encodeEnvelope, envelopeId } from "@satwire/envelope"
import { type Verdict, judgeExpiry } from "@satwire/gossip"
import { type Now, type Random, UnixSeconds } from "@satwire/machine"
import { type Kind, KindError } from "@satwire/overlay"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"

const SIGNATURE_BYTES = 64
const SIGNER_BYTES = 32
/** Behind an envelope that is signed by a key, and behind one that is not. */
const [SIGNED_TAIL, UNSIGNED_TAIL] = [SIGNER_BYTES + 2 * SIGNATURE_BYTES, SIGNATURE_BYTES]
/** What an envelope and its signatures add to a message at most. */
export const BROADCAST_OVERHEAD_BYTES = 512
const LIFETIME_SECONDS = 120
const PURPOSE: Uint8Array = new TextEncoder().encode("satwire/broadcast/1")

export interface Broadcast<A> {
  readonly message: A
  /** Who wrote it, if the signature holds. */
  readonly from: string
  /** Whose key signed it, too, if that signature holds; `undefined` where its kind asks for none. */
  readonly signer: Uint8Array | undefined
  readonly expires: number
  readonly bytes: Uint8Array
  readonly id: Uint8Array
}

const signed = (bytes: Uint8Array): Uint8Array => concat([PURPOSE, bytes])

/** What a key signs: never a bare hash, nor what it signs for another purpose. */
const signerHash = taggedHash("satwire/broadcast-signer/1")

const without = (bytes: Uint8Array, tail: number): Uint8Array => bytes.subarray(0, Math.max(0, bytes.length - tail))

/** An envelope says where it ends: the bytes are of the one form or of the other. */
const opened = (bytes: Uint8Array): Result.Result<{ envelope: Envelope; tail: number }, EnvelopeError> =>
  Result.orElse(openedAt(bytes, UNSIGNED_TAIL), () => openedAt(bytes, SIGNED_TAIL))
const openedAt = (bytes: Uint8Array, tail: number) =>
  Result.map(decodeEnvelope(without(bytes, tail)), (envelope) => ({ envelope, tail }))

/** Of which kind such bytes are, for who does not know yet. */
export const broadcastKind = (bytes: Uint8Array): string | undefined =>
  Result.match(opened(bytes), { onFailure: () => undefined, onSuccess: ({ envelope }) => envelope.type })

/** Total. Whose it is stands to be verified. */
export const decodeBroadcast = <A>(kind: Kind<A>, bytes: Uint8Array): Result.Result<Broadcast<A>, string> => {
  const read = opened(bytes)
  if (Result.isFailure(read)) return Result.fail(read.failure.toString())
  const { envelope, tail } = read.success
  const { body, expires, hops, origin, signature, target, type } = envelope
  // Everything is what was signed: nobody makes a second one of it by other hops.
  if (type !== kind.name || hops !== 0 || signature !== undefined || target !== undefined) {
    return Result.fail(`a broadcast of ${kind.name} has no hops, target or signature in its envelope`)
  }
  const isSigned = tail === SIGNED_TAIL
  if (isSigned !== (kind.signed === "required")) {
    return Result.fail(`a broadcast of ${kind.name} has ${isSigned ? "no key" : "to be signed by a key"}`)
  }
  return Result.match(kind.decode(body), {
    onFailure: ({ message }) => Result.fail(message),
    onSuccess: (message) => {
      const whole = without(bytes, tail)
      // A copy, and no `Buffer`, whose slice were none.
      const signer = isSigned ? Uint8Array.from(bytes.subarray(whole.length, whole.length + SIGNER_BYTES)) : undefined
      const id = envelopeId(platformSha256, whole, false)
      return Result.succeed({ message, from: origin, signer, expires, bytes, id })
    }
  })
}

/** Whether the key that it names has signed it, where it names one. */
const isOfSigner = ({ bytes, signer }: Broadcast<unknown>): boolean => {
  if (signer === undefined) return true
  const envelope = without(bytes, SIGNED_TAIL)
  const from = envelope.length + SIGNER_BYTES
  return portableSignatures.verifySchnorr(bytes.subarray(from, from + SIGNATURE_BYTES), signerHash(envelope), signer)
}

/** Whether it is in time and of whom it says. */
export const judgeBroadcast = (broadcast: Broadcast<unknown>, { unix }: Now): Verdict | Effect.Effect<Verdict> => {
  const { bytes, expires, from } = broadcast
  const inTime = judgeExpiry(expires, unix, LIFETIME_SECONDS)
  if (inTime !== "accept") return inTime
  const forged: Verdict = { reject: "forged", detail: from }
  try {
    const peerId = peerIdFromString(from)
    const { publicKey } = peerId
    // No node here has another, and to verify one of secp256k1 takes twenty times as long (measured).
    if (publicKey?.type !== "Ed25519") return { reject: "invalid", detail: "a peer id without an Ed25519 key" }
    // A key has several spellings, and would be as many authors.
    if (peerId.toString() !== from) return { reject: "invalid", detail: "a peer id as nobody here writes it" }
    // The key's own signature takes longer by far, and comes last.
    const verdict = (holds: boolean): Verdict => (holds && isOfSigner(broadcast) ? "accept" : forged)
    const holds = publicKey.verify(
      signed(without(bytes, SIGNATURE_BYTES)),
      bytes.subarray(bytes.length - SIGNATURE_BYTES)
    )
    if (typeof holds === "boolean") return verdict(holds)
    return Effect.promise(() => holds.then(verdict).catch(() => forged))
  } catch {
    return forged
  }
}

export class BroadcastWriter {
  readonly #key: PrivateKey
  readonly #random: Random
  readonly #now: () => Now
  readonly #origin: string
  readonly #signingKey: SchnorrKey | undefined

  /** Without a `signingKey` it writes no broadcast of a kind that has to be signed. */
  constructor(key: PrivateKey, random: Random, now: () => Now, signingKey?: SchnorrKey) {
    this.#signingKey = signingKey
    this.#key = key
    this.#random = random
    this.#now = now
    this.#origin = peerIdFromPrivateKey(key).toString()
  }

  write<A>(kind: Kind<A>, message: A): Effect.Effect<Broadcast<A>, KindError> {
    return Effect.gen({ self: this }, function* () {
      const signer = kind.signed === "required" ? this.#signingKey : undefined
      if (kind.signed === "required" && signer === undefined)
        return yield* new KindError(kind.name, "unsigned", "there is no key to sign it")
      const body = yield* Effect.fromResult(kind.encode(message))
      const expires = UnixSeconds(Math.floor(this.#now().unix) + LIFETIME_SECONDS)
      const nonce = this.#random.u32() * 0x20_0000 + this.#random.below(0x20_0000)
      const content = { type: kind.name, origin: this.#origin, nonce, expires, target: undefined, body }
      const envelope = yield* Effect.fromResult(
        Result.mapError(
          encodeEnvelope({ ...content, hops: 0, signature: undefined }),
          (error) => new KindError(kind.name, "malformed", error.toString())
        )
      )
      const ofSigner =
        signer === undefined ? [] : [signer.publicKey, signer.sign(signerHash(envelope), this.#random.bytes(32))]
      const before = concat([envelope, ...ofSigner])
      const bytes = concat([before, yield* Effect.promise(async () => this.#key.sign(signed(before)))])
      const id = envelopeId(platformSha256, envelope, false)
      return { message, from: this.#origin, signer: signer?.publicKey, expires, bytes, id }
    })
  }
}
