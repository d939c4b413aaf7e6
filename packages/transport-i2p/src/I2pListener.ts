/**
 * Accepts streams over I2P, one waiting at a time: each takes a connection to the bridge, which tells who came and then is theirs.
 *
 * Source: I2P "SAM V3"; Bitcoin Core 28.1 `net.cpp` (`ThreadI2PAcceptIncoming`).
 */
import {
  type Connection,
  ListenError,
  type ListenerShape,
  type Listening,
  type OpenConnections
} from "@satwire/transport"
import { type SocketAddress, formatSocketAddress } from "@satwire/transport-tcp"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { endpointOf } from "./Destination.ts"
import { SamFailed } from "./SamFailed.ts"
import { type SamSession, UNKNOWN_SESSION } from "./SamSession.ts"
import { SamTalk, wordsOf } from "./SamTalk.ts"

/** Core's pause after a failed accept, which grows by as much each time up to the second. */
export const ACCEPT_RETRY_MS = 1000
export const ACCEPT_RETRY_MOST_MS: number = 5 * 60 * 1000
/** How long one connection to the bridge waits for somebody before another takes its place (Core's 3 min). */
export const ACCEPT_WAIT_MS: number = 3 * 60 * 1000

export interface I2pListenerOptions {
  readonly bridge: SocketAddress
  readonly session: Effect.Effect<SamSession, SamFailed>
  /** Counts those that wait at the bridge. */
  readonly control: OpenConnections
  /** Counts those that were accepted. */
  readonly accepted: OpenConnections
}

/** The host to listen on, which is whoever the identity makes us: there is no other. */
export const I2P_HOST = "i2p"

export const makeListener = (given: I2pListenerOptions): ListenerShape => {
  let isListening = false
  return {
    connections: () => given.accepted.count,
    listen: Effect.fnUntraced(function* (asked, onConnection): Effect.fn.Return<Listening, ListenError, Scope.Scope> {
      const wanted = { host: asked.host, port: asked.port }
      const { endpoint } = yield* Effect.mapError(given.session, ({ detail }) => {
        const words = `the I2P router at ${formatSocketAddress(given.bridge)}: ${detail}`
        return new ListenError({ reason: "Other", endpoint: wanted, code: "SAM", detail: words })
      })
      if (![I2P_HOST, endpoint.host].includes(wanted.host) || wanted.port !== endpoint.port) {
        return yield* Effect.fail(
          new ListenError({ reason: "AddressNotAvailable", endpoint: wanted, code: "EADDRNOTAVAIL" })
        )
      }
      if (isListening) {
        return yield* Effect.fail(new ListenError({ reason: "AddressInUse", endpoint, code: "EADDRINUSE" }))
      }
      isListening = true
      yield* Effect.addFinalizer(() => Effect.sync(() => (isListening = false)))
      let count = 0
      const one = accepting(
        given,
        (connection) => {
          count += 1
          onConnection(connection)
        },
        () => (count -= 1)
      )
      yield* Effect.forkScoped(again(one))
      // A session that is lost is made anew, under the same name.
      return { endpoint, connections: () => count, lost: Effect.never }
    })
  }
}

/** Over and over, with growing pauses while it fails. */
const again = (one: Effect.Effect<void, SamFailed>): Effect.Effect<never> =>
  Effect.suspend(() => {
    let pauseMs = ACCEPT_RETRY_MS
    const step = Effect.matchEffect(one, {
      onSuccess: () => Effect.sync(() => (pauseMs = ACCEPT_RETRY_MS)),
      onFailure: () =>
        Effect.suspend(() => {
          const waitMs = pauseMs
          pauseMs = Math.min(pauseMs + ACCEPT_RETRY_MS, ACCEPT_RETRY_MOST_MS)
          return Effect.sleep(waitMs)
        })
    })
    return Effect.forever(step)
  })

/** One stream, or none for so long. */
const accepting = (
  { bridge, session, control, accepted }: I2pListenerOptions,
  onConnection: (connection: Connection) => void,
  onClosed: () => void
): Effect.Effect<void, SamFailed> =>
  Effect.gen(function* () {
    const { id, endpoint: local, forget } = yield* session
    const talk = new SamTalk(bridge, control)
    yield* Effect.gen(function* () {
      yield* SamTalk.begun(talk)
      const reply = yield* talk.ask(`STREAM ACCEPT ID=${id} SILENT=false`, "STREAM STATUS")
      if (reply.result === UNKNOWN_SESSION) forget()
      if (reply.result !== "OK") return yield* Effect.fail(new SamFailed("Refused", `STREAM ACCEPT: ${wordsOf(reply)}`))
      const line = yield* Effect.timeoutOrElse(talk.line, {
        duration: ACCEPT_WAIT_MS,
        orElse: () => Effect.succeed(undefined)
      })
      if (line === undefined) return yield* talk.closed
      const remote = endpointOf(line.split(" ", 1)[0] ?? "")
      if (remote === undefined) {
        // It tells here that the session is closed, too, and Core makes another one then.
        forget()
        return yield* Effect.fail(new SamFailed("Malformed", "it did not say who came"))
      }
      onConnection(talk.become({ direction: "inbound", ends: { remote, local }, open: accepted, onClosed }))
    }).pipe(Effect.onError(() => talk.closed))
  })
