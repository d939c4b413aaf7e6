/**
 * One thing that somebody has said, or that he is here: an envelope of `@satwire/envelope` that its author has signed, so that it is as good
 * from a third as from himself. A history is such records as they were.
 *
 * ```
 *   envelope chat/1 │ expires │ origin = key │ body: { room, name, at, text } or { room, name, at, here } │ signature
 * ```
 */
import { toHex } from "@satwire/bytes"
import type { SchnorrKey, Sha256, Signatures } from "@satwire/crypto"
import { type Envelope, decodeEnvelope, encodeSigned, envelopeId, isSignedBy } from "@satwire/envelope"
import { decodeBody, encodeBody } from "@satwire/envelope/body"
import { UnixSeconds } from "@satwire/machine"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { isRoom, plainName, plainText, utf8Length, MAX_TEXT_BYTES } from "./Text.ts"

export const RECORD_TYPE = "chat/1"
/**
 * @limit bytes of a record of the chat, signature and all
 */
export const MAX_RECORD_BYTES = 4608
/** How long what was said counts: as long as anybody will hand it over. */
export const TEXT_LIFETIME_MS: number = 7 * 24 * 3600 * 1000
/** How long that somebody is here counts. */
export const PRESENCE_LIFETIME_MS = 120_000
/** How far the clocks of two people may lie apart. */
export const CLOCK_SKEW_MS = 120_000

/** A time in milliseconds since 1970 that a date can have. */
const At = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4_000_000_000_000 }))
const Head = { room: Schema.String, name: Schema.String, at: At }
const Said = Schema.Struct({ ...Head, text: Schema.String })
const Seen = Schema.Struct({ ...Head, here: Schema.Boolean })
const Body = Schema.Union([Said, Seen])

const decodeFields: (value: unknown) => Result.Result<Content, unknown> = Schema.decodeUnknownResult(Body)

/** What a record says: a text, or whether its author is here. */
export type Content = Heading & ({ readonly text: string } | { readonly here: boolean })

interface Heading {
  readonly room: string
  readonly name: string
  /** When it was said, by the author's clock, in milliseconds since 1970. */
  readonly at: number
}

export interface ChatRecord {
  /** SHA-256 of all but the signature, as hexadecimal digits. */
  readonly id: string
  /** Who has signed it: 64 hexadecimal digits. */
  readonly key: string
  /** With room, name and text fit to be shown. */
  readonly content: Content
  /** From this millisecond on it is nobody's business. */
  readonly expires: number
  /** As it was signed, in memory of its own. */
  readonly bytes: Uint8Array
}

/**
 * What is wrong with a record. `oversize` and `malformed`: no record. `forged`: not signed by who it says. `expired`, `early`: not of this time.
 */
export type RecordFault = "oversize" | "malformed" | "forged" | "expired" | "early"

export interface Backends {
  readonly sha256: Sha256
  readonly signatures: Signatures
}

/** Signs what somebody says. `nonce` and `auxiliary` (32 bytes) are drawn. Fails where it says what no record can. */
export const sealRecord = (
  content: Content,
  key: SchnorrKey,
  { sha256, nonce, auxiliary }: { readonly sha256: Sha256; readonly nonce: number; readonly auxiliary: Uint8Array }
): Result.Result<Uint8Array, string> => {
  const lifetime = "text" in content ? TEXT_LIFETIME_MS : PRESENCE_LIFETIME_MS
  const sealed = Result.flatMap(encodeBody(content), (body) =>
    encodeSigned(
      {
        type: RECORD_TYPE,
        nonce,
        expires: UnixSeconds(Math.floor((content.at + lifetime) / 1000)),
        target: undefined,
        body
      },
      key,
      sha256,
      auxiliary
    )
  )
  return Result.mapError(sealed, (error) => error.toString())
}

/** A record that is read and not yet believed. */
export interface UnprovenRecord extends ChatRecord {
  readonly envelope: Envelope
  readonly idBytes: Uint8Array
}

/** Reads a record without verifying its signature: that costs a hundred times as much, and most that comes is known. */
export const readRecord = (
  bytes: Uint8Array,
  sha256: Sha256,
  nowMs: number
): Result.Result<UnprovenRecord, RecordFault> => {
  if (bytes.length > MAX_RECORD_BYTES) return Result.fail("oversize")
  // What was read may be a view into something large.
  const own = bytes.slice()
  const envelope = Result.getOrUndefined(decodeEnvelope(own, MAX_RECORD_BYTES))
  if (envelope === undefined || envelope.type !== RECORD_TYPE || envelope.target !== undefined) {
    return Result.fail("malformed")
  }
  if (envelope.signature === undefined) return Result.fail("forged")
  const content = contentOf(envelope.body)
  if (content === undefined) return Result.fail("malformed")
  const lifetime = "text" in content ? TEXT_LIFETIME_MS : PRESENCE_LIFETIME_MS
  const expires = Math.min(envelope.expires * 1000, content.at + lifetime)
  if (content.at > nowMs + CLOCK_SKEW_MS) return Result.fail("early")
  if (expires <= nowMs) return Result.fail("expired")
  const idBytes = envelopeId(sha256, own, true)
  return Result.succeed({ id: toHex(idBytes), key: envelope.origin, content, expires, bytes: own, envelope, idBytes })
}

/** Whether who it says has signed it. */
export const isProven = ({ envelope, idBytes }: UnprovenRecord, signatures: Signatures): boolean =>
  isSignedBy(signatures, envelope, idBytes)

const contentOf = (body: Uint8Array): Content | undefined => {
  const content = Result.getOrUndefined(Result.flatMap(decodeBody(body), decodeFields))
  if (content === undefined || !isRoom(content.room)) return undefined
  const name = plainName(content.name) ?? "nobody"
  if (!("text" in content)) return { ...content, name }
  if (utf8Length(content.text) > MAX_TEXT_BYTES) return undefined
  return { ...content, name, text: plainText(content.text) }
}
