/** How messages of a topic are bytes. Decoding is total: what it makes of anything a peer can send is a value or words about what is wrong. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

export interface TopicCodec<A> {
  readonly encode: (message: A) => Uint8Array
  /** Fails with what is wrong, in words. */
  readonly decode: (bytes: Uint8Array) => Result.Result<A, string>
}

/** The payload as it is. */
export const bytesCodec: TopicCodec<Uint8Array> = {
  encode: (bytes) => bytes,
  decode: Result.succeed
}

/** By a schema whose encoded side is bytes, such as `SchemaBinary.toCodec(…)` of `effect/encoding`. */
export const schemaCodec = <A>(schema: Schema.Codec<A, Uint8Array>): TopicCodec<A> => {
  const decode = Schema.decodeUnknownResult(schema)
  return {
    encode: Schema.encodeSync(schema),
    decode: (bytes) => Result.mapError(decode(bytes), ({ message }) => message)
  }
}
