/**
 * Sessions over connections of any transport, and the relay over all of them, for as long as a scope is open. One machine runs in `runtime`;
 * a connection hands its bytes to it and takes one write a turn.
 */
import { type Sha256, type Signatures, portableSha256, portableSignatures } from "@satwire/crypto"
import type { Envelope, EnvelopeError } from "@satwire/envelope"
import { PeerId } from "@satwire/machine"
import type { Offence } from "@satwire/message-relay"
import { type MachineFailed, machineService, seededRandom } from "@satwire/runtime"
import {
  type Connection,
  type DialError,
  Dialer,
  type Endpoint,
  type ListenError,
  Listener,
  type Listening,
  formatEndpoint
} from "@satwire/transport"
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import {
  type OverlayInput,
  OverlayMachine,
  type OverlayOptions as MachineOptions,
  type OverlayOutput,
  type SessionInfo,
  canProve
} from "./OverlayMachine.ts"
import { type SessionEnd, describeEnd } from "./SessionEnd.ts"

/**
 * Bytes that wait for one peer before it gets nothing more.
 *
 * @limit bytes that wait for one peer of an overlay
 */
export const MAX_BEHIND_BYTES: number = 4 * 1024 * 1024
/**
 * Dials at once, unless the options say otherwise; more wait for their turn.
 *
 * @limit dials of an overlay at once
 */
export const MAX_DIALS = 16
/**
 * Messages that are kept for a slow reader; the oldest make room.
 *
 * @limit messages that are kept for a slow reader of an overlay
 */
export const MESSAGES_KEPT = 4096

/** As of the machine; hashes, signatures and randomness are the portable ones and the platform's where not given. */
export interface OverlayOptions extends Omit<MachineOptions, "sha256" | "signatures" | "random"> {
  readonly sha256?: Sha256 | undefined
  readonly signatures?: Signatures | undefined
  readonly maxDials?: number | undefined
  /**
   * Told of each message from the event loop, within the turn in which it came: for who wants no stream between. What it throws stops the
   * overlay, as any bug does.
   */
  readonly onMessage?: ((message: OverlayMessage) => void) | undefined
}

/** A message for us. */
export interface OverlayMessage {
  readonly envelope: Envelope
  readonly id: Uint8Array
  /** The peer that it came by, which need not be its origin. */
  readonly from: SessionInfo
}

/** What happens to sessions. */
export type OverlayFact =
  | { readonly _tag: "Joined"; readonly peer: SessionInfo; readonly remote: Endpoint }
  /** What a peer did wrong; where its session ends for it, `Left` follows. */
  | { readonly _tag: "Offended"; readonly peer: SessionInfo; readonly offence: Offence }
  /** Messages that came by a peer went no further since it was last told so: it, or all together, bring more than is passed on. */
  | { readonly _tag: "Crowded"; readonly peer: SessionInfo; readonly messages: number }
  | { readonly _tag: "Left"; readonly peer: SessionInfo; readonly end: SessionEnd; readonly missed: number }
  /** A session ended before anybody knew with whom. */
  | { readonly _tag: "Failed"; readonly remote: Endpoint; readonly end: SessionEnd }

interface SessionFailedFields {
  readonly end: SessionEnd
  readonly remote: Endpoint
  /** One sentence that names the other end. */
  readonly message: string
}

const SessionFailedBase: new (
  fields: SessionFailedFields
) => Cause.YieldableError & { readonly _tag: "SessionFailed" } & SessionFailedFields = Data.TaggedError("SessionFailed")

/** There is no session, because of what `end` says. */
export class SessionFailed extends SessionFailedBase {}

interface UnsendableFields {
  readonly error: EnvelopeError
  readonly message: string
}

const UnsendableBase: new (
  fields: UnsendableFields
) => Cause.YieldableError & { readonly _tag: "Unsendable" } & UnsendableFields = Data.TaggedError("Unsendable")

