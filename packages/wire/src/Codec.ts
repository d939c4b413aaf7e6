/**
 * The shape of one message's codec. The table of all of them (`MessageTable.ts`) is the one source of the command names, the
 * `Message` union, the limits, the metric labels, the fuzz list and the documentation.
 */
import type { Reader, Writer } from "@satwire/bytes"

/**
 * What a bad payload costs the peer that sent it, as in Bitcoin Core since 28.0, where there are no scores any more:
 * the message is dropped, or the connection ends, or it ends and the address is discouraged.
 */
export type Cost = "ignore" | "disconnect" | "discourage"

export interface Codec<A extends { readonly _tag: string }> {
  /** The wire command, which is also the `_tag`: a log line, a metric and a packet capture say the same word. */
  readonly command: A["_tag"]
  /** The one-byte id of the v2 transport (BIP-0324 §"v2 Bitcoin P2P message structure"), where it has one. */
  readonly shortId: number | undefined
  /** Where the message is specified: `"BIP-0031"`, or `"Bitcoin Core 28.1"` for what never had a BIP. */
  readonly spec: string
  /**
   * The most bytes that a payload's value can take. Judged from the frame's header, before anything is buffered: of a longer payload
   * only this much is kept, the rest is hashed and skipped, because peers tolerate left-over bytes as Core does.
   */
  readonly maxSize: number
  /** What it costs the peer when the payload does not decode, by the kind of the error. */
  readonly malformed: Cost
  readonly overLimit: Cost
  /** `true` where left-over bytes are an error and not tolerated (`feature` alone, BIP-0434). */
  readonly strict: boolean
  /** Exactly how many bytes `encode` writes. */
  size(message: A): number
  encode(w: Writer, message: A): void
  /** Reads one value. Ends by the reader's own sentinel on bad input; call it through `decodePayload`. */
  decode(r: Reader): A
}

/** A codec's row without the parts that most messages share. */
type Row<A extends { readonly _tag: string }> = Omit<Codec<A>, "malformed" | "overLimit" | "strict" | "shortId"> &
  Partial<Pick<Codec<A>, "malformed" | "overLimit" | "strict" | "shortId">>

/**
 * Completes a row. By default what does not decode costs nothing, as where Core's reading throws (28.1 `net_processing.cpp`,
 * `ProcessMessages` catches and logs). A message with a limit says in its row what breaking it costs.
 */
export const defineCodec = <A extends { readonly _tag: string }>(row: Row<A>): Codec<A> => ({
  command: row.command,
  shortId: row.shortId,
  spec: row.spec,
  maxSize: row.maxSize,
  malformed: row.malformed ?? "ignore",
  overLimit: row.overLimit ?? "ignore",
  strict: row.strict ?? false,
  size: row.size,
  encode: row.encode,
  decode: row.decode
})

/** The codec of a message that has no payload. */
export const emptyCodec = <A extends { readonly _tag: string }>(message: A, spec: string, shortId?: number): Codec<A> =>
  defineCodec<A>({
    command: message._tag,
    shortId,
    spec,
    maxSize: 0,
    size: () => 0,
    encode: () => {},
    decode: () => message
  })
