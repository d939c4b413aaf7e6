/** What js-libp2p's errors mean for who dials, by their names and by the codes of the sockets below. */
import { DialError, type DialReason, type Endpoint, formatEndpoint } from "@satwire/transport"
import { codeOf, dialReasonOf, wordsOf } from "@satwire/transport-tcp"

const NAMES: Partial<Record<DialReason, string>> = {
  UnsupportedProtocol: "UnsupportedProtocolError",
  NoRoute: "NoValidAddressesError NotFoundError TransportUnavailableError InvalidMultiaddrError InvalidPeerIdError",
  NotAllowed:
    "DialDeniedError ConnectionDeniedError ConnectionInterceptedError LimitedConnectionError TooManyOutboundProtocolStreamsError",
  BadHandshake: "EncryptionFailedError UnexpectedPeerError MuxerUnavailableError",
  TimedOut: "TimeoutError AbortError",
  Reset:
    "ConnectionClosedError ConnectionFailedError MuxerClosedError StreamClosedError StreamResetError StreamAbortedError UnexpectedEOFError"
}

const REASONS: ReadonlyMap<string, DialReason> = new Map(
  Object.entries(NAMES).flatMap(([reason, names]) => names.split(" ").map((name) => [name, reason as DialReason]))
)

/** A connection that ends before it is encrypted fails to be by the words of what ended it, which are all that is left. */
const ENDED = /^Encryption failed$|\b(?:ECONNRESET|ECONNABORTED|EPIPE)\b|closed while reading 0\//

/** Their words can hold a stranger's. */
const clean = (words: string): string => words.replaceAll(/\p{Cc}/gu, " ").slice(0, 200)

/** @param asked the text that was dialled, which says more than an endpoint that is no host and port */
export const dialFailure = (
  endpoint: Endpoint,
  thrown: unknown,
  asked: string = formatEndpoint(endpoint)
): DialError => {
  const error = innermost(thrown)
  const name = error instanceof Error ? error.name : "Error"
  const code = codeOf(error) === "UNKNOWN" ? name : codeOf(error)
  const words = name === "NoValidAddressesError" ? noAddress(asked) : wordsOf(error)
  const isEnded = name === "EncryptionFailedError" && ENDED.test(words)
  const reason = isEnded ? "Reset" : (REASONS.get(name) ?? dialReasonOf(code))
  const told = endpoint.port === 0 ? { asked: clean(asked), detail: clean(words) } : { detail: clean(words) }
  return new DialError({ reason, endpoint, code, ...told })
}

const noAddress = (asked: string): string =>
  asked.startsWith("/")
    ? `no transport of this node dials ${asked}`
    : `no address of ${asked} is known that a transport of this node dials`

/** Of several addresses that failed the last one speaks. */
const innermost = (thrown: unknown): unknown =>
  thrown instanceof AggregateError && thrown.errors.length > 0 ? innermost(thrown.errors.at(-1)) : thrown
