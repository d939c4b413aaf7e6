/**
 * A conversation with one peer: from the first byte to the last, in one scope. It is not a node: it follows no chain, keeps no
 * addresses, and judges only what the protocol itself forbids.
 *
 * ```
 *   connect ─▶ dial ─▶ handshake ─▶ PeerSession: send, messages, ping
 *                                       │
 *                                       └─▶ SessionEnded, which says whose doing it was
 * ```
 *
 * Closing the scope, or interrupting `connect`, closes the connection before it returns.
 */
import { type Sha256, portableSha256 } from "@satwire/crypto"
import type { PeerInfo, PeerSnapshot } from "@satwire/peer"
import type { ChainParams } from "@satwire/primitives"
import { machineService, seededRandom } from "@satwire/runtime"
import { type Connection, type DialError, Dialer, type Endpoint } from "@satwire/transport"
import { type Message, PROTOCOL_VERSION } from "@satwire/wire"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Session } from "./Session.ts"
import type { SessionEnded } from "./SessionError.ts"
import { SessionMachine } from "./SessionMachine.ts"

/** BIP-0014. What a session calls itself where nothing else is asked for. */
export const DEFAULT_USER_AGENT = "/satwire-client:0.0/"

/** How long a peer may take to take in the last bytes and close its end, when a scope closes with nothing gone wrong. */
const CLOSE_GRACE_MS = 1000

export interface SessionOptions {
  /** Which network the peer is of. */
  readonly params: ChainParams
  /** What our `version` says: {@link DEFAULT_USER_AGENT} where not given. */
  readonly userAgent?: string | undefined
  /** What our `version` offers: nothing where not given. */
  readonly services?: bigint | undefined
  /** The height that our `version` names: 0 where not given. */
  readonly startHeight?: number | undefined
  /** Whether the peer is to announce transactions to us: no where not given (BIP-0037). */
  readonly relay?: boolean | undefined
  /** What checksums are computed with: plain JavaScript where not given. On Node and Deno take `@satwire/crypto/node`'s. */
  readonly sha256?: Sha256 | undefined
}

export interface ConnectOptions extends SessionOptions {
  /** How long dialling may take, name resolution included; the transport's own limit where not given. */
  readonly dialTimeoutMs?: number | undefined
}

/** One peer after its handshake. Everything fails with {@link SessionEnded} once the session is over. */
export interface PeerSession {
  /** What the handshake brought to light. */
  readonly info: PeerInfo
  /** The other end. */
  readonly remote: Endpoint
  /** Sends a message. Waits first while the peer is more than `MAX_SEND_BUFFER_BYTES` (1 MB) behind in taking what was sent. */
  readonly send: (message: Message) => Effect.Effect<void, SessionEnded>
  /**
   * The next message, in order. There is one line of messages: each goes to one taker of `receive` or `messages`. Pings are answered
   * without showing up here. When nobody takes them, the peer is read no further.
   */
  readonly receive: Effect.Effect<Message, SessionEnded>
  /** The messages in chunks, without the price of an effect for each. A reader that stops takes the rest of its chunk along. */
  readonly messages: Stream.Stream<Message, SessionEnded>
  /**
   * Asks for a pong and gives the time until it came, in milliseconds; the pong of a ping that is out already counts. A peer from
   * before BIP-0031 answers none.
   */
  readonly ping: Effect.Effect<number, SessionEnded>
  /** Counts of bytes and messages, times, and latencies, as of now. */
  readonly snapshot: Effect.Effect<PeerSnapshot>
  /** Fails when the session is over; never succeeds. */
  readonly ended: Effect.Effect<never, SessionEnded>
}

/** Dials a peer and shakes hands with it. The session lives until its scope closes or either side ends it. */
export const connect: (
  endpoint: Endpoint,
  options: ConnectOptions
) => Effect.Effect<PeerSession, DialError | SessionEnded, Dialer | Scope.Scope> = Effect.fnUntraced(
  function* (endpoint, options) {
    const dialer = yield* Dialer
    return yield* sessionOf(dialer.dial(endpoint, { timeoutMs: options.dialTimeoutMs }), options)
  }
)

/** Shakes hands over a connection that nobody has started yet, whichever end opened it. It is the session's to close from here on. */
export const overConnection = (
  connection: Connection,
  options: SessionOptions
): Effect.Effect<PeerSession, SessionEnded, Scope.Scope> => sessionOf(Effect.succeed(connection), options)

/** In a scope of its own within the caller's, so that a failed attempt leaves nothing there. */
const sessionOf = <E>(
  dial: Effect.Effect<Connection, E>,
  options: SessionOptions
): Effect.Effect<PeerSession, E | SessionEnded, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const connection = yield* restore(dial)
      const scope = yield* Scope.fork(yield* Effect.scope)
      return yield* opened(connection, options).pipe(
        Effect.flatMap((session) => restore(shakenHands(session))),
        Scope.provide(scope),
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
      )
    })
  )

interface Opened {
  readonly session: Session
  readonly machine: SessionMachine
  readonly remote: Endpoint
}

/** The session with its machine, which has begun to talk. */
const opened = Effect.fnUntraced(function* (
  connection: Connection,
  options: SessionOptions
): Effect.fn.Return<Opened, never, Scope.Scope> {
  const session = new Session(connection, yield* Queue.unbounded<Message, SessionEnded>())
  yield* Effect.addFinalizer((exit) => {
    session.end({ _tag: "ClosedHere" })
    // With bytes of the peer unread, closing at once would take back what was sent and is still under way.
    return Exit.isSuccess(exit) && session.hasSent ? session.close(CLOSE_GRACE_MS) : session.destroy
  })
  const machine = yield* machineOf(connection, options)
  const service = yield* machineService({
    machine,
    timeout: { _tag: "Timeout" } as const,
    perform: (output) => session.perform(output)
  })
  yield* service.failure.pipe(
    Effect.catch((failed) => Effect.sync(() => session.crash(failed))),
    Effect.forkScoped
  )
  session.start(service)
  return { session, machine, remote: connection.remote }
})

const shakenHands = ({ session, machine, remote }: Opened): Effect.Effect<PeerSession, SessionEnded> =>
  Effect.map(session.ready, (info) => ({
    info,
    remote,
    send: (message) => session.send(message),
    receive: session.inbox.take,
    messages: Stream.fromPull(Effect.succeed(session.inbox.takeSome)),
    ping: session.ping,
    snapshot: Effect.sync(() => machine.snapshot()),
    ended: session.ended
  }))

const machineOf = (connection: Connection, options: SessionOptions): Effect.Effect<SessionMachine> =>
  Effect.map(
    seededRandom,
    (random) =>
      new SessionMachine({
        kind: connection.direction === "inbound" ? "inbound" : "manual",
        magic: options.params.magic,
        sha256: options.sha256 ?? portableSha256,
        random,
        identity: {
          describe: () => ({
            protocolVersion: PROTOCOL_VERSION,
            services: options.services ?? 0n,
            userAgent: options.userAgent ?? DEFAULT_USER_AGENT,
            startHeight: options.startHeight ?? 0,
            relay: options.relay ?? false
          }),
          // A session knows of no other one, and two of them in one process may well talk to each other.
          isOwnNonce: () => false
        }
      })
  )
