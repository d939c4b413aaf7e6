/**
 * A kind of message: its name, what it holds by a Schema, how large it may be, and whether its origin has to have signed it. Its bytes are
 * MessagePack, with the names of the fields in each message, so that a later version can add some and an earlier one passes over them.
 */
import { decodeBody, encodeBody } from "@satwire/envelope/body"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/**
 * Bytes of a message whose kind names no bound of its own.
 *
 * @limit bytes of a message of an overlay whose kind says nothing else
 */
export const DEFAULT_MAX_BYTES = 65_536

/**
 * Why a message is none of its kind. `oversize`: more bytes than the kind allows. `malformed`: no MessagePack, or not what the Schema asks.
 * `unsigned`: its origin has to have signed it and has not.
 */
export class KindError {
  readonly _tag = "KindError" as const
  readonly kind: string
  readonly reason: "oversize" | "malformed" | "unsigned"
  /** One sentence for a person. */
  readonly message: string

  constructor(kind: string, reason: KindError["reason"], message: string) {
    this.kind = kind
    this.reason = reason
    this.message = `${kind}: ${message}`
  }
}

export interface KindOptions {
  /** {@link DEFAULT_MAX_BYTES} where not given. */
  readonly maxBytes?: number | undefined
  /** Whether a message without its origin's signature is taken: `optional` where not given. */
  readonly signed?: "required" | "optional" | undefined
}

export interface Kind<A> {
  readonly name: string
  readonly maxBytes: number
  readonly signed: "required" | "optional"
  /** The message as bytes, or why it is none of this kind: nothing is sent that the other end would refuse. */
  readonly encode: (message: A) => Result.Result<Uint8Array, KindError>
  /** Total: whatever the bytes are, it is a message or an error. */
  readonly decode: (bytes: Uint8Array) => Result.Result<A, KindError>
}

/**
 * Defines a kind.
 *
 * @param name goes with each message: a word without spaces that nobody else in the overlay uses
 */
export const kind = <A, E>(name: string, schema: Schema.Codec<A, E>, options: KindOptions = {}): Kind<A> => {
  const { maxBytes = DEFAULT_MAX_BYTES, signed = "optional" } = options
  const decodeValue = Schema.decodeUnknownResult(schema)
  const encodeValue = Schema.encodeUnknownResult(schema)
  const oversize = (bytes: number) =>
    Result.fail(new KindError(name, "oversize", `${bytes} bytes where ${maxBytes} are allowed`))
  const malformed = (what: string) => new KindError(name, "malformed", what)
  return {
    name,
    maxBytes,
    signed,
    encode: (message) => {
      const value = encodeValue(message)
      if (Result.isFailure(value)) return Result.fail(malformed(brief(value.failure.message)))
      const bytes = encodeBody(value.success)
      if (Result.isFailure(bytes)) return Result.fail(malformed(bytes.failure.toString()))
      return bytes.success.length > maxBytes ? oversize(bytes.success.length) : Result.succeed(bytes.success)
    },
    decode: (bytes) => {
      if (bytes.length > maxBytes) return oversize(bytes.length)
      const value = decodeBody(bytes)
      if (Result.isFailure(value)) return Result.fail(malformed(value.failure.toString()))
      return Result.mapError(decodeValue(value.success), ({ message }) => malformed(brief(message)))
    }
  }
}

/** What a Schema says may quote a peer at length, and over many lines. */
const brief = (message: string): string => message.slice(0, 200).replace(/[^\u0020-\u007e]+/g, " ")

/** What is asked under a name, and what the answer is. */
export interface Method<Asked, Answer> {
  readonly name: string
  readonly request: Kind<Asked>
  readonly answer: Kind<Answer>
}

/** Defines a method by the kinds of its request and of its answer, or of each part of it. */
export const method = <Asked, Answer>(
  name: string,
  request: Kind<Asked>,
  answer: Kind<Answer>
): Method<Asked, Answer> => ({ name, request, answer })
