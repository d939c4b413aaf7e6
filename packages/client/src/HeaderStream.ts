/**
 * The best chain of headers that some peers have, followed from where the store left off: what left it and what joined it, told once it is
 * stored, and a typed end when none of the peers can serve any more.
 *
 * ```
 *   HeaderStore ─▶ tree ◀── HeaderStreamMachine ◀──▶ StreamPeers ◀──▶ sessions
 *        ▲                       │ HeadersAccepted
 *        └────── writer ◀────────┘
 *                  │ stored
 *                  ▼
 *            ChangeReaders ─▶ TipChange, TipChange, …, NoPeerServes
 * ```
 *
 * It judges headers by every rule of consensus and blocks by none. Closing its scope, or interrupting, closes every connection.
 */
import { concat } from "@satwire/bytes"
import { portableSha256 } from "@satwire/crypto"
import {
  type HeaderStreamInput,
  HeaderStreamMachine,
  type HeaderStreamOutput,
  type TipChange
} from "@satwire/header-stream"
import { ChangeReaders, type HeadersRefused, restoreHeaders } from "@satwire/header-stream/effect"
import { HeaderTree, type Tip, type TreeBase, tipOf } from "@satwire/header-sync"
import type { BlockHash, HeaderPoint } from "@satwire/primitives"
import { type MachineService, machineService, seededRandom } from "@satwire/runtime"
import { HeaderStore, type StoreError } from "@satwire/store"
import type { Dialer, Endpoint } from "@satwire/transport"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { HeaderUnknown, type NoPeerServes, noPeerServes } from "./HeaderStreamError.ts"
import type { ConnectOptions } from "./PeerSession.ts"
import { type StreamPeer, StreamPeers } from "./StreamPeers.ts"

/** Core's `MAX_OUTBOUND_FULL_RELAY_CONNECTIONS` (net.h): how many sessions there are at once where nothing else is asked for. */
export const DEFAULT_SESSIONS_AT_ONCE = 8
/** How often a peer is tried, one failure after another, where nothing else is asked for. */
export const DEFAULT_TRIES = 5

/**
 * How many bytes of accepted headers may wait for a slow store. While more do, nothing is read from any peer, until half of it is written.
 *
 * @limit bytes of headers of a header stream that wait for the store before reading from peers stops
 */
export const HEADER_BYTES_UNSTORED = 4_000_000

/** The session's options hold for every session. */
export interface HeaderStreamOptions extends Omit<ConnectOptions, "startHeight" | "onState" | "requestTimeoutMs"> {
  /** Whom to ask. With how many at once says `sessionsAtOnce`; the others wait until a session ends. */
  readonly peers: ReadonlyArray<Endpoint>
  /** {@link DEFAULT_SESSIONS_AT_ONCE} where not given; at least 1. */
  readonly sessionsAtOnce?: number | undefined
  /**
   * How often a peer is tried before it is spent, {@link DEFAULT_TRIES} where not given. Headers that were new, or ten minutes of a session,
   * let it begin to count anew. Between tries lies a second, doubled each time up to a minute.
   */
  readonly tries?: number | undefined
  /** Where the headers begin when they do not begin with genesis. */
  readonly base?: TreeBase | undefined
  /** Points of a chain, lowest first, along which headers are fetched from several peers at once; trusted in nothing. */
  readonly skeleton?: ReadonlyArray<HeaderPoint> | undefined
  /** Headers that are trusted: no chain is followed that has another one at such a height. */
  readonly trustedHeaders?: ReadonlyArray<HeaderPoint> | undefined
}

/** Why a header stream ended: nobody is left to ask, or the store failed. */
export type HeaderStreamError = NoPeerServes | StoreError

export interface HeaderStreamSnapshot {
  readonly tip: Tip
  /** Whether a connected peer has no more than is here, and that has the network's least work. */
  readonly isCaughtUp: boolean
  readonly peers: ReadonlyArray<StreamPeer>
}

