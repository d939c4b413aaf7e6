/** What a proxy's answers mean: RFC 1928, RFC 1929, and what Tor adds to them (its socks-extensions.txt). */
import type { DialReason } from "@satwire/transport"

/** What was said last, and so what an answer is to. */
export type Asked = "methods" | "credentials" | "connection"

export interface Refusal {
  readonly reason: DialReason
  readonly code: string
  /** Continues "the proxy", without a full stop. */
  readonly words: string
}

const refusal = (reason: DialReason, code: string, words: string): Refusal => ({ reason, code, words })

const VERSION = 5
const GRANTED = 0
const NO_ACCEPTABLE_METHOD = 0xff
/** IPv4, a name, IPv6. */
const ADDRESS_TYPES: ReadonlyArray<number | undefined> = [1, 3, 4]

/** RFC 1928 §6; from 0xf0 on Tor's, which it gives to those who set `ExtendedErrors` on its port. */
const CONNECTION_REPLIES: ReadonlyMap<number, Refusal> = new Map([
  [0x01, refusal("ProxyFailed", "SOCKS5_GENERAL_FAILURE", "reports a general failure")],
  [0x02, refusal("NotAllowed", "SOCKS5_NOT_ALLOWED", "does not allow it")],
  [0x03, refusal("Unreachable", "SOCKS5_NETWORK_UNREACHABLE", "finds the network unreachable")],
  [0x04, refusal("Unreachable", "SOCKS5_HOST_UNREACHABLE", "finds the host unreachable")],
  [0x05, refusal("Refused", "SOCKS5_CONNECTION_REFUSED", "was refused")],
  [0x06, refusal("TimedOut", "SOCKS5_TTL_EXPIRED", "got no answer in time")],
  [0x07, refusal("ProxyFailed", "SOCKS5_COMMAND_NOT_SUPPORTED", "does not support connecting")],
  [0x08, refusal("NoRoute", "SOCKS5_ADDRESS_TYPE_NOT_SUPPORTED", "does not support this type of address")],
  [0xf0, refusal("Unreachable", "TOR_DESCRIPTOR_NOT_FOUND", "finds no descriptor of the onion service")],
  [0xf1, refusal("Unreachable", "TOR_DESCRIPTOR_INVALID", "finds the onion service's descriptor invalid")],
  [0xf2, refusal("Unreachable", "TOR_INTRODUCTION_FAILED", "found no introduction to the onion service")],
  [0xf3, refusal("Unreachable", "TOR_RENDEZVOUS_FAILED", "found no rendezvous with the onion service")],
  [0xf4, refusal("NotAllowed", "TOR_MISSING_AUTHORIZATION", "lacks authorization by the onion service")],
  [0xf5, refusal("NotAllowed", "TOR_WRONG_AUTHORIZATION", "has a wrong authorization by the onion service")],
  [0xf6, refusal("NameNotFound", "TOR_INVALID_ADDRESS", "takes it for no onion address")],
  [0xf7, refusal("TimedOut", "TOR_INTRODUCTION_TIMED_OUT", "got no introduction to the onion service in time")]
])

const MALFORMED = refusal("ProxyFailed", "SOCKS5_MALFORMED", "does not answer as SOCKS5 says")

/** Why `answer`, as far as it came, does not lead on; `undefined` where nothing is wrong with it. */
export const refusalIn = (asked: Asked, answer: ReadonlyArray<number>): Refusal | undefined => {
  const [first, code = GRANTED, reserved = 0, addressType = ADDRESS_TYPES[0]] = answer
  if (first === undefined) return undefined
  switch (asked) {
    case "methods":
      if (first !== VERSION) return MALFORMED
      return code === NO_ACCEPTABLE_METHOD
        ? refusal(
            "ProxyAuthentication",
            "SOCKS5_NO_ACCEPTABLE_METHOD",
            "accepts no way of authentication that we offer"
          )
        : undefined
    case "credentials":
      return code === GRANTED
        ? undefined
        : refusal("ProxyAuthentication", "SOCKS5_CREDENTIALS_REFUSED", "refuses our credentials")
    case "connection":
      if (first !== VERSION) return MALFORMED
      if (code !== GRANTED) {
        const number = `0x${code.toString(16).padStart(2, "0")}`
        const unknown = refusal("ProxyFailed", `SOCKS5_${number}`, `gives the reply ${number}, which nobody knows`)
        return CONNECTION_REPLIES.get(code) ?? unknown
      }
      return reserved !== 0 || !ADDRESS_TYPES.includes(addressType) ? MALFORMED : undefined
  }
}
