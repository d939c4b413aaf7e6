/**
 * The best chain of headers that some peers have, followed from where the store left off: what left it and what joined it, told once it is
 * stored, and a typed end when none of the peers can serve any more.
 *
 * ```
 *   Following ◀─▶ HeaderStreamMachine
 *       │ stored
 *       ▼
 *   ChangeReaders ─▶ TipChange, TipChange, …, NoPeerServes
 * ```
 *
 * It judges headers by every rule of consensus and blocks by none. Closing its scope, or interrupting, closes every connection.
 */
import { portableSha256 } from "@satwire/crypto"
import { HeaderStreamMachine, type HeaderStreamOutput, type TipChange } from "@satwire/header-stream"
import { ChangeReaders, type HeadersRefused } from "@satwire/header-stream/effect"
import { type HeaderSyncMessage, type Tip, tipOf } from "@satwire/header-sync"
import type { BlockHash } from "@satwire/primitives"
import { seededRandom } from "@satwire/runtime"
import type { HeaderStore, StoreError } from "@satwire/store"
import type { Dialer } from "@satwire/transport"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Following, type StreamOptions, isOfHeaders, restoredTree } from "./Following.ts"
import { HeaderUnknown, type NoPeerServes } from "./StreamError.ts"
import type { StreamPeer } from "./StreamPeers.ts"

export interface HeaderStreamOptions extends StreamOptions {}

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
    const { sha256 = portableSha256, skeleton } = options
    const random = yield* seededRandom
    const tree = yield* restoredTree(options, random.fork())
    const machine = new HeaderStreamMachine({ tree, sha256, random: random.fork(), skeleton })
    const readers: ChangeReaders<HeaderStreamError> = new ChangeReaders(tree, () => following.weigh())
    const following: Following<HeaderSyncMessage, never, HeaderStreamOutput> = new Following({
      tree,
      machine,
      options,
      what: "headers",
      takes: isOfHeaders,
      perform: (output) => following.perform(output),
      stored: (tip) => {
        if (tip !== undefined) readers.stored(tip)
      },
      isBehind: () => readers.isBehind,
      end: (exit) => readers.end(exit)
    })
    const start = readers.tip
    const failure = yield* following.start
    const tip = Effect.sync(() => tipOf(tree, readers.tip))
    return {
      changes: readers.from(start),
      changesSince: (hash) =>
        Stream.suspend((): Stream.Stream<TipChange, HeaderStreamError | HeaderUnknown> => {
          const header = tree.find(hash)
          return header < 0 ? Stream.fail(new HeaderUnknown(hash)) : readers.from(header)
        }),
      tip,
      snapshot: Effect.map(tip, (tip) => ({ tip, isCaughtUp: machine.isFound, peers: following.peers.states })),
      failure
    }
  }
)