/** What was to be sent is no message: a type or a target that is none. */
export class Unsendable extends UnsendableBase {}

export interface OverlayMessageToSend {
  readonly type: string
  /** MessagePack of the message: `encodeBody` of `@satwire/envelope/body`. */
  readonly body: Uint8Array
  /** The one node that it is for; all where not given. */
  readonly target?: string | undefined
  readonly expirySeconds?: number | undefined
}

export interface Overlay {
  /** Dials and shakes hands. It waits for its turn where many dial at once. The session lives until either end or the scope closes it. */
  readonly connect: (endpoint: Endpoint) => Effect.Effect<SessionInfo, DialError | SessionFailed, Dialer>
  /** A session for each connection that comes, until the scope closes. */
  readonly listen: (endpoint: Endpoint) => Effect.Effect<Listening, ListenError, Listener | Scope.Scope>
  /** A session over a connection that is open and not started: any transport's. */
  readonly attach: (connection: Connection) => Effect.Effect<SessionInfo, SessionFailed>
  /**
   * Sends a message, and gives its id and to how many peers it went. Waits while every peer is behind.
   */
  readonly send: (
    message: OverlayMessageToSend
  ) => Effect.Effect<{ readonly id: Uint8Array; readonly peers: number }, Unsendable>
  /** Messages from now on. A reader that is more than {@link MESSAGES_KEPT} behind loses the oldest. */
  readonly messages: Stream.Stream<OverlayMessage>
  readonly facts: Stream.Stream<OverlayFact>
  /** Who there are sessions with. */
  readonly peers: () => ReadonlyArray<SessionInfo>
  /** Ends the session with a node, if there is one. */
  readonly leave: (nodeId: string) => Effect.Effect<void>
  /** Never succeeds; fails where a bug of ours stopped it all. */
  readonly failure: Effect.Effect<never, MachineFailed>
}

/** One connection, and what is known of it. */
interface Session {
  readonly connection: Connection
  readonly joined: Deferred.Deferred<SessionInfo, SessionFailed>
  info: SessionInfo | undefined
  isBehind: boolean
}

/** Opens an overlay for as long as the scope is open. A `nodeId` that is a key must be that of `key`. */
export const makeOverlay = (options: OverlayOptions): Effect.Effect<Overlay, never, Scope.Scope> =>
  Effect.gen(function* () {
    if (!canProve(options.nodeId, options.key))
      return yield* Effect.die(new Error("a node id of 64 hexadecimal digits is a public key, and needs its key"))
    const random = yield* seededRandom
    const { sha256 = portableSha256, signatures = portableSignatures } = options
    const machine = new OverlayMachine({ ...options, sha256, signatures, random })
    const messages = yield* PubSub.sliding<OverlayMessage>(MESSAGES_KEPT)
    const facts = yield* PubSub.sliding<OverlayFact>(MESSAGES_KEPT)
    const sessions = new Sessions(options.onMessage, messages, facts)
    const service = yield* machineService<OverlayInput, OverlayOutput>({
      machine,
      timeout: { _tag: "Timeout" },
      perform: (output) => sessions.perform(output)
    })
    sessions.run(service.submit, service.between)
    yield* Effect.addFinalizer(() => Effect.sync(() => sessions.close()))
    const dials = yield* Semaphore.make(options.maxDials ?? MAX_DIALS)
    const attach = (connection: Connection): Effect.Effect<SessionInfo, SessionFailed> =>
      Effect.suspend(() => Deferred.await(sessions.open(connection)))
    return {
      attach,
      connect: (endpoint) =>
        Effect.flatMap(Dialer, ({ dial }) =>
          Semaphore.withPermit(
            dials,
            Effect.flatMap(dial(endpoint), (connection) =>
              Effect.onInterrupt(attach(connection), () => Effect.sync(() => connection.destroy()))
            )
          )
        ),
      listen: (endpoint) =>
        Effect.flatMap(Listener, ({ listen }) => listen(endpoint, (connection) => void sessions.open(connection))),
      send: (message) => sessions.send(message),
      messages: Stream.fromPubSub(messages),
      facts: Stream.fromPubSub(facts),
      peers: () => sessions.peers(),
      leave: (nodeId) => Effect.sync(() => sessions.leave(nodeId)),
      failure: service.failure
    }
  })

