/**
 * Envelopes over streams of a libp2p node: a peer is whoever has proven the key of its peer id, and is there while a stream of the overlay's
 * protocol stands with it.
 *
 * ```
 *   a connection, dialled by us ─▶ open a stream ─┐
 *   a stream that the peer opened ────────────────┴▶ onPeer ─▶ envelopes both ways ─▶ the last stream ends: onGone
 * ```
 *
 * Where both open one at the same time both are read, and the first is written to.
 */
import {
  DRAINED_BYTES,
  DrainWaiters,
  Envelopes,
  type EnvelopesOptions,
  Listeners,
  MAX_WAITING_BYTES,
  type Messenger,
  type MessengerHandlers,
  type Outgoing,
  letterReader
} from "@satwire/overlay"
import type { DialError, ListenError } from "@satwire/transport"
import { type ByteStream, type ConnectOptions, type Libp2pNodeShape, REACH_TIMEOUT_MS } from "@satwire/transport-libp2p"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { linksWith, untilDirect, whenever } from "./Direct.ts"
import { hangUpOn } from "./Strangers.ts"

export const OVERLAY_PROTOCOL = "/satwire/overlay/1.0.0"

/**
 * Peers that an overlay talks with over libp2p, unless told otherwise; streams of more are reset.
 *
 * @limit peers that an overlay talks with over libp2p, unless told otherwise
 */
export const MAX_OVERLAY_PEERS = 256
/** One for each end that opens, and one that is about to go. */
const MAX_STREAMS_OF_ONE = 3

export interface Libp2pMessengerOptions extends EnvelopesOptions {
  /** {@link OVERLAY_PROTOCOL} where not given. */
  readonly protocol?: string | undefined
  /** {@link MAX_OVERLAY_PEERS} where not given. */
  readonly maxPeers?: number | undefined
}

export interface Libp2pMessenger extends Messenger {
  /**
   * Connects to a peer, by a multiaddr or its id, and opens a stream unless one stands; its id. Where it has none, a connection made for it is closed.
   * Through a relay that bounds it the stream is opened once a hole is punched, where the node does that.
   */
  readonly open: (to: string, options?: ConnectOptions) => Effect.Effect<string, DialError>
}

/** A messenger on a node for as long as the scope. Whoever the node dials is asked for a stream at once. */
export const makeLibp2pMessenger = (
  node: Libp2pNodeShape,
  options: Libp2pMessengerOptions = {}
): Effect.Effect<Libp2pMessenger, ListenError, Scope.Scope> =>
  Effect.gen(function* () {
    const { maxPeers = MAX_OVERLAY_PEERS, protocol = OVERLAY_PROTOCOL } = options
    const members = new Members(yield* Envelopes.make(options), maxPeers)
    const scope = yield* Effect.scope
    const run = Effect.runForkWith(yield* Effect.context())
    yield* node.handle(protocol, (stream) => members.talk(stream), {
      maxStreams: MAX_STREAMS_OF_ONE * maxPeers,
      maxPerConnection: MAX_STREAMS_OF_ONE
    })
    const join = (peerId: string, options?: ConnectOptions): Effect.Effect<void, DialError> =>
      Effect.gen(function* () {
        if (members.has(peerId)) return
        const opened = yield* Deferred.make<void, DialError>()
        yield* node.openStream(peerId, protocol, options).pipe(
          Effect.tap(() => Deferred.succeed(opened, undefined)),
          Effect.tapError((error) => Deferred.fail(opened, error)),
          Effect.flatMap((stream) => members.talk(stream)),
          Effect.scoped,
          Effect.ignore,
          Effect.forkIn(scope)
        )
        yield* Deferred.await(opened)
      })
    const open = (to: string, options: ConnectOptions = {}): Effect.Effect<string, DialError> =>
      Effect.gen(function* () {
        const until = (yield* Clock.currentTimeMillis) + (options.timeoutMs ?? REACH_TIMEOUT_MS)
        const left = Effect.map(Clock.currentTimeMillis, (now) => Math.max(1, until - now))
        const before = new Set(node.engine.getConnections())
        const { isLimited, peerId } = yield* node.connect(to, options)
        const links = linksWith(node, peerId)
        const [link] = links
        const made = links.filter((each) => each.direction === "outbound" && !before.has(each))
        const talking = Effect.gen(function* () {
          const isPunching = isLimited && node.engine.services.dcutr !== undefined
          if (isPunching && link !== undefined) yield* untilDirect(node, link, yield* left)
          yield* join(peerId, { timeoutMs: yield* left })
        })
        yield* talking.pipe(Effect.onError(() => Effect.sync(() => members.has(peerId) || hangUpOn(made))))
        return peerId
      })
    yield* whenever(node, "connection:open", ({ direction, limits, remotePeer }) => {
      if (direction === "outbound" && limits === undefined) run(Effect.ignore(join(remotePeer.toString())))
    })
    yield* Effect.addFinalizer(() => Effect.sync(() => members.dropAll()))
    return {
      get canSign() {
        return members.canSign
      },
      peers: members.peers,
      send: members.send,
      drained: members.drained,
      drop: members.drop,
      listen: members.listen,
      open
    }
  })

