/**
 * Bodies to values and back, by `msgpackr`. A door of its own: the library asks on which platform it is, and who only passes envelopes on
 * needs none of it.
 *
 * What goes in is what JSON has, and `Uint8Array` and `bigint` (64 bits); fields that are `undefined` are left out. What comes out is the
 * same, of objects with nothing of their own but the keys that were sent; byte strings are views into the body.
 */
import { Packr } from "msgpackr/pack"
import { Unpackr } from "msgpackr/unpack"
import * as Result from "effect/Result"
import { type BodyLimits, defaultBodyLimits, judgeBody } from "./BodyRules.ts"
import { EnvelopeError } from "./EnvelopeError.ts"

// No records and no structures of msgpackr's own: others could not read them.
// `skipValues` is not in its types.
const packing = { useRecords: false, variableMapSize: true, skipValues: [undefined] }
const packr = new Packr(packing)
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true })

/** The body of a message, in an array of its own; fails where it holds what a body may not: dates, sets, functions, cycles, too much. */
export const encodeBody = (
  message: unknown,
  limits: BodyLimits = defaultBodyLimits
): Result.Result<Uint8Array<ArrayBuffer>, EnvelopeError> =>
  Result.flatMap(
    Result.try({
      try: () => Uint8Array.from(packr.pack(message)),
      catch: () => new EnvelopeError("malformed", "message that MessagePack cannot say", 0)
    }),
    (body) => {
      const wrong = judgeBody(body, limits)
      return wrong === undefined ? Result.succeed(body) : Result.fail(wrong)
    }
  )

/** The message of a body. Never throws, and makes nothing before the body was judged. */
export const decodeBody = (
  body: Uint8Array,
  limits: BodyLimits = defaultBodyLimits
): Result.Result<unknown, EnvelopeError> => {
  const wrong = judgeBody(body, limits)
  if (wrong !== undefined) return Result.fail(wrong)
  return Result.try({
    try: (): unknown => unpackr.unpack(body),
    catch: () => new EnvelopeError("malformed", "body", 0)
  })
}