/** The best chain of some peers, for as long as the scope is open. */
export interface HeaderStream {
  /**
   * The changes since the stream was opened. Each reader of it is told all of them, at its own pace: who is slow is told of several at once
   * as one, and much slower holds up the sync. Only what is stored is told. It fails with {@link HeaderStreamError}
   * when that is why there are no more, and ends with the scope; what there is to tell comes before either.
   */
  readonly changes: Stream.Stream<TipChange, HeaderStreamError>
  /**
   * The same from the header with this hash on, for who knows up to which tip it was told in an earlier run; from genesis on it is the whole
   * chain. Fails with {@link HeaderUnknown} where there is no such header.
   */
  readonly changesSince: (hash: BlockHash) => Stream.Stream<TipChange, HeaderStreamError | HeaderUnknown>
  /** The end of the best chain, as it is stored now. */
  readonly tip: Effect.Effect<Tip>
  /** How far it is and how its peers fare, as of now. */
  readonly snapshot: Effect.Effect<HeaderStreamSnapshot>
  /** Never succeeds. Fails when the stream cannot go on; by then every connection is closed. */
  readonly failure: Effect.Effect<never, HeaderStreamError>
}

/**
 * Follows the best chain of some peers. First the stored headers pass every rule again; it fails with {@link HeadersRefused} where they do
 * not, and with an error of the store where they cannot be read. A base that contradicts itself is a defect.
 */
export const headerStream: (
  options: HeaderStreamOptions
) => Effect.Effect<HeaderStream, HeadersRefused | StoreError, Dialer | HeaderStore | Scope.Scope> = Effect.fnUntraced(
  function* (options) {
    const { base, params, sha256 = portableSha256, skeleton, trustedHeaders } = options
    const random = yield* seededRandom
    const tree =
      base === undefined
        ? HeaderTree.fromGenesis(params, random.fork(), trustedHeaders)
        : HeaderTree.fromBase(params, base, sha256, random.fork(), trustedHeaders)
    yield* restoreHeaders(tree, sha256)
    const machine = new HeaderStreamMachine({ tree, sha256, random: random.fork(), skeleton })
    const following = new Following(tree, machine, options)
    const { peers, readers } = following
    const start = readers.tip
    yield* Effect.addFinalizer(() => Effect.sync(() => readers.end(Exit.void)))
    const running = yield* Scope.fork(yield* Effect.scope)
    const failed = Deferred.makeUnsafe<never, HeaderStreamError>()
    const end = (cause: Cause.Cause<HeaderStreamError>): Effect.Effect<void> =>
      Scope.close(running, Exit.failCause(cause)).pipe(
        Effect.andThen(
          Effect.sync(() => {
            readers.end(Exit.failCause(cause))
            Deferred.doneUnsafe(failed, Exit.failCause(cause))
          })
        ),
        Effect.uninterruptible
      )
    yield* following.run.pipe(Scope.provide(running))
    yield* Effect.forkScoped(Effect.catchCause(following.broken, end))
    const tip = Effect.sync(() => tipOf(tree, readers.tip))
    return {
      changes: readers.from(start),
      changesSince: (hash) =>
        Stream.suspend((): Stream.Stream<TipChange, HeaderStreamError | HeaderUnknown> => {
          const header = tree.find(hash)
          return header < 0 ? Stream.fail(new HeaderUnknown(hash)) : readers.from(header)
        }),
      tip,
      snapshot: Effect.map(tip, (tip) => ({ tip, isCaughtUp: machine.isFound, peers: peers.states })),
      failure: Deferred.await(failed)
    }
  }
)

/** Headers that wait for the store. */
interface Batch {
  readonly headers: Uint8Array
  readonly count: number
  /** The best header once these are in the tree, or -1 where it is none of them. */
  tip: number
}

/** The parts of a header stream, and what passes between them. */
class Following {
  readonly peers: StreamPeers
  readonly readers: ChangeReaders<HeaderStreamError>
  readonly #tree: HeaderTree
  readonly #machine: HeaderStreamMachine
  readonly #broken: Deferred.Deferred<never, HeaderStreamError> = Deferred.makeUnsafe()
  #service: MachineService<HeaderStreamInput, HeaderStreamOutput> | undefined = undefined
  #waiting: Queue.Queue<Batch, Cause.Done> | undefined = undefined
  /** What the turn that is under way accepted last. */
  #accepted: Batch | undefined = undefined
  #unstored = 0
  #storeIsBehind = false
  #held = false

