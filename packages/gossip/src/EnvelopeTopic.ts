/**
 * A topic of envelopes (`@satwire/envelope`): whose they are, until when they count and what they say is known before anybody reads a body.
 *
 * Specification: envelopes are told apart by their content's id, in which hops and signature are not, once they were found good. Rationale: gossip
 * itself tells them apart by all their bytes; if it went by the id, a forged one that comes first would keep the true one away.
 */
import type { Signatures } from "@satwire/crypto"
import { type Envelope, decodeEnvelope, envelopeId, isSignedBy } from "@satwire/envelope"
import type * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { TopicCodec } from "./Codec.ts"
import { judgeExpiry } from "./Expiry.ts"
import type { Verdict } from "./Faults.ts"
import type { GossipShape } from "./Gossip.ts"
import { MAX_TOPIC_MESSAGE_BYTES, type Topic, type TopicOptions } from "./Topic.ts"

/**
 * Half of the ids that a topic remembers would have to be newer for one of them to come again.
 *
 * @limit seconds from now until an envelope on a topic may expire, unless told otherwise
 */
export const MAX_ENVELOPE_LIFE_SECONDS: number = 60 * 60
export interface SealedEnvelope {
  readonly envelope: Envelope
  /** As it came, for `withHops` or a store. */
  readonly bytes: Uint8Array
  readonly id: Uint8Array
}

export interface EnvelopeTopicOptions<R = never> extends Omit<
  TopicOptions<SealedEnvelope, R>,
  "codec" | "idOf" | "sizeOf"
> {
  /** What signatures are verified with; envelopes without one are invalid. Where it is not given nobody looks at them. */
  readonly signatures?: Signatures
  readonly maxLifeSeconds?: number
}

const codecOf = (gossip: GossipShape, maxBytes: number): TopicCodec<SealedEnvelope> => ({
  encode: ({ bytes }) => bytes,
  decode: (bytes) =>
    Result.match(decodeEnvelope(bytes, maxBytes), {
      onFailure: (error) => Result.fail(String(error)),
      onSuccess: (envelope) =>
        Result.succeed({
          envelope,
          bytes,
          id: envelopeId(gossip.shared.sha256, bytes, envelope.signature !== undefined)
        })
    })
})

/** What {@link Topic.publish} of such a topic takes, of bytes that `encodeSigned` made. */
export const sealedEnvelope = (gossip: GossipShape, bytes: Uint8Array): Result.Result<SealedEnvelope, string> =>
  codecOf(gossip, bytes.length).decode(bytes)

/** A topic of envelopes as long as the scope. */
export const envelopeTopic = <R = never>(
  gossip: GossipShape,
  name: string,
  options: EnvelopeTopicOptions<R> = {}
): Effect.Effect<Topic<SealedEnvelope>, never, R | Scope.Scope> => {
  const { signatures, maxLifeSeconds = MAX_ENVELOPE_LIFE_SECONDS, validate, ...rest } = options
  const { maxBytes = MAX_TOPIC_MESSAGE_BYTES } = options
  const judge = (sealed: SealedEnvelope): Verdict => {
    const { envelope, id } = sealed
    const inTime = judgeExpiry(envelope.expires, gossip.shared.now().unix, maxLifeSeconds)
    if (inTime !== "accept" || signatures === undefined) return inTime
    if (envelope.signature === undefined) return { reject: "invalid", detail: "no signature" }
    return isSignedBy(signatures, envelope, id) ? "accept" : { reject: "forged", detail: envelope.origin }
  }
  return gossip.topic<SealedEnvelope, R>(name, {
    ...rest,
    codec: codecOf(gossip, maxBytes),
    idOf: ({ id }) => id,
    validate: (sealed, from) => {
      const verdict = judge(sealed)
      return verdict === "accept" && validate !== undefined ? validate(sealed, from) : verdict
    }
  })
}
