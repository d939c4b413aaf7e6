/** Dials over I2P: the bridge looks the name up and opens a stream. */
import {
  type Connection,
  DialError,
  type DialOptions,
  type DialReason,
  type DialerShape,
  type Endpoint,
  type OpenConnections
} from "@satwire/transport"
import { type SocketAddress, formatSocketAddress } from "@satwire/transport-tcp"
import * as Effect from "effect/Effect"
import { endpointOf } from "./Destination.ts"
import { SamFailed } from "./SamFailed.ts"
import type { SamReply } from "./SamReply.ts"
import { type SamSession, UNKNOWN_SESSION } from "./SamSession.ts"
import { SamTalk, wordsOf } from "./SamTalk.ts"

/**
 * A stream over I2P is built through half a dozen routers: as long as Core gives its proxies.
 *
 * @limit milliseconds of a dial over I2P, unless it says otherwise
 */
export const DEFAULT_I2P_TIMEOUT_MS = 180_000

export interface I2pDialerOptions {
  readonly bridge: SocketAddress
  readonly session: Effect.Effect<SamSession, SamFailed>
  readonly open: OpenConnections
}

/** What SAM's results mean for who dials. */
const REASONS: ReadonlyMap<string, DialReason> = new Map<string, DialReason>([
  ["CANT_REACH_PEER", "Unreachable"],
  ["PEER_NOT_FOUND", "Unreachable"],
  ["LEASESET_NOT_FOUND", "Unreachable"],
  ["TIMEOUT", "TimedOut"],
  ["KEY_NOT_FOUND", "NameNotFound"],
  ["INVALID_KEY", "NameNotFound"],
  ["CONNECTION_REFUSED", "Refused"]
])

export const makeDialer = (given: I2pDialerOptions): DialerShape => ({
  connections: () => given.open.count,
  dial: (endpoint, options) => dial(given, endpoint, options)
})

const dial = (
  given: I2pDialerOptions,
  endpoint: Endpoint,
  options: DialOptions | undefined
): Effect.Effect<Connection, DialError> => {
  const bridge = formatSocketAddress(given.bridge)
  const failed = (reason: DialReason, code: string, detail: string): DialError =>
    new DialError({ reason, endpoint, code, detail })
  if (!/^[a-z0-9.-]{1,200}\.i2p$/.test(endpoint.host)) {
    return Effect.fail(failed("NoRoute", "EINVAL", "it is no name of I2P"))
  }
  // Core dials no other (i2p.cpp): SAM 3.1 has no ports, and what is written as one is only believed to be heeded.
  if (endpoint.port !== 0) return Effect.fail(failed("NoRoute", "EINVAL", "on I2P Bitcoin's port is 0"))
  const refused = (reply: SamReply): DialError =>
    failed(
      REASONS.get(reply.result) ?? "ProxyFailed",
      reply.result,
      `the I2P router at ${bridge} says ${wordsOf(reply)}`
    )
  return attempt(given, endpoint, refused).pipe(
    Effect.catchTag("SamFailed", ({ why, detail }) => {
      const reason = why === "Unreachable" || why === "Lost" ? "ProxyUnreachable" : "ProxyFailed"
      return Effect.fail(failed(reason, `SAM_${why.toUpperCase()}`, `the I2P router at ${bridge}: ${detail}`))
    }),
    Effect.timeoutOrElse({
      duration: options?.timeoutMs ?? DEFAULT_I2P_TIMEOUT_MS,
      orElse: () => Effect.fail(failed("TimedOut", "ETIMEDOUT", ""))
    })
  )
}

const attempt = Effect.fnUntraced(function* (
  { bridge, session, open }: I2pDialerOptions,
  endpoint: Endpoint,
  refused: (reply: SamReply) => DialError
): Effect.fn.Return<Connection, DialError | SamFailed> {
  const { id, endpoint: local, forget } = yield* session
  const naming = yield* Effect.scoped(
    Effect.flatMap(SamTalk.open(bridge, open), (talk) =>
      talk.ask(`NAMING LOOKUP NAME=${endpoint.host}`, "NAMING REPLY")
    )
  )
  if (naming.result !== "OK") return yield* Effect.fail(refused(naming))
  const destination = naming.pairs.get("VALUE") ?? ""
  const found = endpointOf(destination)
  // Some names are the destination's hash, and then whoever is found has to be the one.
  if (found === undefined || (endpoint.host.endsWith(".b32.i2p") && found.host !== endpoint.host)) {
    return yield* Effect.fail(new SamFailed("Malformed", `it looked ${endpoint.host} up and found something else`))
  }
  const talk = new SamTalk(bridge, open)
  return yield* SamTalk.begun(talk).pipe(
    Effect.andThen(talk.ask(`STREAM CONNECT ID=${id} DESTINATION=${destination} SILENT=false`, "STREAM STATUS")),
    Effect.flatMap((reply) => {
      if (reply.result === "OK") {
        return Effect.sync(() => talk.become({ direction: "outbound", ends: { remote: endpoint, local } }))
      }
      if (reply.result === UNKNOWN_SESSION) forget()
      return Effect.fail(refused(reply))
    }),
    Effect.onError(() => talk.closed)
  )
})
