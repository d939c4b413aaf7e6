/**
 * The sessions of a stream of headers or of blocks: with each peer of a list, so many at once, and again after a pause where one ends, until the peer has
 * failed too often.
 *
 * ```
 *   waiting ─▶ connecting ─▶ connected ─▶ ended ─▶ pause ─▶ waiting
 *                                          └─▶ spent: too often, or a broken rule
 * ```
 */
import { type Now, PeerId } from "@satwire/machine"
import { FIRST_PAUSE_MS, nextPauseMs } from "@satwire/runtime"
import { type DialError, type Dialer, type Endpoint, formatEndpoint } from "@satwire/transport"
import type { Message } from "@satwire/wire"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { type ConnectOptions, type PeerSession, connect } from "./PeerSession.ts"
import type { SessionEnded } from "./SessionError.ts"
import { type SpentPeer, type StreamPeerFault, spentPeer } from "./StreamError.ts"

/** A session that lasted so long did not fail, however it ended. */
const LASTING_MS: number = 10 * 60 * 1000

/**
 * How many of our own messages may wait for a peer that does not take them; then it is let go.
 *
 * @limit messages of a header or block stream that wait for one peer to take them
 */
const MESSAGES_UNSENT = 64

/** A peer of the list, as of now. */
export interface StreamPeer {
  readonly endpoint: Endpoint
  readonly state: "waiting" | "connecting" | "connected" | "spent"
  /** How many sessions or dials failed one after another. */
  readonly failures: number
  /** What the last of them failed of. */
  readonly fault: StreamPeerFault | undefined
}

/** A session with a peer. */
interface Link {
  readonly unsent: Queue.Queue<Message>
  readonly letGo: Deferred.Deferred<never, StreamPeerFault>
}

/** What the machine of a stream is told of its peers. */
export type PeersInput<Taken extends Message> =
  | { readonly _tag: "PeerReady"; readonly peer: PeerId; readonly outbound: true; readonly services: bigint }
  | { readonly _tag: "PeerGone"; readonly peer: PeerId }
  | { readonly _tag: "Received"; readonly peer: PeerId; readonly message: Taken }

export interface StreamPeersOptions<Taken extends Message> {
  readonly endpoints: ReadonlyArray<Endpoint>
  readonly connect: ConnectOptions
  readonly sessionsAtOnce: number
  readonly tries: number
  /** The height that our `version` names. */
  readonly height: () => number
  /** Which messages the machine takes. */
  readonly takes: (message: Message) => message is Taken
  /** Whether the peer, which is connected, has brought anything that was new. */
  readonly hasServed: (peer: PeerId) => boolean
}

/** The machine as it runs. */
interface Service<Taken extends Message> {
  readonly submit: (input: PeersInput<Taken>) => void
  readonly now: () => Now
}

export class StreamPeers<Taken extends Message> {
  readonly #options: StreamPeersOptions<Taken>
  readonly #slots: Semaphore.Semaphore
  /** Open while peers are read from. */
  readonly #room: Latch.Latch = Latch.makeUnsafe(true)
  readonly #links: Map<PeerId, Link> = new Map()
  readonly #peers: Map<string, StreamPeer> = new Map()
  #lastId = 0

  constructor(options: StreamPeersOptions<Taken>) {
    this.#options = options
    this.#slots = Semaphore.makeUnsafe(options.sessionsAtOnce)
    for (const endpoint of options.endpoints) {
      // An endpoint that is named twice is one peer.
      this.#peers.set(formatEndpoint(endpoint), { endpoint, state: "waiting", failures: 0, fault: undefined })
    }
  }