type Sent = Exit.Exit<{ readonly id: Uint8Array; readonly peers: number }, Unsendable>

/** The plain side: connections by their ids, and who waits. */
class Sessions {
  readonly #sessions: Map<PeerId, Session> = new Map()
  readonly #onMessage: ((message: OverlayMessage) => void) | undefined
  readonly #messages: PubSub.PubSub<OverlayMessage>
  readonly #facts: PubSub.PubSub<OverlayFact>
  /** Open unless every peer is behind. */
  readonly #writable: Latch.Latch = Latch.makeUnsafe(true)
  #behind = 0
  #lastId = 0
  #isClosed = false
  /** What became of what is being sent. */
  #sent: Sent | undefined = undefined
  #submit: (input: OverlayInput) => void = () => {}
  #between: (action: () => void) => void = (action) => action()

  constructor(
    onMessage: ((message: OverlayMessage) => void) | undefined,
    messages: PubSub.PubSub<OverlayMessage>,
    facts: PubSub.PubSub<OverlayFact>
  ) {
    this.#onMessage = onMessage
    this.#messages = messages
    this.#facts = facts
  }

  run(submit: (input: OverlayInput) => void, between: (action: () => void) => void): void {
    this.#submit = submit
    this.#between = between
  }

  open(connection: Connection): Deferred.Deferred<SessionInfo, SessionFailed> {
    const peer = PeerId(++this.#lastId)
    const joined = Deferred.makeUnsafe<SessionInfo, SessionFailed>()
    const session: Session = { connection, joined, info: undefined, isBehind: false }
    if (this.#isClosed) {
      connection.destroy()
      Deferred.doneUnsafe(joined, Exit.fail(failed(connection.remote, { _tag: "Left" })))
      return joined
    }
    this.#sessions.set(peer, session)
    connection.start({
      onBytes: (chunk) => this.#submit({ _tag: "Bytes", peer, chunk }),
      onDrain: () => this.#drained(peer, session),
      onClose: (reason) => this.#submit({ _tag: "Gone", peer, reason })
    })
    this.#submit({ _tag: "Opened", peer, isInbound: connection.direction === "inbound" })
    return joined
  }

  perform(output: OverlayOutput): void {
    switch (output._tag) {
      case "Write":
        return this.#write(output.peer, output.bytes)
      case "Deliver":
        return this.#deliver(output)
      case "Joined":
        return this.#joined(output.peer, output.info)
      case "Ended":
        return this.#ended(output.peer, output.end, output.missed)
      case "Offended":
        return this.#of(output.peer, (peer) => ({ _tag: "Offended", peer, offence: output.offence }))
      case "Crowded":
        return this.#of(output.peer, (peer) => ({ _tag: "Crowded", peer, messages: output.messages }))
      case "Pause": {
        const connection = this.#sessions.get(output.peer)?.connection
        return output.paused ? connection?.pause() : connection?.resume()
      }
      case "Sent":
        this.#sent = Exit.succeed({ id: output.id, peers: output.peers })
        return
      case "Unsendable": {
        const { error } = output
        this.#sent = Exit.fail(new Unsendable({ error, message: `The message cannot be sent: ${error.toString()}.` }))
        return
      }
    }
  }

  send(message: OverlayMessageToSend): Effect.Effect<{ readonly id: Uint8Array; readonly peers: number }, Unsendable> {
    return Effect.suspend(() => {
      if (this.#behind > 0 && this.#behind === this.#sessions.size) {
        this.#writable.closeUnsafe()
        return Effect.andThen(this.#writable.await, this.send(message))
      }
      const { type, body, target, expirySeconds } = message
      this.#sent = undefined
      this.#submit({ _tag: "Send", type, body, target, expirySeconds })
      // A stopped machine takes no inputs: its failure, or the end of the scope, is told elsewhere.
      return this.#sent ?? Effect.interrupt
    })
  }

  peers(): ReadonlyArray<SessionInfo> {
    return [...this.#sessions.values()].flatMap(({ info }) => (info === undefined ? [] : [info]))
  }

  leave(nodeId: string): void {
    for (const [peer, { info }] of this.#sessions)
      if (info?.nodeId === nodeId) return this.#submit({ _tag: "Leave", peer })
  }

  /** The scope closes, and the machine runs no more. */
  close(): void {
    this.#isClosed = true
    for (const peer of [...this.#sessions.keys()]) this.#ended(peer, { _tag: "Left" }, 0)
    this.#writable.openUnsafe()
  }

  #write(peer: PeerId, bytes: Uint8Array): void {
    const session = this.#sessions.get(peer)
    if (session === undefined) return
    session.connection.write(bytes)
    if (session.isBehind || session.connection.bufferedBytes <= MAX_BEHIND_BYTES) return
    session.isBehind = true
    this.#behind += 1
    this.#submit({ _tag: "Behind", peer, isBehind: true })
  }

  #drained(peer: PeerId, session: Session): void {
    if (!session.isBehind || !this.#sessions.has(peer)) return
    this.#caughtUp(session)
    this.#submit({ _tag: "Behind", peer, isBehind: false })
  }

  #caughtUp(session: Session): void {
    if (!session.isBehind) return
    session.isBehind = false
    this.#behind -= 1
    this.#between(() => this.#writable.openUnsafe())
  }

  #deliver({ envelope, id, from }: Extract<OverlayOutput, { readonly _tag: "Deliver" }>): void {
    const info = this.#sessions.get(from)?.info
    if (info === undefined) return
    const message: OverlayMessage = { envelope, id, from: info }
    this.#onMessage?.(message)
    this.#between(() => publish(this.#messages, message))
  }

  #joined(peer: PeerId, info: SessionInfo): void {
    const session = this.#sessions.get(peer)
    if (session === undefined) return
    session.info = info
    this.#between(() => Deferred.doneUnsafe(session.joined, Exit.succeed(info)))
    this.#tell({ _tag: "Joined", peer: info, remote: session.connection.remote })
  }

  #of(peer: PeerId, fact: (peer: SessionInfo) => OverlayFact): void {
    const info = this.#sessions.get(peer)?.info
    if (info !== undefined) this.#tell(fact(info))
  }

  #ended(peer: PeerId, end: SessionEnd, missed: number): void {
    const session = this.#sessions.get(peer)
    if (session === undefined) return
    const { connection, info, joined } = session
    this.#caughtUp(session)
    this.#sessions.delete(peer)
    connection.destroy()
    if (info === undefined) this.#tell({ _tag: "Failed", remote: connection.remote, end })
    else this.#tell({ _tag: "Left", peer: info, end, missed })
    this.#between(() => Deferred.doneUnsafe(joined, Exit.fail(failed(connection.remote, end))))
  }

  #tell(fact: OverlayFact): void {
    this.#between(() => publish(this.#facts, fact))
  }
}

const publish = <A>(to: PubSub.PubSub<A>, value: A): void => {
  // The unsafe way is the cheap one, and makes no room: to a full channel it publishes nothing.
  if (!PubSub.publishUnsafe(to, value)) Effect.runSync(PubSub.publish(to, value))
}

const failed = (remote: Endpoint, end: SessionEnd): SessionFailed =>
  new SessionFailed({ end, remote, message: `There is no session with ${formatEndpoint(remote)}: ${describeEnd(end)}` })
