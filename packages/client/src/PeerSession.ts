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
import { type Aead, type Sha256, type XOnlyCurve, portableAead, portableCurve, portableSha256 } from "@satwire/crypto"
import { type ByteDuplex, type DuplexOptions, connectionOver } from "@satwire/framing/effect"
import type { PeerInfo, PeerSnapshot } from "@satwire/peer"
import type { BlockHash, BlockView, ChainParams, TransactionView, Txid } from "@satwire/primitives"
import { machineService, seededRandom } from "@satwire/runtime"
import { type Connection, type DialError, Dialer, type Endpoint } from "@satwire/transport"
import {
  type Addr,
  type AddrV2,
  type CFCheckpt,
  type CFHeaders,
  type CFilter,
  type Headers,
  type Message,
  PROTOCOL_VERSION
} from "@satwire/wire"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { RequestFailed } from "./Request.ts"
import { Session, type SessionState } from "./Session.ts"
import type { MessageNotPermitted, SessionEnded } from "./SessionError.ts"
import { SessionMachine, type Spoken } from "./SessionMachine.ts"

/** BIP-0014. What a session calls itself where nothing else is asked for. */
export const DEFAULT_USER_AGENT = "/satwire-client:0.0/"

/** Core's `HEADERS_RESPONSE_TIME`: how long an answer may take where nothing else is asked for. */
export const DEFAULT_REQUEST_TIMEOUT_MS: number = 2 * 60 * 1000

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
  /** The cipher of the encrypted transport: plain JavaScript where not given. On Node and Deno take `@satwire/crypto/node`'s. */
  readonly aead?: Aead | undefined
  /** The curve of the encrypted transport: plain JavaScript where not given. */
  readonly curve?: XOnlyCurve | undefined
  /**
   * The encrypted transport (BIP-0324). `"prefer"`, where not given: `connect` speaks it, and dials again in v1 where the other end seems not
   * to know it; with who dialled whichever they speak is spoken. `"only"`: never v1. `"never"`: v1. Over a connection that is already open
   * there is no second try.
   */
  readonly v2transport?: "prefer" | "only" | "never" | undefined
  /** How long the peer may take for each answer, from when it is asked: {@link DEFAULT_REQUEST_TIMEOUT_MS} where not given. */
  readonly requestTimeoutMs?: number | undefined
  /** Told of each state in turn, from the event loop; `connecting` comes again before a second try. */
  readonly onState?: ((state: SessionState) => void) | undefined
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
  readonly send: (message: Message) => Effect.Effect<void, SessionEnded | MessageNotPermitted>
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
  /**
   * Headers behind the first hash of `locator` that the peer knows (an empty one: the header of `stopHash` itself), up to 2,000 of them, or up to
   * `stopHash`. They are linked to each other and to the locator; whether they have any work is for `@satwire/header-sync` to say.
   */
  readonly headers: (
    locator: ReadonlyArray<BlockHash>,
    stopHash: BlockHash | undefined
  ) => Effect.Effect<Headers, RequestError>
  /** A block with its witnesses. Its hash and its merkle root are verified. Sixteen are asked for at once, more wait. */
  readonly block: (hash: BlockHash) => Effect.Effect<BlockView, RequestError>
  /** A transaction with its witness, of the peer's mempool or one that it just relayed. Its id is verified. */
  readonly transaction: (txid: Txid) => Effect.Effect<TransactionView, RequestError>
  /** Addresses that the peer knows. A peer answers once in a connection, and one that was dialled by us alone may have none. */
  readonly addresses: Effect.Effect<Addr | AddrV2, RequestError>
  /** Basic filters of the blocks from a height on up to the block `stopHash`, 1,000 at most (BIP-0157). They are not verified. */
  readonly filters: (startHeight: number, stopHash: BlockHash) => Effect.Effect<ReadonlyArray<CFilter>, RequestError>
  /** The hashes of such filters, and the filter header before the first, 2,000 at most. */
  readonly filterHeaders: (startHeight: number, stopHash: BlockHash) => Effect.Effect<CFHeaders, RequestError>
  /** Every thousandth filter header up to the block `stopHash`. */
  readonly filterCheckpoints: (stopHash: BlockHash) => Effect.Effect<CFCheckpt, RequestError>
  /** Counts of bytes and messages, times, and latencies, as of now. */
  readonly snapshot: Effect.Effect<PeerSnapshot>
  /** Fails when the session is over; never succeeds. */
  readonly ended: Effect.Effect<never, SessionEnded>
}

/** Why a question has no answer: the session is over, or it goes on and this one failed. */
export type RequestError = RequestFailed | SessionEnded

