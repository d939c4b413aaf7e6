/**
 * The name that a peer gives its software (BIP-0014): any bytes at all, chosen by a stranger. In a message it is a string of one
 * character for each byte, so that nothing is lost and nothing can fail to decode; before it is shown or logged it is sanitized.
 */
import { type Reader, type Writer, compactSizeLength } from "@satwire/bytes"

/**
 * Bitcoin Core's `MAX_SUBVERSION_LENGTH` (net.h): bytes of a user agent.
 *
 * @limit bytes of a user agent
 */
export const MAX_SUBVERSION_LENGTH = 256

/** Reads a user agent: character k has the code of byte k. */
export const readUserAgent = (r: Reader): string =>
  String.fromCharCode(...r.varBytes(MAX_SUBVERSION_LENGTH, "user agent"))

/** Bytes of the user agent with its length before it. */
export const userAgentSize = (userAgent: string): number => compactSizeLength(userAgent.length) + userAgent.length

/** Writes a user agent. One of ours with a character that is no byte is our own bug and throws. */
export const writeUserAgent = (w: Writer, userAgent: string): void => {
  w.compactSize(userAgent.length)
  for (let i = 0; i < userAgent.length; i++) {
    const code = userAgent.charCodeAt(i)
    if (code > 0xff) throw new RangeError(`a user agent is made of bytes, and ${userAgent[i]} is none`)
    w.u8(code)
  }
}

const isSafe = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) ||
  (code >= 0x41 && code <= 0x5a) ||
  (code >= 0x61 && code <= 0x7a) ||
  SAFE_PUNCTUATION.includes(String.fromCharCode(code))

const SAFE_PUNCTUATION = " .,;-_/:?@()"

/**
 * What may be shown of a user agent: ASCII letters, digits and harmless punctuation, the rest left out. As Core's `SanitizeString`
 * (util/strencodings.cpp, `SAFE_CHARS_DEFAULT`); a loop, because a regular expression is no tool for what a peer wrote.
 */
export const sanitizeUserAgent = (userAgent: string): string => {
  let safe = ""
  for (let i = 0; i < userAgent.length; i++) if (isSafe(userAgent.charCodeAt(i))) safe += userAgent[i]
  return safe
}
