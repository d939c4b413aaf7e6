/**
 * A short string of a stranger: any bytes at all. In a message it is a string of one character for each byte, so that nothing is lost and
 * nothing can fail to decode; before it is shown or logged it is sanitized.
 */
import { type Reader, type Writer, compactSizeLength } from "@satwire/bytes"

/** Reads a string of at most `limit` bytes behind its length: character k has the code of byte k. */
export const readByteString = (r: Reader, limit: number, what: string): string =>
  String.fromCharCode(...r.varBytes(limit, what))

/** Bytes of the string with its length before it. */
export const byteStringSize = (text: string): number => compactSizeLength(text.length) + text.length

/** Writes the string. One of ours with a character that is no byte is our own bug and throws. */
export const writeByteString = (w: Writer, text: string, what: string): void => {
  w.compactSize(text.length)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0xff) throw new RangeError(`a ${what} is made of bytes, and ${text[i]} is none`)
    w.u8(code)
  }
}

const SAFE_PUNCTUATION = " .,;-_/:?@()"

const isSafe = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) ||
  (code >= 0x41 && code <= 0x5a) ||
  (code >= 0x61 && code <= 0x7a) ||
  SAFE_PUNCTUATION.includes(String.fromCharCode(code))

/**
 * What may be shown of a stranger's string: ASCII letters, digits and harmless punctuation, the rest left out. As Core's `SanitizeString`
 * (util/strencodings.cpp, `SAFE_CHARS_DEFAULT`); a loop, because a regular expression is no tool for what a peer wrote.
 */
export const sanitize = (text: string): string => {
  let safe = ""
  for (let i = 0; i < text.length; i++) if (isSafe(text.charCodeAt(i))) safe += text[i]
  return safe
}