/** Dials a peer and shakes hands with it. The session lives until its scope closes or either side ends it. */
export const connect: (
  endpoint: Endpoint,
  options: ConnectOptions
) => Effect.Effect<PeerSession, DialError | SessionEnded, Dialer | Scope.Scope> = Effect.fnUntraced(
  function* (endpoint, options) {
    const dialer = yield* Dialer
    const { dialTimeoutMs, v2transport = "prefer", onState } = options
    const dial = Effect.suspend(() => {
      onState?.("connecting")
      return dialer.dial(endpoint, { timeoutMs: dialTimeoutMs })
    })
    const first = sessionOf(dial, options, v2transport === "never" ? "v1" : "v2")
    if (v2transport !== "prefer") return yield* first
    // By the same dialer, so through the same proxy: who hides does so at the second try too.
    const mayBeV1 = (error: DialError | SessionEnded): boolean => error._tag === "SessionEnded" && error.mayBeV1
    return yield* Effect.catchIf(first, mayBeV1, () => sessionOf(dial, options, "v1"))
  }
)

/** Shakes hands over a connection that nobody has started yet, whichever end opened it. It is the session's to close from here on. */
export const overConnection = (
  connection: Connection,
  options: SessionOptions
): Effect.Effect<PeerSession, SessionEnded, Scope.Scope> => {
  const { v2transport = "prefer" } = options
  const known = v2transport === "never" ? "v1" : "v2"
  const spoken = connection.direction === "inbound" && v2transport === "prefer" ? "either" : known
  return sessionOf(Effect.succeed(connection), options, spoken)
}

/**
 * Shakes hands over any two-way stream of bytes that somebody else opened. Whoever made the duplex closes what lies below it; the session
 * reads and writes no more once its scope is closed.
 */
export const overDuplex = <E>(
  duplex: ByteDuplex<E>,
  options: SessionOptions & DuplexOptions
): Effect.Effect<PeerSession, SessionEnded, Scope.Scope> =>
  Effect.flatMap(connectionOver(duplex, options), (connection) => overConnection(connection, options))

/** In a scope of its own within the caller's, so that a failed attempt leaves nothing there. */
const sessionOf = <E>(
  dial: Effect.Effect<Connection, E>,
  options: SessionOptions,
  spoken: Spoken
): Effect.Effect<PeerSession, E | SessionEnded, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const connection = yield* restore(dial)
      const scope = yield* Scope.fork(yield* Effect.scope)
      return yield* opened(connection, options, spoken).pipe(
        Effect.flatMap((session) => restore(shakenHands(session, options))),
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
  options: SessionOptions,
  spoken: Spoken
): Effect.fn.Return<Opened, never, Scope.Scope> {
  const machine = yield* machineOf(connection, options, spoken)
  const queue = yield* Queue.unbounded<Message, SessionEnded>()
  const session = new Session({ connection, queue, machine, onState: options.onState })
  yield* Effect.addFinalizer((exit) => {
    session.end({ _tag: "ClosedHere" })
    // With bytes of the peer unread, closing at once would take back what was sent and is still under way.
    return Exit.isSuccess(exit) && session.hasSent ? session.close(CLOSE_GRACE_MS) : session.destroy
  })
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

const shakenHands = (
  { session, machine, remote }: Opened,
  { requestTimeoutMs: timeoutMs = DEFAULT_REQUEST_TIMEOUT_MS }: SessionOptions
): Effect.Effect<PeerSession, SessionEnded> =>
  Effect.map(session.ready, (info) => ({
    info,
    remote,
    send: (message) => session.send(message),
    receive: session.inbox.take,
    messages: Stream.fromPull(Effect.succeed(session.inbox.takeSome)),
    ping: session.ping,
    headers: (locator, stopHash) => session.ask({ _tag: "Headers", locator, stopHash }, timeoutMs),
    block: (hash) => session.ask({ _tag: "Block", hash }, timeoutMs),
    transaction: (txid) => session.ask({ _tag: "Transaction", txid }, timeoutMs),
    addresses: session.ask({ _tag: "Addresses" }, timeoutMs),
    filters: (startHeight, stopHash) => session.ask({ _tag: "Filters", startHeight, stopHash }, timeoutMs),
    filterHeaders: (startHeight, stopHash) => session.ask({ _tag: "FilterHeaders", startHeight, stopHash }, timeoutMs),
    filterCheckpoints: (stopHash) => session.ask({ _tag: "FilterCheckpoints", stopHash }, timeoutMs),
    snapshot: Effect.sync(() => machine.snapshot()),
    ended: session.ended
  }))

const machineOf = (connection: Connection, options: SessionOptions, spoken: Spoken): Effect.Effect<SessionMachine> =>
  Effect.map(
    seededRandom,
    (random) =>
      new SessionMachine({
        kind: connection.direction === "inbound" ? "inbound" : "manual",
        spoken,
        magic: options.params.magic,
        sha256: options.sha256 ?? portableSha256,
        aead: options.aead ?? portableAead,
        curve: options.curve ?? portableCurve,
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
