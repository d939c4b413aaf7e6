/**
 * A message for all: an envelope whose origin is a peer id, and after it the signature by that peer's key, so that it says who wrote it through
 * whichever hands it came.
 *
 * ```
 *   envelope (hops 0, unsigned) | signature of "satwire/broadcast/1" and the envelope, 64 bytes
 * ```
 *
 * Rationale: the signature of envelopes is BIP-0340's, which takes milliseconds in JavaScript; a libp2p node has an Ed25519 key, which everybody
 * knows by its peer id, and whose signatures the platform verifies in a tenth of that.
 */
import type { PrivateKey } from "@libp2p/interface"
import { peerIdFromPrivateKey, peerIdFromString } from "@libp2p/peer-id"
import { platformSha256 } from "@satwire/crypto/node"
import { decodeEnvelope, encodeEnvelope, envelopeId } from "@satwire/envelope"
import { type Verdict, judgeExpiry } from "@satwire/gossip"
import { type Now, type Random, UnixSeconds } from "@satwire/machine"
import { type Kind, KindError } from "@satwire/overlay"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"

const SIGNATURE_BYTES = 64
/** What an envelope and a signature add to a message at most. */
export const BROADCAST_OVERHEAD_BYTES = 512
const LIFETIME_SECONDS = 120
const PURPOSE: Uint8Array = new TextEncoder().encode("satwire/broadcast/1")

export interface Broadcast<A> {
  readonly message: A
  /** Who wrote it, if the signature holds. */
  readonly from: string
  readonly expires: number
  readonly bytes: Uint8Array
  readonly id: Uint8Array
}

const signed = (envelope: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(PURPOSE.length + envelope.length)
  bytes.set(PURPOSE)
  bytes.set(envelope, PURPOSE.length)
  return bytes
}

const envelopeOf = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, Math.max(0, bytes.length - SIGNATURE_BYTES))

/** Of which kind such bytes are, for who does not know yet. */
export const broadcastKind = (bytes: Uint8Array): string | undefined =>
  Result.match(decodeEnvelope(envelopeOf(bytes)), { onFailure: () => undefined, onSuccess: ({ type }) => type })

/** Total. Whose it is stands to be verified. */
export const decodeBroadcast = <A>(kind: Kind<A>, bytes: Uint8Array): Result.Result<Broadcast<A>, string> => {
  const envelope = decodeEnvelope(envelopeOf(bytes))
  if (Result.isFailure(envelope)) return Result.fail(envelope.failure.toString())
  const { body, expires, hops, origin, signature, target, type } = envelope.success
  // Everything is what was signed: nobody makes a second one of it by other hops.
  if (type !== kind.name || hops !== 0 || signature !== undefined || target !== undefined) {
    return Result.fail(`a broadcast of ${kind.name} has no hops, target or signature in its envelope`)
  }
  return Result.match(kind.decode(body), {
    onFailure: ({ message }) => Result.fail(message),
    onSuccess: (message) => {
      const id = envelopeId(platformSha256, envelopeOf(bytes), false)
      return Result.succeed({ message, from: origin, expires, bytes, id })
    }
  })
}

/** Whether it is in time and of whom it says. */
export const judgeBroadcast = (
  { bytes, expires, from }: Broadcast<unknown>,
  { unix }: Now
): Verdict | Effect.Effect<Verdict> => {
  const inTime = judgeExpiry(expires, unix, LIFETIME_SECONDS)
  if (inTime !== "accept") return inTime
  const forged: Verdict = { reject: "forged", detail: from }
  try {
    const peerId = peerIdFromString(from)
    const { publicKey } = peerId
    if (publicKey === undefined) return { reject: "invalid", detail: "a peer id without a key" }
    // A key has several spellings, and would be as many authors.
    if (peerId.toString() !== from) return { reject: "invalid", detail: "a peer id as nobody here writes it" }
    const holds = publicKey.verify(signed(envelopeOf(bytes)), bytes.subarray(bytes.length - SIGNATURE_BYTES))
    if (typeof holds === "boolean") return holds ? "accept" : forged
    return Effect.promise(() => holds.then((is): Verdict => (is ? "accept" : forged)).catch(() => forged))
  } catch {
    return forged
  }
}

export class BroadcastWriter {
  readonly #key: PrivateKey
  readonly #random: Random
  readonly #now: () => Now
  readonly #origin: string

  constructor(key: PrivateKey, random: Random, now: () => Now) {
    this.#key = key
    this.#random = random
    this.#now = now
    this.#origin = peerIdFromPrivateKey(key).toString()
  }

  write<A>(kind: Kind<A>, message: A): Effect.Effect<Broadcast<A>, KindError> {
    return Effect.gen({ self: this }, function* () {
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
      const signature = yield* Effect.promise(async () => this.#key.sign(signed(envelope)))
      const bytes = new Uint8Array(envelope.length + signature.length)
      bytes.set(envelope)
      bytes.set(signature, envelope.length)
      return { message, from: this.#origin, expires, bytes, id: envelopeId(platformSha256, envelope, false) }
    })
  }
}
