/**
 * What streams of headers and of blocks have in common: a machine, the sessions with the peers of a list, and a store for the headers that were
 * accepted.
 *
 * ```
 *   HeaderStore ─▶ tree ◀── machine ◀──▶ StreamPeers ◀──▶ sessions
 *        ▲                    │ accepted
 *        └────── writer ◀─────┘
 *                  │ stored
 *                  ▼
 *               readers
 * ```
 */
import type { BlockStreamOutput } from "@satwire/block-stream"
import { concat } from "@satwire/bytes"
import { portableSha256 } from "@satwire/crypto"
import { type HeadersRefused, restoreHeaders } from "@satwire/header-stream/effect"
import { type HeaderSyncMessage, HeaderTree, type TreeBase } from "@satwire/header-sync"
import type { Machine, PeerId, Random } from "@satwire/machine"
import type { HeaderPoint } from "@satwire/primitives"
import { type MachineService, machineService } from "@satwire/runtime"
import { HeaderStore, type Keeper, type StoreError, keepInOrder } from "@satwire/store"
import type { Dialer, Endpoint } from "@satwire/transport"
import type { Message } from "@satwire/wire"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { ConnectOptions } from "./PeerSession.ts"
import { type NoPeerServes, noPeerServes } from "./StreamError.ts"
import { type PeersInput, StreamPeers } from "./StreamPeers.ts"

/** Core's `MAX_OUTBOUND_FULL_RELAY_CONNECTIONS` (net.h): how many sessions there are at once where nothing else is asked for. */
export const DEFAULT_SESSIONS_AT_ONCE = 8
/** How often a peer is tried, one failure after another, where nothing else is asked for. */
export const DEFAULT_TRIES = 5

/**
 * How many bytes of accepted headers may wait for a slow store. While more do, nothing is read from any peer, until half of it is written.
 *
 * @limit bytes of headers of a header or block stream that wait for the store before reading from peers stops
 */
export const HEADER_BYTES_UNSTORED = 4_000_000

/** The session's options hold for every session. */
export interface StreamOptions extends Omit<ConnectOptions, "startHeight" | "onState" | "requestTimeoutMs"> {
  /** Whom to ask. With how many at once says `sessionsAtOnce`; the others wait until a session ends. */
  readonly peers: ReadonlyArray<Endpoint>
  /** {@link DEFAULT_SESSIONS_AT_ONCE} where not given; at least 1. */
  readonly sessionsAtOnce?: number | undefined
  /**
   * How often a peer is tried before it is spent, {@link DEFAULT_TRIES} where not given. Headers or blocks that were new, or ten minutes of a
   * session, let it begin to count anew. Between tries lies a second, doubled each time up to a minute.
   */
  readonly tries?: number | undefined
  /** Where the headers begin when they do not begin with genesis. */
  readonly base?: TreeBase | undefined
  /** Points of a chain, lowest first, along which headers are fetched from several peers at once; trusted in nothing. */
  readonly skeleton?: ReadonlyArray<HeaderPoint> | undefined
  /** Headers that are trusted: no chain is followed that has another one at such a height. */
  readonly trustedHeaders?: ReadonlyArray<HeaderPoint> | undefined
}

/** What the machine of any such stream is told; each has inputs of its own besides. */
export type StreamInput<Taken extends Message> =
  | PeersInput<Taken>
  | { readonly _tag: "Hold"; readonly held: boolean }
  | { readonly _tag: "Timeout" }

/** What the machine of any such stream asks for. */
export type CommonOutput = Extract<
  BlockStreamOutput,
  { readonly _tag: "Send" | "LetGo" | "HeadersAccepted" | "TipChanged" }
>

