/**
 * The blocks of the best chain that some peers have, one after another, for who runs no node: fetched ahead of the reader from several peers at
 * once, each checked as far as that needs no coins, and a reorganisation told as the way back and the way on.
 *
 * ```
 *   Following ◀─▶ BlockStreamMachine ◀── checkBlock
 *       │ stored         │ Moved
 *       └───────▶ BlockReader ─▶ Connected, Connected, Disconnected, …, NoPeerServes
 * ```
 *
 * It keeps headers and no blocks. Closing its scope, or interrupting, closes every connection.
 */
import {
  type BlockPlace,
  type BlockStep,
  type BlockStreamInput,
  BlockStreamMachine,
  type BlockStreamOutput,
  type BlockStreamProgress,
  type StreamStart
} from "@satwire/block-stream"
import { BlockReader, UnknownPlace } from "@satwire/block-stream/effect"
import { checkBlock } from "@satwire/consensus"
import { portableSha256, portableSignatures } from "@satwire/crypto"
import type { HeadersRefused } from "@satwire/header-stream/effect"
import { type HeaderSyncMessage, type Tip, tipOf } from "@satwire/header-sync"
import { seededRandom } from "@satwire/runtime"
import type { HeaderStore, StoreError } from "@satwire/store"
import type { Dialer } from "@satwire/transport"
import type { Block, Message, NotFound } from "@satwire/wire"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import { Following, type StreamOptions, isOfHeaders, restoredTree } from "./Following.ts"
import { DEFAULT_REQUEST_TIMEOUT_MS } from "./PeerSession.ts"
import type { NoPeerServes } from "./StreamError.ts"
import type { StreamPeer } from "./StreamPeers.ts"

type Taken = HeaderSyncMessage | Block | NotFound
type OwnInput = Extract<BlockStreamInput, { readonly _tag: "BlockChecked" | "ReaderAt" | "BlockLost" }>

/** Where the reader begins: `after` counts before `from`, and that before `fromTime`. */
export interface BlockStreamOptions extends StreamOptions, StreamStart {
  /** How many bytes of blocks may be fetched ahead of the reader; `DEFAULT_BLOCK_BYTES_AHEAD` (32 MB) where not given. */
  readonly bytesAhead?: number | undefined
  /** How long a peer may take for the first block that it owes, and half as long more for each other one that sends blocks; 2 minutes where not given. */
  readonly blockTimeoutMs?: number | undefined
}

/** Why a block stream ended: nobody is left to ask, the reader's place is in no chain of the peers, or the store of headers failed. */
export type BlockStreamError = NoPeerServes | UnknownPlace | StoreError

export interface BlockStreamSnapshot extends BlockStreamProgress {
  /** The last block that the reader has taken; `undefined` until it is known where he begins. */
  readonly place: BlockPlace | undefined
  /** The end of the best chain of headers. */
  readonly tip: Tip
  /** Whether a connected peer has no more headers than are here, and all of their blocks were fetched. */
  readonly isCaughtUp: boolean
  readonly peers: ReadonlyArray<StreamPeer>
}

/** The blocks of some peers' best chain, for as long as the scope is open. */
export interface BlockStream {
  /**
   * The steps from where the reader stands: `Connected` with the next block, or `Disconnected` for the last one, which is to be taken back. There
   * is one line of steps, each of which goes to one reader: who stops, and reads again, goes on there. It waits at the tip. It fails
   * with {@link BlockStreamError} once there is no more to tell, and ends with the scope.
   */
  readonly blocks: Stream.Stream<BlockStep, BlockStreamError>
  /** How far it is and how its peers fare, as of now. */
  readonly snapshot: Effect.Effect<BlockStreamSnapshot>
  /** Never succeeds. Fails when the stream cannot go on; by then every connection is closed. */
  readonly failure: Effect.Effect<never, BlockStreamError>
}

/**
 * Follows the blocks of some peers' best chain. It fails with {@link HeadersRefused} where the stored headers break a rule, and with an error of
 * the store where they cannot be read. A base that contradicts itself, and a signet whose challenge has a form that is not verified, are
 * defects.
 */
export const blockStream: (
  options: BlockStreamOptions
) => Effect.Effect<BlockStream, HeadersRefused | StoreError, Dialer | HeaderStore | Scope.Scope> = Effect.fnUntraced(
  function* (options) {
    const { blockTimeoutMs = DEFAULT_REQUEST_TIMEOUT_MS, bytesAhead, sha256 = portableSha256 } = options
    const random = yield* seededRandom
    const tree = yield* restoredTree(options, random.fork())
    const machine = new BlockStreamMachine({
      tree,
      sha256,
      random: random.fork(),
      skeleton: options.skeleton,
      start: options,
      bytesAhead,
      blockTimeoutMs
    })
    // A step is told once its header is stored, so that who notes it finds it again.
    let tip = -1
    const settle = (): void => {
      if (following.isStored) tip = machine.tip
      reader.tell()
    }
    const reader: BlockReader<BlockStreamError> = new BlockReader({
      tree,
      start: () => machine.at,
      tip: () => (tip < 0 ? machine.at : tip),
      block: (header) => machine.block(header),
      moved: (header) => following.submit({ _tag: "ReaderAt", header }),
      lost: (header) => following.submit({ _tag: "BlockLost", header })
    })
    const following: Following<Taken, OwnInput, BlockStreamOutput, UnknownPlace> = new Following({
      tree,
      machine,
      options,
      what: "blocks",
      takes: isOfBlocks,
      perform(output) {
        switch (output._tag) {
          case "CheckBlock":
            return following.between(() => {
              const { block, context, header } = output
              const fault = checkBlock(sha256, block, context, portableSignatures)
              following.submit({ _tag: "BlockChecked", header, block, fault })
            })
          case "Moved":
            return following.between(settle)
          case "PlaceUnknown":
            return following.break(Cause.fail(new UnknownPlace(output.place)))
          default:
            return following.perform(output)
        }
      },
      stored: settle,
      isBehind: () => false,
      end: (exit) => reader.end(exit)
    })
    const failure = yield* following.start
    const snapshot = Effect.sync(() => ({
      place: reader.at < 0 ? undefined : { height: tree.height(reader.at), hash: tree.hash(reader.at) },
      tip: tipOf(tree, tree.best),
      isCaughtUp: machine.isFound && machine.tip === tree.best,
      ...machine.snapshot(),
      peers: following.peers.states
    }))
    return { blocks: reader.steps, snapshot, failure }
  }
)

const isOfBlocks = (message: Message): message is Taken =>
  message._tag === "block" || message._tag === "notfound" || isOfHeaders(message)
