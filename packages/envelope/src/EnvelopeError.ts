/** What is wrong with an envelope. A value and not an `Error`: a peer can cause one with every message that it sends. */

/**
 * `malformed`: the bytes are no envelope. `overLimit`: they are one, but larger or deeper than is taken. `badVersion`: they are one of a
 * version that is not known here.
 */
export type EnvelopeErrorKind = "malformed" | "overLimit" | "badVersion"

export class EnvelopeError {
  readonly _tag = "EnvelopeError" as const
  readonly kind: EnvelopeErrorKind
  /** What was being read, in words of the format: `"type"`, `"depth of the body"`. */
  readonly what: string
  /** Offset of the offending field from the start of the bytes. */
  readonly at: number

  constructor(kind: EnvelopeErrorKind, what: string, at: number) {
    this.kind = kind
    this.what = what
    this.at = at
  }

  /** One sentence for a person. */
  toString(): string {
    return `${SAYS[this.kind]}: ${this.what} at byte ${this.at}`
  }
}

const SAYS: Record<EnvelopeErrorKind, string> = {
  malformed: "malformed",
  overLimit: "over the limit",
  badVersion: "of an unknown version"
}
