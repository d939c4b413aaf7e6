/**
 * What two ends say to each other about a request, in bytes:
 *
 * ```
 *   request  0 | u32 id | u32 timeoutMs | u16 credit | method | body      asks; `credit` parts may come until more is given
 *   part     1 | u32 id | body                                            a part of the answer, and more follow
 *   answer   2 | u32 id | body                                            the last part, usually the only one
 *   refusal  3 | u32 id | u8 code | message                               there is no answer, or no more of it
 *   cancel   4 | u32 id                                                   the asker no longer waits
 *   credit   5 | u32 id | u16 more                                        the asker has room for more parts
 * ```
 *
 * Ids are the asker's and ascend. Methods and messages are printable ASCII with their length before them; a body is
 * all that is left.
 */
import { type DecodeResult, Reader, decodeFrom, encode, varBytesLength } from "@satwire/bytes"

/**
 * Bytes of the name of a method.
 *
 * @limit bytes of the name of a method
 */
export const MAX_METHOD_BYTES = 64
/**
 * Bytes of the sentence in a refusal; of a longer one the beginning is sent.
 *
 * @limit bytes of the sentence in a refusal
 */
export const MAX_REFUSAL_BYTES = 256
/**
 * Bytes of a request or of a part of an answer.
 *
 * @limit bytes of a request, and of a part of an answer
 */
export const MAX_BODY_BYTES = 4_000_000
/** Parts that may come at once. */
export const MAX_CREDIT = 0xffff

/**
 * Why there is no answer, as the other end says. `refused`: it does not want to. `unknown method`: it has none of that name. `busy`: too
 * much is asked at once. `malformed request`: the method does not take this. `deadline`: it took too long. `failed`: something went wrong there.
 */
export type RefusalCode = (typeof CODES)[number]
const CODES = ["refused", "unknown method", "busy", "malformed request", "deadline", "failed"] as const

export type RequestFrame =
  | {
      readonly _tag: "request"
      readonly id: number
      readonly timeoutMs: number
      readonly credit: number
      readonly method: string
      readonly body: Uint8Array
    }
  | { readonly _tag: "part" | "answer"; readonly id: number; readonly body: Uint8Array }
  | { readonly _tag: "refusal"; readonly id: number; readonly code: RefusalCode; readonly message: string }
  | { readonly _tag: "cancel"; readonly id: number }
  | { readonly _tag: "credit"; readonly id: number; readonly more: number }

const TAGS = ["request", "part", "answer", "refusal", "cancel", "credit"] as const

/** Printable ASCII, and a question mark for all else, so that what a peer says can stand in a log as it is. */
const printable = (code: number): number => (code >= 0x20 && code < 0x7f ? code : 0x3f)

const ascii = (text: string, maxBytes: number): Uint8Array =>
  Uint8Array.from({ length: Math.min(text.length, maxBytes) }, (_, i) => printable(text.charCodeAt(i)))

const textOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes.map(printable))

/** Whether it can be the name of a method: printable ASCII without spaces. */
export const isMethod = (method: string): boolean =>
  method.length > 0 && method.length <= MAX_METHOD_BYTES && /^[\u0021-\u007e]+$/.test(method)

export const encodeFrame = (frame: RequestFrame): Uint8Array => {
  const words =
    frame._tag === "request"
      ? ascii(frame.method, MAX_METHOD_BYTES)
      : frame._tag === "refusal"
        ? ascii(frame.message, MAX_REFUSAL_BYTES)
        : new Uint8Array(0)
  return encode(frameSize(frame, words), (writer) => {
    writer.u8(TAGS.indexOf(frame._tag))
    writer.u32(frame.id)
    switch (frame._tag) {
      case "request":
        writer.u32(frame.timeoutMs)
        writer.u16(frame.credit)
        writer.varBytes(words)
        return writer.raw(frame.body)
      case "part":
      case "answer":
        return writer.raw(frame.body)
      case "refusal":
        writer.u8(CODES.indexOf(frame.code))
        return writer.varBytes(words)
      case "cancel":
        return
      case "credit":
        return writer.u16(frame.more)
    }
  })
}

const frameSize = (frame: RequestFrame, words: Uint8Array): number => {
  switch (frame._tag) {
    case "request":
      return 11 + varBytesLength(words) + frame.body.length
    case "part":
    case "answer":
      return 5 + frame.body.length
    case "refusal":
      return 6 + varBytesLength(words)
    case "cancel":
      return 5
    case "credit":
      return 7
  }
}

const readBody = (reader: Reader): Uint8Array => {
  if (reader.left > MAX_BODY_BYTES) reader.overLimit("a body")
  return reader.view(reader.left, "body")
}

const readMethod = (reader: Reader): string => {
  const method = String.fromCharCode(...reader.varBytes(MAX_METHOD_BYTES, "method"))
  return isMethod(method) ? method : reader.malformed("the name of a method")
}

const readFrame = (reader: Reader): RequestFrame => {
  const _tag = TAGS[reader.u8("kind of frame")] ?? reader.malformed("kind of frame", 0)
  const id = reader.u32("id")
  switch (_tag) {
    case "request": {
      const timeoutMs = reader.u32("timeout")
      const credit = reader.u16("credit")
      if (credit === 0) reader.malformed("a request without credit")
      return { _tag, id, timeoutMs, credit, method: readMethod(reader), body: readBody(reader) }
    }
    case "part":
    case "answer":
      return { _tag, id, body: readBody(reader) }
    case "refusal": {
      const code = CODES[reader.u8("code")] ?? "failed"
      const message = textOf(reader.varBytes(MAX_REFUSAL_BYTES, "refusal"))
      return whole(reader, { _tag, id, code, message })
    }
    case "cancel":
      return whole(reader, { _tag, id })
    case "credit":
      return whole(reader, { _tag, id, more: reader.u16("credit") })
  }
}

const whole = (reader: Reader, frame: RequestFrame): RequestFrame =>
  reader.left === 0 ? frame : reader.malformed("bytes after a frame")

/** Reads one frame. Its body is a view into `bytes`. */
export const decodeFrame = (bytes: Uint8Array): DecodeResult<RequestFrame> =>
  decodeFrom(new Reader(bytes), { decode: readFrame })