  constructor(tree: HeaderTree, machine: HeaderStreamMachine, options: HeaderStreamOptions) {
    const { peers, sessionsAtOnce = DEFAULT_SESSIONS_AT_ONCE, tries = DEFAULT_TRIES } = options
    this.#tree = tree
    this.#machine = machine
    this.readers = new ChangeReaders(tree, () => this.#weigh())
    this.peers = new StreamPeers(
      {
        endpoints: peers,
        connect: options,
        sessionsAtOnce: Math.max(1, sessionsAtOnce),
        tries,
        height: () => tree.height(tree.best)
      },
      machine
    )
  }

  /** Never succeeds: fails when it cannot go on. */
  get broken(): Effect.Effect<never, HeaderStreamError> {
    return Deferred.await(this.#broken)
  }

  /** Starts it, until the scope closes: connections first, then what was accepted is still stored. */
  readonly run: Effect.Effect<void, never, Dialer | HeaderStore | Scope.Scope> = Effect.gen(
    { self: this },
    function* () {
      yield* this.#storing
      const service = yield* machineService({
        machine: this.#machine,
        timeout: { _tag: "Timeout" } as const,
        perform: (output) => this.#perform(output)
      })
      this.#service = service
      // A machine that breaks is a bug of ours, and no way for a stream to end.
      yield* service.failure.pipe(
        Effect.catch((failed) => this.#break(Cause.die(failed))),
        Effect.forkScoped
      )
      yield* this.peers.run(service).pipe(
        Effect.flatMap((spent) => this.#break(Cause.fail(noPeerServes(spent)))),
        Effect.catchCause((cause) => (Cause.hasInterruptsOnly(cause) ? Effect.void : this.#break(cause))),
        Effect.forkScoped
      )
    }
  )

  /** Writes to the store in order, all that waits in one commit, and tells of a tip once it is there. */
  get #storing(): Effect.Effect<void, never, HeaderStore | Scope.Scope> {
    return Effect.gen({ self: this }, function* () {
      const store = yield* HeaderStore
      const waiting = yield* Queue.unbounded<Batch, Cause.Done>()
      this.#waiting = waiting
      const writer = yield* Stream.fromQueue(waiting).pipe(
        Stream.runForEachArray((batches) => {
          const count = batches.reduce((sum, batch) => sum + batch.count, 0)
          const headers = concat(batches.map((batch) => batch.headers))
          return Effect.map(store.append(headers, count), () => this.#stored(headers.length, batches))
        }),
        Effect.catchCause((cause) => Effect.andThen(Queue.shutdown(waiting), this.#break(cause))),
        Effect.forkDetach
      )
      yield* Effect.addFinalizer(() => Effect.andThen(Queue.end(waiting), Fiber.await(writer)))
    })
  }

  #break(cause: Cause.Cause<HeaderStreamError>): Effect.Effect<void> {
    return Effect.sync(() => void Deferred.doneUnsafe(this.#broken, Exit.failCause(cause)))
  }

  #perform(output: HeaderStreamOutput): void {
    switch (output._tag) {
      case "Send":
        return this.#between(() => this.peers.send(output.peer, output.message))
      case "LetGo":
        return this.#between(() => this.peers.letGo(output.peer, output.fault))
      case "HeadersAccepted": {
        const { count, headers } = output
        const batch: Batch = { headers, count, tip: -1 }
        this.#accepted = batch
        return this.#between(() => this.#store(batch))
      }
      case "TipChanged":
        // It follows the headers that brought it.
        if (this.#accepted !== undefined) this.#accepted.tip = this.#tree.find(output.tip.hash)
        return
    }
  }

  /** What wakes fibers does not happen within a turn. */
  #between(action: () => void): void {
    this.#service?.between(action)
  }

  #store(batch: Batch): void {
    if (this.#waiting === undefined || !Queue.offerUnsafe(this.#waiting, batch)) return
    this.#unstored += batch.headers.length
    this.#weigh()
  }

  #stored(bytes: number, batches: ReadonlyArray<Batch>): void {
    this.#unstored -= bytes
    const tip = batches.findLast((batch) => batch.tip >= 0)?.tip
    if (tip !== undefined) this.readers.stored(tip)
    this.#weigh()
  }

  /** Peers are read from while neither the store nor a reader is too far behind. */
  #weigh(): void {
    const most = this.#storeIsBehind ? HEADER_BYTES_UNSTORED / 2 : HEADER_BYTES_UNSTORED
    this.#storeIsBehind = this.#unstored > most
    const held = this.readers.isBehind || this.#storeIsBehind
    if (held === this.#held) return
    this.#held = held
    this.#service?.submit({ _tag: "Hold", held })
    this.#between(() => this.peers.hold(held))
  }
}
