/**
 * A kind of message: its name, what it holds by a Schema, how large it may be, and whether its origin has to have signed it. Its bytes are
 * MessagePack, with the names of the fields in each message, so that a later version can add some and an earlier one passes over them.
 */
import { isEnvelopeType } from "@satwire/envelope"
import { decodeBody, encodeBody } from "@satwire/envelope/body"
import { isMethod } from "@satwire/requests"
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { wireFormOf } from "./WireForm.ts"

/**
 * Bytes of a message whose kind names no bound of its own.
 *
 * @limit bytes of a message of an overlay whose kind says nothing else
 */
export const DEFAULT_MAX_BYTES = 65_536

/**
 * Names of letters that are no kinds of an application: the frames of requests, and what `@satwire/network-manager` hands on to peers without gossip.
 * They are the only ones that Satwire takes for itself beyond the ready kinds.
 */
export const RESERVED_NAMES = ["request", "network-broadcast"] as const
export type ReservedName = (typeof RESERVED_NAMES)[number]

interface KindErrorFields {
  readonly kind: string
  /**
   * `oversize`: more bytes than the kind allows. `malformed`: no MessagePack, or not what the Schema asks. `unsigned`: its origin has to have signed it
   * and has not.
   */
  readonly reason: "oversize" | "malformed" | "unsigned"
  /** One sentence for a person. */
  readonly message: string
}

const KindErrorBase: new (
  fields: KindErrorFields
) => Cause.YieldableError & { readonly _tag: "KindError" } & KindErrorFields = Data.TaggedError("KindError")

/** Why a message is none of its kind. */
export class KindError extends KindErrorBase {
  constructor(kind: string, reason: KindErrorFields["reason"], message: string) {
    super({ kind, reason, message: `${kind}: ${message}` })
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
 * @param name goes with each message: visible ASCII without spaces, at most 64 bytes, that nobody else in the overlay uses
 * @throws RangeError where it is no such name, or one of {@link RESERVED_NAMES}
 */
export const kind = <A, E>(name: string, schema: Schema.Codec<A, E>, options: KindOptions = {}): Kind<A> => {
  if (RESERVED_NAMES.some((reserved) => reserved === name))
    throw new RangeError(`"${name}" cannot be the name of a kind: Satwire uses it itself`)
  return kindOf(name, schema, options)
}

/** A kind of Satwire's own. */
export const reservedKind = <A, E>(
  name: ReservedName,
  schema: Schema.Codec<A, E>,
  options: KindOptions = {}
): Kind<A> => kindOf(name, schema, options)

const kindOf = <A, E>(name: string, schema: Schema.Codec<A, E>, options: KindOptions): Kind<A> => {
  if (!isEnvelopeType(name))
    throw new RangeError(
      `"${name}" cannot be the name of a kind: it has to be 1 to 64 visible ASCII characters, without spaces`
    )
  const { maxBytes = DEFAULT_MAX_BYTES, signed = "optional" } = options
  const { fromValue, toValue } = valuesOf(schema)
  const oversize = (bytes: number) =>
    Result.fail(new KindError(name, "oversize", `${bytes} bytes where ${maxBytes} are allowed`))
  const malformed = (what: string) => new KindError(name, "malformed", what)
  const decode = (bytes: Uint8Array): Result.Result<A, KindError> => {
    if (bytes.length > maxBytes) return oversize(bytes.length)
    const value = decodeBody(bytes)
    if (Result.isFailure(value)) return Result.fail(malformed(value.failure.toString()))
    return Result.mapError(fromValue(value.success), ({ message }) => malformed(brief(message)))
  }
  return {
    name,
    maxBytes,
    signed,
    decode,
    encode: (message) => {
      const value = toValue(message)
      if (Result.isFailure(value)) return Result.fail(malformed(brief(value.failure.message)))
      const bytes = encodeBody(value.success)
      if (Result.isFailure(bytes)) return Result.fail(malformed(bytes.failure.toString()))
      if (bytes.success.length > maxBytes) return oversize(bytes.success.length)
      // A peer counts what it cannot read as our fault: what comes of its own Schema may be lossy, and is read back here first.
      const back = decode(bytes.success)
      if (Result.isSuccess(back)) return Result.succeed(bytes.success)
      return Result.fail(malformed(`does not come back from its own bytes: ${back.failure.message}`))
    }
  }
}

/** There and back between messages and what a body may hold. */
const valuesOf = <A, E>(schema: Schema.Codec<A, E>) => {
  const [encode, decode] = [Schema.encodeUnknownResult(schema), Schema.decodeUnknownResult(schema)]
  const wireForm = wireFormOf(schema)
  if (wireForm === undefined) return { toValue: total(encode), fromValue: total(decode) }
  const [toWire, fromWire] = [Schema.encodeUnknownResult(wireForm), Schema.decodeUnknownResult(wireForm)]
  return {
    toValue: total((message: unknown) => Result.flatMap(encode(message), toWire)),
    fromValue: total((value: unknown) => Result.flatMap(fromWire(value), decode))
  }
}

/** A transformation of the application's may throw, whatever a peer has sent. */
const total =
  <A>(parse: (input: unknown) => Result.Result<A, { readonly message: string }>) =>
  (input: unknown): Result.Result<A, { readonly message: string }> =>
    Result.flatMap(
      Result.try({ try: () => parse(input), catch: (thrown) => ({ message: String(thrown) }) }),
      (it) => it
    )

/** What a Schema says may quote a peer at length, and over many lines. */
const brief = (message: string): string => message.slice(0, 200).replace(/[^\u0020-\u007e]+/g, " ")

/** What is asked under a name, and what the answer is. */
export interface Method<Asked, Answer> {
  readonly name: string
  readonly request: Kind<Asked>
  readonly answer: Kind<Answer>
}

/**
 * Defines a method by the kinds of its request and of its answer, or of each part of it.
 *
 * @throws RangeError where the name is none of visible ASCII without spaces, or longer than 64 bytes
 */
export const method = <Asked, Answer>(
  name: string,
  request: Kind<Asked>,
  answer: Kind<Answer>
): Method<Asked, Answer> => {
  if (!isMethod(name))
    throw new RangeError(
      `"${name}" cannot be the name of a method: it has to be 1 to 64 visible ASCII characters, without spaces`
    )
  return { name, request, answer }
}
