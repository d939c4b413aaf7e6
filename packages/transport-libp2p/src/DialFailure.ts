/** What js-libp2p's errors mean for who dials, by their names and by the codes of the sockets below. */
import { DialError, type DialReason, type Endpoint } from "@satwire/transport"
import { codeOf, dialReasonOf, wordsOf } from "@satwire/transport-tcp"

const REASONS: ReadonlyMap<string, DialReason> = new Map<string, DialReason>([
  // Somebody is there, and does not know the protocol.
  ["UnsupportedProtocolError", "Refused"],
  ["NoValidAddressesError", "NameNotFound"],
  ["NotFoundError", "NameNotFound"],
  ["TransportUnavailableError", "NoRoute"],
  ["InvalidMultiaddrError", "NoRoute"],
  ["InvalidPeerIdError", "NoRoute"],
  ["DialDeniedError", "NotAllowed"],
  ["ConnectionDeniedError", "NotAllowed"],
  ["ConnectionInterceptedError", "NotAllowed"],
  ["LimitedConnectionError", "NotAllowed"],
  ["TooManyOutboundProtocolStreamsError", "NotAllowed"],
  ["EncryptionFailedError", "BadHandshake"],
  ["UnexpectedPeerError", "BadHandshake"],
  ["MuxerUnavailableError", "BadHandshake"],
  ["TimeoutError", "TimedOut"],
  ["AbortError", "TimedOut"],
  ["ConnectionClosedError", "Reset"],
  ["ConnectionFailedError", "Reset"],
  ["MuxerClosedError", "Reset"],
  ["StreamClosedError", "Reset"],
  ["StreamResetError", "Reset"],
  ["StreamAbortedError", "Reset"],
  ["UnexpectedEOFError", "Reset"]
])

/** Their words can hold a stranger's. */
const MAX_DETAIL = 200

export const dialFailure = (endpoint: Endpoint, thrown: unknown): DialError => {
  const error = innermost(thrown)
  const code = codeOf(error)
  const name = error instanceof Error ? error.name : "Error"
  const known = REASONS.get(name) ?? dialReasonOf(code)
  const detail = wordsOf(error)
    .replaceAll(/\p{Cc}/gu, " ")
    .slice(0, MAX_DETAIL)
  return new DialError({ reason: known, endpoint, code: code === "UNKNOWN" ? name : code, detail })
}

/** Of several addresses that failed the last one speaks. */
const innermost = (thrown: unknown): unknown =>
  thrown instanceof AggregateError && thrown.errors.length > 0 ? innermost(thrown.errors.at(-1)) : thrown