export interface Followed<Taken extends Message, Input, Output, E> {
  readonly tree: HeaderTree
  readonly machine: Machine<StreamInput<Taken> | Input, Output> & { hasServed(peer: PeerId): boolean }
  readonly options: StreamOptions
  /** What is asked of the peers, in a word. */
  readonly what: "headers" | "blocks"
  /** Which messages the machine takes. */
  readonly takes: (message: Message) => message is Taken
  /** Does what an output asks for. */
  readonly perform: (output: Output) => void
  /** All headers up to these are in the store; `tip` is the best of those that came last, where that is one of them. */
  readonly stored: (tip: number | undefined) => void
  /** Whether a reader has so much before him that nothing more is to be read from peers. */
  readonly isBehind: () => boolean
  /** Nothing more comes, for this reason; by then every connection is closed. */
  readonly end: (exit: Exit.Exit<void, E | NoPeerServes | StoreError>) => void
}

/** The tree of a stream with what is in the store. A base that contradicts itself is a defect. */
export const restoredTree = (
  { base, params, sha256 = portableSha256, trustedHeaders }: StreamOptions,
  random: Random
): Effect.Effect<HeaderTree, HeadersRefused | StoreError, HeaderStore> =>
  Effect.gen(function* () {
    const tree =
      base === undefined
        ? HeaderTree.fromGenesis(params, random, trustedHeaders)
        : HeaderTree.fromBase(params, base, sha256, random, trustedHeaders)
    yield* restoreHeaders(tree, sha256)
    return tree
  })

/** Headers that wait for the store. */
interface Batch {
  readonly headers: Uint8Array
  readonly count: number
  /** The best header once these are in the tree, or -1 where it is none of them. */
  tip: number
}

export class Following<Taken extends Message, Input extends { readonly _tag: string }, Output, E = never> {
  readonly peers: StreamPeers<Taken>
  readonly #followed: Followed<Taken, Input, Output, E>
  readonly #broken: Deferred.Deferred<never, E | NoPeerServes | StoreError> = Deferred.makeUnsafe()
  #service: MachineService<StreamInput<Taken> | Input, Output> | undefined = undefined
  #keeper: Keeper<Batch> | undefined = undefined
  /** What the turn that is under way accepted last. */
  #accepted: Batch | undefined = undefined
  /** How many batches were accepted and are not in the store. */
  #unstored = 0
  #storeIsBehind = false
  #held = false

  constructor(followed: Followed<Taken, Input, Output, E>) {
    const { machine, options, takes, tree } = followed
    const { peers, sessionsAtOnce = DEFAULT_SESSIONS_AT_ONCE, tries = DEFAULT_TRIES } = options
    this.#followed = followed
    this.peers = new StreamPeers({
      endpoints: peers,
      connect: options,
      sessionsAtOnce: Math.max(1, sessionsAtOnce),
      tries,
      height: () => tree.height(tree.best),
      takes,
      hasServed: (peer) => machine.hasServed(peer)
    })
  }

  /** Whether every header that was accepted is in the store. */
  get isStored(): boolean {
    return this.#unstored === 0
  }

