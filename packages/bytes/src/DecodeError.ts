/**
 * Why some bytes did not decode. A value and not an `Error`: a peer can cause one with every message it sends, and a stack trace
 * costs as much as eight pings (measured).
 */
import type * as Result from "effect/Result"

/** `malformed`: the bytes do not follow the format. `overLimit`: they do, but name more than the protocol allows. */
export type DecodeErrorKind = "malformed" | "overLimit"

export class DecodeError {
  readonly _tag = "DecodeError" as const
  readonly kind: DecodeErrorKind
  /** What was being read, in words of the format: `"compact size"`, `"inv entries"`. */
  readonly what: string
  /** Offset of the offending field from the start of the decoded bytes. */
  readonly at: number

  constructor(kind: DecodeErrorKind, what: string, at: number) {
    this.kind = kind
    this.what = what
    this.at = at
  }

  /** One sentence for a person. */
  toString(): string {
    return `${this.kind === "malformed" ? "malformed" : "over the limit"}: ${this.what} at byte ${this.at}`
  }
}

/** A decoded value and how many bytes of the input it left unread. */
export interface Decoded<out A> {
  readonly value: A
  readonly bytesLeft: number
}

export type DecodeResult<A> = Result.Result<Decoded<A>, DecodeError>
