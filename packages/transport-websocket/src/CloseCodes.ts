/** The codes that a WebSocket closes with (RFC 6455 §7.4.1), and what they mean for a connection. */
import { type CloseReason, Ended, Reset } from "@satwire/transport"

export const NORMAL = 1000
/** A server that stops, a page that is left. */
export const GOING_AWAY = 1001
/** Text where bytes are expected. */
export const UNSUPPORTED_DATA = 1003
/** Never sent: the other end closed without a code. */
const NO_CODE = 1005
/** Never sent: the TCP connection is gone without a word. */
const ABNORMAL = 1006
/** What Deno gives in the place of {@link ABNORMAL}. */
const NOTHING = 0
/** More came than may be kept. */
export const POLICY_VIOLATION = 1008

const ENDED = new Set([NORMAL, GOING_AWAY, NO_CODE])

const NAMES: Partial<Record<number, string>> = {
  1002: "protocol error",
  1003: "unsupported data",
  1007: "invalid text",
  1008: "against its policy",
  1009: "message too big",
  1010: "extension missing",
  1011: "internal error",
  1012: "restarting",
  1013: "try again later",
  1014: "bad gateway"
}

/** Why a connection closed, from the code and the words of the other end. */
export const closeReasonOf = (code: number, why: string): CloseReason => {
  if (ENDED.has(code)) return Ended
  if (code === ABNORMAL || code === NOTHING) return Reset
  const words = printable(why === "" ? (NAMES[code] ?? "it did not say why") : why)
  return { _tag: "Failed", code: String(code), message: `the other end closed the WebSocket: ${words}` }
}

/** The protocol allows that many bytes of them. */
const MAX_WORDS_BYTES = 123

/** The words of a stranger, harmless in a log. */
export const printable = (text: string): string => text.replace(/\p{Cc}/gu, "?").slice(0, MAX_WORDS_BYTES)

/** Words for a close: what is not ASCII has more than one byte. */
export const sendable = (text: string): string => text.replace(/[^ -~]/g, "?").slice(0, MAX_WORDS_BYTES)