  /**
   * Runs it until the scope closes or it cannot go on: then all is put away, and the effect that is given fails. It never succeeds.
   */
  readonly start: Effect.Effect<
    Effect.Effect<never, E | NoPeerServes | StoreError>,
    never,
    Dialer | HeaderStore | Scope.Scope
  > = Effect.gen({ self: this }, function* () {
    const { end } = this.#followed
    yield* Effect.addFinalizer(() => Effect.sync(() => end(Exit.void)))
    const running = yield* Scope.fork(yield* Effect.scope)
    const failed = Deferred.makeUnsafe<never, E | NoPeerServes | StoreError>()
    const stop = (cause: Cause.Cause<E | NoPeerServes | StoreError>): Effect.Effect<void> =>
      Scope.close(running, Exit.failCause(cause)).pipe(
        Effect.andThen(
          Effect.sync(() => {
            end(Exit.failCause(cause))
            Deferred.doneUnsafe(failed, Exit.failCause(cause))
          })
        ),
        Effect.uninterruptible
      )
    yield* this.#run.pipe(Scope.provide(running))
    yield* Effect.forkScoped(Effect.catchCause(Deferred.await(this.#broken), stop))
    return Deferred.await(failed)
  })

  /** Connections first, then what was accepted is still stored. */
  get #run(): Effect.Effect<void, never, Dialer | HeaderStore | Scope.Scope> {
    return Effect.gen({ self: this }, function* () {
      const { machine, perform, what } = this.#followed
      this.#keeper = yield* this.#storing
      const service = yield* machineService<StreamInput<Taken> | Input, Output>({
        machine,
        timeout: { _tag: "Timeout" },
        perform
      })
      this.#service = service
      // A machine that breaks is a bug of ours, and no way for a stream to end.
      yield* service.failure.pipe(
        Effect.catch((failed) => Effect.sync(() => this.break(Cause.die(failed)))),
        Effect.forkScoped
      )
      yield* this.peers.run(service).pipe(
        Effect.map((spent) => this.break(Cause.fail(noPeerServes(spent, what)))),
        Effect.catchCause((cause) => Effect.sync(() => Cause.hasInterruptsOnly(cause) || this.break(cause))),
        Effect.forkScoped
      )
    })
  }

  /** Writes to the store in order, all that waits in one commit, and tells of a tip once it is there. */
  get #storing(): Effect.Effect<Keeper<Batch>, never, HeaderStore | Scope.Scope> {
    return Effect.flatMap(HeaderStore, (store) =>
      keepInOrder<Batch>({
        bytesOf: ({ headers }) => headers.length,
        mostBytes: HEADER_BYTES_UNSTORED,
        append: (batches) => store.append(concat(batches.map(({ headers }) => headers)), countOf(batches)),
        stored: (batches) => {
          this.#unstored -= batches.length
          this.#followed.stored(batches.findLast(({ tip }) => tip >= 0)?.tip)
          this.weigh()
        },
        behind: (isBehind) => {
          this.#storeIsBehind = isBehind
          this.weigh()
        },
        failed: (cause) => this.break(cause),
        // Whoever runs no node is told of a full disk by the end of the stream.
        full: () => {},
        roomAgain: () => {}
      })
    )
  }

  /** It cannot go on. */
  break(cause: Cause.Cause<E | NoPeerServes | StoreError>): void {
    Deferred.doneUnsafe(this.#broken, Exit.failCause(cause))
  }

  /** Gives the machine an input. */
  submit(input: Input): void {
    this.#service?.submit(input)
  }

  /** What wakes fibers does not happen within a turn. */
  between(action: () => void): void {
    this.#service?.between(action)
  }

  /** Does what the machine asks for, where that is not the stream's own. */
  perform(output: CommonOutput): void {
    switch (output._tag) {
      case "Send":
        return this.between(() => this.peers.send(output.peer, output.message))
      case "LetGo":
        return this.between(() => this.peers.letGo(output.peer, output.fault))
      case "HeadersAccepted": {
        const { count, headers } = output
        const batch: Batch = { headers, count, tip: -1 }
        this.#accepted = batch
        this.#unstored += 1
        return this.between(() => this.#keeper?.keep(batch))
      }
      case "TipChanged":
        // It follows the headers that brought it.
        if (this.#accepted !== undefined) this.#accepted.tip = this.#followed.tree.find(output.tip.hash)
        return
    }
  }

  /** How far readers are is another. */
  weigh(): void {
    const held = this.#followed.isBehind() || this.#storeIsBehind
    if (held === this.#held) return
    this.#held = held
    this.#service?.submit({ _tag: "Hold", held })
    this.between(() => this.peers.hold(held))
  }
}

const countOf = (batches: ReadonlyArray<Batch>): number => batches.reduce((sum, { count }) => sum + count, 0)

export const isOfHeaders = (message: Message): message is HeaderSyncMessage =>
  message._tag === "headers" ||
  message._tag === "getheaders" ||
  message._tag === "inv" ||
  message._tag === "sendheaders"