  get states(): ReadonlyArray<StreamPeer> {
    return [...this.#peers.values()]
  }

  /** Sends a message of the machine's to its peer. */
  send(peer: PeerId, message: Message): void {
    const link = this.#links.get(peer)
    if (link !== undefined && !Queue.offerUnsafe(link.unsent, message)) this.letGo(peer, { _tag: "NotReading" })
  }

  /** Ends the session with a peer. */
  letGo(peer: PeerId, fault: StreamPeerFault): void {
    const link = this.#links.get(peer)
    if (link !== undefined) Deferred.doneUnsafe(link.letGo, Exit.fail(fault))
  }

  /** Peers are read no further, or again. What each session has received already waits in its own bounds. */
  hold(held: boolean): void {
    if (held) this.#room.closeUnsafe()
    else this.#room.openUnsafe()
  }

  /** Talks to all of them, and is done when every one is spent. */
  run(service: Service<Taken>): Effect.Effect<ReadonlyArray<SpentPeer>, never, Dialer> {
    return Effect.forEach(this.states, ({ endpoint }) => this.#keep(endpoint, service), { concurrency: "unbounded" })
  }

  /** Session after session with one peer, until it is spent. */
  #keep(endpoint: Endpoint, service: Service<Taken>): Effect.Effect<SpentPeer, never, Dialer> {
    const { tries } = this.#options
    return Effect.gen({ self: this }, function* () {
      let failures = 0
      for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = nextPauseMs(pauseMs)) {
        const talk = { wasUseful: false }
        const ended = Effect.flip(Effect.scoped(this.#talk(endpoint, service, talk)))
        const fault = yield* this.#slots.withPermit(ended)
        if (talk.wasUseful) {
          failures = 0
          pauseMs = FIRST_PAUSE_MS
        }
        failures += 1
        if (isBroken(fault) || failures >= tries) {
          this.#note(endpoint, { state: "spent", failures, fault })
          return spentPeer(endpoint, failures, fault)
        }
        this.#note(endpoint, { state: "waiting", failures, fault })
        yield* Effect.sleep(pauseMs)
      }
    })
  }

  /** One session, from the dial to its end. That it fails closes the connection at once. */
  #talk(
    endpoint: Endpoint,
    service: Service<Taken>,
    talk: { wasUseful: boolean }
  ): Effect.Effect<never, StreamPeerFault, Dialer | Scope.Scope> {
    return Effect.gen({ self: this }, function* () {
      this.#note(endpoint, { state: "connecting" })
      const options = { ...this.#options.connect, startHeight: this.#options.height() }
      const session = yield* Effect.mapError(connect(endpoint, options), faultOf)
      const link: Link = {
        unsent: yield* Queue.dropping<Message>(MESSAGES_UNSENT),
        letGo: Deferred.makeUnsafe()
      }
      const since = service.now().instant
      const peer = yield* Effect.acquireRelease(
        Effect.sync(() => {
          const id = PeerId(++this.#lastId)
          this.#links.set(id, link)
          this.#note(endpoint, { state: "connected" })
          service.submit({ _tag: "PeerReady", peer: id, outbound: true, services: session.info.services })
          return id
        }),
        (id) =>
          Effect.sync(() => {
            talk.wasUseful = this.#options.hasServed(id) || service.now().instant - since >= LASTING_MS
            this.#links.delete(id)
            service.submit({ _tag: "PeerGone", peer: id })
          })
      )
      const both = Effect.raceFirst(this.#read(session, peer, service), write(session, link))
      return yield* Effect.raceFirst(Effect.mapError(both, faultOf), Deferred.await(link.letGo))
    })
  }

  /** Takes messages one by one, so that no more than one is taken from each peer once they are held. */
  #read(session: PeerSession, peer: PeerId, { submit }: Service<Taken>): Effect.Effect<never, SessionEnded> {
    return Effect.forever(
      Effect.map(Effect.andThen(this.#room.await, session.receive), (message) => {
        if (this.#options.takes(message)) submit({ _tag: "Received", peer, message })
      })
    )
  }

  #note(endpoint: Endpoint, changes: Partial<StreamPeer>): void {
    const name = formatEndpoint(endpoint)
    const peer = this.#peers.get(name)
    if (peer !== undefined) this.#peers.set(name, { ...peer, ...changes })
  }
}

const write = (session: PeerSession, { unsent }: Link): Effect.Effect<never, SessionEnded> =>
  Effect.forever(
    Effect.flatMap(Queue.take(unsent), (message) =>
      // What a peer of old does not know, such as `sendheaders`, it does without.
      Effect.catchTag(session.send(message), "MessageNotPermitted", () => Effect.void)
    )
  )

/** Whether a rule was broken that no honest peer breaks. */
const isBroken = ({ _tag }: StreamPeerFault): boolean => _tag === "InvalidHeader" || _tag === "BadBlock"

const faultOf = (error: DialError | SessionEnded): StreamPeerFault =>
  error._tag === "DialError" ? { _tag: "NotReached", error } : { _tag: "SessionOver", error }