interface Member {
  /** What is to be sent. */
  readonly queue: Queue.Queue<Uint8Array>
  waitingBytes: number
  readonly waiting: DrainWaiters
  /** Whose turn it is to write. */
  readonly writer: Semaphore.Semaphore
  readonly stopped: Deferred.Deferred<void>
  streams: number
}

class Members {
  readonly #envelopes: Envelopes
  readonly #maxPeers: number
  readonly #members: Map<string, Member> = new Map()
  readonly #listeners: Listeners = new Listeners()

  constructor(envelopes: Envelopes, maxPeers: number) {
    this.#envelopes = envelopes
    this.#maxPeers = maxPeers
  }

  get canSign(): boolean {
    return this.#envelopes.canSign
  }

  has(peer: string): boolean {
    return this.#members.has(peer)
  }

  readonly peers = (): ReadonlyArray<string> => [...this.#members.keys()]

  readonly send = (peer: string, message: Outgoing): boolean => {
    const member = this.#members.get(peer)
    if (member === undefined) return false
    const bytes = this.#envelopes.seal(message)
    if (member.waitingBytes + bytes.length > MAX_WAITING_BYTES) {
      this.drop(peer)
      return false
    }
    member.waitingBytes += bytes.length
    return Queue.offerUnsafe(member.queue, bytes)
  }

  readonly drained = (peer: string): Effect.Effect<void> =>
    Effect.suspend(() => {
      const member = this.#members.get(peer)
      return member === undefined ? Effect.void : member.waiting.until(() => member.waitingBytes <= DRAINED_BYTES)
    })

  readonly drop = (peer: string): void => {
    const member = this.#members.get(peer)
    if (member !== undefined) Deferred.doneUnsafe(member.stopped, Effect.void)
  }

  dropAll(): void {
    for (const peer of this.peers()) this.drop(peer)
  }

  readonly listen = (handlers: MessengerHandlers): Effect.Effect<void, never, Scope.Scope> =>
    this.#listeners.listen(handlers, this.peers)

  /** Talks over a stream until it ends or the peer is dropped. */
  talk(stream: ByteStream): Effect.Effect<void> {
    return Effect.acquireUseRelease(
      Effect.sync(() => this.#enter(stream.peerId)),
      (member) => {
        if (member === undefined) return stream.reset
        const writing = member.writer.withPermits(1)(this.#write(stream, member))
        const stopped = Effect.andThen(Deferred.await(member.stopped), stream.reset)
        return Effect.raceAllFirst([this.#read(stream), writing, stopped]).pipe(Effect.ignore)
      },
      (member) => Effect.sync(() => member !== undefined && this.#leave(stream.peerId, member))
    )
  }

  #enter(peer: string): Member | undefined {
    const known = this.#members.get(peer)
    if (known !== undefined) {
      if (known.streams >= MAX_STREAMS_OF_ONE) return undefined
      known.streams += 1
      return known
    }
    if (this.#members.size >= this.#maxPeers) return undefined
    const member: Member = {
      queue: Effect.runSync(Queue.unbounded<Uint8Array>()),
      waitingBytes: 0,
      waiting: new DrainWaiters(),
      writer: Semaphore.makeUnsafe(1),
      stopped: Deferred.makeUnsafe(),
      streams: 1
    }
    this.#members.set(peer, member)
    this.#listeners.onPeer(peer)
    return member
  }

  #leave(peer: string, member: Member): void {
    member.streams -= 1
    if (member.streams > 0) return
    this.#members.delete(peer)
    member.waiting.wake()
    this.#listeners.onGone(peer)
  }

  #read(stream: ByteStream): Effect.Effect<void, unknown> {
    const { peerId } = stream
    let isOver = false
    const read = letterReader(this.#envelopes, this.#listeners, peerId, () => (isOver = true))
    return Stream.runForEach(stream.bytes, (bytes) =>
      Effect.suspend(() => {
        read(bytes)
        return isOver ? Effect.sync(() => this.drop(peerId)) : Effect.void
      })
    )
  }

  #write(stream: ByteStream, member: Member): Effect.Effect<never, unknown> {
    const next = Effect.gen(function* () {
      const bytes = yield* Queue.take(member.queue)
      const { length } = bytes
      yield* stream.write(bytes)
      member.waitingBytes -= length
      if (member.waitingBytes <= DRAINED_BYTES) member.waiting.wake()
    })
    return Effect.forever(next)
  }
}
